//! The text of templates, as Packer's console gives it.

use super::expressions::worked;
use super::*;

/// A heredoc of these lines, worked out; `indent` is its `-`.
fn heredoc(indent: &str, lines: &str) -> String {
    worked(&format!("<<{indent}EOT\n{lines}EOT\n"))
}

#[test]
fn indentation_is_taken_from_the_lines_of_directives_too() {
    let list = "    x:\n      %{ for p in [\"a\", \"b\"] }\n      - ${p}\n      %{ endfor }\n    done\n    ";
    assert_eq!(heredoc("-", list), r#""x:\n  \n  - a\n  \n  - b\n  \ndone\n""#);
    let choice = "    %{ if true }\n      yes\n  less\n    %{ else }\n     no\n    %{ endif }\n    ";
    assert_eq!(heredoc("-", choice), r#""  \n    yes\nless\n  \n""#);
    assert_eq!(
        heredoc("-", "    one\n\n      two\n   \n    three $${x}\n    "),
        r#""one\n\n  two\n   \nthree ${x}\n""#
    );
}

#[test]
fn trimmed_line_ends_hide_where_a_line_starts() {
    let right = "    x:\n      %{ for p in [\"a\", \"b\"] ~}\n      - ${p}\n      %{ endfor ~}\n    done\n    ";
    assert_eq!(heredoc("-", right), r#""x:\n        - a\n        - b\n      done\n""#);
    let left = "    x:\n      %{~ for p in [\"a\", \"b\"] }\n      - ${p}\n      %{~ endfor }\n    done\n    ";
    assert_eq!(heredoc("-", left), r#""    x:\n\n      - a\n\n      - b\n\n    done\n""#);
    let mixed = "    %{ if true ~}\n    yes\n    %{ endif ~}\n    ${1}\n    end\n    ";
    assert_eq!(heredoc("-", mixed), r#""    yes\n    1\nend\n""#);
}

#[test]
fn a_tilde_trims_its_own_line_of_a_heredoc() {
    let list = "pk:\n  %{~ for p in [\"a\", \"b\"] ~}\n  - ${p}\n  %{~ endfor ~}\ndone\n";
    assert_eq!(heredoc("", list), r#""pk:\n  - a\n  - b\ndone\n""#);
    assert_eq!(heredoc("", "pk:\n${~ 1 ~}\n  \nend\n"), r#""pk:1  \nend\n""#);
}

#[test]
fn a_tilde_trims_line_ends_of_a_quoted_string() {
    assert_eq!(worked(r#""a \n ${~ 1 ~} \n b""#), r#""a1b""#);
    assert_eq!(worked(r#"{ "${~ "a" ~} b" = "%{ for x in ["p ${~ "q"}"] }${x}%{ endfor }" }"#), r#"{"ab":"pq"}"#);
}

#[test]
fn files_and_json_are_read_line_by_line() {
    let json = r#"{"source": {"amazon-ebs": {"web": {"source_ami": "ami-1", "ami_name": "web",
        "ami_description": "pk:\n  %{~ for p in [\"a\", \"b\"] ~}\n  - ${p}\n  %{~ endfor ~}\ndone"}}},
        "build": {"sources": ["source.amazon-ebs.web"]}}"#;
    let recipe = recipe_with(&[("web.pkr.json", json)], &Variables::default());
    let described = ebs(&recipe).ami_description.as_ref().and_then(|text| text.find_literal());
    assert_eq!(described, Some("pk:\n  - a\n  - b\ndone"));
    assert_eq!(worked("templatefile(\"list.tpl\", { l = [\"a\", \"b\"] })"), r#""pk:\n  - a\n  - b\ndone""#);
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_template() {
    assert_eq!(worked("templatefile(\"marked.tpl\", { n = 1 })"), "\"1!\"");
}

#[test]
fn escapes_within_directives_are_decoded() {
    let exports = r#""%{ for k, v in { a = "b" } }export ${k}=\"${v}\"\n%{ endfor }""#;
    assert_eq!(worked(exports), r#""export a=\"b\"\n""#);
    assert_eq!(worked(r#""%{ if true }\u00e9 \\ $${x} \t%{ endif }|""#), r#""é \\ ${x} \t|""#);
    let wrong = errors(&template("ami_description = \"%{ if true }\\d%{ endif }\"", "", ""));
    assert!(wrong.contains("there is no escape `\\d`; a backslash is written `\\\\`"), "{wrong}");
}
