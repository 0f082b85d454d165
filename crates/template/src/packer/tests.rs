mod faults;
mod launch;
mod provisioners;

use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::amazon_ebs;
use crate::amazon_ebs::AmazonEbs;
use crate::amazon_ebs::BlockDevice;
use crate::amazon_ebs::SourceFilter;
use crate::amazon_ebs::SourceImage;
use crate::ansible;
use crate::ansible::Ansible;
use crate::deferred::Deferred;
use crate::deferred::SourceAmi;
use crate::options::Treatment::LaunchOnly;
use crate::post_processor::PostProcessorKind;
use crate::recipe::Builder;
use crate::recipe::ProvisionerKind;

/// The article's builder and provisioner, joined where it writes `[...]`.
const ARTICLE: &str = r#"{
    "builders": [{
    "type": "amazon-ebs",
    "region": "us-east-1",
    "source_ami_filter": {
      "filters": {
        "name": "debian-stretch-hvm-x86_64-gp2*"
      },
      "owners": ["679593333241"],
      "most_recent": true
    },
    "instance_type": "t3.micro",
    "ssh_username": "admin",
    "ami_name": "yourami {{isotime \"2006-01-02 1504\"}}"
  }],
  "provisioners": [
    {
      "type": "ansible",
      "playbook_file": "your-playbook.yml",
      "extra_arguments": []
    }
  ]
}
"#;

fn context() -> Context {
    Context {
        instant: "2019-11-09T17:26:00Z".parse().expect("a test's own instant"),
        template_dir: "/project/web".to_owned(),
        pwd: "/project".to_owned(),
        environment: [("USER".to_owned(), "ada".to_owned())].into(),
        seed: 0,
    }
}

fn read_with(text: &str, variables: &Variables) -> Result<Recipe, TemplateErrors> {
    parse(&Source::new("web.json", text), variables, &context())
}

fn recipe(text: &str) -> Recipe {
    read_with(text, &Variables::default()).unwrap_or_else(|errors| panic!("{errors}"))
}

fn errors(text: &str) -> String {
    read_with(text, &Variables::default()).expect_err(text).to_string()
}

/// A template whose builder and provisioner have these further members.
fn template(builder: &str, provisioner: &str) -> String {
    format!(
        r#"{{"builders": [{{"type": "amazon-ebs", "source_ami": "ami-1", "ami_name": "web"{builder}}}],
            "provisioners": [{{"type": "ansible", "playbook_file": "p.yml"{provisioner}}}]}}"#
    )
}

fn ebs(recipe: &Recipe) -> &AmazonEbs {
    match &recipe.builds[0].builder {
        Builder::AmazonEbs(ebs) => ebs,
        Builder::Unsupported(unsupported) => panic!("{unsupported}"),
    }
}

fn ansible(recipe: &Recipe) -> &Ansible {
    match &recipe.builds[0].provisioners[0].kind {
        ProvisionerKind::Ansible(ansible) => ansible,
        other => panic!("{other}"),
    }
}

#[test]
fn reads_the_article_to_the_letter() {
    let recipe = recipe(ARTICLE);
    let ebs = ebs(&recipe);
    assert_eq!(ebs.ami_name, "yourami 2019-11-09 1726");
    assert_eq!(
        ebs.source,
        SourceImage::Filter(SourceFilter {
            filters: vec![("name".to_owned(), vec!["debian-stretch-hvm-x86_64-gp2*".to_owned()])],
            owners: vec!["679593333241".to_owned()],
            most_recent: true,
            include_deprecated: false,
        })
    );
    assert_eq!(ebs.region.as_deref(), Some("us-east-1"));
    assert_eq!(ebs.instance_type.as_deref(), Some("t3.micro"));
    assert_eq!(ebs.ssh.username.as_deref(), Some("admin"));
    let build = &recipe.builds[0];
    assert_eq!((build.name.as_str(), build.place.to_string().as_str()), ("amazon-ebs", "web.json:2:18"));
    assert_eq!(build.provisioners[0].kind.to_string(), "ansible your-playbook.yml");
    assert_eq!(ansible(&recipe).extra_arguments, []);
    assert_eq!(recipe.notes, []);
}

