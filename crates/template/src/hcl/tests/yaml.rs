//! YAML, as Packer's console gives it.

use super::expressions::worked;
use super::*;

/// `yamldecode` of a text in quotes.
fn decoded(text: &str) -> String {
    worked(&format!("yamldecode({text:?})"))
}

/// `yamlencode` of an expression.
fn encoded(text: &str) -> String {
    serde_json::from_str(&worked(&format!("yamlencode({text})"))).expect("a string")
}

fn refused(text: &str) -> String {
    errors(&template(&format!("ami_description = jsonencode(yamldecode({text:?}))"), "", ""))
}

#[test]
fn scalars_are_those_of_both_versions() {
    for (text, value) in [
        (
            "a: yes\nb: No\nc: y\nd: off\ne: TRUE\nf: \"yes\"\ng: 'on'",
            r#"{"a":true,"b":false,"c":true,"d":false,"e":true,"f":"yes","g":"on"}"#,
        ),
        (
            "- 0o17\n- 0x1F\n- 017\n- 1_000\n- +5\n- -3\n- 0b101\n- 1e3\n- .5\n- 5.\n- 1:30",
            r#"["0o17","0x1F",17,1000,5,-3,5,1000,0.5,5,"1:30"]"#,
        ),
        (
            "- !!str 5\n- !!int \"5\"\n- !!float 2\n- !!bool yes\n- !!str yes\n- !!int 0x1F\n- !!null x\n- !!int 010",
            r#"["5","5",2,true,"yes",31,null,10]"#,
        ),
        (
            "- 2001-12-14\n- 2001-12-14t21:59:43.10-05:00\n- 2001-12-14 21:59:43.10\n- 2001-1-2T3:4:5Z",
            r#"["2001-12-14T00:00:00Z","2001-12-14T21:59:43-05:00","2001-12-14T21:59:43Z","2001-01-02T03:04:05Z"]"#,
        ),
        ("!!binary aGk=", r#""aGk=""#),
        (
            "- |\n  yes\n- |-\n  yes\n- >-\n  5\n- ''\n- 'a''b'\n- 12345678901234567890123",
            r#"["yes\n","true","5","","a'b",12345678901234567890123]"#,
        ),
        ("a:\nb: null\nc: Null", r#"{"a":null,"b":null,"c":null}"#),
        ("", "null"),
        ("%YAML 1.1\n---\n# c\na: 1\n...\n", r#"{"a":1}"#),
    ] {
        assert_eq!(decoded(text), value, "{text}");
    }
}

#[test]
fn mappings_merge_and_their_last_keys_win() {
    for (text, value) in [
        (
            "b: &x {a: 1, c: 2}\nd:\n  <<: *x\n  c: 3\ne:\n  c: 4\n  <<: *x\n",
            r#"{"b":{"a":1,"c":2},"d":{"a":1,"c":3},"e":{"a":1,"c":2}}"#,
        ),
        ("b: &x {a: 1}\nd:\n  <<: [*x, {a: 2}]\n", r#"{"b":{"a":1},"d":{"a":2}}"#),
        ("x: &a [1]\nz: *a", r#"{"x":[1],"z":[1]}"#),
        ("1: a\ntrue: b\nyes: c\n1.50: d", r#"{"1":"a","1.5":"d","true":"c"}"#),
        ("a: 1\na: 2", r#"{"a":2}"#),
        ("a: !!map {x: 1}\nb: !!seq [1]", r#"{"a":{"x":1},"b":[1]}"#),
    ] {
        assert_eq!(decoded(text), value, "{text}");
    }
}

#[test]
fn what_has_no_value_is_refused_at_its_line() {
    for (text, sentence) in [
        ("a: 1\nb: !foo x", "line 2 of the YAML: the tag `!foo` is not supported"),
        ("a: .nan", "the number `.nan` is not supported"),
        ("~: 1", "a key of a mapping cannot be null"),
        ("? [a]\n: 1", "a key of a mapping must be a string"),
        ("a: 1\n---\nb: 2", "there is a second document"),
        ("a: &x [*x]", "an alias stands within its own anchor"),
        ("a: !!set {x: }", "set` is not supported here"),
        ("a: 0b12", "`0b12` is no binary number; a string stands in quotes"),
        ("a: !!int x", "`x` is no `!!int`"),
        ("a:\n  <<: 1", "`<<` can merge a mapping only, this is a number"),
        ("a: 1\nb: [", "line 3 of the YAML"),
    ] {
        let shown = refused(text);
        assert!(shown.contains(sentence), "{text}: {shown}");
    }
    let deep = refused(&"[".repeat(200));
    assert!(deep.contains("nested more than 100 levels deep"), "{deep}");
    assert!(refused(&"[".repeat(50_000)).contains("of the YAML: "));
    let doubled: String = (1..30).map(|n| format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1)).collect();
    assert!(refused(&format!("a0: &a0 x\n{doubled}")).contains("stand for more than 100000 values"));
}

#[test]
fn values_are_laid_out_as_libyaml_does() {
    for (text, yaml) in [
        ("[1, 2]", "- 1\n- 2\n"),
        ("5", "5\n...\n"),
        ("\"a\\nb\"", "|-\n  a\n  b\n"),
        ("[{ a = 1, b = [1, { c = 2 }] }, [], [{}]]", "- \"a\": 1\n  \"b\":\n  - 1\n  - \"c\": 2\n- []\n- - {}\n"),
        ("{ a = { b = { c = [1, 2] } } }", "\"a\":\n  \"b\":\n    \"c\":\n    - 1\n    - 2\n"),
        (
            "{ a = \"x\\ny\\n\", b = null, c = true, d = 1.5 }",
            "\"a\": |\n  x\n  y\n\"b\": null\n\"c\": true\n\"d\": 1.5\n",
        ),
        ("{ a = \"x\\n\\n\", b = \"  lead\\nx\" }", "\"a\": |+\n  x\n\n\"b\": |2-\n    lead\n  x\n"),
        ("{ g = \"\\nx\", h = \"\\n\", i = \"\" }", "\"g\": |2-\n\n  x\n\"h\": |2+\n\n\"i\": \"\"\n"),
        ("[\"multi\\nline\", [\"x\\ny\"]]", "- |-\n  multi\n  line\n- - |-\n    x\n    y\n"),
        (
            "[\"a\\tb\\nc\", \"a \\nb\", \"a\\nb \", \"it's \\\"q\\\"\"]",
            "- \"a\\tb\\nc\"\n- \"a \\nb\"\n- \"a\\nb \"\n- \"it's \\\"q\\\"\"\n",
        ),
        ("[\"é😀\\u0085\\u0001\"]", "- \"é\\U0001F600\\N\\x01\"\n"),
        ("{ \"a\\nb\" = [1] }", "? |-\n  a\n  b\n: - 1\n"),
        (
            "{ a = \"this is a long string of words that goes on for more than eighty columns so that it is folded  by the emitter\" }",
            "\"a\": \"this is a long string of words that goes on for more than eighty columns so\n  that it is folded  by the emitter\"\n",
        ),
    ] {
        assert_eq!(encoded(text), yaml, "{text}");
    }
}
