//! DescribeInstanceTypes, DescribeInstanceTypeOfferings, DescribeSpotPriceHistory.
//!
//! Every type is the same machine here, so what a type says of itself follows from its name, by the rules that EC2's own
//! names follow ("Amazon EC2 instance type naming conventions"): a few of the commonest are listed, any other is described
//! when it is named.

use jiff::Timestamp;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::DescribeInstanceTypeOfferingsRequest;
use ovenbird_aws::ec2::DescribeInstanceTypeOfferingsResult;
use ovenbird_aws::ec2::DescribeInstanceTypesRequest;
use ovenbird_aws::ec2::DescribeInstanceTypesResult;
use ovenbird_aws::ec2::DescribeSpotPriceHistoryRequest;
use ovenbird_aws::ec2::DescribeSpotPriceHistoryResult;
use ovenbird_aws::ec2::InstanceTypeInfo;
use ovenbird_aws::ec2::InstanceTypeOffering;
use ovenbird_aws::ec2::SpotPrice;

use super::filters::Filterable;
use super::filters::select;
use super::paging::Paging;
use super::run_instances::is_type;
use crate::catalogue::tags::Tag;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::regions;
use crate::world::Call;

const FAMILIES: [&str; 14] =
    ["t2", "t3", "t3a", "t4g", "m5", "m6i", "m6g", "m7g", "c5", "c6i", "c6g", "c7g", "r5", "r6g"];
const SIZES: [&str; 8] = ["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge"];

/// What a type's name says.
struct Type {
    name: String,
    family: String,
    vcpus: i32,
    mebibytes: i64,
}

impl Type {
    fn of(name: &str) -> Option<Self> {
        let (family, size) = name.split_once('.').filter(|_| is_type(name))?;
        let vcpus = match size {
            "nano" | "micro" | "small" | "medium" | "large" => 2,
            "xlarge" => 4,
            _ => size.strip_suffix("xlarge").and_then(|times| times.parse::<i32>().ok()).map_or(96, |times| times * 4),
        };
        // Burstable types begin at half a GiB and double; others have 2, 4 or 8 GiB for each CPU.
        let mebibytes = match (family.as_bytes().first(), size) {
            (Some(b't'), "nano") => 512,
            (Some(b't'), "micro") => 1024,
            (Some(b't'), "small") => 2048,
            (Some(b't'), "medium") => 4096,
            (Some(b'c'), _) => i64::from(vcpus) * 2048,
            (Some(b'r' | b'x'), _) => i64::from(vcpus) * 8192,
            _ => i64::from(vcpus) * 4096,
        };
        Some(Self { name: name.to_owned(), family: family.to_owned(), vcpus, mebibytes })
    }

    /// The types that are listed: the small sizes are burstable only.
    fn list() -> Vec<Self> {
        let is_made = |family: &str, size: &str| match size {
            "nano" | "micro" | "small" | "medium" => family.starts_with('t'),
            "4xlarge" => !family.starts_with('t'),
            _ => true,
        };
        let named = |family: &'static str| {
            SIZES.into_iter().filter(move |size| is_made(family, size)).map(move |size| format!("{family}.{size}"))
        };
        FAMILIES.into_iter().flat_map(named).filter_map(|name| Self::of(&name)).collect()
    }

    fn is_burstable(&self) -> bool {
        self.family.starts_with('t')
    }

    /// A `g` after the generation's digit is Graviton.
    fn architecture(&self) -> &'static str {
        let after_digit = self.family.split_once(|letter: char| letter.is_ascii_digit()).map(|(_, rest)| rest);
        if after_digit.is_some_and(|rest| rest.starts_with('g')) { "arm64" } else { "x86_64" }
    }

    fn is_nitro(&self) -> bool {
        !matches!(self.family.as_str(), "t2" | "m1" | "m2" | "m3" | "m4" | "c1" | "c3" | "c4" | "r3" | "r4")
    }

    fn to_api(&self) -> InstanceTypeInfo {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let nitro = if self.is_nitro() { "required" } else { "unsupported" };
        let modes: &[&str] = match (self.architecture(), self.is_nitro()) {
            ("arm64", _) => &["uefi"],
            (_, true) => &["legacy-bios", "uefi"],
            _ => &["legacy-bios"],
        };
        InstanceTypeInfo {
            instance_type: Some(self.name.clone()),
            current_generation: Some(true),
            free_tier_eligible: Some(matches!(self.name.as_str(), "t2.micro" | "t3.micro")),
            supported_usage_classes: words(&["on-demand", "spot"]),
            supported_root_device_types: words(&["ebs"]),
            supported_virtualization_types: words(&["hvm"]),
            bare_metal: Some(self.name.contains(".metal")),
            hypervisor: Some(if self.is_nitro() { "nitro" } else { "xen" }.to_owned()),
            processor_info: Some(ec2::ProcessorInfo {
                supported_architectures: words(&[self.architecture()]),
                ..ec2::ProcessorInfo::default()
            }),
            v_cpu_info: Some(ec2::VCpuInfo {
                default_v_cpus: Some(self.vcpus),
                default_cores: Some((self.vcpus + 1) / 2),
                default_threads_per_core: Some(2),
            }),
            memory_info: Some(ec2::MemoryInfo { size_in_mi_b: Some(self.mebibytes) }),
            instance_storage_supported: Some(false),
            ebs_info: Some(ec2::EbsInfo {
                ebs_optimized_support: Some("default".to_owned()),
                encryption_support: Some("supported".to_owned()),
                nvme_support: Some(nitro.to_owned()),
            }),
            network_info: Some(ec2::NetworkInfo { ena_support: Some(nitro.to_owned()), ..ec2::NetworkInfo::default() }),
            burstable_performance_supported: Some(self.is_burstable()),
            supported_boot_modes: words(modes),
        }
    }
}

