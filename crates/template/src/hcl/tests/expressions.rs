//! Expressions and functions; values as the language's documentation gives them.

use super::*;

/// `text` as JSON.
pub(super) fn worked(text: &str) -> String {
    let template =
        template(&format!("ami_description = jsonencode({text})"), "", "variable \"size\" {\n type = number\n}");
    let recipe = recipe(&template);
    // A text without templates of Go's in it is literal.
    ebs(&recipe)
        .ami_description
        .as_ref()
        .and_then(|text| text.find_literal())
        .unwrap_or_else(|| panic!("{text}"))
        .to_owned()
}

#[test]
fn expressions_have_the_values_of_the_language() {
    for (text, value) in [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3 % 4", "1"),
        ("10 / 4", "2.5"),
        ("0.1 + 0.2", "0.3"),
        ("10 * 1.1", "11"),
        ("sum([0.1, 0.2])", "0.3"),
        ("9007199254740991 + 0", "9007199254740991"),
        ("-var.size", "-9"),
        ("!true || 1 < 2 && 2 >= 2", "true"),
        ("var.size == 9 ? \"nine\" : \"other\"", "\"nine\""),
        ("\"1\" == 1", "false"),
        ("null == null", "true"),
        ("false && undefined_name", "false"),
        ("[for s in [\"a\", \"b\"] : upper(s) if s != \"a\"]", "[\"B\"]"),
        ("{for k, v in { b = 1, a = 2 } : k => v + 1}", "{\"a\":3,\"b\":2}"),
        ("{for n in [1, 2, 3] : (n % 2 == 0 ? \"even\" : \"odd\") => n...}", "{\"even\":[2],\"odd\":[1,3]}"),
        ("[{ n = 1 }, { n = 2 }][*].n", "[1,2]"),
        ("[{ n = [3] }, { n = [4] }].*.n", "[[3],[4]]"),
        ("null[*]", "[]"),
        ("{ \"a-b\" = { c = [5] } }[\"a-b\"].c[0]", "5"),
        ("\"${var.size}-${true}\"", "\"9-true\""),
        ("\"${[1]}\"", "[1]"),
        ("\"$${x} %%{y}\"", "\"${x} %{y}\""),
        ("\"a%{ if var.size > 5 }big%{ else }small%{ endif }z\"", "\"abigz\""),
        ("\"%{ for i, n in [1, 2] }${i}=${n};%{ endfor }\"", "\"0=1;1=2;\""),
        ("<<EOT\n  two\n lines\nEOT\n", "\"  two\\n lines\\n\""),
        ("<<-EOT\n    in\n      dent\n    EOT\n", "\"in\\n  dent\\n\""),
        ("max([3, 9, 4]...)", "9"),
        ("{for k, v in toset([\"b\", \"a\"]) : k => v}", "{\"a\":\"a\",\"b\":\"b\"}"),
        ("[for k, v in toset([10, 9, 10]) : k + v]", "[18,20]"),
        ("[for k, v in setunion([\"a\"], [\"b\"]) : \"${k}${v}\"]", "[\"aa\",\"bb\"]"),
        ("toset([\"a\"]) == toset([\"a\", \"a\"])", "true"),
        ("toset([\"x\", 1])", "[\"1\",\"x\"]"),
        ("[for k, v in convert([\"z\", \"y\"], set(string)) : k]", "[\"y\",\"z\"]"),
        ("[for k, v in tolist(toset([\"a\"])) : k]", "[0]"),
        ("toset([\"a\"])[*]", "[\"a\"]"),
        ("length(setproduct(toset([\"a\", \"b\"]), [1, 2]))", "4"),
        ("max(toset([3, 9])...)", "9"),
        ("yamlencode(toset([\"b\", \"a\"]))", "\"- \\\"a\\\"\\n- \\\"b\\\"\\n\""),
        ("join(\",\", setsubtract([\"b\", \"a\", \"c\"], [\"c\"]))", "\"a,b\""),
    ] {
        assert_eq!(worked(text), value, "{text}");
    }
}

