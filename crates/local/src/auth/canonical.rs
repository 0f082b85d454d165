//! The canonical request: the text that both sides hash.

use http::Request;

/// Method, path, query, signed headers and payload hash, each on its line.
pub(super) fn request(request: &Request<()>, signed_headers: &[String], payload_hash: &str) -> String {
    let mut text = format!(
        "{}\n{}\n{}\n",
        request.method(),
        path(request.uri().path()),
        query(request.uri().query().unwrap_or_default())
    );
    for name in signed_headers {
        let values: Vec<String> = request
            .headers()
            .get_all(name.as_str())
            .iter()
            .map(|value| single_spaces(&String::from_utf8_lossy(value.as_bytes())))
            .collect();
        text.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    text.push_str(&format!("\n{}\n{payload_hash}", signed_headers.join(";")));
    text
}

fn single_spaces(value: &str) -> String {
    value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Every service but S3 encodes the path, which is encoded already, once more.
fn path(path: &str) -> String {
    if path.is_empty() { "/".to_owned() } else { path.split('/').map(escape).collect::<Vec<_>>().join("/") }
}

fn query(query: &str) -> String {
    let mut fields: Vec<(String, String)> = query
        .split('&')
        .filter(|field| !field.is_empty())
        .map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            (escape(unescape(name)), escape(unescape(value)))
        })
        .collect();
    fields.sort();
    fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn escape(text: impl AsRef<[u8]>) -> String {
    let mut escaped = String::new();
    for byte in text.as_ref() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(*byte)),
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = (*first == b'%').then(|| tail.get(..2)).flatten();
        match hex.and_then(|pair| data_encoding::HEXLOWER_PERMISSIVE.decode(pair).ok()) {
            Some(byte) => {
                bytes.extend(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    bytes
}
