//! DescribeRegions and DescribeAvailabilityZones.

use ovenbird_aws::ec2::AvailabilityZone;
use ovenbird_aws::ec2::DescribeAvailabilityZonesRequest;
use ovenbird_aws::ec2::DescribeAvailabilityZonesResult;
use ovenbird_aws::ec2::DescribeRegionsRequest;
use ovenbird_aws::ec2::DescribeRegionsResult;
use ovenbird_aws::ec2::Region;

use super::filters::Filterable;
use super::filters::select;
use crate::catalogue::tags::Tag;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::regions;
use crate::world::Call;

impl Filterable for Region {
    const FILTERS: &'static [&'static str] = &["endpoint", "opt-in-status", "region-name"];

    fn values_of(&self, filter: &str) -> Vec<String> {
        let value = match filter {
            "endpoint" => &self.endpoint,
            "opt-in-status" => &self.opt_in_status,
            _ => &self.region_name,
        };
        value.iter().cloned().collect()
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

impl Filterable for AvailabilityZone {
    const FILTERS: &'static [&'static str] =
        &["group-name", "opt-in-status", "region-name", "state", "zone-id", "zone-name", "zone-type"];

    fn values_of(&self, filter: &str) -> Vec<String> {
        let value = match filter {
            "group-name" => &self.group_name,
            "opt-in-status" => &self.opt_in_status,
            "region-name" => &self.region_name,
            "state" => &self.state,
            "zone-id" => &self.zone_id,
            "zone-name" => &self.zone_name,
            _ => &self.zone_type,
        };
        value.iter().cloned().collect()
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

/// All Regions, or the named ones.
pub(crate) fn describe_regions(_: &Call, request: &DescribeRegionsRequest) -> Answer<DescribeRegionsResult> {
    if let Some(unknown) = request.region_names.iter().find(|name| !regions::is_region(name)) {
        return refuse("InvalidParameterValue", format!("Invalid region names found: {unknown}"));
    }
    let wanted =
        |name: &str| request.region_names.is_empty() || request.region_names.iter().any(|region| region == name);
    let region = |name: &str| Region {
        opt_in_status: Some("opt-in-not-required".to_owned()),
        region_name: Some(name.to_owned()),
        endpoint: Some(format!("ec2.{name}.amazonaws.com")),
    };
    let all = regions::list_names().filter(|name| wanted(name)).map(region).collect();
    Ok(DescribeRegionsResult { regions: select(all, &request.filters)? })
}

/// The zones of the caller's Region, or the named ones.
pub(crate) fn describe_availability_zones(
    call: &Call,
    request: &DescribeAvailabilityZonesRequest,
) -> Answer<DescribeAvailabilityZonesResult> {
    let all = regions::list_zones(&call.scope.region);
    let (names, ids) = (&request.zone_names, &request.zone_ids);
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|zone| zone.name == **name)) {
        return refuse("InvalidParameterValue", format!("Invalid availability zone: [{unknown}]"));
    }
    if let Some(unknown) = ids.iter().find(|id| !all.iter().any(|zone| zone.id == **id)) {
        return refuse("InvalidParameterValue", format!("Invalid availability zone-id: [{unknown}]"));
    }
    let wanted = |zone: &regions::Zone| {
        (names.is_empty() || names.contains(&zone.name)) && (ids.is_empty() || ids.contains(&zone.id))
    };
    let region = &call.scope.region;
    let zone = |zone: regions::Zone| AvailabilityZone {
        opt_in_status: Some("opt-in-not-required".to_owned()),
        region_name: Some(region.clone()),
        zone_name: Some(zone.name),
        zone_id: Some(zone.id),
        group_name: Some(format!("{region}-zg-1")),
        network_border_group: Some(region.clone()),
        zone_type: Some("availability-zone".to_owned()),
        state: Some("available".to_owned()),
    };
    let zones = all.into_iter().filter(wanted).map(zone).collect();
    Ok(DescribeAvailabilityZonesResult { availability_zones: select(zones, &request.filters)? })
}
