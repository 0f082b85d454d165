use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::context::Context;
use crate::deferred::Deferred;
use crate::deferred::RenderError;
use crate::deferred::SourceAmi;
use crate::scope::Found;
use crate::scope::Position;
use crate::scope::Scope;

fn context() -> Context {
    Context {
        instant: "2026-11-22T23:20:40Z".parse().expect("a test's own instant"),
        template_dir: "/project/web".to_owned(),
        pwd: "/project".to_owned(),
        environment: [("HOME".to_owned(), "/root".to_owned())].into(),
        seed: 7,
    }
}

fn folded(text: &str, position: Position) -> Result<Vec<Part>, Fault> {
    let user = |name: &str| match name {
        "name" => Found::Value("web".to_owned()),
        "circle" => Found::Circle,
        "failed" => Found::Failed,
        "nme" => Found::Missing(Some("name".to_owned())),
        _ => Found::Missing(None),
    };
    let uuids = Cell::new(0);
    let context = context();
    let scope = Scope {
        context: &context,
        user: &user,
        build: Some(("debian", "amazon-ebs")),
        position,
        further: &[],
        uuids: &uuids,
    };
    fold(parse(text)?, &scope)
}

fn render(text: &str) -> String {
    let folded = folded(text, Position::Option).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    Deferred::new(folded).find_literal().expect("nothing is deferred").to_owned()
}

/// The part of the text that is at fault, and what is said of it.
fn fault(text: &str) -> (String, String) {
    let fault = folded(text, Position::Option).expect_err(text);
    let help = fault.help.map(|help| format!("; {help}")).unwrap_or_default();
    (text[fault.span].to_owned(), fault.message + &help)
}

#[test]
fn every_function_has_its_value() {
    let cases = [
        ("plain", "plain"),
        ("{{build_name}}/{{build_type}}", "debian/amazon-ebs"),
        ("{{isotime}}", "2026-11-22T23:20:40Z"),
        ("{{isotime \"2006-01-02 1504\"}}", "2026-11-22 2320"),
        ("{{isotime | clean_resource_name}}", "2026-11-22T23-20-40Z"),
        ("{{strftime \"%Y-%m-%d %H%M\"}}", "2026-11-22 2320"),
        ("{{timestamp}}", "1795389640"),
        ("{{pwd}} {{template_dir}}", "/project /project/web"),
        ("{{packer_version}}", crate::context::PACKER_VERSION),
        ("{{split `a-b-c` `-` 1}}", "b"),
        ("{{split `aé` `` 1}}", "é"),
        ("{{user `name`}} {{ user \"name\" }}", "web web"),
        ("{{`name` | user | upper}}", "WEB"),
        ("{{replace `a` `b` 1 `aaa`}} {{replace `a` `b` -1 `aaa`}}", "baa bbb"),
        ("{{replace_all `a` `b` `aaa`}}", "bbb"),
        ("{{upper `aé`}} {{lower `AÉ`}}", "AÉ aé"),
        ("{{clean_resource_name `a:b+(c)[d]./-'@_é`}}", "a-b-(c)[d]./-'@_-"),
    ];
    for (text, expected) in cases {
        assert_eq!(render(text), expected, "{text}");
    }
}

#[test]
fn uuids_begin_with_the_time_and_differ() {
    let both = render("{{uuid}} {{uuid}}");
    let (one, two) = both.split_once(' ').expect("two");
    assert_ne!(one, two);
    assert_eq!((one.len(), &one[..9]), (36, "6b0378c8-"));
    assert_eq!(render("{{uuid}} {{uuid}}"), both, "the same context gives the same bits");
}

