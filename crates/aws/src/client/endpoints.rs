//! Where each service is reached.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use crate::wire::Service;

/// The URL that environment or profile put in the place of a service's own: `AWS_ENDPOINT_URL_EC2` (or the profile's
/// `services` section) before `AWS_ENDPOINT_URL` (or `endpoint_url`), as in the SDKs.
pub(super) fn find_override(config: &SdkConfig, service: Service) -> Option<String> {
    let id = service.name().to_ascii_uppercase();
    let key = ServiceConfigKey::builder().service_id(&id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok();
    let own = key.zip(config.service_config()).and_then(|(key, settings)| settings.load_config(key));
    let url = own.or_else(|| config.endpoint_url().map(str::to_owned))?;
    Some(url.trim_end_matches('/').to_owned())
}

/// AWS's own endpoint of a service in a region.
pub(super) fn of_aws(service: Service, region: &str) -> String {
    match service {
        // One for all regions of the partition.
        Service::Iam => format!("https://iam.{}", domain(region)),
        _ => format!("https://{}.{region}.{}", service.name(), domain(region)),
    }
}

/// The domain of the region's partition, from botocore's `partitions.json`.
fn domain(region: &str) -> &'static str {
    const DOMAINS: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("eusc-", "amazonaws.eu"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-isof-", "csp.hci.ic.gov"),
    ];
    DOMAINS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("amazonaws.com", |(_, domain)| domain)
}
