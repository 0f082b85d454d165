//! Regions and Availability Zones.

use super::Filter;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Describes the Regions that are enabled for your account, or all Regions.
    pub struct DescribeRegionsRequest {
        /// The names of the Regions.
        region_names: Vec<String> = "RegionName",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// Indicates whether to display all Regions, including Regions that are disabled for your account.
        all_regions: Option<bool> = "AllRegions",
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
    }

    /// The answer of DescribeRegions.
    pub struct DescribeRegionsResult {
        /// Information about the Regions.
        regions: Vec<Region> = "regionInfo",
    }

    /// Describes a Region.
    pub struct Region {
        /// The Region opt-in status.
        opt_in_status: Option<String> = "optInStatus",
        /// The name of the Region.
        region_name: Option<String> = "regionName",
        /// The Region service endpoint.
        endpoint: Option<String> = "regionEndpoint",
    }

    /// Describes the Availability Zones, Local Zones, and Wavelength Zones that are available to you.
    pub struct DescribeAvailabilityZonesRequest {
        /// The names of the Availability Zones, Local Zones, and Wavelength Zones.
        zone_names: Vec<String> = "ZoneName",
        /// The IDs of the Availability Zones, Local Zones, and Wavelength Zones.
        zone_ids: Vec<String> = "ZoneId",
        /// Include all Availability Zones, Local Zones, and Wavelength Zones regardless of your opt-in status.
        all_availability_zones: Option<bool> = "AllAvailabilityZones",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
    }

    /// The answer of DescribeAvailabilityZones.
    pub struct DescribeAvailabilityZonesResult {
        /// Information about the Availability Zones, Local Zones, and Wavelength Zones.
        availability_zones: Vec<AvailabilityZone> = "availabilityZoneInfo",
    }

    /// Describes Availability Zones, Local Zones, and Wavelength Zones.
    pub struct AvailabilityZone {
        /// For Availability Zones, this parameter always has the value of opt-in-not-required.
        opt_in_status: Option<String> = "optInStatus",
        /// The name of the Region.
        region_name: Option<String> = "regionName",
        /// The name of the Availability Zone, Local Zone, or Wavelength Zone.
        zone_name: Option<String> = "zoneName",
        /// The ID of the Availability Zone, Local Zone, or Wavelength Zone.
        zone_id: Option<String> = "zoneId",
        /// The name of the zone group.
        group_name: Option<String> = "groupName",
        /// The name of the network border group.
        network_border_group: Option<String> = "networkBorderGroup",
        /// The type of zone.
        zone_type: Option<String> = "zoneType",
        /// The state of the Availability Zone, Local Zone, or Wavelength Zone.
        state: Option<String> = "zoneState",
    }
}

operation!(Ec2, "DescribeRegions", DescribeRegionsRequest => DescribeRegionsResult);
operation!(Ec2, "DescribeAvailabilityZones", DescribeAvailabilityZonesRequest => DescribeAvailabilityZonesResult);