struct Listed {
    seq: i64,
    info: InstanceTypeInfo,
}

/// The named types, or the commonest.
pub(crate) fn describe_instance_types(
    call: &Call,
    request: &DescribeInstanceTypesRequest,
) -> Answer<DescribeInstanceTypesResult> {
    let mut types = Vec::new();
    for name in &request.instance_types {
        match Type::of(name) {
            Some(found) => types.push(found),
            None => {
                let text = format!("The following supplied instance types do not exist: [{name}]");
                return refuse("InvalidInstanceType", text);
            }
        }
    }
    if request.instance_types.is_empty() {
        types = Type::list();
    }
    let listed = (1_i64..).zip(types).map(|(seq, found)| Listed { seq, info: found.to_api() }).collect();
    let paging = Paging {
        action: "DescribeInstanceTypes",
        max_results: request.max_results,
        allowed: 5..=100,
        next_token: request.next_token.as_deref(),
    };
    let (page, next_token) = paging.cut(call, select(listed, &request.filters)?, |listed| listed.seq)?;
    Ok(DescribeInstanceTypesResult { instance_types: page.into_iter().map(|listed| listed.info).collect(), next_token })
}

struct Offered {
    seq: i64,
    offering: InstanceTypeOffering,
}

/// Every type is offered everywhere. A type that a filter names is offered too, listed or not.
pub(crate) fn describe_instance_type_offerings(
    call: &Call,
    request: &DescribeInstanceTypeOfferingsRequest,
) -> Answer<DescribeInstanceTypeOfferingsResult> {
    let location_type = request.location_type.as_deref().unwrap_or("region");
    let zones = regions::list_zones(&call.scope.region);
    let locations: Vec<String> = match location_type {
        "region" => vec![call.scope.region.clone()],
        "availability-zone" => zones.into_iter().map(|zone| zone.name).collect(),
        "availability-zone-id" => zones.into_iter().map(|zone| zone.id).collect(),
        other => return refuse("InvalidParameterValue", format!("Invalid value '{other}' for LocationType")),
    };
    let mut types: Vec<String> = Type::list().into_iter().map(|listed| listed.name).collect();
    let asked = request.filters.iter().filter(|filter| filter.name.as_deref() == Some("instance-type"));
    for name in asked.flat_map(|filter| &filter.values) {
        if is_type(name) && !types.contains(name) {
            types.push(name.clone());
        }
    }
    let offer = |name: &String| {
        locations
            .iter()
            .map(|location| InstanceTypeOffering {
                instance_type: Some(name.clone()),
                location_type: Some(location_type.to_owned()),
                location: Some(location.clone()),
            })
            .collect::<Vec<_>>()
    };
    let offerings = types.iter().flat_map(offer);
    let listed = (1_i64..).zip(offerings).map(|(seq, offering)| Offered { seq, offering }).collect();
    let paging = Paging {
        action: "DescribeInstanceTypeOfferings",
        max_results: request.max_results,
        allowed: 5..=1000,
        next_token: request.next_token.as_deref(),
    };
    let (page, next_token) = paging.cut(call, select(listed, &request.filters)?, |offered| offered.seq)?;
    let instance_type_offerings = page.into_iter().map(|offered| offered.offering).collect();
    Ok(DescribeInstanceTypeOfferingsResult { instance_type_offerings, next_token })
}

struct Priced {
    seq: i64,
    price: SpotPrice,
}

