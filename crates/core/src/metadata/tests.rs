use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

use super::*;

fn schema() -> Schema {
    let schema = json!({
        "service": "web",
        "environments": ["dev", "prod"],
        "keys": {"cluster": "string"},
        "extra": {"volume_id": "volume", "central_logging": "boolean", "workers": "integer", "hosts": "list", "labels": "map"},
        "parameters": [{"name": "banner", "parameter": "/web/{environment}/banner", "default": "hello", "cached_ok": true}],
        "volumes": {"volume_id": {"mount": "/srv/data", "format": "ext4", "owner": "www-data"}},
    });
    Schema::parse(schema.to_string().as_bytes()).unwrap()
}

fn refusal(bytes: impl AsRef<[u8]>) -> String {
    parse(bytes.as_ref(), &schema()).unwrap_err().to_string()
}

#[test]
fn the_article_s_user_data_is_read() {
    let read = parse(
        br#" {"environment":"dev","cluster":"blue","extra":{"volume_id":"vol-0123456789abcdef0","central_logging":false}} "#,
        &schema(),
    )
    .unwrap();
    assert_eq!(read.environment, "dev");
    assert_eq!(read.volume_id("volume_id"), Some("vol-0123456789abcdef0"));
    assert_eq!(
        String::from_utf8(read.canonical()).unwrap(),
        r#"{"cluster":"blue","environment":"dev","extra":{"central_logging":false,"volume_id":"vol-0123456789abcdef0"}}"#
    );
}

