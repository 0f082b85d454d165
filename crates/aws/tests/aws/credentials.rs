//! Every source of credentials and endpoints that needs no foreign service. Environment variables belong to the whole
//! process, so each case runs in one of its own: this test binary, started again for one ignored test.

use std::path::Path;

use ovenbird_aws::Client;
use ovenbird_aws::client::Patience;
use ovenbird_aws::client::Settings;
use ovenbird_aws::ec2;
use ovenbird_aws::sts;
use ovenbird_aws::wire;

use crate::scripted::Scripted;
use crate::scripted::Step;

const LATER: &str = "2099-01-01T00:00:00Z";

/// What the process of its own does: asks who it is, and prints the answer or why there is none.
#[tokio::test]
#[ignore = "run by the other tests here, each with an environment of its own"]
async fn who_am_i() {
    let patience = Patience { attempts: 1, ..Patience::default() };
    let client = Client::from_environment(&Settings::default()).await.with_patience(&patience);
    match client.send(sts::GetCallerIdentityRequest::default()).await {
        Ok(caller) => println!("account={} region={:?}", caller.account.unwrap(), client.region()),
        Err(error) => println!("error={error}: {:?}", std::error::Error::source(&error).map(ToString::to_string)),
    }
    let _ = client.send(ec2::DescribeRegionsRequest::default()).await;
    println!("override={:?}", client.endpoint_override());
}

#[expect(clippy::disallowed_methods, reason = "this crate stands below ovenbird-disk")]
fn ask_with(home: &Path, variables: &[(&str, &str)]) -> String {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "credentials::who_am_i", "--ignored", "--nocapture"])
        .env_clear()
        .env("HOME", home)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// STS and EC2, and the places that hand out credentials, on one port.
fn aws() -> Scripted {
    Scripted::choosing(|asked| {
        let keys = |id: &str| {
            format!(
                r#"{{"Code":"Success","AccessKeyId":"{id}","SecretAccessKey":"s","Token":"t-{id}","Expiration":"{LATER}"}}"#
            )
        };
        if asked.line.starts_with("PUT /latest/api/token") {
            return Step::AnswerWith("x-aws-ec2-metadata-token-ttl-seconds: 21600", 200, "token".to_owned());
        }
        let body = match &*asked.line {
            line if line.starts_with("GET /container") => keys("AKCONTAINER"),
            line if line.starts_with("GET /latest/meta-data/iam/security-credentials/role") => keys("AKROLE"),
            line if line.starts_with("GET /latest/meta-data/iam/security-credentials") => "role".to_owned(),
            line if line.starts_with("GET /latest/meta-data/placement/region") => "sa-east-1".to_owned(),
            _ if asked.body.contains("AssumeRoleWithWebIdentity") => assumed_role(),
            _ => {
                let caller =
                    sts::GetCallerIdentityResponse { account: Some("123456789012".to_owned()), ..Default::default() };
                let answer = wire::encode_answer::<sts::GetCallerIdentityRequest>(&caller, "id");
                String::from_utf8(answer.into_body().into()).unwrap()
            }
        };
        Step::Answer(200, body)
    })
}

fn assumed_role() -> String {
    format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult>\
         <Credentials><AccessKeyId>AKWEB</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t-AKWEB</SessionToken>\
         <Expiration>{LATER}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    )
}

/// Who signed the calls of the operations, and with which session token.
fn signers(server: &Scripted) -> Vec<(String, Option<String>)> {
    let calls = server
        .asked()
        .into_iter()
        .filter(|asked| asked.header("authorization").is_some_and(|it| it.contains("SigV4") || it.contains("AWS4")));
    calls
        .map(|asked| (asked.access_key().to_owned(), asked.header("x-amz-security-token").map(str::to_owned)))
        .collect()
}

fn assert_signed_by(server: &Scripted, said: &str, key: &str, token: Option<&str>) {
    assert!(said.contains("account=123456789012"), "{said}");
    let signer = (key.to_owned(), token.map(str::to_owned));
    assert_eq!(signers(server), [signer.clone(), signer], "{said}");
}

#[test]
fn keys_and_endpoint_of_the_environment() {
    let (home, server) = (tempfile::tempdir().unwrap(), aws());
    let url = server.url();
    let keys = [("AWS_ACCESS_KEY_ID", "AKENV"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "t-env")];
    let place = [("AWS_REGION", "eu-north-1"), ("AWS_ENDPOINT_URL", &*url)];
    let said = ask_with(home.path(), &[&keys[..], &place[..]].concat());
    assert_signed_by(&server, &said, "AKENV", Some("t-env"));
    assert!(
        said.contains("region=Some(\"eu-north-1\")") && said.contains(&format!("override=Some({url:?})")),
        "{said}"
    );
}

#[test]
fn a_service_may_have_an_endpoint_of_its_own() {
    let (home, general, own) = (tempfile::tempdir().unwrap(), aws(), aws());
    let (general_url, own_url) = (general.url(), own.url());
    let keys = [("AWS_ACCESS_KEY_ID", "AKENV"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "eu-north-1")];
    let place = [("AWS_ENDPOINT_URL", &*general_url), ("AWS_ENDPOINT_URL_EC2", &*own_url)];
    let said = ask_with(home.path(), &[&keys[..], &place[..]].concat());
    assert!(said.contains("override=None"), "one URL does not stand for all: {said}");
    assert!(general.asked().iter().all(|asked| asked.body.contains("GetCallerIdentity")), "{:?}", general.asked());
    assert!(own.asked().iter().all(|asked| asked.body.contains("DescribeRegions")), "{:?}", own.asked());
    assert_eq!((general.asked().len(), own.asked().len()), (1, 1));
}

