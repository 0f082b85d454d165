//! The public Regions and their zones. A Region is a name space of the catalogue.

/// Name, prefix of zone ids, zone letters (EC2 user guide, "Regions and Zones").
const REGIONS: [(&str, &str, &str); 33] = [
    ("af-south-1", "afs1", "abc"),
    ("ap-east-1", "ape1", "abc"),
    ("ap-northeast-1", "apne1", "acd"),
    ("ap-northeast-2", "apne2", "abcd"),
    ("ap-northeast-3", "apne3", "abc"),
    ("ap-south-1", "aps1", "abc"),
    ("ap-south-2", "aps2", "abc"),
    ("ap-southeast-1", "apse1", "abc"),
    ("ap-southeast-2", "apse2", "abc"),
    ("ap-southeast-3", "apse3", "abc"),
    ("ap-southeast-4", "apse4", "abc"),
    ("ap-southeast-5", "apse5", "abc"),
    ("ap-southeast-7", "apse7", "abc"),
    ("ca-central-1", "cac1", "abd"),
    ("ca-west-1", "caw1", "abc"),
    ("eu-central-1", "euc1", "abc"),
    ("eu-central-2", "euc2", "abc"),
    ("eu-north-1", "eun1", "abc"),
    ("eu-south-1", "eus1", "abc"),
    ("eu-south-2", "eus2", "abc"),
    ("eu-west-1", "euw1", "abc"),
    ("eu-west-2", "euw2", "abc"),
    ("eu-west-3", "euw3", "abc"),
    ("il-central-1", "ilc1", "abc"),
    ("me-central-1", "mec1", "abc"),
    ("me-south-1", "mes1", "abc"),
    ("mx-central-1", "mxc1", "abc"),
    ("sa-east-1", "sae1", "abc"),
    ("us-east-1", "use1", "abcdef"),
    ("us-east-2", "use2", "abc"),
    ("us-west-1", "usw1", "ac"),
    ("us-west-2", "usw2", "abcd"),
    ("us-gov-west-1", "usgw1", "abc"),
];

/// A zone of a Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    /// Such as `us-east-1a`.
    pub(crate) name: String,
    /// Such as `use1-az1`.
    pub(crate) id: String,
    /// 0 for the Region's first zone.
    pub(crate) position: u8,
}

/// The names of all Regions.
pub(crate) fn list_names() -> impl Iterator<Item = &'static str> {
    REGIONS.iter().map(|(name, ..)| *name)
}

/// Is there a Region of this name?
pub(crate) fn is_region(name: &str) -> bool {
    list_names().any(|region| region == name)
}

/// The zones of `region`, in order.
pub(crate) fn list_zones(region: &str) -> Vec<Zone> {
    let found = REGIONS.iter().find(|(name, ..)| *name == region);
    let zones = found
        .into_iter()
        .flat_map(|(name, prefix, letters)| letters.chars().map(move |letter| (*name, *prefix, letter)));
    (0_u8..)
        .zip(zones)
        .map(|(position, (name, prefix, letter))| Zone {
            name: format!("{name}{letter}"),
            id: format!("{prefix}-az{}", position + 1),
            position,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_carry_their_regions_name() {
        for region in list_names() {
            let zones = list_zones(region);
            assert!(zones.len() >= 2, "{region}");
            assert!(zones.iter().all(|zone| zone.name.starts_with(region)));
        }
        assert_eq!(list_zones("us-east-1")[0].id, "use1-az1");
        assert!(list_zones("xx-nowhere-1").is_empty());
        assert!(!is_region("us-east-1a"));
    }
}