#[test]
fn what_is_sensitive_is_in_no_error() {
    let text = r#"{
        "variables": {"pw": "", "token": "S3cret{{oken", "size": "S3cretSize"}, "sensitive-variables": ["pw", "token", "size"],
        "builders": [{
            "type": "amazon-ebs", "source_ami": "ami-1", "ami_name": "web/{{user `pw`}}?", "encrypt_boot": "{{user `pw`}}",
            "launch_block_device_mappings": [{"device_name": "/dev/xvda", "volume_size": "{{user `size`}}"}]
        }]
    }"#;
    let mut variables = Variables::default();
    variables.set("pw", "S3cret\u{e4}-Pass");
    let errors = read_with(text, &variables).expect_err("it is wrong").to_string();
    assert!(errors.matches("error:").count() >= 3 && errors.contains("<sensitive>"), "{errors}");
    assert!(!errors.contains("S3cret"), "{errors}");
    variables.set("pw", "S3cret{{oken");
    let errors = read_with(text, &variables).expect_err("it is wrong").to_string();
    assert!(errors.contains("-var pw") && !errors.contains("S3cret"), "{errors}");
}

#[test]
fn variables_reach_each_other_and_the_outside() {
    let text = r#"{
        "variables": {
            "service": null, "owner": "{{env `USER`}}", "size": 12,
            "name": "{{user `service`}}-{{user `stamp`}}", "stamp": "{{isotime \"20060102\"}}", "secret": ""
        },
        "sensitive-variables": ["secret", "owner"],
        "builders": [{
            "type": "amazon-ebs", "name": "{{user `service`}}", "source_ami": "ami-1", "ami_name": "{{user `name`}}",
            "tags": {"Owner": "{{user `owner`}}"},
            "launch_block_device_mappings": [{"device_name": "/dev/xvda", "volume_size": "{{user `size`}}", "delete_on_termination": true}]
        }]
    }"#;
    let mut variables = Variables::default();
    variables.set("service", "web");
    variables.set("sevrice", "oops");
    let recipe = read_with(text, &variables).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(ebs(&recipe).ami_name, "web-20191109");
    assert_eq!(recipe.builds[0].name, "web");
    assert_eq!(ebs(&recipe).tags["Owner"], Deferred::literal("ada"));
    let device = BlockDevice {
        device_name: "/dev/xvda".to_owned(),
        volume_size: Some(12 << 30),
        delete_on_termination: Some(true),
        ..BlockDevice::default()
    };
    assert_eq!(ebs(&recipe).launch_block_device_mappings, [device]);
    assert_eq!(recipe.variables["stamp"], "20191109");
    assert_eq!(recipe.sensitive, BTreeSet::from(["ada".to_owned()]));
    assert_eq!(recipe.masked("by ada"), "by <sensitive>");
    let notes: Vec<String> = recipe.notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes, ["-var sevrice:1:1: sevrice: the template has no variable `sevrice`; did you mean `service`?"]);
}

