//! The rules of IMDSv2 around the tree: methods, tokens, refusals (EC2 User Guide, "Use the Instance Metadata Service").

use http::HeaderMap;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::header;

use super::MetadataSource;
use super::token::Tokens;
use super::tree::Answer;
use super::tree::answer;

const TOKEN_PATH: &str = "/latest/api/token";
const TOKEN: &str = "x-aws-ec2-metadata-token";
const TOKEN_LIFE: &str = "x-aws-ec2-metadata-token-ttl-seconds";

/// The response to one request. `HEAD` gets the body too; the server leaves it out.
#[must_use]
pub fn respond<B>(request: &Request<B>, source: &dyn MetadataSource, tokens: &Tokens) -> Response<Vec<u8>> {
    let (path, headers) = (request.uri().path(), request.headers());
    match *request.method() {
        Method::PUT => put_token(path, headers, source, tokens),
        Method::GET | Method::HEAD if path == TOKEN_PATH => refuse(StatusCode::METHOD_NOT_ALLOWED),
        Method::GET | Method::HEAD => get(path, headers, source, tokens),
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED),
    }
}

fn put_token(path: &str, headers: &HeaderMap, source: &dyn MetadataSource, tokens: &Tokens) -> Response<Vec<u8>> {
    // A forwarded request comes from an open proxy on the instance, not from the instance; and a token is asked for
    // without a version, so that a rule for one version cannot be passed by with another one.
    if path != TOKEN_PATH || headers.contains_key("x-forwarded-for") {
        return refuse(StatusCode::FORBIDDEN);
    }
    let life = headers.get(TOKEN_LIFE).and_then(|life| life.to_str().ok());
    let Some((said, life)) = life.and_then(|said| Some((said, Tokens::read_life(said)?))) else {
        return refuse(StatusCode::BAD_REQUEST);
    };
    let token = tokens.issue(source.now(), life);
    let mut response = reply(StatusCode::OK, "text/plain", token.into_bytes());
    if let Ok(said) = said.trim().parse() {
        response.headers_mut().insert(TOKEN_LIFE, said);
    }
    response
}

fn get(path: &str, headers: &HeaderMap, source: &dyn MetadataSource, tokens: &Tokens) -> Response<Vec<u8>> {
    let facts = source.facts();
    let is_allowed = match headers.get(TOKEN) {
        Some(token) => token.to_str().is_ok_and(|token| tokens.is_valid(token, source.now())),
        None => !facts.tokens_required,
    };
    if !is_allowed {
        return refuse(StatusCode::UNAUTHORIZED);
    }
    let credentials = if path.contains("/iam") { source.credentials() } else { None };
    match answer(&facts, credentials.as_ref(), path) {
        Answer::Text(text) => reply(StatusCode::OK, "text/plain", text.into_bytes()),
        Answer::Bytes(bytes) => reply(StatusCode::OK, "application/octet-stream", bytes),
        Answer::Missing => refuse(StatusCode::NOT_FOUND),
    }
}

/// A refusal in EC2's words.
fn refuse(status: StatusCode) -> Response<Vec<u8>> {
    let title = format!("{} - {}", status.as_u16(), status.canonical_reason().unwrap_or("Refused"));
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html lang=\"en\">\n <head>\n  <title>{title}</title>\n \
         </head>\n <body>\n  <h1>{title}</h1>\n </body>\n</html>\n"
    );
    reply(status, "text/html", body.into_bytes())
}

fn reply(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    headers.insert(header::SERVER, header::HeaderValue::from_static("EC2ws"));
    response
}

#[cfg(test)]
mod tests;
