//! Launching on the spot market.

use std::collections::BTreeMap;

use super::read::tags;
use crate::deferred::Deferred;
use crate::fields::Fields;

/// How to launch on the spot market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The most that an hour may cost.
    pub price: SpotPrice,
    /// Types that will do, besides `instance_type`.
    pub instance_types: Vec<String>,
    /// How EC2 chooses among them, such as `lowest-price`, `price-capacity-optimized` or `capacity-optimized`.
    pub allocation_strategy: Option<String>,
    /// Tags of the spot request.
    pub tags: BTreeMap<String, Deferred>,
    /// Tags of the fleet request.
    pub fleet_tags: BTreeMap<String, Deferred>,
}

/// The most that an hour may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpotPrice {
    /// As much as on demand.
    Auto,
    /// This many US dollars, as the API writes it.
    Most(String),
}

const STRATEGIES: [&str; 5] =
    ["capacity-optimized", "capacity-optimized-prioritized", "diversified", "lowest-price", "price-capacity-optimized"];

/// `None` when nothing asks for the spot market. A price of `0` means on demand, as in Packer.
pub(super) fn read(fields: &Fields<'_>) -> Option<Spot> {
    let price = fields.text("spot_price").filter(|price| price != "0");
    let spot = Spot {
        price: match price.as_deref() {
            None | Some("auto") => SpotPrice::Auto,
            Some(price) => SpotPrice::Most(price.to_owned()),
        },
        instance_types: fields.texts("spot_instance_types"),
        allocation_strategy: fields.one_of("spot_allocation_strategy", &STRATEGIES),
        tags: tags(fields, "spot_tags", "spot_tag"),
        fleet_tags: tags(fields, "fleet_tags", "fleet_tag"),
    };
    if let SpotPrice::Most(price) = &spot.price
        && price.parse::<f64>().is_err()
        && !fields.is_open("spot_price")
        && let Some(node) = fields.find("spot_price")
    {
        let help = "write dollars, such as 0.05, or auto".to_owned();
        fields.findings.error(&node.span, format!("`spot_price` cannot be `{price}`"), Some(help));
    }
    (price.is_some() || !spot.instance_types.is_empty()).then_some(spot)
}
