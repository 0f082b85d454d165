//! The one call path: credentials, signing, retries, timeouts, pages and waits.
//!
//! Everything below the operations is the SDK's own runtime, so every source of credentials that the SDK knows works here.

mod call;
mod endpoints;
mod error;
mod pace;
mod pages;
mod patience;
mod retry;
mod wait;

use std::sync::Arc;

use aws_config::BehaviorVersion;
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::default_async_sleep;
use aws_smithy_http_client::tls;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_types::region::Region;

pub use error::Error;
pub use pages::Paged;
pub use patience::Patience;
pub use wait::TimedOut;
pub use wait::wait;

use self::pace::Pace;
use crate::wire::Operation;
use crate::wire::Service;

/// Speaks to AWS, or to any endpoint that speaks as AWS does. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<SdkConfig>,
    identity_cache: SharedIdentityCache,
    /// What environment or profile put in the place of AWS's own endpoints, in the order of [`Service::ALL`].
    overrides: [Option<Arc<str>>; Service::ALL.len()],
    /// Shared by all clones, in whatever region.
    pace: Arc<Pace>,
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
    /// `AWS_ENDPOINT_URL` and a profile's `endpoint_url` override the endpoint.
    pub async fn from_environment(settings: &Settings) -> Self {
        let patience = Patience::default();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client())
            .retry_config(patience.retries())
            .timeout_config(patience.timeouts());
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        Self::from_config(loader.load().await)
    }

    /// A client for one endpoint with fixed keys. It reads neither environment nor profile.
    pub async fn for_endpoint(url: &str, region: &str, access_key_id: &str, secret_access_key: &str) -> Self {
        let credentials = Credentials::new(access_key_id, secret_access_key, None, None, "fixed");
        let patience = Patience::default();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http_client())
            .retry_config(patience.retries())
            .timeout_config(patience.timeouts())
            .endpoint_url(url)
            .region(Region::new(region.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(credentials));
        config.set_sleep_impl(default_async_sleep());
        Self::from_config(config.build())
    }

    fn from_config(config: SdkConfig) -> Self {
        let overrides = Service::ALL.map(|service| endpoints::find_override(&config, service).map(Arc::from));
        Self {
            config: Arc::new(config),
            identity_cache: IdentityCache::lazy().build(),
            overrides,
            pace: Arc::default(),
        }
    }

    /// The same credentials in another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let config = self.config.to_builder().region(Region::new(region.to_owned())).build();
        Self { config: Arc::new(config), ..self.clone() }
    }

    /// The same client with other bounds of time and tries.
    #[must_use]
    pub fn with_patience(&self, patience: &Patience) -> Self {
        let config = self.config.to_builder().retry_config(patience.retries()).timeout_config(patience.timeouts());
        Self { config: Arc::new(config.build()), ..self.clone() }
    }

    /// The same client as one of so many processes that share the account's quotas: it takes its part of them.
    #[must_use]
    pub fn with_sharers(&self, sharers: u16) -> Self {
        Self { pace: Arc::new(Pace::shared(sharers)), ..self.clone() }
    }

    /// The region that calls go to; `None` where nothing names one.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.config.region().map(AsRef::as_ref)
    }

    /// The one URL that every service is reached at; `None` where any of them goes to AWS's own endpoint, or elsewhere.
    #[must_use]
    pub fn endpoint_override(&self) -> Option<&str> {
        let [first, others @ ..] = &self.overrides;
        first.as_deref().filter(|url| others.iter().all(|other| other.as_deref() == Some(url)))
    }

    /// Calls the operation and waits for its answer, trying again where the failure may pass.
    ///
    /// # Errors
    /// [`Error::Refused`] with the API's own code; [`Error::NoAnswer`] where none came in time; see [`Error`].
    pub async fn send<O: Operation>(&self, request: O) -> Result<O::Answer, Error> {
        call::send(self, request).await
    }

    fn endpoint(&self, service: Service) -> Result<String, Error> {
        let known = Service::ALL.iter().zip(&self.overrides).find(|(known, _)| **known == service);
        if let Some((_, Some(url))) = known {
            return Ok(url.to_string());
        }
        Ok(endpoints::of_aws(service, self.region().ok_or(Error::NoRegion)?))
    }
}

fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
        .build_https()
}