#[test]
fn values_of_the_source_image_wait() {
    let recipe = recipe(&template(
        r#", "ami_description": "from {{.SourceAMIName}}", "run_tags": {"a": "run", "b": "run"}, "snapshot_tags": {"c": "snapshot"},
           "tags": {"a": "{{ build `SourceAMI` }}"}, "tag": [{"key": "d", "value": "{{build_name}}"}]"#,
        r#", "extra_arguments": ["-e", "base={{.SourceAMI}}"], "ansible_env_vars": ["X={{build_type}}"]"#,
    ));
    let image = SourceAmi { id: "ami-1".to_owned(), name: "debian".to_owned(), ..SourceAmi::default() };
    let rendered = |deferred: &Deferred| deferred.render(&image).expect("known");
    assert_eq!(ebs(&recipe).ami_description.as_ref().map(rendered).as_deref(), Some("from debian"));
    let tags: Vec<(String, String)> =
        ebs(&recipe).image_snapshot_tags().iter().map(|(key, value)| (key.clone(), rendered(value))).collect();
    let expected = [("a", "ami-1"), ("b", "run"), ("c", "snapshot"), ("d", "amazon-ebs")];
    assert_eq!(tags, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!(ansible(&recipe).extra_arguments.iter().map(rendered).collect::<Vec<_>>(), ["-e", "base=ami-1"]);
    assert_eq!(ansible(&recipe).ansible_env_vars.iter().map(rendered).collect::<Vec<_>>(), ["X=amazon-ebs"]);
}

#[test]
fn scalars_are_read_as_leniently_as_in_packer() {
    let recipe = recipe(&template(
        r#", "instance_type": null, "skip_ami_run_tags": "true", "run_tags": {"a": 1, "b": true},
           "ami_block_device_mappings": {"device_name": "/dev/sdb", "volume_size": "8", "iops": 3000, "encrypted": "false", "no_device": 1}"#,
        r#", "extra_arguments": "--tags, web", "groups": "web,common", "max_retries": "2", "pause_before": "1m30s", "timeout": """#,
    ));
    let device = &ebs(&recipe).ami_block_device_mappings[0];
    assert_eq!(
        (device.volume_size, device.iops, device.encrypted, device.no_device),
        (Some(8 << 30), Some(3000), Some(false), true)
    );
    assert_eq!(ebs(&recipe).instance_type, None);
    assert!(ebs(&recipe).image_tags().is_empty());
    assert_eq!(ebs(&recipe).run_tags["b"], Deferred::literal("1"));
    assert_eq!(ansible(&recipe).groups, ["web", "common"]);
    assert_eq!(ansible(&recipe).extra_arguments, [Deferred::literal("--tags"), Deferred::literal("web")]);
    let provisioner = &recipe.builds[0].provisioners[0];
    assert_eq!(
        (provisioner.max_retries, provisioner.pause_before, provisioner.timeout),
        (2, Duration::from_secs(90), None)
    );
}

#[test]
fn only_except_and_override_are_worked_in() {
    let builder = |name: &str| {
        format!(
            r#"{{"type": "amazon-ebs", "name": "{name}", "source_ami": "ami-1", "ami_name": "{name}{name}{name}"}}"#
        )
    };
    let text = format!(
        r#"{{"builders": [{}, {}], "provisioners": [
            {{"type": "ansible", "playbook_file": "all.yml", "host_alias": "{{{{build_name}}}}"}},
            {{"type": "ansible", "playbook_file": "a.yml", "only": ["a"]}},
            {{"type": "ansible", "playbook_file": "b.yml", "except": "a"}},
            {{"type": "ansible", "playbook_file": "c.yml", "override": {{"b": {{"playbook_file": "c-of-b.yml"}}}}}}
        ]}}"#,
        builder("a"),
        builder("b")
    );
    let recipe = recipe(&text);
    let titles =
        |build: &Build| build.provisioners.iter().map(|provisioner| provisioner.kind.to_string()).collect::<Vec<_>>();
    assert_eq!(titles(&recipe.builds[0]), ["ansible all.yml", "ansible a.yml", "ansible c.yml"]);
    assert_eq!(titles(&recipe.builds[1]), ["ansible all.yml", "ansible b.yml", "ansible c-of-b.yml"]);
    assert_eq!(ansible(&recipe).host_alias, "a");
    assert_eq!(recipe.find_build(Some("b")).map(|build| build.name.as_str()), Some("b"));
    assert_eq!(recipe.find_build(None), None);
}

#[test]
fn unknown_types_are_kept_for_the_plan() {
    let recipe = recipe(
        r#"{"_comment": "x", "description": "d", "push": {}, "builders": [{"type": "amazon-ebss"}],
            "provisioners": [{"type": "shel", "inline": ["true"]}],
            "post-processors": ["manifest", [{"type": "manifest", "output": "m.json", "custom_data": {"a": "{{.SourceAMI}}"}}, {"type": "vagrant"}]]}"#,
    );
    let Builder::Unsupported(builder) = &recipe.builds[0].builder else { panic!("supported") };
    assert_eq!(builder.to_string(), "web.json:1:64: `amazon-ebss` is not supported; did you mean `amazon-ebs`?");
    let ProvisionerKind::Unsupported(shell) = &recipe.builds[0].provisioners[0].kind else { panic!("supported") };
    assert!(shell.to_string().contains("`shel` is not supported; did you mean `shell`?"));
    let sizes: Vec<usize> = recipe.post_processors.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 2]);
    assert!(
        matches!(&recipe.post_processors[1][0].kind, PostProcessorKind::Manifest(manifest) if manifest.output == "m.json")
    );
    assert!(matches!(&recipe.post_processors[1][1].kind, PostProcessorKind::Unsupported(_)));
    assert_eq!(recipe.description.as_deref(), Some("d"));
    assert_eq!(recipe.notes.len(), 1);
}

