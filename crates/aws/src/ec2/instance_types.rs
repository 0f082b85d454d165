//! Instance types: what they are, where they are offered, what they cost on the spot market.

use jiff::Timestamp;

use super::Filter;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Describes the specified instance types.
    pub struct DescribeInstanceTypesRequest {
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
        /// The instance types.
        instance_types: Vec<String> = "InstanceType",
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
        /// The maximum number of items to return for this request.
        max_results: Option<i32> = "MaxResults",
        /// The token returned from a previous paginated request.
        next_token: Option<String> = "NextToken",
        /// If true, the response includes instance types that are not supported in the current Region, in addition to the supported types.
        include_unsupported_in_region: Option<bool> = "IncludeUnsupportedInRegion",
    }

    /// The answer of DescribeInstanceTypes.
    pub struct DescribeInstanceTypesResult {
        /// The instance type.
        instance_types: Vec<InstanceTypeInfo> = "instanceTypeSet",
        /// The token to include in another request to get the next page of items.
        next_token: Option<String> = "nextToken",
    }

    /// Describes the instance type.
    pub struct InstanceTypeInfo {
        /// The instance type.
        instance_type: Option<String> = "instanceType",
        /// Indicates whether the instance type is current generation.
        current_generation: Option<bool> = "currentGeneration",
        /// Indicates whether the instance type is eligible for the free tier.
        free_tier_eligible: Option<bool> = "freeTierEligible",
        /// Indicates whether the instance type is offered for spot, On-Demand, or Capacity Blocks.
        supported_usage_classes: Vec<String> = "supportedUsageClasses",
        /// The supported root device types.
        supported_root_device_types: Vec<String> = "supportedRootDeviceTypes",
        /// The supported virtualization types.
        supported_virtualization_types: Vec<String> = "supportedVirtualizationTypes",
        /// Indicates whether the instance is a bare metal instance type.
        bare_metal: Option<bool> = "bareMetal",
        /// The hypervisor for the instance type.
        hypervisor: Option<String> = "hypervisor",
        /// Describes the processor.
        processor_info: Option<ProcessorInfo> = "processorInfo",
        /// Describes the vCPU configurations for the instance type.
        v_cpu_info: Option<VCpuInfo> = "vCpuInfo",
        /// Describes the memory for the instance type.
        memory_info: Option<MemoryInfo> = "memoryInfo",
        /// Indicates whether instance storage is supported.
        instance_storage_supported: Option<bool> = "instanceStorageSupported",
        /// Describes the Amazon EBS settings for the instance type.
        ebs_info: Option<EbsInfo> = "ebsInfo",
        /// Describes the network settings for the instance type.
        network_info: Option<NetworkInfo> = "networkInfo",
        /// Indicates whether the instance type is a burstable performance T instance type.
        burstable_performance_supported: Option<bool> = "burstablePerformanceSupported",
        /// The supported boot modes.
        supported_boot_modes: Vec<String> = "supportedBootModes",
    }

    /// Describes the processor used by the instance type.
    pub struct ProcessorInfo {
        /// The architectures supported by the instance type.
        supported_architectures: Vec<String> = "supportedArchitectures",
        /// The speed of the processor, in GHz.
        sustained_clock_speed_in_ghz: Option<f64> = "sustainedClockSpeedInGhz",
        /// The manufacturer of the processor.
        manufacturer: Option<String> = "manufacturer",
    }

    /// Describes the vCPU configurations for the instance type.
    pub struct VCpuInfo {
        /// The default number of vCPUs for the instance type.
        default_v_cpus: Option<i32> = "defaultVCpus",
        /// The default number of cores for the instance type.
        default_cores: Option<i32> = "defaultCores",
        /// The default number of threads per core for the instance type.
        default_threads_per_core: Option<i32> = "defaultThreadsPerCore",
    }

    /// Describes the memory for the instance type.
    pub struct MemoryInfo {
        /// The size of the memory, in MiB.
        size_in_mi_b: Option<i64> = "sizeInMiB",
    }

    /// Describes the Amazon EBS features supported by the instance type.
    pub struct EbsInfo {
        /// Indicates whether the instance type is Amazon EBS-optimized.
        ebs_optimized_support: Option<String> = "ebsOptimizedSupport",
        /// Indicates whether Amazon EBS encryption is supported.
        encryption_support: Option<String> = "encryptionSupport",
        /// Indicates whether non-volatile memory express (NVMe) is supported.
        nvme_support: Option<String> = "nvmeSupport",
    }

    /// Describes the networking features of the instance type.
    pub struct NetworkInfo {
        /// The network performance.
        network_performance: Option<String> = "networkPerformance",
        /// The maximum number of network interfaces for the instance type.
        maximum_network_interfaces: Option<i32> = "maximumNetworkInterfaces",
        /// Indicates whether Elastic Network Adapter (ENA) is supported.
        ena_support: Option<String> = "enaSupport",
    }

    /// Lists the instance types that are offered for the specified location.
    pub struct DescribeInstanceTypeOfferingsRequest {
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
        /// The location type.
        location_type: Option<String> = "LocationType",
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
        /// The maximum number of items to return for this request.
        max_results: Option<i32> = "MaxResults",
        /// The token returned from a previous paginated request.
        next_token: Option<String> = "NextToken",
    }

    /// The answer of DescribeInstanceTypeOfferings.
    pub struct DescribeInstanceTypeOfferingsResult {
        /// The instance types offered in the location.
        instance_type_offerings: Vec<InstanceTypeOffering> = "instanceTypeOfferingSet",
        /// The token to include in another request to get the next page of items.
        next_token: Option<String> = "nextToken",
    }

    /// The instance types offered.
    pub struct InstanceTypeOffering {
        /// The instance type.
        instance_type: Option<String> = "instanceType",
        /// The location type.
        location_type: Option<String> = "locationType",
        /// The identifier for the location.
        location: Option<String> = "location",
    }

    /// Describes the Spot price history.
    pub struct DescribeSpotPriceHistoryRequest {
        /// Filters the results by the specified ID of the Availability Zone.
        availability_zone_id: Option<String> = "AvailabilityZoneId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// The date and time, up to the past 90 days, from which to start retrieving the price history data, in UTC format (for example, YYYY-MM-DDTHH.MM.SSZ).
        start_time: Option<Timestamp> = "startTime",
        /// The date and time, up to the current date, from which to stop retrieving the price history data, in UTC format (for example, YYYY-MM-DDTHH.MM.SSZ).
        end_time: Option<Timestamp> = "endTime",
        /// Filters the results by the specified instance types.
        instance_types: Vec<String> = "InstanceType",
        /// Filters the results by the specified basic product descriptions.
        product_descriptions: Vec<String> = "ProductDescription",
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
        /// Filters the results by the specified Availability Zone.
        availability_zone: Option<String> = "availabilityZone",
        /// The maximum number of items to return for this request.
        max_results: Option<i32> = "maxResults",
        /// The token returned from a previous paginated request.
        next_token: Option<String> = "nextToken",
    }

    /// The answer of DescribeSpotPriceHistory.
    pub struct DescribeSpotPriceHistoryResult {
        /// The token to include in another request to get the next page of items.
        next_token: Option<String> = "nextToken",
        /// The historical Spot prices.
        spot_price_history: Vec<SpotPrice> = "spotPriceHistorySet",
    }

    /// The maximum price per unit hour that you are willing to pay for a Spot Instance.
    pub struct SpotPrice {
        /// The Availability Zone.
        availability_zone: Option<String> = "availabilityZone",
        /// The ID of the Availability Zone.
        availability_zone_id: Option<String> = "availabilityZoneId",
        /// The instance type.
        instance_type: Option<String> = "instanceType",
        /// A general description of the AMI.
        product_description: Option<String> = "productDescription",
        /// The maximum price per unit hour that you are willing to pay for a Spot Instance.
        spot_price: Option<String> = "spotPrice",
        /// The date and time the request was created, in UTC format (for example, YYYY-MM-DDTHH.MM.SSZ).
        timestamp: Option<Timestamp> = "timestamp",
    }
}

operation!(Ec2, "DescribeInstanceTypes", DescribeInstanceTypesRequest => DescribeInstanceTypesResult);
operation!(Ec2, "DescribeInstanceTypeOfferings", DescribeInstanceTypeOfferingsRequest => DescribeInstanceTypeOfferingsResult);
operation!(Ec2, "DescribeSpotPriceHistory", DescribeSpotPriceHistoryRequest => DescribeSpotPriceHistoryResult);
