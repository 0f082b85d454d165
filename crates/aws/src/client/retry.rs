//! Which of a service's refusals may pass. Throttles come as HTTP 503 from EC2 and 400 from SSM and the EBS direct APIs.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::ClassifyRetry;
use aws_smithy_runtime_api::client::retries::classifiers::RetryAction;
use tokio::time::Instant;

use super::pace::Lanes;
use super::pace::Pace;
use crate::wire::ApiError;

/// What the tries of one call were refused with.
#[derive(Debug)]
pub(super) struct Tries {
    pace: Arc<Pace>,
    lanes: Option<Lanes>,
    /// Tries whose signature was not believed.
    unbelieved: AtomicU32,
}

impl Tries {
    pub(super) fn new(pace: Arc<Pace>, lanes: Option<Lanes>) -> Self {
        Self { pace, lanes, unbelieved: AtomicU32::new(0) }
    }

    /// Waits for the first try's place. It is not in the call's deadline: who waits here has not called yet.
    pub(super) async fn wait_for_place(&self) {
        if let Some(lanes) = &self.lanes {
            tokio::time::sleep(self.pace.reserve(lanes, Instant::now())).await;
        }
    }

    /// Notes a refusal, once for each try. A further try takes a place too, but does not wait for it: it has a pause of its own.
    pub(super) fn note(&self, refusal: &ApiError) {
        if refusal.is_wrong_signature() {
            self.unbelieved.fetch_add(1, Ordering::Relaxed);
        }
        let Some(lanes) = &self.lanes else { return };
        if refusal.is_throttle() {
            self.pace.slow_down(lanes, refusal, Instant::now());
        }
        if refusal.is_throttle() || refusal.is_transient() {
            self.pace.reserve(lanes, Instant::now());
        }
    }

    /// Each try is signed anew. What is not believed twice is not believed at all.
    fn may_sign_again(&self) -> bool {
        self.unbelieved.load(Ordering::Relaxed) < 2
    }
}

/// Reads the code that the service answered. The SDK asks it more than once for a try, so it remembers nothing.
#[derive(Debug)]
pub(super) struct ApiErrorClassifier(pub(super) Arc<Tries>);

impl ClassifyRetry for ApiErrorClassifier {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let Some(refusal) = error.as_operation_error().and_then(|error| error.downcast_ref::<ApiError>()) else {
            return RetryAction::NoActionIndicated;
        };
        if refusal.is_throttle() {
            RetryAction::throttling_error()
        } else if refusal.is_transient() || (refusal.is_wrong_signature() && self.0.may_sign_again()) {
            RetryAction::transient_error()
        } else {
            // The service's word is final, whatever its status says: a lack of capacity comes as 500.
            RetryAction::RetryForbidden
        }
    }

    fn name(&self) -> &'static str {
        "API error"
    }
}