#[test]
fn options_without_effect_are_noted_and_empty_refused_ones_are_fine() {
    let recipe = recipe(&template(
        r#", "_comment": 1, "subnet_id": "subnet-1", "access_key": "", "encrypt_boot": false, "ami_users": [], "profile": null"#,
        r#", "use_proxy": false, "_why": []"#,
    ));
    let notes: Vec<&str> = recipe.notes.iter().map(|note| note.option.as_str()).collect();
    assert_eq!(notes, ["subnet_id", "use_proxy"]);
    assert!(
        recipe.notes[0].to_string().ends_with("subnet_id: a direct bake launches no instance, so this changes nothing")
    );
}

#[test]
fn nothing_is_dropped_in_silence() {
    let template = |key: &str, value: &str| {
        let member = |name: &str, own: &str| {
            if name == key { format!(r#""{name}": {value}"#) } else { format!(r#""{name}": {own}"#) }
        };
        let filter = member("source_ami_filter", r#"{"owners": ["self"]}"#);
        format!(
            r#"{{"variables": {{"empty": ""}}, {}, {}}}"#,
            member(
                "builders",
                &format!("[{{{}, {filter}, {}}}]", member("type", "\"amazon-ebs\""), member("ami_name", "\"web\""))
            ),
            member("provisioners", &format!("[{{\"type\": \"ansible\", {}}}]", member("playbook_file", "\"p.yml\""))),
        )
    };
    recipe(&template("", ""));
    for key in ["builders", "provisioners", "type", "ami_name", "source_ami_filter", "playbook_file"] {
        for value in
            ["null", "\"\"", "\"{{user `empty`}}\"", "0", "7", "true", "false", "[]", "{}", "[[]]", "[null]", "[{}]"]
        {
            match read_with(&template(key, value), &Variables::default()) {
                Err(errors) => assert!(!errors.errors().is_empty(), "{key}: {value}"),
                Ok(recipe) => {
                    let provisioners = recipe.builds[0].provisioners.len();
                    let has_none = key == "provisioners" && ["null", "[]"].contains(&value);
                    assert_eq!(provisioners, usize::from(!has_none), "{key}: {value}");
                }
            }
        }
    }
}

/// The names of a table's honoured options.
fn honoured(table: &[Row]) -> impl Iterator<Item = &'static str> {
    table
        .iter()
        .filter(|(_, treatment)| matches!(treatment, Honoured | LaunchOnly))
        .flat_map(|(names, _)| names.iter().copied())
}

#[test]
fn every_honoured_option_is_really_read() {
    let object = |members: &[(&str, &str)]| {
        let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{{{}}}", members.join(", "))
    };
    let with = |base: &[(&'static str, &'static str)], name: &'static str| {
        let is_kept = |other: &str| other != name && !(name == "source_ami_filter" && other == "source_ami");
        let others = base.iter().copied().filter(|(other, _)| is_kept(other));
        object(&others.chain([(name, "[[[]]]")]).collect::<Vec<_>>())
    };
    let ebs = [("type", "\"amazon-ebs\""), ("source_ami", "\"ami-1\""), ("ami_name", "\"web\"")];
    let play = [("type", "\"ansible\""), ("playbook_file", "\"p.yml\"")];
    let mut count = 0;
    for name in honoured(&amazon_ebs::table::options()).filter(|name| *name != "type") {
        let said = errors(&format!("{{\"builders\": [{}]}}", with(&ebs, name)));
        assert!(
            said.contains(&format!("`{name}` must be")) || said.contains(&format!("error: {name} must be")),
            "{name}: {said}"
        );
        count += 1;
    }
    for name in honoured(ansible::OPTIONS).filter(|name| *name != "type") {
        let text = format!("{{\"builders\": [{}], \"provisioners\": [{}]}}", object(&ebs), with(&play, name));
        let said = errors(&text);
        assert!(said.contains(&format!("`{name}` must be")), "{name}: {said}");
        count += 1;
    }
    assert!(count > 35, "{count}");
}

#[test]
fn a_long_chain_of_variables_ends() {
    let chain: Vec<String> = (0..5_000).map(|step| format!(r#""v{step}": "{{{{user `v{}`}}}}""#, step + 1)).collect();
    let text = format!(r#"{{"variables": {{{}, "v5000": "end"}}, "builders": [{{"type": "x"}}]}}"#, chain.join(", "));
    assert!(errors(&text).contains("needs its own value"));
}

#[test]
fn errors_are_diagnostics() {
    use miette::Diagnostic;
    let errors = read_with(&ARTICLE.replace("region", "regoin"), &Variables::default()).expect_err("unknown");
    let error = errors.related().expect("errors").next().expect("one");
    assert_eq!(error.help().expect("advice").to_string(), "did you mean `region`?");
    let label = error.labels().expect("a label").next().expect("one");
    let source = error.source_code().expect("the text").read_span(label.inner(), 0, 0).expect("in the text");
    assert_eq!(source.data(), b"\"regoin\"");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn never_panics_on_text(text in ".{0,100}") {
        if let Err(errors) = read_with(&text, &Variables::default()) {
            prop_assert!(!errors.to_string().is_empty());
        }
    }

    #[test]
    fn never_panics_on_a_damaged_template(at in 0..ARTICLE.len(), length in 0_usize..20, put in "[\\[\\]{}\",:.a1é]{0,6}|null|\\{\\{user `x`\\}\\}|\"[a-z_]{1,9}\":") {
        let end = (at + length).min(ARTICLE.len());
        let text = format!("{}{put}{}", &ARTICLE[..at], &ARTICLE[end..]);
        if let Err(errors) = read_with(&text, &Variables::default()) {
            prop_assert!(!errors.errors().is_empty());
            prop_assert!(errors.to_string().contains("--> web.json:"));
        }
    }

    #[test]
    fn the_same_input_gives_the_same_recipe(uuid in prop::bool::ANY) {
        let text = if uuid { ARTICLE.replace("isotime \\\"2006-01-02 1504\\\"", "uuid") } else { ARTICLE.to_owned() };
        prop_assert_eq!(recipe(&text), recipe(&text));
    }
}

#[test]
fn credentials_may_say_what_the_environment_says() {
    let mut context = context();
    context.environment.insert("AWS_ACCESS_KEY_ID".to_owned(), "AKIA".to_owned());
    let text = |key: &str| {
        format!(
            r#"{{"variables": {{"key": "{key}"}}, "builders": [{{"type": "amazon-ebs", "access_key": "{{{{user `key`}}}}", "secret_key": "", "source_ami": "ami-1", "ami_name": "web"}}]}}"#
        )
    };
    let read = |text: &str| parse(&Source::new("web.json", text), &Variables::default(), &context);
    let recipe = read(&text("{{env `AWS_ACCESS_KEY_ID`}}")).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(recipe.notes[0].text.contains("AWS_ACCESS_KEY_ID says the same"), "{}", recipe.notes[0]);
    let errors = read(&text("AKIB")).expect_err("another key").to_string();
    assert!(errors.contains("the option `access_key` of amazon-ebs is not supported"), "{errors}");
}

#[test]
fn a_value_that_failed_is_reported_once() {
    let errors = errors(
        r#"{"variables": {"ami": null}, "builders": [{"type": "amazon-ebs", "source_ami": "{{user `ami`}}", "ami_name": "web"}],
            "provisioners": [{"type": "file", "source": "{{user `ami`}}", "destination": "/"}]}"#,
    );
    assert_eq!(errors.matches("error: ").count(), 1, "{errors}");
    assert!(errors.contains("the variable `ami` needs a value"), "{errors}");
}

#[test]
fn lists_joined_by_commas_are_lists_also_where_they_are_rendered_later() {
    let recipe = recipe(&template("", r#", "extra_arguments": "-e, a={{.SourceAMI}} ,{{build_name}}""#));
    let image = SourceAmi { id: "ami-1".to_owned(), ..SourceAmi::default() };
    let arguments: Vec<String> =
        ansible(&recipe).extra_arguments.iter().map(|text| text.render(&image).expect("known")).collect();
    assert_eq!(arguments, ["-e", "a=ami-1", "amazon-ebs"]);
}

#[test]
fn a_chroot_is_what_a_direct_bake_is() {
    let chroot = |further: &str| {
        format!(r#"{{"builders": [{{"type": "amazon-chroot", "source_ami": "ami-1", "ami_name": "web"{further}}}]}}"#)
    };
    let recipe = recipe(&chroot(r#", "tags": {"a": "b"}, "mount_options": ["nouuid"], "ami_users": ["1"]"#));
    assert_eq!((ebs(&recipe).ami_name.as_str(), ebs(&recipe).sharing.users.len()), ("web", 1));
    assert_eq!(recipe.notes.iter().map(|note| note.option.as_str()).collect::<Vec<_>>(), ["mount_options"]);
    assert_eq!(recipe.builds[0].kind, "amazon-chroot");
    assert!(errors(&chroot(r#", "from_scratch": true"#)).contains("`from_scratch` of amazon-chroot is not supported"));
    assert!(
        errors(&chroot(r#", "instance_type": "t3.micro""#)).contains("amazon-chroot has no option `instance_type`")
    );
}

#[test]
fn other_builders_say_the_way_round() {
    for (kind, instead) in
        [("amazon-ebssurrogate", "register"), ("null", "it makes no image"), ("azure-arm", "images of EC2")]
    {
        let recipe = recipe(&format!(r#"{{"builders": [{{"type": "{kind}", "anything": 1}}]}}"#));
        let Builder::Unsupported(unsupported) = &recipe.builds[0].builder else { panic!("supported") };
        assert!(unsupported.to_string().contains(instead), "{unsupported}");
    }
}

#[test]
fn a_volume_that_takes_no_speed_is_told_none() {
    let read = |kind: &str| {
        let text = format!(
            r#", "ami_block_device_mappings": [{{"device_name": "/dev/sdb", "volume_type": "{kind}", "iops": 3000, "throughput": 250}}]"#
        );
        let recipe = recipe(&template(&text, ""));
        let device = &ebs(&recipe).ami_block_device_mappings[0];
        ((device.iops, device.throughput), recipe.notes.iter().map(|note| note.option.clone()).collect::<Vec<_>>())
    };
    assert_eq!(read("gp3"), ((Some(3000), Some(250)), vec!["delete_on_termination".to_owned()]));
    assert_eq!(read("io2").0, (Some(3000), None));
    assert_eq!(
        read("gp2"),
        ((None, None), ["delete_on_termination", "iops", "throughput"].map(str::to_owned).to_vec())
    );
}

#[test]
fn variables_that_nobody_declared_are_empty_and_noted() {
    let recipe = recipe(&template(r#", "instance_type": "{{user `size` | lower}}""#, ""));
    assert_eq!(ebs(&recipe).instance_type, None);
    let notes: Vec<String> = recipe.notes.iter().map(ToString::to_string).collect();
    let said = ": size: there is no such variable; it is empty";
    assert!(notes.len() == 1 && notes[0].ends_with(said), "{notes:?}");
    let empty = errors(r#"{"builders": [{"type": "amazon-ebs", "source_ami": "{{user `ami`}}", "ami_name": "web"}]}"#);
    assert!(empty.contains("amazon-ebs needs `source_ami`, and this is empty"), "{empty}");
    let mut variables = Variables::default();
    variables.add_file(&Source::new("v.json", r#"{"ami": null}"#)).expect("valid");
    let text = r#"{"variables": {"ami": null}, "builders": [{"type": "amazon-ebs", "source_ami": "a{{user `ami`}}", "ami_name": "web"}]}"#;
    let given = read_with(text, &variables).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(ebs(&given).source, SourceImage::Id("a".to_owned()), "a null of a -var-file is an empty text");
    let slip = errors(
        r#"{"variables": {"image": "x"}, "builders": [{"type": "amazon-ebs", "source_ami": "{{user `imgae`}}", "ami_name": "web"}]}"#,
    );
    assert!(slip.contains("did you mean `image`?"), "{slip}");
    // Packer takes it so too, or refuses it, by what other variables there are; image-builder counts on it.
    let needed = self::recipe(r#"{"variables": {"x": "{{user `other`}}q"}, "builders": [{"type": "docker"}]}"#);
    assert_eq!((needed.variables["x"].as_str(), needed.notes.len()), ("q", 1));
}
