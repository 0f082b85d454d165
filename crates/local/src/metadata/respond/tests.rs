use jiff::Timestamp;

use super::*;
use crate::metadata::InstanceFacts;
use crate::metadata::RoleCredentials;

struct Source {
    tokens_required: bool,
}

impl MetadataSource for Source {
    fn facts(&self) -> InstanceFacts {
        InstanceFacts {
            instance_id: "i-0123456789abcdef0".to_owned(),
            tokens_required: self.tokens_required,
            user_data: Some(b"{}".to_vec()),
            ..InstanceFacts::default()
        }
    }

    fn credentials(&self) -> Option<RoleCredentials> {
        None
    }

    fn now(&self) -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }
}

fn ask(request: http::request::Builder, tokens_required: bool, tokens: &Tokens) -> (u16, String) {
    let response = respond(&request.body(()).unwrap(), &Source { tokens_required }, tokens);
    (response.status().as_u16(), String::from_utf8(response.into_body()).unwrap())
}

#[test]
fn a_token_is_asked_for_in_one_way_only() {
    let tokens = Tokens::new().unwrap();
    let put = |path: &str| Request::put(path);
    for (request, status) in [
        (put("/latest/api/token").header(TOKEN_LIFE, "21600"), 200),
        (put("/latest/api/token").header("X-aws-ec2-metadata-token-ttl-seconds", "1"), 200),
        (put("/latest/api/token"), 400),
        (put("/latest/api/token").header(TOKEN_LIFE, "0"), 400),
        (put("/latest/api/token").header(TOKEN_LIFE, "21601"), 400),
        (put("/latest/api/token").header(TOKEN_LIFE, "60").header("X-Forwarded-For", "10.0.0.1"), 403),
        (put("/2021-03-23/api/token").header(TOKEN_LIFE, "60"), 403),
        (put("/latest/meta-data/instance-id").header(TOKEN_LIFE, "60"), 403),
        (Request::get("/latest/api/token"), 405),
        (Request::post("/latest/api/token"), 405),
        (Request::delete("/latest/meta-data/"), 405),
    ] {
        let described = format!("{request:?}");
        assert_eq!(ask(request, true, &tokens).0, status, "{described}");
    }
}

#[test]
fn what_a_token_opens() {
    let tokens = Tokens::new().unwrap();
    let (_, token) = ask(Request::put("/latest/api/token").header(TOKEN_LIFE, "60"), true, &tokens);
    let item = || Request::get("/latest/meta-data/instance-id");
    assert_eq!(ask(item(), false, &tokens).0, 200);
    assert_eq!(ask(item(), true, &tokens).0, 401);
    assert_eq!(ask(item().header(TOKEN, "wrong"), true, &tokens).0, 401);
    assert_eq!(ask(item().header(TOKEN, "wrong"), false, &tokens).0, 401, "a wrong token is never ignored");
    assert_eq!(ask(item().header(TOKEN, &token), true, &tokens), (200, "i-0123456789abcdef0".to_owned()));
    assert_eq!(ask(Request::get("/latest/nothing").header(TOKEN, &token), true, &tokens).0, 404);
    assert_eq!(ask(Request::head("/latest/user-data").header(TOKEN, &token), true, &tokens).0, 200);
    assert_eq!(ask(Request::get("/latest/nothing"), true, &tokens).0, 401, "without a token nothing is told");
}

#[test]
fn says_what_it_gives() {
    let tokens = Tokens::new().unwrap();
    let kind = |path: &str| {
        let response = respond(&Request::get(path).body(()).unwrap(), &Source { tokens_required: false }, &tokens);
        response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned()
    };
    assert_eq!(kind("/latest/meta-data/"), "text/plain");
    assert_eq!(kind("/latest/user-data"), "application/octet-stream");
    assert_eq!(kind("/latest/none"), "text/html");
}
