//! The call path against a server that misbehaves: what is tried again, how often, and what is said in the end.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::time::Duration;
use std::time::Instant;

use ovenbird_aws::Client;
use ovenbird_aws::Error;
use ovenbird_aws::client::Patience;
use ovenbird_aws::ebs;
use ovenbird_aws::ec2;
use ovenbird_aws::ssm;
use ovenbird_aws::sts;
use ovenbird_aws::wire;
use ovenbird_aws::wire::ApiError;
use ovenbird_aws::wire::Blob;
use ovenbird_aws::wire::Protocol;

use crate::scripted::Scripted;
use crate::scripted::Step;

/// Short enough for a test, long enough for a busy machine.
fn patience() -> Patience {
    Patience {
        connect: Duration::from_secs(2),
        attempt: Duration::from_millis(1500),
        call: Duration::from_secs(30),
        attempts: 6,
        first_backoff: Duration::from_millis(5),
        max_backoff: Duration::from_millis(20),
    }
}

async fn client(server: &Scripted) -> Client {
    Client::for_endpoint(&server.url(), "eu-west-1", "AKID", "secret").await.with_patience(&patience())
}

fn refuse(protocol: Protocol, error: &ApiError) -> Step {
    let answer = wire::encode_error(protocol, error, "id");
    Step::Answer(answer.status().as_u16(), String::from_utf8(answer.into_body().into()).unwrap())
}

fn answer<O: wire::Operation>(answer: &O::Answer) -> Step {
    let answer = wire::encode_answer::<O>(answer, "id");
    Step::Answer(answer.status().as_u16(), String::from_utf8(answer.into_body().into()).unwrap())
}

fn images(ids: &[&str], next_token: Option<&str>) -> Step {
    let images = ids.iter().map(|id| ec2::Image { image_id: Some((*id).to_owned()), ..Default::default() });
    let next_token = next_token.map(str::to_owned);
    answer::<ec2::DescribeImagesRequest>(&ec2::DescribeImagesResult { images: images.collect(), next_token })
}

/// All that the error says, from the outside in.
fn told(error: &Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        told = format!("{told}: {inner}");
        cause = inner.source();
    }
    told
}

#[tokio::test]
async fn every_failure_that_may_pass_is_tried_again() {
    let throttled = ApiError::client("RequestLimitExceeded", "slow down").with_status(503);
    let server = Scripted::start([
        refuse(Protocol::Ec2, &throttled),
        Step::Answer(500, "<html>oops</html>".to_owned()),
        Step::Reset,
        Step::Hang,
        Step::CutShort,
        images(&["ami-1"], None),
    ]);
    let found = client(&server).await.send(ec2::DescribeImagesRequest::default()).await.unwrap();
    assert_eq!(found.images[0].image_id.as_deref(), Some("ami-1"));
    assert_eq!(server.asked().len(), 6);
}

