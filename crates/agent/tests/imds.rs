//! The metadata service as it behaves while an instance starts.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Instant;

use ovenbird_agent::credentials::fetch_credentials;
use ovenbird_agent::imds::Imds;
use ovenbird_agent::instance::Instance;
use support::Fake;
use support::INSTANCE;
use support::Reply;
use support::seconds;

const TOKEN: &str = "PUT latest/api/token";
const USER_DATA: &str = "GET latest/user-data";

#[test]
fn one_token_serves_all_items() {
    let fake = Fake::start();
    let instance = Instance::fetch(&Imds::new(&fake.endpoint), &seconds(5.0)).unwrap();
    assert_eq!((instance.id.as_str(), instance.availability_zone.as_str()), (INSTANCE, "eu-west-1a"));
    assert_eq!(instance.endpoint_url.as_deref(), Some(fake.endpoint.as_str()));
    assert_eq!((fake.count(TOKEN), fake.count("GET")), (1, 7));
}

#[test]
fn a_service_that_is_two_seconds_late_is_awaited() {
    let fake = Fake::start();
    let began = Instant::now();
    fake.script(move |_, _| if began.elapsed().as_secs_f64() < 2.0 { Reply::Drop } else { Reply::Usual });
    Instance::fetch(&Imds::new(&fake.endpoint), &seconds(20.0)).unwrap();
    assert!(began.elapsed().as_secs_f64() < 8.0);
    assert!(fake.count(TOKEN) < 30, "no busy loop");
}

#[test]
fn a_service_that_never_comes_ends_with_the_deadline_and_a_reason() {
    let began = Instant::now();
    let fault = Imds::new("http://127.0.0.1:9").fetch("meta-data/instance-id", &seconds(1.0)).unwrap_err();
    assert!(
        fault.retryable && fault.sentence.contains("http://127.0.0.1:9") && fault.sentence.contains("refused"),
        "{fault}"
    );
    assert!(began.elapsed().as_secs_f64() < 3.0);
}

#[test]
fn a_refused_token_is_replaced_and_a_storm_ends_with_the_deadline() {
    let fake = Fake::start();
    fake.script(
        |what, before| {
            if what.starts_with("GET") && before < 2 { Reply::Status(401, String::new()) } else { Reply::Usual }
        },
    );
    assert_eq!(Imds::new(&fake.endpoint).fetch("meta-data/instance-id", &seconds(10.0)).unwrap(), INSTANCE);
    assert_eq!((fake.count(TOKEN), fake.count("GET")), (3, 3));

    fake.script(|what, _| if what.starts_with("GET") { Reply::Status(401, String::new()) } else { Reply::Usual });
    let fault = Imds::new(&fake.endpoint).find_user_data(&seconds(1.0)).unwrap_err();
    assert!(fault.sentence.contains("HTTP 401") && fault.retryable, "{fault}");
}

#[test]
fn a_service_that_is_switched_off_is_not_asked_again() {
    let fake = Fake::start();
    fake.script(|_, _| Reply::Status(403, String::new()));
    let fault = Imds::new(&fake.endpoint).fetch("meta-data/instance-id", &seconds(10.0)).unwrap_err();
    assert!(fault.sentence.contains("switched off") && !fault.retryable, "{fault}");
    assert_eq!(fake.world().log.len(), 1);
}

#[test]
fn throttling_and_server_errors_are_waited_out() {
    let fake = Fake::start();
    fake.script(|_, before| match before {
        0 => Reply::Status(503, String::new()),
        1 => Reply::Status(429, String::new()),
        _ => Reply::Usual,
    });
    assert_eq!(Imds::new(&fake.endpoint).fetch("meta-data/instance-id", &seconds(20.0)).unwrap(), INSTANCE);
}

#[test]
fn no_user_data_is_believed_only_of_a_service_that_knows_the_instance() {
    let fake = Fake::start();
    assert_eq!(Imds::new(&fake.endpoint).find_user_data(&seconds(5.0)).unwrap(), None);
    assert_eq!((fake.count(USER_DATA), fake.count("meta-data/instance-id"), fake.count("document")), (1, 1, 1));

    // Nothing is there yet: not even the document. Then everything is.
    let fake = Fake::start();
    fake.world().user_data = Some(b"{}".to_vec());
    fake.script(|what, before| match what {
        USER_DATA if before < 3 => Reply::Status(404, String::new()),
        "GET latest/dynamic/instance-identity/document" => Reply::Status(404, String::new()),
        _ => Reply::Usual,
    });
    assert_eq!(Imds::new(&fake.endpoint).find_user_data(&seconds(20.0)).unwrap(), Some(b"{}".to_vec()));
    assert_eq!(fake.count(USER_DATA), 4);

    fake.script(|what, _| if what.contains("token") { Reply::Usual } else { Reply::Status(404, String::new()) });
    let fault = Imds::new(&fake.endpoint).find_user_data(&seconds(1.0)).unwrap_err();
    assert!(fault.sentence.contains("neither user data nor meta-data/instance-id"), "{fault}");
}

#[test]
fn user_data_is_read_one_byte_too_far_and_no_more() {
    let fake = Fake::start();
    fake.world().user_data = Some(vec![b' '; 17 * 1024]);
    assert_eq!(Imds::new(&fake.endpoint).find_user_data(&seconds(5.0)).unwrap().unwrap().len(), 16_385);
}

#[test]
fn late_credentials_are_awaited_and_none_is_an_answer() {
    let fake = Fake::start();
    fake.script(|what, before| {
        if what.contains("credentials/") && before < 2 { Reply::Status(404, String::new()) } else { Reply::Usual }
    });
    let imds = Imds::new(&fake.endpoint);
    let grace = std::time::Duration::from_secs(10);
    let credentials = fetch_credentials(&imds, grace, &seconds(20.0)).unwrap();
    assert_eq!(credentials.access_key_id, "ASIAEXAMPLE");
    assert!(!format!("{credentials:?}").contains("secret"), "credentials are never printed");

    fake.world().items.remove("meta-data/iam/security-credentials/");
    let fault = fetch_credentials(&imds, std::time::Duration::from_millis(500), &seconds(20.0)).unwrap_err();
    assert!(fault.sentence.contains("no role"), "{fault}");

    for (item, text) in [("", "web-role"), ("web-role", r#"{"Code":"AssumeRoleUnauthorizedAccess"}"#)] {
        fake.world().items.insert(format!("meta-data/iam/security-credentials/{item}"), text.to_owned());
    }
    let fault = fetch_credentials(&imds, std::time::Duration::from_millis(500), &seconds(20.0)).unwrap_err();
    assert!(fault.sentence.contains("no usable credentials for the role web-role"), "{fault}");
}