#[test]
fn a_profile_with_keys_region_and_endpoint() {
    let (home, server) = (tempfile::tempdir().unwrap(), aws());
    let (config, keys) = (home.path().join("config"), home.path().join("credentials"));
    std::fs::write(&config, format!("[profile nest]\nregion = eu-south-1\nendpoint_url = {}/\n", server.url()))
        .unwrap();
    std::fs::write(&keys, "[nest]\naws_access_key_id = AKPROFILE\naws_secret_access_key = s\n").unwrap();
    let files =
        [("AWS_CONFIG_FILE", config.to_str().unwrap()), ("AWS_SHARED_CREDENTIALS_FILE", keys.to_str().unwrap())];
    let said = ask_with(home.path(), &[&files[..], &[("AWS_PROFILE", "nest")]].concat());
    assert_signed_by(&server, &said, "AKPROFILE", None);
    assert!(
        said.contains("region=Some(\"eu-south-1\")") && said.contains(&format!("override=Some({:?})", server.url())),
        "{said}"
    );
}

#[test]
fn a_process_named_by_the_profile() {
    let (home, server) = (tempfile::tempdir().unwrap(), aws());
    let config = home.path().join("config");
    let keys = r#"{"Version":1,"AccessKeyId":"AKPROCESS","SecretAccessKey":"s","SessionToken":"t"}"#;
    std::fs::write(home.path().join("keys"), keys).unwrap();
    let process = format!("cat {}", home.path().join("keys").display());
    std::fs::write(
        &config,
        format!("[default]\nregion = eu-south-1\ncredential_process = {process}\nendpoint_url = {}\n", server.url()),
    )
    .unwrap();
    let said = ask_with(home.path(), &[("AWS_CONFIG_FILE", config.to_str().unwrap()), ("PATH", "/usr/bin:/bin")]);
    assert_signed_by(&server, &said, "AKPROCESS", Some("t"));
}

#[test]
fn the_role_of_a_container() {
    let (home, server) = (tempfile::tempdir().unwrap(), aws());
    let (url, keys) = (server.url(), format!("{}/container", server.url()));
    let variables =
        [("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*keys), ("AWS_ENDPOINT_URL", &url), ("AWS_REGION", "eu-north-1")];
    assert_signed_by(&server, &ask_with(home.path(), &variables), "AKCONTAINER", Some("t-AKCONTAINER"));
}

#[test]
fn the_role_and_the_region_of_an_instance() {
    let (home, server) = (tempfile::tempdir().unwrap(), aws());
    let url = server.url();
    let said = ask_with(home.path(), &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*url), ("AWS_ENDPOINT_URL", &url)]);
    assert_signed_by(&server, &said, "AKROLE", Some("t-AKROLE"));
    assert!(said.contains("region=Some(\"sa-east-1\")"), "{said}");
}

#[test]
fn a_web_identity() {
    let (home, server) = (tempfile::tempdir().unwrap(), aws());
    let (url, token) = (server.url(), home.path().join("token"));
    std::fs::write(&token, "a.web.token").unwrap();
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/bake"),
        ("AWS_ENDPOINT_URL", &url),
        ("AWS_REGION", "eu-north-1"),
    ];
    assert_signed_by(&server, &ask_with(home.path(), &variables), "AKWEB", Some("t-AKWEB"));
}

#[test]
fn without_region_or_credentials_the_error_says_so() {
    let (home, server) = (tempfile::tempdir().unwrap(), aws());
    let (url, closed) = (server.url(), ("AWS_EC2_METADATA_DISABLED", "true"));
    let said = ask_with(home.path(), &[closed, ("AWS_ENDPOINT_URL", &url)]);
    assert!(said.contains("error=no region is set: name one with --region, AWS_REGION, or in the profile"), "{said}");
    let said = ask_with(home.path(), &[closed, ("AWS_ENDPOINT_URL", &url), ("AWS_REGION", "eu-north-1")]);
    assert!(said.contains("error=no AWS credentials are configured"), "{said}");
    assert_eq!(signers(&server), []);
}

#[test]
fn a_source_of_credentials_that_fails_is_named() {
    let (home, server) = (tempfile::tempdir().unwrap(), aws());
    let config = home.path().join("config");
    let settings = "[default]\nregion = eu-south-1\ncredential_process = echo expired >&2; exit 3\n";
    std::fs::write(&config, format!("{settings}endpoint_url = {}\n", server.url())).unwrap();
    let said = ask_with(home.path(), &[("AWS_CONFIG_FILE", config.to_str().unwrap()), ("PATH", "/usr/bin:/bin")]);
    assert!(said.contains("error=GetCallerIdentity was not sent, as the AWS credentials could not be had"), "{said}");
    assert!(said.contains("Error retrieving credentials: external process exited with code exit status: 3"), "{said}");
    assert_eq!(signers(&server), []);
}
