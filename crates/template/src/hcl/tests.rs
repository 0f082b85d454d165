mod builds;
mod data;
mod expressions;
mod faults;
mod format;
mod secrets;
mod templates;
mod yaml;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::amazon_ebs::AmazonEbs;
use crate::amazon_ebs::SourceFilter;
use crate::recipe::Builder;
use crate::recipe::ProvisionerKind;

/// Files that live in a test.
struct Shelf(BTreeMap<&'static str, &'static str>);

impl Files for Shelf {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).map(|text| text.as_bytes().to_vec()).ok_or_else(|| format!("there is no {path}"))
    }

    fn is_file(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let folder = format!("{folder}/");
        Ok(self.0.keys().filter_map(|path| path.strip_prefix(&folder)).map(ToOwned::to_owned).collect())
    }
}

fn context() -> Context {
    let environment = [("HOME", "/home/ada"), ("USER", "ada"), ("PKR_VAR_size", "9"), ("PKR_VAR_stranger", "x")];
    Context {
        instant: "2019-11-09T17:26:00Z".parse().expect("a test's own instant"),
        template_dir: "/project/web".to_owned(),
        pwd: "/project".to_owned(),
        environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        seed: 7,
    }
}

fn parse(files: &[(&str, &str)], variables: &Variables, answers: &Answers) -> Result<Parsed, TemplateErrors> {
    let shelf = Shelf(
        [
            ("/project/web/motd", "welcome\n"),
            ("/project/web/user.tpl", "%{ for u in users ~}\nuser ${u}\n%{ endfor ~}\nhost ${upper(host)}\n"),
            ("/project/web/list.tpl", "pk:\n  %{~ for p in l ~}\n  - ${p}\n  %{~ endfor ~}\ndone"),
            ("/project/web/itself.tpl", "a${templatefile(\"itself.tpl\", {})}"),
            ("/project/web/marked.tpl", "\u{feff}${n}!"),
            ("/project/web/files/a.conf", ""),
            ("/project/web/files/deep/b.conf", ""),
            ("/project/web/files/c.txt", ""),
        ]
        .into(),
    );
    let sources: Vec<Source> = files.iter().map(|(name, text)| Source::new(name, text)).collect();
    parse_hcl(&sources, variables, &context(), &Outside { files: &shelf, answers })
}

fn recipe_with(files: &[(&str, &str)], variables: &Variables) -> Recipe {
    match parse(files, variables, &Answers::Placeholders) {
        Ok(Parsed::Recipe(recipe)) => *recipe,
        Ok(Parsed::Wants(wanted)) => panic!("{wanted:?}"),
        Err(errors) => panic!("{errors}"),
    }
}

fn recipe(text: &str) -> Recipe {
    recipe_with(&[("web.pkr.hcl", text)], &Variables::default())
}

fn errors(text: &str) -> String {
    parse(&[("web.pkr.hcl", text)], &Variables::default(), &Answers::Placeholders).expect_err(text).to_string()
}

fn ebs(recipe: &Recipe) -> &AmazonEbs {
    match &recipe.builds[0].builder {
        Builder::AmazonEbs(ebs) => ebs,
        Builder::Unsupported(unsupported) => panic!("{unsupported}"),
    }
}

/// A build that needs these further options and blocks.
fn template(source: &str, build: &str, root: &str) -> String {
    format!(
        "source \"amazon-ebs\" \"web\" {{\nsource_ami = \"ami-1\"\nami_name = \"web\"\n{source}\n}}\n\
         build {{\nsources = [\"source.amazon-ebs.web\"]\n{build}\n}}\n{root}\n"
    )
}

/// The example template, in the other syntax.
const EXAMPLE: &str = r#"
packer {
  required_version = ">= 1.7.0"
}

source "amazon-ebs" "web" {
  region = "us-east-1"
  source_ami_filter {
    filters = {
      name = "debian-12-amd64-*"
    }
    owners      = ["136693071363"]
    most_recent = true
  }
  instance_type = "t3.micro"
  ssh_username  = "admin"
  ami_name      = "web ${legacy_isotime("2006-01-02 1504")}"
}

build {
  sources = ["source.amazon-ebs.web"]

  provisioner "ansible" {
    playbook_file   = "common.yml"
    extra_arguments = []
  }
  provisioner "ansible" {
    playbook_file   = "web/web.yml"
    extra_arguments = ["-e", "web_title=Ovenbird"]
  }
}
"#;

/// A recipe without the places and names that the syntax gives it.
fn content(recipe: &Recipe) -> impl PartialEq + std::fmt::Debug {
    let build = &recipe.builds[0];
    let provisioners: Vec<_> = build
        .provisioners
        .iter()
        .map(|one| (one.kind.clone(), one.pause_before, one.max_retries, one.timeout))
        .collect();
    (build.builder.clone(), provisioners)
}

#[test]
fn a_template_gives_the_same_recipe_in_either_syntax() {
    let json = include_str!("../../../../examples/web/web.json");
    let json = crate::packer::parse(&Source::new("web.json", json), &Variables::default(), &context());
    let json = json.unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(format!("{:?}", content(&recipe(EXAMPLE))), format!("{:?}", content(&json)));
}