#[test]
fn each_fault_is_one_sentence_that_names_it() {
    let long = format!(r#"{{"environment":"dev","cluster":"{}"}}"#, "x".repeat(17 * 1024));
    let text = format!(r#"{{"environment":"dev","cluster":"{}"}}"#, "x".repeat(4097));
    let deep = format!(r#"{{"environment":"dev","cluster":{}1{}}}"#, "[".repeat(8), "]".repeat(8));
    let many: Vec<String> = (0..256).map(|n| format!(r#""k{n}":1"#)).collect();
    let many = format!(r#"{{"environment":{{{}}}}}"#, many.join(","));
    let cases: &[(&str, &str)] = &[
        ("", "has no user data"),
        (" \n", "has no user data"),
        (&long, "larger than 16384 bytes (16 KiB)"),
        (r#"["dev",{}]"#, "is a JSON array and must be a JSON object"),
        (r#""dev""#, "is a JSON string"),
        ("true", "is a JSON boolean"),
        ("17", "is a JSON number"),
        ("#!/bin/sh\nrm -rf /", "looks like a shell script"),
        ("\n #!/bin/sh", "looks like a shell script"),
        ("#cloud-config\nusers: []", "looks like a cloud-config"),
        ("Content-Type: multipart/mixed", "looks like a MIME message"),
        ("eyJlbnZpcm9ubWVudCI6ImRldiJ9", "base64-encoded once too often"),
        ("environment: dev", "looks like plain text"),
        (r#"{"environment":"dev""#, "not JSON: EOF while parsing an object at line 1 column 20"),
        (r#"{"environment":"dev"} x"#, "not JSON: trailing characters"),
        (r#"{"cluster":"blue"}"#, "has no `environment`; this image takes `dev`, `prod`"),
        (
            r#"{"environment":"stage","cluster":"b"}"#,
            "environment `stage` is none of this image's; it takes `dev`, `prod`",
        ),
        (r#"{"environment":"{{ x }}","cluster":"b"}"#, "environment in the user data is none of this image's"),
        (r#"{"environment":7,"cluster":"b"}"#, "`environment` in the user data must be a string and is a number"),
        (r#"{"environment":"dev"}"#, "has no `cluster`, which this image needs (a string)"),
        (r#"{"environment":"dev","cluster":"b","cluster":"b"}"#, "has the key `cluster` twice"),
        (r#"{"environment":"dev","extra":{"labels":{"a":1,"a":1}}}"#, "has the key `extra.labels.a` twice"),
        (
            r#"{"enviroment":"dev","environment":"dev","cluster":"b"}"#,
            "unknown key `enviroment`; did you mean `environment`?",
        ),
        (r#"{"environment":"dev","cluster":"b","workers":1}"#, "unknown key `workers`; it belongs inside `extra`"),
        (
            r#"{"environment":"dev","cluster":"b","extra":{"volumeId":"x"}}"#,
            "unknown key `extra.volumeId`; did you mean `volume_id`?",
        ),
        (
            r#"{"environment":"dev","cluster":"b","extra":{"zebra":1}}"#,
            "`extra.zebra`; this image knows `central_logging`, `hosts`, `labels`, `volume_id`, `workers`",
        ),
        (
            r#"{"environment":"dev","cluster":"b","extra":{"volume_id":"vol-12"}}"#,
            "`extra.volume_id` in the user data must be a volume id (vol- and 8 or 17 hex digits) and is another string",
        ),
        (
            r#"{"environment":"dev","cluster":"b","extra":{"central_logging":"no"}}"#,
            "must be true or false and is a string",
        ),
        (
            r#"{"environment":"dev","cluster":"b","extra":[]}"#,
            "`extra` in the user data must be an object and is a list",
        ),
        (r#"{"environment":"dev","cluster":"b","extra":{"labels":{"A b":1}}}"#, "the key `labels.A?b`"),
        (&deep, "nested deeper than 8 levels"),
        (&many, "more than 256 keys"),
        (&text, "the text of `cluster` in the user data is longer than 4096 bytes"),
        (
            r#"{"environment":"dev","cluster":"a\u0000b"}"#,
            "the text of `cluster` in the user data has a control character",
        ),
        (r#"{"environment":"dev","cluster":1.5}"#, "the number `cluster`"),
        (r#"{"environment":"dev","cluster":9007199254740993}"#, "within ±2^53"),
        (r#"{"environment":"dev","cluster":123456789012345678901234567890}"#, "within ±2^53"),
    ];
    for (given, wanted) in cases {
        let sentence = refusal(given);
        assert!(sentence.contains(wanted), "{given:.60}\n  gave   {sentence}\n  wanted {wanted}");
        assert!(!sentence.contains('\n'), "{sentence}");
    }
    assert!(refusal([0x1f, 0x8b, 8, 0]).contains("compressed data"));
    assert!(refusal([0xef, 0xbb, 0xbf, b'{', b'}']).contains("not JSON"));
    assert!(refusal(b"{\"environment\":\"\xff\"}").contains("not JSON"));
}

#[test]
fn undeclared_extra_keys_pass_when_the_schema_is_open() {
    let open = Schema { extra_open: true, ..schema() };
    let read = parse(br#"{"environment":"dev","cluster":"b","extra":{"zebra":[1,{"a":null}]}}"#, &open).unwrap();
    assert_eq!(read.extra["zebra"], json!([1, {"a": null}]));
}

#[test]
fn a_launch_is_stricter_than_a_boot() {
    let check = |text: &str| check_for_launch(text.as_bytes()).map_err(|fault| fault.to_string());
    assert_eq!(check(r#"{"environment":"dev"}"#), Ok(()));
    assert!(check(r#" {"environment":"dev"}"#).unwrap_err().contains("must begin with `{`"));
    assert!(check(r#"{"a":"MIME-Version: 1.0"}"#).unwrap_err().contains("MIME"));
    for name in ["db_password", "api_token", "Client_SECRET", "tls_private_key"] {
        let sentence = check(&format!(r#"{{"extra":{{"list":[{{"{name}":1}}]}}}}"#)).unwrap_err();
        assert!(
            sentence.contains(&format!("`extra.list.{name}`")) && sentence.contains("Parameter Store"),
            "{sentence}"
        );
    }
    assert!(check("#!/bin/sh").unwrap_err().contains("shell script"));
}

#[test]
fn a_schema_that_contradicts_itself_is_refused() {
    let wrong = |change: Value| {
        let mut whole = json!({"service": "web", "environments": ["dev"]});
        whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        Schema::parse(whole.to_string().as_bytes()).unwrap_err().to_string()
    };
    assert!(wrong(json!({"environments": []})).contains("no environments"));
    assert!(wrong(json!({"keys": {"extra": "map"}})).contains("taken by Ovenbird's own facts"));
    assert!(wrong(json!({"keys": {"items": "list"}})).contains("method of its dictionary"));
    assert!(wrong(json!({"keys": {"A": "list"}})).contains("plain name"));
    assert!(wrong(json!({"keys": {"a": "float"}})).contains("not readable"));
    assert!(wrong(json!({"colour": 1})).contains("not readable"));
    assert!(wrong(json!({"volumes": {"v": {"mount": "/a"}}})).contains("not declared"));
    for mount in ["a", "/", "/a/../b", "/a//b", "/a/"] {
        let sentence = wrong(json!({"extra": {"v": "volume"}, "volumes": {"v": {"mount": mount}}}));
        assert!(sentence.contains("mount point"), "{mount}: {sentence}");
    }
    assert!(wrong(json!({"parameters": [{"name": "a", "parameter": "a"}]})).contains("needs a path"));
    let twice = json!({"name": "a", "parameter": "/a"});
    assert!(wrong(json!({"parameters": [twice, twice]})).contains("same name"));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53)..=(1_i64 << 53)).prop_map(Value::from),
        "\\PC{0,40}"
            .prop_filter("no control characters", |text| !text.chars().any(char::is_control))
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::btree_map("[a-z][a-z0-9_]{0,20}", inner, 0..5).prop_map(json::object),
        ]
    })
}

fn any_members() -> impl Strategy<Value = BTreeMap<String, Value>> {
    prop::collection::btree_map("[a-z][a-z0-9_]{0,20}", any_value(), 0..6)
}

/// The kind that takes a value, if one does.
fn kind_of(value: &Value) -> Option<Kind> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => Kind::Boolean,
        Value::Number(_) => Kind::Integer,
        Value::String(text) if is_volume_id(text) => Kind::Volume,
        Value::String(_) => Kind::String,
        Value::Array(_) => Kind::List,
        Value::Object(_) => Kind::Map,
    })
}

/// A schema that declares exactly these keys.
fn schema_for(keys: &BTreeMap<String, Value>) -> Schema {
    let keys = keys.iter().filter_map(|(name, value)| Some((name.clone(), kind_of(value)?))).collect();
    Schema { keys, extra: BTreeMap::new(), extra_open: true, parameters: vec![], volumes: BTreeMap::new(), ..schema() }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes, &schema());
        let _ = check_for_launch(&bytes);
    }

    #[test]
    fn nothing_like_json_makes_it_panic(text in r#"[\{\}\[\]:,"\\0-9a-e.\-+ nulltrue\x{0}é]{0,120}"#) {
        let _ = parse(text.as_bytes(), &schema());
        let _ = parse(format!("{{{text}").as_bytes(), &schema());
    }

    #[test]
    fn what_was_composed_is_read_back(keys in any_members(), extra in any_members()) {
        let keys: BTreeMap<_, _> =
            keys.into_iter().filter(|(name, value)| !["environment", "extra"].contains(&name.as_str()) && kind_of(value).is_some()).collect();
        let bytes = compose("dev", &keys, &extra);
        prop_assume!(bytes.len() <= MAX_BYTES);
        let read = parse(&bytes, &schema_for(&keys)).unwrap();
        prop_assert_eq!(&read, &Metadata { environment: "dev".to_owned(), keys, extra });
        prop_assert_eq!(read.canonical(), bytes);
    }

    #[test]
    fn canonical_is_a_fixpoint(extra in any_members(), spaces in " {0,3}") {
        let loose = format!(r#"{{{spaces}"extra" :{spaces}{},"environment": "prod"}}"#, serde_json::to_string_pretty(&extra).unwrap());
        prop_assume!(loose.len() <= MAX_BYTES);
        let open = schema_for(&BTreeMap::new());
        let once = parse(loose.as_bytes(), &open).unwrap().canonical();
        prop_assert_eq!(parse(&once, &open).unwrap().canonical(), once);
    }

    #[test]
    fn a_duplicate_is_refused_wherever_it_stands(depth in 0_usize..6, name in "[a-z]{1,8}", first in any_value(), second in any_value()) {
        let object = format!(r#"{{"{name}":{first},"{name}":{second}}}"#);
        let nested = format!("{}{object}{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        let text = format!(r#"{{"environment":"dev","extra":{nested}}}"#);
        let refused = parse(text.as_bytes(), &schema_for(&BTreeMap::new()));
        // A value nested too deep may be met first.
        let duplicate = matches!(&refused, Err(MetadataError::DuplicateKey { name: path }) if path.ends_with(&name));
        prop_assert!(duplicate || matches!(refused, Err(MetadataError::TooDeep)), "{:?}", refused);
    }

    #[test]
    fn a_sentence_never_shows_a_value(value in "[A-Z]{12}") {
        let places = [
            format!(r#"{{"environment":"dev","cluster":["{value}"]}}"#),
            format!(r#"{{"environment":"dev","cluster":"b","extra":{{"volume_id":"{value}"}}}}"#),
            format!(r#"{{"environment":"dev","cluster":"{value}"#),
            value.clone(),
        ];
        for text in places {
            prop_assert!(!refusal(&text).contains(&value));
        }
    }
}
