//! What a launch may fall back to when EC2 has no room: other markets, types and subnets.

use ovenbird_aws as aws;

/// How the instance is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Market {
    /// For as long as EC2 has it to spare.
    Spot,
    /// At the list price.
    OnDemand,
}

/// One way to launch the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) market: Market,
    pub(crate) instance_type: String,
    /// `None`: the account's default subnet.
    pub(crate) subnet: Option<String>,
}

/// All ways, the best first: the cheaper market before the other, the template's first type before further ones, and all subnets
/// of a type before the next.
pub(crate) fn candidates(types: &[String], subnets: &[String], spot: bool) -> Vec<Candidate> {
    let markets: &[Market] = if spot { &[Market::Spot, Market::OnDemand] } else { &[Market::OnDemand] };
    let subnets: Vec<Option<String>> =
        if subnets.is_empty() { vec![None] } else { subnets.iter().cloned().map(Some).collect() };
    let mut all = Vec::new();
    for market in markets {
        for instance_type in types {
            for subnet in &subnets {
                let candidate =
                    Candidate { market: *market, instance_type: instance_type.clone(), subnet: subnet.clone() };
                if !all.contains(&candidate) {
                    all.push(candidate);
                }
            }
        }
    }
    all
}

/// Codes that say: not here, not now. (EC2 API reference, error codes of RunInstances)
const CAPACITY: [&str; 10] = [
    "InsufficientInstanceCapacity",
    "InsufficientHostCapacity",
    "InsufficientCapacity",
    "InsufficientReservedInstanceCapacity",
    "InsufficientFreeAddressesInSubnet",
    "InstanceLimitExceeded",
    "VcpuLimitExceeded",
    "MaxSpotInstanceCountExceeded",
    "SpotMaxPriceTooLow",
    "Unsupported",
];

/// May another candidate do better? `Unsupported` is what a zone answers that does not have the type at all.
pub(crate) fn is_out_of_capacity(error: &aws::Error) -> bool {
    error.refusal().is_some_and(|refusal| CAPACITY.contains(&refusal.code.as_str()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(prefix: &str, count: usize) -> Vec<String> {
        (0..count).map(|number| format!("{prefix}{number}")).collect()
    }

    #[test]
    fn all_subnets_of_a_type_come_before_the_next_type_and_spot_before_all() {
        let told: Vec<String> = candidates(&names("t", 2), &names("s", 2), true)
            .iter()
            .map(|one| format!("{:?} {} {}", one.market, one.instance_type, one.subnet.as_deref().unwrap_or_default()))
            .collect();
        let wanted = [
            "Spot t0 s0",
            "Spot t0 s1",
            "Spot t1 s0",
            "Spot t1 s1",
            "OnDemand t0 s0",
            "OnDemand t0 s1",
            "OnDemand t1 s0",
            "OnDemand t1 s1",
        ];
        assert_eq!(told, wanted);
    }

    proptest! {
        #[test]
        fn every_way_is_there_once(types in 1_usize..5, subnets in 0_usize..5, spot: bool) {
            let all = candidates(&names("t", types), &names("s", subnets), spot);
            prop_assert_eq!(all.len(), types * subnets.max(1) * if spot { 2 } else { 1 });
            for (at, one) in all.iter().enumerate() {
                prop_assert!(!all[..at].contains(one));
            }
        }
    }
}