#[test]
fn functions_have_their_documented_values() {
    for (text, value) in [
        ("replace(\"/usr/lib/x\", \"/usr/\", \"/opt/\")", "\"/opt/lib/x\""),
        ("replace(\"hello world\", \"/w.*d/\", \"everybody\")", "\"hello world\""),
        ("regex_replace(\"ab12\", \"[0-9]+\", \"x\")", "\"abx\""),
        ("regex(\"(?P<a>[a-z]+)-(?P<b>[0-9]+)\", \"ab-12\")", "{\"a\":\"ab\",\"b\":\"12\"}"),
        ("regexall(\"[a-z]\", \"a1b\")", "[\"a\",\"b\"]"),
        ("format(\"%03d|%-4s|%5.1f|%q|%v\", 7, \"ab\", 3.14159, \"x\", [1])", "\"007|ab  |  3.1|\\\"x\\\"|[1]\""),
        ("formatlist(\"%s-%s\", [\"a\", \"b\"], \"c\")", "[\"a-c\",\"b-c\"]"),
        ("title(\"hello wORLD it's a-b c_d 1x éa\")", "\"Hello WORLD It'S A-B C_d 1x Éa\""),
        (r#"can(csvdecode("a,b\n1,\"x\"y\n"))"#, "false"),
        (r#"csvdecode("a,b\r\n\"x,\"\"y\",\"\"\r\n\n")"#, r#"[{"a":"x,\"y","b":""}]"#),
        (r#"csvdecode("a\n\"\"\nb")"#, r#"[{"a":""},{"a":"b"}]"#),
        ("substr(\"hello world\", 1, 4)", "\"ello\""),
        ("substr(\"hello\", -3, -1)", "\"llo\""),
        ("split(\",\", \"a,b\")", "[\"a\",\"b\"]"),
        ("trim(\"?!hello?!\", \"!?\")", "\"hello\""),
        ("chomp(\"hello\\n\\n\")", "\"hello\""),
        ("indent(2, \"a\\nb\")", "\"a\\n  b\""),
        ("flatten([[1, [2]], 3])", "[1,2,3]"),
        ("merge({ a = 1, b = 1 }, null, { b = 2 })", "{\"a\":1,\"b\":2}"),
        ("lookup({ a = 1 }, \"b\", \"none\")", "\"none\""),
        ("zipmap([\"a\", \"b\"], [1, 2])", "{\"a\":1,\"b\":2}"),
        ("setproduct([\"a\", \"b\"], [1])", "[[\"a\",1],[\"b\",1]]"),
        ("toset([\"b\", \"a\", \"b\"])", "[\"a\",\"b\"]"),
        ("setsubtract([\"a\", \"b\"], [\"b\"])", "[\"a\"]"),
        ("element([\"a\", \"b\", \"c\"], 4)", "\"b\""),
        ("slice([1, 2, 3], 1, 3)", "[2,3]"),
        ("chunklist([1, 2, 3], 2)", "[[1,2],[3]]"),
        ("range(1, 8, 3)", "[1,4,7]"),
        ("coalesce(\"\", null, \"x\")", "\"x\""),
        ("compact([\"a\", \"\", null])", "[\"a\"]"),
        ("distinct([1, 2, 1])", "[1,2]"),
        ("transpose({ a = [\"1\", \"2\"], b = [\"2\"] })", "{\"1\":[\"a\"],\"2\":[\"a\",\"b\"]}"),
        ("keys({ b = 1, a = 2 })", "[\"a\",\"b\"]"),
        ("contains([\"a\"], \"a\") && alltrue([true, \"true\"])", "true"),
        ("parseint(\"ff\", 16)", "255"),
        ("pow(2, 10)", "1024"),
        ("ceil(4.1) + floor(4.9) + signum(-3) + abs(-1)", "9"),
        ("jsondecode(\"{\\\"a\\\": [1, null]}\")", "{\"a\":[1,null]}"),
        ("yamldecode(\"a: [1, true]\\nb: x\")", "{\"a\":[1,true],\"b\":\"x\"}"),
        ("yamlencode({ b = [1], a = \"x\" })", "\"\\\"a\\\": \\\"x\\\"\\n\\\"b\\\":\\n- 1\\n\""),
        ("csvdecode(\"a,b\\n1,\\\"2,3\\\"\\n\")", "[{\"a\":\"1\",\"b\":\"2,3\"}]"),
        ("base64decode(base64encode(\"hé\"))", "\"hé\""),
        (r#"jsondecode("{\"a\":{\"x\":1},\"b\":2,\"_\":1,\"a\":{\"y\":2},\"_\":3}")"#, r#"{"_":3,"a":{"y":2},"b":2}"#),
        (r#"textencodebase64("hé", "UTF-16LE")"#, r#""aADpAA==""#),
        (r#"textdecodebase64("aADpAA==", "utf-16le")"#, r#""hé""#),
        (r#"textdecodebase64("aMOp", "UTF-8")"#, r#""hé""#),
        (r#"can(textdecodebase64("aAA2", "UTF-16LE"))"#, "false"),
        ("urlencode(\"a b/c\")", "\"a+b%2Fc\""),
        ("md5(\"hello world\")", "\"5eb63bbbe01eeed093cb22bb8f5acdc3\""),
        ("sha1(\"hello world\")", "\"2aae6c35c94fcfb415dbe95f408b9ce91ee846ed\""),
        ("sha256(\"hello world\")", "\"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9\""),
        ("uuidv5(\"dns\", \"www.terraform.io\")", "\"a5008fae-b28c-5ba5-96cd-82b4c53552d6\""),
        ("cidrhost(\"10.12.112.0/20\", 268)", "\"10.12.113.12\""),
        ("cidrnetmask(\"172.16.0.0/12\")", "\"255.240.0.0\""),
        ("cidrsubnet(\"172.16.0.0/12\", 4, 2)", "\"172.18.0.0/16\""),
        (
            "cidrsubnets(\"10.1.0.0/16\", 4, 4, 8, 4)",
            "[\"10.1.0.0/20\",\"10.1.16.0/20\",\"10.1.32.0/24\",\"10.1.48.0/20\"]",
        ),
        ("cidrsubnet(\"fd00:fd12:3456:7890::/56\", 16, 162)", "\"fd00:fd12:3456:7800:a200::/72\""),
        ("formatdate(\"YYYY-MM-DD'T'hh:mm'!'\", timestamp())", "\"2019-11-09T17:26!\""),
        ("formatdate(\"EEE D MMM, H AA\", timestamp())", "\"Sat 9 Nov, 5 PM\""),
        ("timeadd(timestamp(), \"-10m\")", "\"2019-11-09T17:16:00Z\""),
        ("legacy_isotime(\"2006\")", "\"2019\""),
        ("legacy_strftime(\"%Y%m%d\")", "\"20191109\""),
        (r#"timeadd("2026-01-02T03:04:05+02:00", "1h")"#, r#""2026-01-02T04:04:05+02:00""#),
        (r#"timeadd("2026-01-02T03:04:05.5+00:00", "600ms")"#, r#""2026-01-02T03:04:06Z""#),
        (r#"formatdate("YYYY-MM-DD hh", "2026-01-02T23:30:00-05:00")"#, r#""2026-01-02 23""#),
        (r#"formatdate("ZZZ|ZZZZ|ZZZZZ|Z", "2026-01-02T03:04:05-05:30")"#, r#""-0530|-0530|-05:30|-05:30""#),
        (r#"formatdate("ZZZ|ZZZZ|ZZZZZ|Z", "2026-01-02T03:04:05+00:00")"#, r#""UTC|+0000|+00:00|Z""#),
        (r#"formatdate("''hh 'o''clock'", "2026-01-02T03:04:05Z")"#, r#""'03 o'clock""#),
        (
            r#"rfc3339_parse("2023-01-01T23:43:16+02:00")"#,
            r#"{"day":1,"hour":23,"iso_week":52,"iso_year":2022,"minute":43,"month":1,"month_name":"January","second":16,"unix":1672609396,"weekday":0,"weekday_name":"Sunday","year":2023,"year_day":1}"#,
        ),
        ("keys(unix_timestamp_parse(0))[7]", "\"rfc3339\""),
        ("rfc3339_parse(\"2019-11-09T17:26:00Z\").unix", "1573320360"),
        ("try(local.none, { a = 1 }.b, \"last\")", "\"last\""),
        ("can({ a = 1 }.b)", "false"),
        ("convert([\"1\"], list(number))", "[1]"),
        ("file(\"motd\")", "\"welcome\\n\""),
        ("filebase64(\"motd\")", "\"d2VsY29tZQo=\""),
        ("fileexists(\"nothing\")", "false"),
        ("fileset(\"files\", \"**/*.conf\")", "[\"a.conf\",\"deep/b.conf\"]"),
        ("fileset(\"files\", \"*.{conf,txt}\")", "[\"a.conf\",\"c.txt\"]"),
        (
            "templatefile(\"user.tpl\", { users = [\"ada\", \"bob\"], host = \"h\" })",
            "\"user ada\\nuser bob\\nhost H\\n\"",
        ),
        ("pathexpand(\"~/x\")", "\"/home/ada/x\""),
        ("abspath(\"../a\")", "\"/project/a\""),
        ("basename(\"/a/b.txt\")", "\"b.txt\""),
        ("dirname(\"/a/b.txt\")", "\"/a\""),
        ("path.root", "\"/project/web\""),
        ("length(uuidv4())", "36"),
    ] {
        assert_eq!(worked(text), value, "{text}");
    }
}

#[test]
fn templates_of_go_work_within_strings() {
    let text = template("tags = { a = \"{{isotime `2006`}}-{{ .SourceAMI }}\" }", "", "");
    let recipe = recipe(&text);
    let image = crate::SourceAmi { id: "ami-9".to_owned(), ..crate::SourceAmi::default() };
    assert_eq!(ebs(&recipe).tags["a"].render(&image), Ok("2019-ami-9".to_owned()));
}

#[test]
fn env_works_in_defaults_alone() {
    let text = template("tags = { a = var.user }", "", "variable \"user\" {\n default = env(\"USER\")\n}");
    assert_eq!(ebs(&recipe(&text)).tags["a"].find_literal(), Some("ada"));
    assert!(errors(&template("tags = { a = env(\"USER\") }", "", "")).contains("in the default of a variable only"));
}

#[test]
fn types_convert_and_refuse() {
    let value = |kind: &str, default: &str| {
        recipe(&template(
            "tags = { a = jsonencode(var.v) }",
            "",
            &format!("variable \"v\" {{\n type = {kind}\n default = {default}\n}}"),
        ))
    };
    for (kind, default, expected) in [
        ("list(string)", "[1, true]", "[\"1\",\"true\"]"),
        ("number", "\"8\"", "8"),
        ("bool", "\"true\"", "true"),
        ("map(number)", "{ a = \"1\" }", "{\"a\":1}"),
        ("set(string)", "[\"b\", \"a\", \"b\"]", "[\"a\",\"b\"]"),
        (
            "object({ name = string, size = optional(number) })",
            "{ name = 1, extra = 2 }",
            "{\"name\":\"1\",\"size\":null}",
        ),
        ("tuple([string, number])", "[1, \"2\"]", "[\"1\",2]"),
        ("any", "[1]", "[1]"),
    ] {
        assert_eq!(ebs(&value(kind, default)).tags["a"].find_literal(), Some(expected), "{kind}");
    }
    for (kind, default) in
        [("number", "\"x\""), ("list(string)", "\"x\""), ("string", "[1]"), ("object({ a = string })", "{}")]
    {
        let text = template("", "", &format!("variable \"v\" {{\n type = {kind}\n default = {default}\n}}"));
        assert!(errors(&text).contains("the variable `v`"), "{kind}");
    }
}

#[test]
fn gzip_packs_user_data_that_unpacks_to_it() {
    use std::io::Read as _;

    let packed: String = serde_json::from_str(&worked("base64gzip(\"#cloud-config\\né\")")).expect("a string");
    let bytes = data_encoding::BASE64.decode(packed.as_bytes()).expect("base64");
    assert_eq!(bytes[4..8], [0; 4], "no time of day");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).expect("gzip");
    assert_eq!(text, "#cloud-config\né");
}