#[test]
fn syntax_of_go() {
    let cases = [
        ("a {{- `b` -}} c", "abc"),
        ("a {{`b` -}}\n\t c", "a bc"),
        ("a{{/* a comment */}}b{{- /* trimmed */ -}} c", "abc"),
        ("{{ (upper (lower `A`)) | lower }}", "a"),
        ("{{ \"\\t\\x41\\u00e9\\101\\\"\" }}", "\tAéA\""),
        ("{{`{{`}}", "{{"),
        ("}} }", "}} }"),
        ("{{42}} {{-7}}", "42 -7"),
        ("", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(render(text), expected, "{text}");
    }
}

#[test]
fn conditions_choose() {
    let cases = [
        ("{{if user `name`}}a{{end}}b", "ab"),
        ("{{if user `nobody`}}a{{else}}b{{end}}", "b"),
        ("{{ if eq (user `name`) `db` }}1{{ else if eq (user `name`) `web` }}2{{ else }}3{{ end }}", "2"),
        ("{{if true}}{{if false}}1{{else}}2{{end}}{{end}}", "2"),
        ("a {{- if true -}} b {{- end -}} c", "abc"),
        ("{{if and `a` ``}}1{{else if or `` `b`}}2{{end}}{{if not `a`}}3{{end}}", "2"),
        ("{{eq 1 2 1}} {{ne `a` `b`}} {{or `` `x`}} {{and `` `x`}}{{true}}", "true true x true"),
        ("{{if 0}}1{{else}}{{false}}{{end}}", "false"),
        ("{{if false}}{{user `nme`}}{{end}}", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(render(text), expected, "{text}");
    }
    let deep = format!("{}{}", "{{if true}}".repeat(1_000), "{{end}}".repeat(1_000));
    assert_eq!(fault(&deep).1, "these `if` are nested too deep");
}

#[test]
fn a_condition_on_the_source_image_waits_for_it() {
    let text = "{{if eq .SourceAMIName `debian`}}{{.SourceAMI}}{{else}}{{upper `no`}}{{end}}!";
    let deferred = Deferred::new(folded(text, Position::Deferred).expect("right"));
    assert_eq!(deferred.find_literal(), None);
    let render = |name: &str| {
        deferred.render(&SourceAmi { id: "ami-1".to_owned(), name: name.to_owned(), ..SourceAmi::default() })
    };
    assert_eq!(render("debian").as_deref(), Ok("ami-1!"));
    assert_eq!(render("ubuntu").as_deref(), Ok("NO!"));
}

#[test]
fn faults_point_at_the_spot() {
    let cases = [
        ("a {{usr `x`}}", "usr", "there is no function `usr`; did you mean `user`?"),
        ("{{user `nme`}}", "user", "there is no variable `nme`; did you mean `name`?"),
        ("{{user `circle`}}", "user", "the variable `circle` needs its own value"),
        ("{{vault `a` `b`}}", "vault", "the function `vault` is not supported; give the value with -var"),
        ("{{consul_key `a`}}", "consul_key", "the function `consul_key` is not supported; give the value with -var"),
        (
            "{{aws_secretsmanager `a`}}",
            "aws_secretsmanager",
            "the function `aws_secretsmanager` is not supported; a secret in an image",
        ),
        ("{{sed `a` `b`}}", "sed", "the function `sed` is not supported; Packer has removed it"),
        ("{{env `HOME`}}", "env", "`env` works in `variables` only"),
        ("a{{if true}}b", "{{if true}}", "this `if` has no `end`"),
        ("{{if true}}a{{else}}b", "{{if true}}", "this `if` has no `end`"),
        ("{{if true}}a{{else}}b{{else}}c{{end}}", "{{else}}", "only `end` can stand here"),
        ("{{if true}}a{{end x}}", "{{end x}}", "only `else`, `else if …` or `end` can stand here"),
        ("a{{end}}", "{{end}}", "no `if` stands before this"),
        ("{{if}}a{{end}}", "{{if}}", "nothing stands between these braces"),
        ("{{if user `nme`}}a{{end}}", "user", "there is no variable `nme`; did you mean `name`?"),
        ("{{range true}}", "range", "`range` of Go templates is not supported"),
        ("{{eq `1` 1}}", "eq", "a text and a number cannot be compared; write the number as a text"),
        ("{{not}}", "not", "`not` is called as `not VALUE`"),
        ("{{ user }}", "user", "`user` takes one value, not 0"),
        ("{{pwd `x`}}", "pwd", "`pwd` takes no value"),
        ("{{split `a` `b` 1}}", "split", "`split` gives 1 parts here, so there is no part 1"),
        ("{{split `a` `b` `1`}}", "split", "`split` is called as `split TEXT SEPARATOR INDEX`"),
        ("{{strftime `%!`}}", "strftime", "`strftime` has no `%!`; use one of %aAb"),
        ("{{strftime `%`}}", "strftime", "`%` is no strftime format"),
        ("{{ .SourceAMI }}", ".SourceAMI", "`SourceAMI` is not known yet"),
        ("{{ build `ID` }}", "build", "`ID` is not known yet"),
        ("{{ .SorceAMI }}", ".SorceAMI", "there is no value `SorceAMI` of a build; did you mean `SourceAMI`?"),
        ("{{ .SourceAMITags }}", ".SourceAMITags", "`.SourceAMITags` has no such value; a tag of the source image"),
        ("{{ .. }}", "..", "a name must follow the dot"),
        ("ab {{ user", "{{", "this `{{` has no `}}`"),
        ("{{ `a }}", "`a }}", "this string is not closed"),
        ("{{ \"\\q\" }}", "\\", "`\\q` is no escape of Go's"),
        ("{{ 'a' }}", "'", "`'` has no meaning here; write strings in back quotes"),
        ("{{ $x := 1 }}", "$", "`$` has no meaning here; variables of Go templates"),
        ("{{}}", "{{}}", "nothing stands between these braces"),
        ("{{ `a` `b` }}", "`a`", "a value takes no arguments"),
        ("{{ `a` | `b` }}", "`b`", "only a function can follow `|`"),
        ("{{ | upper }}", "|", "a value or a function is missing before this"),
        ("{{ upper | }}", "{{ upper | }}", "a value or a function is missing here"),
        ("{{ (upper `a` }}", "(", "this `(` has no `)`"),
        ("{{ upper `a`) }}", ")", "this `)` closes nothing"),
        ("{{ 1x }}", "1x", "`1x` is no whole number"),
        ("{{/* a }}", "{{", "this comment has no `*/`"),
    ];
    for (text, spot, message) in cases {
        let (found, said) = fault(text);
        assert_eq!(found, spot, "{text}");
        assert!(said.starts_with(message), "{text}: {said}");
    }
    let deep = format!("{{{{ {}`a`{} }}}}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(fault(&deep).1.contains("nested too deep"));
}

#[test]
fn a_failed_variable_is_not_reported_again() {
    assert!(folded("{{user `failed` | upper}}", Position::Option).expect_err("failed").was_reported());
}

#[test]
fn env_works_in_variables() {
    let value = folded("{{env `HOME`}}{{env `NOT_SET`}}", Position::Variable).expect("allowed");
    assert_eq!(value, [Part::Text("/root".to_owned())]);
}

#[test]
fn values_of_the_source_image_wait_for_it() {
    let text = "{{user `name`}} on {{.SourceAMIName | upper}} ({{ build `SourceAMI` }}, {{.SourceAMITags.release}}) at {{isotime \"2006\"}}";
    let deferred = Deferred::new(folded(text, Position::Deferred).expect("allowed"));
    assert_eq!(deferred.find_literal(), None);
    let mut image = SourceAmi { id: "ami-1".to_owned(), name: "debian".to_owned(), ..SourceAmi::default() };
    let missing = RenderError::NoTag { image: "ami-1".to_owned(), tag: "release".to_owned() };
    assert_eq!(deferred.render(&image), Err(missing));
    image.tags = BTreeMap::from([("release".to_owned(), "12".to_owned())]);
    assert_eq!(deferred.render(&image).as_deref(), Ok("web on DEBIAN (ami-1, 12) at 2026"));

    let instance = Deferred::new(folded("{{build `ID`}}", Position::Deferred).expect("allowed"));
    assert_eq!(instance.render(&image), Err(RenderError::NoValue("ID".to_owned())));
    let too_early = folded("{{isotime .SourceAMI}}", Position::Deferred).expect_err("not yet known");
    assert!(too_early.message.contains("before the source image is known"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn never_panics(text in "(\\{\\{|\\}\\}|[ `\"|()\\\\.a-x0-9é-]|user|isotime|split|/\\*|\\*/){0,20}|.{0,40}") {
        for position in [Position::Variable, Position::Option, Position::Deferred] {
            match folded(&text, position) {
                Ok(parts) => drop(Deferred::new(parts).render(&SourceAmi::default())),
                Err(fault) => prop_assert!(text.get(fault.span.start..fault.span.end.min(text.len())).is_some() || fault.span.start <= text.len()),
            }
        }
    }

    #[test]
    fn text_without_braces_stays(text in "[^{]{0,40}") {
        prop_assert_eq!(render(&text), text);
    }

    #[test]
    fn a_raw_string_is_itself(text in "[^`]{0,20}") {
        let template = format!("{{{{`{text}`}}}}");
        prop_assert_eq!(render(&template), text);
    }
}
