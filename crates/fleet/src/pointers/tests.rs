//! What cannot be tried from outside in less than half a minute.

#[allow(dead_code, reason = "the other tests use the rest")]
#[path = "../../tests/support/mod.rs"]
mod support;

use support::Lab;
use support::deregister;
use support::register;
use support::snapshot;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_pointer_to_an_image_that_vanished_fails_in_bounded_time() {
    let lab = Lab::start().await;
    let root = snapshot(&lab.client, &[1], &[]).await;
    lab.settle();
    let (first, second) = (
        register(&lab.client, "first", std::slice::from_ref(&root), &[]).await,
        register(&lab.client, "second", &[root], &[]).await,
    );
    let pointer = Pointer::new("web", "dev");
    let patience = Duration::from_secs(1);
    assert!(put_pointer_within(&lab.client, &pointer, &first, patience).await.expect("put"));
    deregister(&lab.client, &second).await;
    let error = put_pointer_within(&lab.client, &pointer, &second, patience).await.expect_err("nothing was written");
    let FleetError::TimedOut(timed_out) = &error else { panic!("{error:?}") };
    assert_eq!(timed_out.what, format!("/ovenbird/web/dev to name {second}"));
    let state = find_pointer(&lab.client, &pointer).await.expect("read").expect("there");
    assert_eq!((state.image, state.previous, state.version), (first, None, 1), "it stands where it stood");
}
