//! Data sources, and what is not known before AWS is asked.

use super::*;

pub(super) const DATA: &str = r#"
data "amazon-ami" "base" {
  filters     = { name = data.amazon-parameterstore.pattern.value }
  owners      = ["amazon"]
  most_recent = true
  region      = "eu-west-1"
}
data "amazon-parameterstore" "pattern" {
  name            = "/pattern"
  with_decryption = true
}
source "amazon-ebs" "web" {
  source_ami = data.amazon-ami.base.id
  ami_name   = "web-${substr(data.amazon-ami.base.tags["Version"], 0, 2)}-${regex("[0-9]+", data.amazon-ami.base.name)}"
}
build {
  sources = ["source.amazon-ebs.web"]
}
"#;

#[test]
fn data_sources_are_asked_for_step_by_step() {
    let ask = |answers: &BTreeMap<Query, Answer>| {
        parse(&[("web.pkr.hcl", DATA)], &Variables::default(), &Answers::Known(answers.clone()))
    };
    let mut answers = BTreeMap::new();
    let mut rounds = 0;
    let recipe = loop {
        match ask(&answers).unwrap_or_else(|errors| panic!("{errors}")) {
            Parsed::Recipe(recipe) => break recipe,
            Parsed::Wants(wanted) => {
                rounds += 1;
                assert!(rounds < 5, "it never ends: {wanted:?}");
                for query in wanted {
                    let answer = match &query {
                        Query::Parameter { name, decrypt, .. } => {
                            assert_eq!((name.as_str(), *decrypt), ("/pattern", true));
                            Answer::Parameter { value: "al2023-*".to_owned(), version: 3, arn: String::new() }
                        }
                        Query::Image { region, .. } => {
                            assert_eq!(region.as_deref(), Some("eu-west-1"));
                            Answer::Image {
                                id: "ami-7".to_owned(),
                                name: "web-77".to_owned(),
                                creation_date: String::new(),
                                owner: String::new(),
                                owner_name: String::new(),
                                tags: [("Version".to_owned(), "12.5".to_owned())].into(),
                            }
                        }
                    };
                    answers.insert(query, answer);
                }
            }
        }
    };
    let wanted = Query::Image {
        filter: SourceFilter {
            filters: vec![("name".to_owned(), vec!["al2023-*".to_owned()])],
            owners: vec!["amazon".to_owned()],
            most_recent: true,
            include_deprecated: false,
        },
        region: Some("eu-west-1".to_owned()),
    };
    assert!(answers.contains_key(&wanted));
    assert_eq!(ebs(&recipe).source, crate::SourceImage::Id("ami-7".to_owned()));
    assert_eq!(ebs(&recipe).ami_name, "web-12-77");
    assert!(recipe.sensitive.contains("al2023-*"), "a decrypted parameter is a secret");
}

#[test]
fn a_template_is_checked_without_aws() {
    let recipe = recipe(DATA);
    let crate::SourceImage::Id(id) = &ebs(&recipe).source else { panic!("an id") };
    assert!(is_placeholder(id));
}

#[test]
fn what_is_worked_out_from_unknown_values_is_unknown_too() {
    let root = "data \"amazon-parameterstore\" \"p\" {\n name = \"/p\"\n}\nlocals {\n p = data.amazon-parameterstore.p.value\n}";
    for text in [
        "split(\"-\", local.p)[4]",
        "jsondecode(local.p).a.b[2]",
        "[for s in split(\",\", local.p) : upper(s)][2]",
        "[for s in [\"a\"] : s if local.p == \"b\"][1]",
        "{for s in local.p : s => s}[\"x\"]",
        "local.p == \"arm64\" ? \"t4g.micro\" : \"t3.micro\"",
        "!startswith(local.p, \"x\") ? \"a\" : \"b\"",
        "length(split(\",\", local.p)) > 2 ? \"a\" : \"b\"",
        "[\"a\"][length(local.p)]",
        "jsondecode(local.p)[*].name[3]",
        "max(jsondecode(local.p)...)",
        "formatlist(\"%s\", jsondecode(local.p))[3]",
        "substr(\"web-${local.p}\", 30, 40)",
        "lookup({ a = 1 }, local.p, \"none\")",
        "basename(local.p)",
        "-local.p",
        "replace(local.p, \"-\", \"\")",
    ] {
        let recipe = recipe(&template(&format!("ami_description = {text}"), "", root));
        let shown = ebs(&recipe).ami_description.as_ref().and_then(|text| text.find_literal()).map(ToOwned::to_owned);
        assert!(shown.as_deref().is_some_and(is_placeholder), "{text}: {shown:?}");
    }
    let options = "launch_block_device_mappings {\n device_name = \"/dev/sda1\"\n volume_size = jsondecode(local.p).size\n\
        encrypted = jsondecode(local.p).on\n}\ntags = jsondecode(local.p)\nami_users = jsondecode(local.p)\n\
        metadata_options {\n http_tokens = local.p\n}\ndeprecate_at = timeadd(local.p, \"24h\")\n\
        dynamic \"run_tag\" {\n for_each = toset(split(\",\", local.p))\n content {\n key = run_tag.key\n value = 1\n }\n}\n\
        ami_description = length([local.p, local.p]) == 2 ? \"known\" : \"\"";
    let recipe = recipe(&template(options, "", root));
    assert_eq!(ebs(&recipe).launch_block_device_mappings.len(), 1);
    assert_eq!(ebs(&recipe).ami_description.as_ref().and_then(|text| text.find_literal()), Some("known"));
    let shown = errors(&template("ami_description = uper(local.p)", "", root));
    assert!(shown.contains("did you mean `upper`?"), "{shown}");
}