/// Made-up prices that do not move: half a cent for each CPU and hour, in every zone.
pub(crate) fn describe_spot_price_history(
    call: &Call,
    request: &DescribeSpotPriceHistoryRequest,
) -> Answer<DescribeSpotPriceHistoryResult> {
    let types: Vec<Type> = if request.instance_types.is_empty() {
        Type::list()
    } else {
        request.instance_types.iter().filter_map(|name| Type::of(name)).collect()
    };
    let zones = regions::list_zones(&call.scope.region);
    let is_asked_for = |zone: &&regions::Zone| {
        request.availability_zone.as_ref().is_none_or(|name| *name == zone.name)
            && request.availability_zone_id.as_ref().is_none_or(|id| *id == zone.id)
    };
    let since = request.start_time.unwrap_or(call.now).min(call.now);
    let is_linux = |product: &String| product.starts_with("Linux/UNIX");
    let is_sold = request.product_descriptions.is_empty() || request.product_descriptions.iter().any(is_linux);
    let mut prices = Vec::new();
    for found in types.iter().filter(|_| is_sold) {
        prices.extend(zones.iter().filter(is_asked_for).map(|zone| price(found, zone, since)));
    }
    let listed = (1_i64..).zip(prices).map(|(seq, price)| Priced { seq, price }).collect();
    let paging = Paging {
        action: "DescribeSpotPriceHistory",
        max_results: request.max_results,
        allowed: 1..=1000,
        next_token: request.next_token.as_deref(),
    };
    let (page, next_token) = paging.cut(call, select(listed, &request.filters)?, |priced| priced.seq)?;
    let spot_price_history = page.into_iter().map(|priced| priced.price).collect();
    Ok(DescribeSpotPriceHistoryResult { next_token, spot_price_history })
}

fn price(found: &Type, zone: &regions::Zone, since: Timestamp) -> SpotPrice {
    SpotPrice {
        availability_zone: Some(zone.name.clone()),
        availability_zone_id: Some(zone.id.clone()),
        instance_type: Some(found.name.clone()),
        product_description: Some("Linux/UNIX".to_owned()),
        spot_price: Some(format!("{:.6}", f64::from(found.vcpus) * 0.005)),
        timestamp: Some(since),
    }
}

impl Filterable for Listed {
    const FILTERS: &'static [&'static str] = &[
        "bare-metal",
        "burstable-performance-supported",
        "current-generation",
        "free-tier-eligible",
        "hypervisor",
        "instance-type",
        "memory-info.size-in-mib",
        "processor-info.supported-architecture",
        "supported-boot-mode",
        "supported-usage-class",
        "vcpu-info.default-vcpus",
    ];

    fn values_of(&self, filter: &str) -> Vec<String> {
        let info = &self.info;
        let yes = |value: Option<bool>| value.map(|value| value.to_string());
        let value = match filter {
            "supported-boot-mode" => return info.supported_boot_modes.clone(),
            "supported-usage-class" => return info.supported_usage_classes.clone(),
            "processor-info.supported-architecture" => {
                return info
                    .processor_info
                    .as_ref()
                    .map(|info| info.supported_architectures.clone())
                    .unwrap_or_default();
            }
            "bare-metal" => yes(info.bare_metal),
            "burstable-performance-supported" => yes(info.burstable_performance_supported),
            "current-generation" => yes(info.current_generation),
            "free-tier-eligible" => yes(info.free_tier_eligible),
            "hypervisor" => info.hypervisor.clone(),
            "memory-info.size-in-mib" => {
                info.memory_info.as_ref().and_then(|memory| memory.size_in_mi_b).map(|size| size.to_string())
            }
            "vcpu-info.default-vcpus" => {
                info.v_cpu_info.as_ref().and_then(|cpus| cpus.default_v_cpus).map(|count| count.to_string())
            }
            _ => info.instance_type.clone(),
        };
        value.into_iter().collect()
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

impl Filterable for Offered {
    const FILTERS: &'static [&'static str] = &["instance-type", "location"];

    fn values_of(&self, filter: &str) -> Vec<String> {
        let value = if filter == "location" { &self.offering.location } else { &self.offering.instance_type };
        value.iter().cloned().collect()
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

impl Filterable for Priced {
    const FILTERS: &'static [&'static str] =
        &["availability-zone", "availability-zone-id", "instance-type", "product-description", "spot-price"];

    fn values_of(&self, filter: &str) -> Vec<String> {
        let value = match filter {
            "availability-zone" => &self.price.availability_zone,
            "availability-zone-id" => &self.price.availability_zone_id,
            "instance-type" => &self.price.instance_type,
            "product-description" => &self.price.product_description,
            _ => &self.price.spot_price,
        };
        value.iter().cloned().collect()
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_the_type_is() {
        let told = |name: &str| {
            let found = Type::of(name).expect(name);
            (found.vcpus, found.mebibytes, found.architecture())
        };
        assert_eq!(told("t3.micro"), (2, 1024, "x86_64"));
        assert_eq!(told("t4g.nano"), (2, 512, "arm64"));
        assert_eq!(told("c6i.2xlarge"), (8, 16_384, "x86_64"));
        assert_eq!(told("c7gd.large"), (2, 4096, "arm64"));
        assert_eq!(told("r5.xlarge"), (4, 32_768, "x86_64"));
        assert!(Type::of("micro").is_none());
        assert!(Type::list().iter().all(|listed| is_type(&listed.name)));
    }
}
