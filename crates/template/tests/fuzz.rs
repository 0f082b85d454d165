//! A bounded run of the fuzz targets of this crate; `fuzz/` has them for cargo-fuzz.

#[path = "../../../fuzz/checks/mutate.rs"]
mod mutate;
#[path = "../../../fuzz/checks/template.rs"]
mod template;

/// What templates are made of.
const WORDS: &[&str] = &[
    "{{",
    "}}",
    "{{user `v`}}",
    "{{.SourceAMI}}",
    "{{build `ID`}}",
    "{{.Path}}",
    "|",
    "`",
    "\\\"",
    "\\u00e9",
    "é",
    "😀",
    "null",
    "true",
    "-1",
    "1e999",
    "[]",
    "{}",
    "\"_x\": 1,",
    "\"tags\":",
    "\"override\":",
    "\"only\":",
    ",",
    "clean_resource_name",
    "{{-",
    "-}}",
    "{{if ",
    "{{else}}",
    "{{end}}",
    "/*",
    "99999999999999999999",
    "\"type\": \"shell\",",
    "\u{0}",
];

#[test]
fn json_templates() {
    let seeds: [&[u8]; 2] = [
        include_bytes!("../../../fuzz/seeds/json_template/whole.json"),
        include_bytes!("../../../fuzz/seeds/json_template/least.json"),
    ];
    mutate::run(template::json_template, &seeds, WORDS, 1_500);
}

/// What HCL is made of, besides.
const HCL_WORDS: &[&str] = &[
    "${",
    "%{ if ",
    "%{ endif }",
    "%{ for a in b ~}",
    "<<-EOT\n",
    "EOT\n",
    "dynamic \"tag\" {",
    "[*]",
    ".*",
    "...",
    "?",
    ":",
    "=>",
    "==",
    "local.list",
    "var.size",
    "data.amazon-ami.base.tags",
    "each",
    "null",
    "\\u00e9",
    "é",
    "{{build `ID`}}",
    "try(",
    "templatefile(",
    "*/",
];

#[test]
fn hcl_templates() {
    let seeds: [&[u8]; 2] = [
        include_bytes!("../../../fuzz/seeds/hcl_template/example.pkr.hcl"),
        include_bytes!("../../../fuzz/seeds/hcl_template/expressions.pkr.hcl"),
    ];
    mutate::run(template::hcl_template, &seeds, HCL_WORDS, 1_500);
}

#[test]
fn strings_of_templates() {
    let seeds: [&[u8]; 3] = [
        include_bytes!("../../../fuzz/seeds/template_string/conditions"),
        include_bytes!("../../../fuzz/seeds/template_string/functions"),
        include_bytes!("../../../fuzz/seeds/template_string/values"),
    ];
    mutate::run(template::template_string, &seeds, WORDS, 1_500);
}
