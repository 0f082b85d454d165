//! The one call path: credentials, signing, retries, timeouts, pages and waits.
//!
//! Everything below the operations is the SDK's own runtime, so every source of credentials that the SDK knows works here.

mod call;
mod error;
mod pages;
mod retry;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_types::retry::RetryConfig;
use aws_types::region::Region;

pub use error::Error;
pub use pages::Paged;
pub use wait::TimedOut;
pub use wait::wait;

use crate::wire::Operation;
use crate::wire::Service;

/// Tries of one call, the first included. Packer's default too; throttled accounts need them.
const ATTEMPTS: u32 = 10;
/// One try, from connect to the last byte. Block uploads are known to hang for ever without it (coldsnap#437).
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// All tries of one call together.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Speaks to AWS, or to any endpoint that speaks as AWS does. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<SdkConfig>,
    identity_cache: aws_smithy_runtime_api::client::identity::SharedIdentityCache,
}

/// Where to find credentials and region, beyond what the environment says.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// A profile of the shared configuration; the environment's default where `None`.
    pub profile: Option<String>,
    /// Overrides the region of profile and environment.
    pub region: Option<String>,
}

impl Client {
    /// A client as the SDKs make theirs: environment, profile, SSO, web identity, container or instance role;
    /// `AWS_ENDPOINT_URL` overrides the endpoint.
    pub async fn from_environment(settings: &Settings) -> Self {
        let mut loader = base_loader();
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        Self::from_config(loader.load().await)
    }

    /// A client for one endpoint with fixed keys.
    pub async fn for_endpoint(url: &str, region: &str, access_key_id: &str, secret_access_key: &str) -> Self {
        let credentials = Credentials::new(access_key_id, secret_access_key, None, None, "fixed");
        let loader = base_loader()
            .empty_test_environment()
            .endpoint_url(url)
            .region(Region::new(region.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(credentials));
        Self::from_config(loader.load().await)
    }

    fn from_config(config: SdkConfig) -> Self {
        Self { config: Arc::new(config), identity_cache: IdentityCache::lazy().build() }
    }

    /// The same credentials in another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let config = self.config.to_builder().region(Region::new(region.to_owned())).build();
        Self { config: Arc::new(config), identity_cache: self.identity_cache.clone() }
    }

    /// The region that calls go to; `None` where nothing names one.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.config.region().map(AsRef::as_ref)
    }

    /// The URL that overrides AWS's own endpoints, where one does.
    #[must_use]
    pub fn endpoint_override(&self) -> Option<&str> {
        self.config.endpoint_url()
    }

    /// Calls the operation and waits for its answer, trying again where the failure may pass.
    ///
    /// # Errors
    /// [`Error::Refused`] with the API's own code; [`Error::NoAnswer`] where none came in time; see [`Error`].
    pub async fn send<O: Operation>(&self, request: O) -> Result<O::Answer, Error> {
        call::send(self, request).await
    }

    fn endpoint(&self, service: Service) -> Result<String, Error> {
        if let Some(url) = self.config.endpoint_url() {
            return Ok(url.trim_end_matches('/').to_owned());
        }
        let region = self.region().ok_or(Error::NoRegion)?;
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        Ok(format!("https://{}.{region}.{suffix}", service.name()))
    }
}

fn base_loader() -> aws_config::ConfigLoader {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS).with_max_backoff(Duration::from_secs(10)))
        .timeout_config(timeouts)
}
