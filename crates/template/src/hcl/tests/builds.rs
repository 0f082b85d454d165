//! Sources, builds, and blocks that are made.

use super::*;

#[test]
fn the_first_word_of_a_source_is_not_read() {
    for written in ["amazon-ebs.web", "source.amazon-ebs.web", "sources.amazon-ebs.web", "x.amazon-ebs.web"] {
        let text = template("", "", "").replace("source.amazon-ebs.web", written);
        assert_eq!(recipe(&text).builds[0].name, "amazon-ebs.web", "{written}");
    }
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
