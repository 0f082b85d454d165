//! Which of a service's refusals may pass. Throttles come as HTTP 503 from EC2 and 400 from SSM and the EBS direct APIs.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::ClassifyRetry;
use aws_smithy_runtime_api::client::retries::classifiers::RetryAction;

use crate::wire::ApiError;

/// Reads the code that the service answered.
#[derive(Debug)]
pub(super) struct ApiErrorClassifier;

impl ClassifyRetry for ApiErrorClassifier {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let refusal = error.as_operation_error().and_then(|error| error.downcast_ref::<ApiError>());
        match refusal {
            Some(refusal) if refusal.is_throttle() => RetryAction::throttling_error(),
            Some(refusal) if refusal.is_transient() => RetryAction::transient_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "API error"
    }
}