#[test]
fn json_syntax_gives_the_same_recipe() {
    let text = r#"{
      "//": "a comment",
      "variable": {"size": {"type": "number", "default": 8}},
      "locals": {"name": "web-${var.size}"},
      "source": {"amazon-ebs": {"web": {
        "source_ami": "ami-1", "ami_name": "${local.name}",
        "launch_block_device_mappings": [{"device_name": "/dev/xvda", "volume_size": "${var.size}"}]
      }}},
      "build": {
        "sources": ["source.amazon-ebs.web"],
        "provisioner": [{"shell": {"inline": ["echo ${source.name}"]}}, {"ansible": {"playbook_file": "p.yml"}}]
      }
    }"#;
    let native = template(
        "ami_name = local.name\nlaunch_block_device_mappings {\ndevice_name = \"/dev/xvda\"\nvolume_size = var.size\n}",
        "provisioner \"shell\" {\ninline = [\"echo ${source.name}\"]\n}\nprovisioner \"ansible\" {\nplaybook_file = \"p.yml\"\n}",
        "variable \"size\" {\ntype = number\ndefault = 8\n}\nlocals {\nname = \"web-${var.size}\"\n}",
    );
    let native = native.replacen("ami_name = \"web\"\n", "", 1);
    let json = recipe_with(&[("web.pkr.json", text)], &Variables::default());
    assert_eq!(format!("{:?}", content(&json)), format!("{:?}", content(&recipe(&native))));
    assert_eq!(ebs(&json).ami_name, "web-9", "PKR_VAR_size counts");
}