#[tokio::test]
async fn a_throttle_that_comes_as_400_is_tried_again() {
    let throttled = ApiError::client("ThrottlingException", "Rate exceeded");
    let found = answer::<ssm::GetParametersRequest>(&ssm::GetParametersResult::default());
    let server = Scripted::start([refuse(Protocol::Json, &throttled), refuse(Protocol::Json, &throttled), found]);
    client(&server).await.send(ssm::GetParametersRequest::default()).await.unwrap();
    assert_eq!(server.asked().len(), 3);

    // The EBS direct APIs name the error in a header, or in the body as `__type`; this server writes the body only.
    let throttled = Step::Answer(400, r#"{"__type":"RequestThrottledException","Message":"slow down"}"#.to_owned());
    let unread =
        Step::Answer(400, r#"{"__type":"ValidationException","Message":"Failed to read block data"}"#.to_owned());
    let server = Scripted::start([throttled, unread, Step::Answer(201, "{}".to_owned())]);
    let block = ebs::PutSnapshotBlockRequest {
        snapshot_id: Some("snap-1".to_owned()),
        block_index: Some(0),
        block_data: Some(Blob(b"block".as_slice().into())),
        ..Default::default()
    };
    client(&server).await.send(block).await.unwrap();
    assert_eq!(server.asked().iter().map(|asked| &*asked.body).collect::<Vec<_>>(), ["block"; 3]);
}

#[tokio::test]
async fn a_refusal_is_final() {
    let refusal = ApiError::client("InvalidAMIID.NotFound", "The image id '[ami-1]' does not exist");
    let server = Scripted::start([refuse(Protocol::Ec2, &refusal)]);
    let error = client(&server).await.send(ec2::DescribeImagesRequest::default()).await.unwrap_err();
    assert_eq!(server.asked().len(), 1);
    assert!(error.is_not_found() && error.has_code("InvalidAMIID.NotFound"));
    assert_eq!(error.refusal().unwrap().request_id.as_deref(), Some("id"));
    assert_eq!(
        told(&error),
        "DescribeImages was refused: InvalidAMIID.NotFound: The image id '[ami-1]' does not exist"
    );
}

#[tokio::test]
async fn tries_are_bounded_in_number_and_in_time() {
    let throttled = ApiError::client("RequestLimitExceeded", "slow down").with_status(503);
    let server = Scripted::start([refuse(Protocol::Ec2, &throttled)]);
    let error = client(&server).await.send(ec2::DescribeImagesRequest::default()).await.unwrap_err();
    assert!(error.has_code("RequestLimitExceeded"), "{}", told(&error));
    assert_eq!(server.asked().len(), 6);

    let server = Scripted::start([Step::Hang]);
    let hurried = Patience { attempt: Duration::from_millis(200), call: Duration::from_millis(700), ..patience() };
    let began = Instant::now();
    let error =
        client(&server).await.with_patience(&hurried).send(ec2::DescribeImagesRequest::default()).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(server.asked().len() >= 2);
    assert!(told(&error).contains("timed out") && told(&error).contains(&server.url()), "{}", told(&error));
}

/// A bucket of retries that all calls share would be empty after some fifty of these.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_do_not_use_up_one_anothers_tries() {
    let counts = std::sync::Mutex::new(std::collections::BTreeMap::<String, u32>::new());
    let throttled = refuse(Protocol::Ec2, &ApiError::client("RequestLimitExceeded", "slow down").with_status(503));
    let fine = images(&[], None);
    let server = Scripted::choosing(move |asked| {
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(asked.body.clone()).or_default();
        *count += 1;
        if *count < 5 { throttled.clone() } else { fine.clone() }
    });
    let client = client(&server).await;
    let calls: Vec<_> = (0..100)
        .map(|at| {
            let client = client.clone();
            let request = ec2::DescribeImagesRequest { image_ids: vec![format!("ami-{at}")], ..Default::default() };
            tokio::spawn(async move { client.send(request).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.asked().len(), 500);
}

#[tokio::test]
async fn every_try_of_a_call_has_the_same_fresh_idempotency_token() {
    let started = answer::<ebs::StartSnapshotRequest>(&ebs::StartSnapshotResponse::default());
    let server = Scripted::start([Step::Reset, Step::Answer(500, String::new()), started]);
    let client = client(&server).await;
    client.send(ebs::StartSnapshotRequest { volume_size: Some(1), ..Default::default() }).await.unwrap();
    client.send(ebs::StartSnapshotRequest { volume_size: Some(1), ..Default::default() }).await.unwrap();
    let own = ebs::StartSnapshotRequest { client_token: Some("mine".to_owned()), ..Default::default() };
    client.send(own).await.unwrap();
    let tokens: Vec<String> = server
        .asked()
        .iter()
        .map(|asked| {
            serde_json::from_str::<serde_json::Value>(&asked.body).unwrap()["ClientToken"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(tokens.len(), 5);
    assert_eq!((&tokens[0], &tokens[0]), (&tokens[1], &tokens[2]));
    assert_ne!(tokens[0], tokens[3]);
    assert_eq!((tokens[0].len(), &*tokens[4]), (32, "mine"));

    let launched = answer::<ec2::RunInstancesRequest>(&ec2::Reservation::default());
    let server = Scripted::start([launched]);
    let client = Client::for_endpoint(&server.url(), "eu-west-1", "AKID", "secret").await;
    client.send(ec2::RunInstancesRequest::default()).await.unwrap();
    assert!(server.asked()[0].body.contains("&ClientToken="), "{:?}", server.asked());
}

#[tokio::test]
async fn listings_are_read_through_empty_pages_to_their_end() {
    let server = Scripted::start([
        images(&["ami-1"], Some("a")),
        images(&[], Some("b")),
        images(&[], Some("c")),
        images(&["ami-2", "ami-3"], None),
    ]);
    let pages = client(&server).await.send_all(ec2::DescribeImagesRequest::default()).await.unwrap();
    let ids: Vec<_> =
        pages.iter().flat_map(|page| &page.images).filter_map(|image| image.image_id.as_deref()).collect();
    assert_eq!((pages.len(), &*ids), (4, &["ami-1", "ami-2", "ami-3"][..]));
    let tokens: Vec<bool> = server.asked().iter().map(|asked| asked.body.contains("NextToken=")).collect();
    assert_eq!(tokens, [false, true, true, true]);
    assert!(server.asked()[3].body.contains("NextToken=c"));
}

#[tokio::test]
async fn a_listing_that_goes_in_circles_is_an_error() {
    let server =
        Scripted::start([images(&["ami-1"], Some("a")), images(&["ami-2"], Some("b")), images(&["ami-1"], Some("a"))]);
    let error = client(&server).await.send_all(ec2::DescribeImagesRequest::default()).await.unwrap_err();
    assert!(matches!(error, Error::Endless { action: "DescribeImages", pages: 3 }), "{error}");
    // One failed page fails the listing: what was read so far is not the world.
    let refusal = ApiError::client("UnauthorizedOperation", "no");
    let server = Scripted::start([images(&["ami-1"], Some("a")), refuse(Protocol::Ec2, &refusal)]);
    let error = client(&server).await.send_all(ec2::DescribeImagesRequest::default()).await.unwrap_err();
    assert!(error.has_code("UnauthorizedOperation"));
}

#[tokio::test]
async fn requests_are_signed_for_their_service_and_region() {
    let nothing = Step::Answer(200, String::new());
    let server = Scripted::start([nothing]);
    let client = client(&server).await;
    let _ = client.send(ec2::DescribeImagesRequest::default()).await;
    let _ = client.in_region("ap-south-1").send(ssm::GetParameterRequest::default()).await;
    let block =
        ebs::PutSnapshotBlockRequest { snapshot_id: Some("s".to_owned()), block_index: Some(1), ..Default::default() };
    client.send(block).await.unwrap();
    let asked = server.asked();
    let scopes: BTreeSet<&str> = asked
        .iter()
        .filter_map(|asked| asked.header("authorization")?.split("AKID/").nth(1)?.split('/').nth(1).map(|_| asked))
        .filter_map(|asked| asked.header("authorization")?.split("AKID/").nth(1)?.split_once('/')?.1.split(',').next())
        .collect();
    assert_eq!(
        scopes,
        BTreeSet::from(["ap-south-1/ssm/aws4_request", "eu-west-1/ebs/aws4_request", "eu-west-1/ec2/aws4_request"])
    );
    // The block's bytes are covered by their checksum header, not by the signature.
    let last = asked.last().unwrap();
    assert_eq!(last.header("x-amz-content-sha256"), Some("UNSIGNED-PAYLOAD"));
    assert_eq!(last.line, "PUT /snapshots/s/blocks/1 HTTP/1.1");
}

#[tokio::test]
async fn an_error_says_where_the_call_went_and_why_it_came_to_nothing() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    let quick = Patience { attempts: 2, ..patience() };
    let client = Client::for_endpoint(&url, "eu-west-1", "AKID", "secret").await.with_patience(&quick);
    let error = client.send(sts::GetCallerIdentityRequest::default()).await.unwrap_err();
    let said = told(&error);
    assert!(said.starts_with(&format!("GetCallerIdentity got no answer from {url}: ")), "{said}");
    assert!(said.contains("Connection refused"), "{said}");

    let server = Scripted::start([Step::Answer(200, "<DescribeImagesResponse><imagesSet><item>".to_owned())]);
    let error = self::client(&server).await.send(ec2::DescribeImagesRequest::default()).await.unwrap_err();
    assert!(told(&error).contains("expected XML, found its end in the middle"), "{}", told(&error));
    assert_eq!(server.asked().len(), 1, "an answer that cannot be read will not read better the next time");
}

/// A refusal of StartSnapshot: how often it is asked, and what is said.
async fn ask_to_start(refusal: &str, status: u16) -> (usize, Error) {
    let server = Scripted::start([Step::Answer(status, refusal.to_owned())]);
    let request = ebs::StartSnapshotRequest { volume_size: Some(1), ..Default::default() };
    let error = client(&server).await.send(request).await.unwrap_err();
    (server.asked().len(), error)
}

#[tokio::test]
async fn the_code_decides_whether_to_try_again_and_not_the_status() {
    let (asked, error) =
        ask_to_start(r#"{"__type":"ServiceQuotaExceededException","Message":"100 pending"}"#, 402).await;
    assert_eq!((asked, error.refusal().unwrap().is_quota()), (1, true));
    let (asked, error) = ask_to_start(r#"{"__type":"ConflictException","Message":"other parameters"}"#, 409).await;
    assert_eq!((asked, error.has_code("ConflictException")), (1, true));
    let (asked, error) = ask_to_start(r#"{"__type":"ExpiredTokenException","Message":"expired"}"#, 403).await;
    assert_eq!(asked, 1);
    assert!(told(&error).contains("log in again") && told(&error).contains("expired"), "{}", told(&error));

    let full = ApiError::client("InsufficientInstanceCapacity", "no machine is free").with_status(500);
    let server = Scripted::start([refuse(Protocol::Ec2, &full)]);
    let error = client(&server).await.send(ec2::RunInstancesRequest::default()).await.unwrap_err();
    assert_eq!(server.asked().len(), 1, "another type or zone may have one, the same has none a second later");
    assert!(error.refusal().unwrap().is_lack_of_capacity());
}

#[tokio::test]
async fn a_signature_that_is_not_believed_is_made_once_more() {
    let unbelieved = r#"{"__type":"InvalidSignatureException","Message":"does not match"}"#;
    let (asked, error) = ask_to_start(unbelieved, 403).await;
    assert_eq!((asked, error.has_code("InvalidSignatureException")), (2, true));

    let started = answer::<ebs::StartSnapshotRequest>(&ebs::StartSnapshotResponse::default());
    let server = Scripted::start([Step::Answer(403, unbelieved.to_owned()), started]);
    let request = ebs::StartSnapshotRequest { volume_size: Some(1), ..Default::default() };
    client(&server).await.send(request).await.unwrap();
    assert_eq!(server.asked().len(), 2);
}

/// Clones, and clients of other patience, wait for the same places.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_all_clones_together_keep_to_the_quota() {
    let listed = answer::<ebs::ListSnapshotBlocksRequest>(&ebs::ListSnapshotBlocksResponse::default());
    let server = Scripted::start([listed]);
    let first = client(&server).await;
    let began = Instant::now();
    let ask = |client: Client| {
        tokio::spawn(async move {
            for _ in 0..34 {
                client.send(ebs::ListSnapshotBlocksRequest::default()).await.unwrap();
            }
        })
    };
    let second = first.with_patience(&Patience::default());
    for asking in [ask(first.clone()), ask(second)] {
        asking.await.unwrap();
    }
    // 68 calls at 45 a second, of which a tenth of a second's come at once.
    let took = began.elapsed();
    assert!(took > Duration::from_millis(1300) && took < Duration::from_secs(20), "{took:?}");
}
