//! One operation through the SDK's orchestrator.

use std::borrow::Cow;
use std::sync::Arc;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::SigningOptions;
use aws_runtime::auth::sigv4::SCHEME_ID;
use aws_runtime::auth::sigv4::SigV4AuthScheme;
use aws_sigv4::http_request::SignableBody;
use aws_smithy_runtime::client::orchestrator::operation::Operation as Call;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime::client::retries::TokenBucket;
use aws_smithy_runtime::client::retries::classifiers::HttpStatusCodeClassifier;
use aws_smithy_runtime::client::retries::classifiers::TransientErrorClassifier;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::SharedAuthScheme;
use aws_smithy_runtime_api::client::auth::SharedAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::FrozenLayer;
use aws_smithy_types::config_bag::Layer;
use aws_types::SigningName;
use aws_types::region::Region;
use aws_types::region::SigningRegion;
use bytes::Bytes;

use super::Client;
use super::Error;
use super::pace::Lanes;
use super::retry::ApiErrorClassifier;
use super::retry::Tries;
use crate::wire;
use crate::wire::ApiError;
use crate::wire::Operation;
use crate::wire::Service;

pub(super) async fn send<O: Operation>(client: &Client, mut request: O) -> Result<O::Answer, Error> {
    if let Some(token @ None) = request.idempotency_token() {
        *token = Some(fresh_token()?);
    }
    let endpoint = client.endpoint(O::SERVICE)?;
    let region = client.config.region().cloned().ok_or(Error::NoRegion)?;
    let credentials = client.config.credentials_provider().ok_or(Error::NoCredentials)?;
    let lanes = Lanes::find(region.as_ref(), O::SERVICE, O::ACTION, request.snapshot_of_block());
    let tries = Arc::new(Tries::new(client.pace.clone(), lanes));
    tries.wait_for_place().await;
    let noting = tries.clone();
    let mut call = Call::builder()
        .service_name(O::SERVICE.name())
        .operation_name(O::ACTION)
        .endpoint_url(&endpoint)
        .runtime_plugin(Signing::new::<O>(region, credentials, client.identity_cache.clone()))
        .with_connection_poisoning()
        .retry_classifier(ApiErrorClassifier(tries))
        .retry_classifier(TransientErrorClassifier::<ApiError>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .serializer(|request: O| into_sdk(wire::encode_request(&request)))
        .deserializer(move |response: &HttpResponse| read::<O>(response, &noting));
    if let Some(http) = client.config.http_client() {
        call = call.http_client(http);
    }
    if let Some(retries) = client.config.retry_config() {
        call = call.standard_retry(retries);
    }
    if let Some(timeouts) = client.config.timeout_config() {
        call = call.timeout_config(timeouts.clone());
    }
    call.build().invoke(request).await.map_err(|source| Error::from_sdk(O::ACTION, &endpoint, source))
}

/// 128 random bits, as hex. With it every try of one call is the same call to the service, so none of them acts twice.
fn fresh_token() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::NoRandomness)?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}

fn into_sdk(request: http::Request<Bytes>) -> Result<HttpRequest, BoxError> {
    let mut request = request.map(SdkBody::from);
    let length = request.body().content_length().unwrap_or_default();
    request.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    Ok(HttpRequest::try_from(request)?)
}

fn read<O: Operation>(response: &HttpResponse, tries: &Tries) -> Result<O::Answer, OrchestratorError<ApiError>> {
    let mut answer = http::Response::builder().status(response.status().as_u16());
    for (name, value) in response.headers() {
        answer = answer.header(name, value);
    }
    let body = response.body().bytes().map(Bytes::copy_from_slice).unwrap_or_default();
    let answer = answer.body(body).map_err(OrchestratorError::other)?;
    match wire::decode_answer::<O>(&answer).map_err(OrchestratorError::other)? {
        Ok(answer) => Ok(answer),
        Err(refusal) => {
            tries.note(&refusal);
            Err(OrchestratorError::operation(refusal))
        }
    }
}

/// Signature Version 4 with the client's credentials.
#[derive(Debug)]
struct Signing {
    layer: FrozenLayer,
    components: RuntimeComponentsBuilder,
}

impl Signing {
    fn new<O: Operation>(region: Region, credentials: SharedCredentialsProvider, cache: SharedIdentityCache) -> Self {
        // The model marks the block upload `v4-unsigned-body`: its signed checksum header protects the bytes.
        let unsigned = O::SERVICE == Service::Ebs && O::METHOD == "PUT";
        let mut signing_options = SigningOptions::default();
        signing_options.content_sha256_header = unsigned;
        signing_options.payload_override = unsigned.then_some(SignableBody::UnsignedPayload);
        let mut layer = Layer::new("Signing");
        layer.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(region.clone())),
            name: Some(SigningName::from_static(O::SERVICE.name())),
            signing_options,
            ..SigV4OperationSigningConfig::default()
        });
        layer.store_put(SigningRegion::from(region));
        layer.store_put(SigningName::from_static(O::SERVICE.name()));
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        // The SDK's retries share a bucket of 500 tokens per service in the process; a few hundred throttled block uploads
        // empty it, and then calls fail at their first throttle. Here every call has its own bounds, in `Patience`.
        layer.store_put(RetryPartition::custom("ovenbird").token_bucket(TokenBucket::unlimited()).build());
        let components = RuntimeComponentsBuilder::new("Signing")
            .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
            .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
                StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
            )))
            .with_identity_cache(Some(cache))
            .with_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
        Self { layer: layer.freeze(), components }
    }
}

impl RuntimePlugin for Signing {
    fn config(&self) -> Option<FrozenLayer> {
        Some(self.layer.clone())
    }

    fn runtime_components(&self, _: &RuntimeComponentsBuilder) -> Cow<'_, RuntimeComponentsBuilder> {
        Cow::Borrowed(&self.components)
    }
}