#[test]
fn a_folder_is_one_configuration() {
    let files = [
        ("a.pkr.hcl", "build {\n  sources = [\"amazon-ebs.web\"]\n}\n"),
        ("b.pkr.hcl", "source \"amazon-ebs\" \"web\" {\n  source_ami = \"ami-1\"\n  ami_name   = local.name\n}\n"),
        ("c.pkr.json", r#"{"locals": {"name": "from-json"}}"#),
    ];
    let recipe = recipe_with(&files, &Variables::default());
    assert_eq!(ebs(&recipe).ami_name, "from-json");
    assert_eq!(recipe.builds[0].place.file, "b.pkr.hcl");
    assert_eq!(recipe.builds[0].name, "amazon-ebs.web");
}

#[test]
fn arguments_beat_files_and_all_beat_the_environment() {
    let text = template(
        "tags = { a = var.a, b = var.b, size = var.size, list = join(\"-\", var.list), on = var.on }",
        "",
        "variable \"a\" {\n type = string\n default = \"default\"\n}\nvariable \"b\" {\n default = \"default\"\n}\n\
         variable \"size\" {\n type = number\n}\nvariable \"list\" {\n type = list(string)\n}\nvariable \"on\" {\n type = bool\n}",
    );
    let mut variables = Variables::default();
    let auto = Source::new("x.auto.pkrvars.hcl", "a = \"auto\"\nlist = [\"auto\"]\nsize = 1\non = true\n");
    variables.add_file(&auto).expect("valid");
    variables.add_argument("a=argument").expect("name=value");
    variables.add_argument("list=[\"x\", \"y\"]").expect("name=value");
    variables.add_argument("on=false").expect("name=value");
    variables.add_file(&Source::new("y.pkrvars.json", r#"{"a": "file", "b": "file", "on": true}"#)).expect("valid");
    let tags = |variables: &Variables| -> Vec<String> {
        let recipe = recipe_with(&[("web.pkr.hcl", &text)], variables);
        ebs(&recipe).tags.values().map(|tag| tag.find_literal().expect("known").to_owned()).collect()
    };
    assert_eq!(tags(&variables), ["argument", "file", "x-y", "false", "1"]);
    let mut few = Variables::default();
    few.add_argument("list=[]").expect("name=value");
    few.add_argument("on=true").expect("name=value");
    assert_eq!(tags(&few), ["default", "default", "", "true", "9"], "the environment's beats none at all");
}

#[test]
fn optional_attributes_have_their_defaults() {
    let text = template(
        "ami_description = jsonencode([var.disk, var.given])",
        "",
        "variable \"disk\" {\n type = object({ name = string, size = optional(number, 20), kind = optional(string),\
         more = optional(object({ on = optional(bool, true) }), {}) })\n default = { name = \"x\", size = null }\n}\n\
         variable \"given\" {\n type = list(object({ size = optional(number, \"20\") }))\n}",
    );
    let mut variables = Variables::default();
    variables.add_argument("given=[{}, { size = 7 }]").expect("name=value");
    let recipe = recipe_with(&[("web.pkr.hcl", &text)], &variables);
    let shown = ebs(&recipe).ami_description.as_ref().and_then(|text| text.find_literal()).expect("known");
    assert_eq!(shown, r#"[{"kind":null,"more":{"on":true},"name":"x","size":20},[{"size":20},{"size":7}]]"#);
}

#[test]
fn locals_need_each_other_in_any_order() {
    let text = template(
        "tags = { a = local.a }",
        "",
        "locals {\n a = \"${local.b}!\"\n b = local.c[1]\n c = [for n in [1, 2] : n * 10]\n}",
    );
    let recipe = recipe(&text);
    assert_eq!(ebs(&recipe).tags["a"].find_literal(), Some("20!"));
}

#[test]
fn elements_of_a_set_are_their_own_keys() {
    let text = template(
        "dynamic \"metadata_options\" {\n for_each = []\n content {\n }\n}\nami_regions = toset([\"us-west-2\", \"us-east-1\"])\n\
         dynamic \"tag\" {\n for_each = toset([\"B\", \"A\"])\n content {\n key = tag.key\n value = tag.value\n }\n}",
        "",
        "",
    );
    let recipe = recipe(&text);
    let tags: Vec<_> = ebs(&recipe).tags.iter().map(|(key, value)| (key.as_str(), value.find_literal())).collect();
    assert_eq!(tags, [("A", Some("A")), ("B", Some("B"))]);
    assert_eq!(ebs(&recipe).copies.regions, ["us-east-1", "us-west-2"]);
}

#[test]
fn json_of_what_is_known_later_is_json_then_too() {
    let text = template(
        "",
        r#"
provisioner "ansible" {
  playbook_file   = "web.yml"
  extra_arguments = ["-e", jsonencode({ who = build.User, loud = "<${upper(build.User)}>", deep = jsonencode([build.User]), at = 1 }), format("%q", build.User)]
}
"#,
        "",
    );
    let recipe = recipe(&text);
    let ProvisionerKind::Ansible(ansible) = &recipe.builds[0].provisioners[0].kind else { panic!("ansible") };
    let user = "a\"d\\m\nin";
    let instance = [("User".to_owned(), user.to_owned())];
    let image = crate::SourceAmi { instance: instance.into(), ..crate::SourceAmi::default() };
    let render = |argument: usize| -> serde_json::Value {
        let text = ansible.extra_arguments[argument].render(&image).expect("all is known");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    let deep = serde_json::json!([user]).to_string();
    let loud = format!("<{}>", user.to_uppercase());
    assert_eq!(render(1), serde_json::json!({ "who": user, "loud": loud, "deep": deep, "at": 1 }));
    assert_eq!(render(2), user);
}

#[test]
fn sensitive_values_are_hidden_wherever_they_show() {
    let text = template(
        "ami_description = \"${var.password} ${local.token}\"",
        "",
        "variable \"password\" {\n default = \"hunter2\"\n sensitive = true\n}\n\
         local \"token\" {\n expression = \"${var.password}-token\"\n sensitive = true\n}",
    );
    let recipe = recipe(&text);
    assert_eq!(recipe.masked("it is hunter2-token, hunter2"), "it is <sensitive>, <sensitive>");
    let wrong = template(
        "ami_name = var.password\nmax_price = 1",
        "",
        "variable \"password\" {\n default = \"hunter2\"\n sensitive = true\n validation {\n condition = length(var.password) > 20\n error_message = \"${var.password} is too short\"\n }\n}",
    );
    let wrong = wrong.replacen("ami_name = \"web\"\n", "", 1);
    let shown = errors(&wrong);
    assert!(shown.contains("error: <sensitive> is too short"), "{shown}");
}

#[test]
fn locals_that_double_each_other_are_refused_in_time() {
    let doubled: String =
        (1..64).map(|at| format!("l{at} = \"${{local.l{}}}${{local.l{}}}\"\n", at - 1, at - 1)).collect();
    let shown = errors(&template("", "", &format!("locals {{\nl0 = \"twice\"\n{doubled}}}")));
    assert!(shown.contains("is larger than 1 MiB"), "{shown}");
    let listed: String = (1..64).map(|at| format!("l{at} = [local.l{}, local.l{}]\n", at - 1, at - 1)).collect();
    let shown = errors(&template("", "", &format!("locals {{\nl0 = []\n{listed}}}")));
    assert!(shown.contains("is larger than 1 MiB"), "{shown}");
}

#[test]
fn the_same_input_gives_the_same_recipe() {
    let text = template("tags = { a = uuidv4(), b = uuidv4(), t = timestamp() }", "", "");
    assert_eq!(recipe(&text), recipe(&text));
    let recipe = recipe(&text);
    let tags = &ebs(&recipe).tags;
    assert_ne!(tags["a"], tags["b"]);
    assert_eq!(tags["t"].find_literal(), Some("2019-11-09T17:26:00Z"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn never_panics_on_a_damaged_template(start in 0_usize..1500, length in 0_usize..40, insert in r#"[\[\]{}"$%=.a1\n ()~-]{0,6}"#) {
        let all = format!("{EXAMPLE}{}", data::DATA);
        let start = (0..=start.min(all.len())).rev().find(|at| all.is_char_boundary(*at)).unwrap_or(0);
        let end = (start + length).min(all.len());
        let damaged = format!("{}{insert}{}", &all[..start], all.get(end..).unwrap_or(""));
        if let Err(errors) = parse(&[("t.pkr.hcl", &damaged)], &Variables::default(), &Answers::Placeholders) {
            let _ = errors.to_string();
        }
    }
}
