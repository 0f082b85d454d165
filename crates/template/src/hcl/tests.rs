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

#[test]
fn the_first_word_of_a_source_is_not_read() {
    for written in ["amazon-ebs.web", "source.amazon-ebs.web", "sources.amazon-ebs.web", "x.amazon-ebs.web"] {
        let text = template("", "", "").replace("source.amazon-ebs.web", written);
        assert_eq!(recipe(&text).builds[0].name, "amazon-ebs.web", "{written}");
    }
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
fn nested_and_dynamic_blocks_become_lists() {
    let text = template(
        "tag {\n key = \"one\"\n value = \"1\"\n}\ntag {\n key = \"two\"\n value = \"2\"\n}\n\
         dynamic \"launch_block_device_mappings\" {\n for_each = { \"/dev/a\" = 1, \"/dev/b\" = 2 }\n iterator = disk\n\
         content {\n device_name = disk.key\n volume_size = disk.value\n }\n}",
        "dynamic \"provisioner\" {\n for_each = [\"x\", \"y\"]\n labels = [\"ansible\"]\n content {\n playbook_file = \"${provisioner.value}.yml\"\n }\n}",
        "",
    );
    let recipe = recipe(&text);
    let names: Vec<&str> =
        ebs(&recipe).launch_block_device_mappings.iter().map(|one| one.device_name.as_str()).collect();
    assert_eq!(names, ["/dev/a", "/dev/b"]);
    assert_eq!(ebs(&recipe).tags.keys().collect::<Vec<_>>(), ["one", "two"]);
    let shown: Vec<String> = recipe.builds[0].provisioners.iter().map(|one| one.kind.to_string()).collect();
    assert_eq!(shown, ["ansible x.yml", "ansible y.yml"]);
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
fn builds_name_sources_and_add_to_them() {
    let text = r#"
source "amazon-ebs" "a" {
  source_ami = "ami-1"
  ami_name   = "plain"
  launch_block_device_mappings {
    device_name = "/dev/sda1"
  }
  tags       = { source = "${source.type}.${source.name}" }
}
source "amazon-ebs" "b" {
  source_ami = "ami-2"
  ami_name   = "bbb"
}
build {
  name = "fleet"
  sources = ["source.amazon-ebs.a", "amazon-ebs.b"]
  source "source.amazon-ebs.a" {
    name          = "renamed"
    instance_type = "t3.large"
    launch_block_device_mappings {
      device_name = "/dev/sdb"
    }
  }
  provisioner "ansible" {
    playbook_file = "${source.type}-${source.name}-${build.name}.yml"
    extra_arguments = ["-e", "image=${build.SourceAMI}", "ID=${upper("on ${lower(build.ID)}!")}", join(",", ["a", lower(build.User)])]
    except = ["amazon-ebs.b"]
    override = { renamed = { host_alias = "other" } }
  }
  post-processor "manifest" {
    only = ["amazon-ebs.b"]
    output = "{{build_name}}.json"
  }
}
"#;
    let recipe = recipe(text);
    let names: Vec<&str> = recipe.builds.iter().map(|build| build.name.as_str()).collect();
    assert_eq!(names, ["fleet.amazon-ebs.a", "fleet.amazon-ebs.b", "fleet.amazon-ebs.renamed"]);
    let kinds: Vec<Vec<String>> =
        recipe.builds.iter().map(|build| build.provisioners.iter().map(|one| one.kind.to_string()).collect()).collect();
    assert_eq!(kinds, [vec!["ansible amazon-ebs-a-fleet.yml"], vec![], vec!["ansible amazon-ebs-renamed-fleet.yml"]]);
    let ProvisionerKind::Ansible(ansible) = &recipe.builds[2].provisioners[0].kind else { panic!("ansible") };
    assert_eq!(ansible.host_alias, "other");
    let instance = [("ID", "i-Ab"), ("User", "Admin")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let image = crate::SourceAmi { id: "ami-9".to_owned(), instance: instance.into(), ..crate::SourceAmi::default() };
    let rendered: Vec<_> = ansible.extra_arguments[1..].iter().map(|text| text.render(&image)).collect();
    assert_eq!(rendered, ["image=ami-9", "ID=ON I-AB!", "a,admin"].map(|text| Ok(text.to_owned())));
    assert_eq!(recipe.post_processors.len(), 1);
    assert_eq!(recipe.post_processors[0][0].only, ["fleet.amazon-ebs.b"]);
    let over = recipe.find_build(Some("fleet.amazon-ebs.renamed")).expect("there");
    let Builder::AmazonEbs(over) = &over.builder else { panic!("supported") };
    assert_eq!(over.instance_type.as_deref(), Some("t3.large"));
    let devices = |ebs: &AmazonEbs| -> Vec<String> {
        ebs.launch_block_device_mappings.iter().map(|one| one.device_name.clone()).collect()
    };
    assert_eq!(devices(over), ["/dev/sda1", "/dev/sdb"]);
    assert_eq!(devices(ebs(&recipe)), ["/dev/sda1"]);
    assert_eq!(over.tags["source"].find_literal(), Some("amazon-ebs.renamed"));
}

#[test]
fn a_build_adds_to_a_source_in_json_too_and_changes_nothing() {
    let source = |further: &str| {
        format!(
            r#"{{
              "source": {{"amazon-ebs": {{"web": {{"source_ami": "ami-1", "ami_name": "web",
                "launch_block_device_mappings": [{{"device_name": "/dev/sda1"}}]}}}}}},
              "build": {{"source": {{"amazon-ebs.web": {{{further}}}}}}}
            }}"#
        )
    };
    let text = source(r#""launch_block_device_mappings": [{"device_name": "/dev/sdb"}]"#);
    let recipe = recipe_with(&[("web.pkr.json", &text)], &Variables::default());
    assert_eq!(ebs(&recipe).launch_block_device_mappings.len(), 2);
    let text = source(r#""ami_name": "other""#);
    let shown = parse(&[("web.pkr.json", &text)], &Variables::default(), &Answers::Placeholders).expect_err("twice");
    assert!(shown.to_string().contains("`ami_name` is set by the source already"), "{shown}");
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

const DATA: &str = r#"
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
fn dynamic_blocks_are_read_in_json_too() {
    let text = r#"{
      "locals": {"lines": {"one": "echo 1", "two": "echo 2"}},
      "source": {"amazon-ebs": {"web": {
        "region": "us-east-1", "source_ami": "ami-1", "instance_type": "t3.micro", "ssh_username": "admin", "ami_name": "web",
        "dynamic": {"tag": {"for_each": {"a": "1", "b": "2"}, "content": {"key": "${tag.key}", "value": "${tag.value}"}}}
      }}},
      "build": {
        "sources": ["source.amazon-ebs.web"],
        "dynamic": {"provisioner": {
          "for_each": "${local.lines}", "iterator": "line", "labels": ["shell"],
          "content": {"inline": ["${line.value}"], "environment_vars": ["AT=${line.key}"]}
        }}
      }
    }"#;
    let parsed = parse(&[("t.pkr.json", text)], &Variables::default(), &Answers::Placeholders);
    let recipe = match parsed {
        Ok(Parsed::Recipe(recipe)) => recipe,
        other => panic!("{other:?}"),
    };
    assert_eq!(recipe.builds[0].provisioners.len(), 2);
    assert_eq!(ebs(&recipe).tags.keys().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn dynamic_blocks_stand_in_sequences_and_name_sources_too() {
    let text = r#"
source "amazon-ebs" "web" {
  source_ami = "ami-1"
  ami_name   = "web"
}
build {
  dynamic "source" {
    for_each = ["a", "b"]
    labels   = ["amazon-ebs.web"]
    content {
      name = source.value
    }
  }
  post-processors {
    post-processor "shell-local" {
      inline = ["first"]
    }
    dynamic "post-processor" {
      for_each = ["x", "y"]
      labels   = ["manifest"]
      content {
        output = "${post-processor.value}.json"
      }
    }
  }
}
"#;
    let recipe = recipe(text);
    let names: Vec<&str> = recipe.builds.iter().map(|build| build.name.as_str()).collect();
    assert_eq!(names, ["amazon-ebs.a", "amazon-ebs.b"]);
    let lengths: Vec<usize> = recipe.post_processors.iter().map(Vec::len).collect();
    assert_eq!(lengths, [3, 3]);
    let crate::PostProcessorKind::Manifest(last) = &recipe.post_processors[0][2].kind else { panic!("a manifest") };
    assert_eq!(last.output, "y.json");
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
        let all = format!("{EXAMPLE}{DATA}");
        let start = (0..=start.min(all.len())).rev().find(|at| all.is_char_boundary(*at)).unwrap_or(0);
        let end = (start + length).min(all.len());
        let damaged = format!("{}{insert}{}", &all[..start], all.get(end..).unwrap_or(""));
        if let Err(errors) = parse(&[("t.pkr.hcl", &damaged)], &Variables::default(), &Answers::Placeholders) {
            let _ = errors.to_string();
        }
    }
}
