//! What is wrong with a template, as people see it.

use super::*;

#[test]
fn an_unknown_option_is_shown_with_the_nearest_name() {
    let text = ARTICLE.replace("\"region\"", "\"regoin\"").replace("\"most_recent\"", "\"most_recnt\"");
    assert_snapshot!(errors(&text), @r#"
    error: amazon-ebs has no option `regoin`
     --> web.json:4:5
      |
    4 |     "regoin": "us-east-1",
      |     ^^^^^^^^
      = help: did you mean `region`?

    error: source_ami_filter has no option `most_recnt`
      --> web.json:10:7
       |
    10 |       "most_recnt": true
       |       ^^^^^^^^^^^^
      = help: did you mean `most_recent`?
    "#);
}

#[test]
fn a_fault_in_a_template_string_is_shown_behind_its_escapes() {
    let text = ARTICLE.replace("isotime", "isotme");
    assert_snapshot!(errors(&text), @r#"
    error: there is no function `isotme`
      --> web.json:14:28
       |
    14 |     "ami_name": "yourami {{isotme \"2006-01-02 1504\"}}"
       |                            ^^^^^^
      = help: did you mean `isotime`?
    "#);
}

#[test]
fn damaged_json_is_shown() {
    assert_snapshot!(errors(&ARTICLE.replace("\"admin\",", "\"admin\"")), @r#"
    error: this is no valid JSON: expected comma
      --> web.json:13:28
       |
    13 |     "ssh_username": "admin"
       |                            ^
    "#);
    assert_snapshot!(errors("{\n  // comment\n}"), @r#"
    error: this is no valid JSON: comments are not allowed
     --> web.json:2:3
      |
    2 |   // comment
      |   ^^^^^^^^^^
      = help: the only comments of a JSON template are keys that begin with `_`
    "#);
}

#[test]
fn several_errors_are_reported_together() {
    let text = r#"{
  "variables": { "name": null, "a": "{{user `b`}}", "b": "{{user `a`}}" },
  "sensitive-variables": ["nme"],
  "builders": [
    { "type": "amazon-ebs", "source_ami_filter": { "owners": [] }, "ami_name": "{{user `name`}}:x", "ssh_password": "pw" },
    { "type": "amazon-ebs" }
  ],
  "provisioners": [
    { "type": "ansible", "only": ["amazon-eb"], "timeout": 5 }
  ]
}"#;
    assert_snapshot!(errors(text), @r#"
    error: the variable `name` needs a value
     --> web.json:2:18
      |
    2 |   "variables": { "name": null, "a": "{{user `b`}}", "b": "{{user `a`}}" },
      |                  ^^^^^^
      = help: give it with -var name=… or in a -var-file

    error: the variable `a` needs its own value
     --> web.json:2:61
      |
    2 |   "variables": { "name": null, "a": "{{user `b`}}", "b": "{{user `a`}}" },
      |                                                             ^^^^

    error: there is no variable `nme`
     --> web.json:3:26
      |
    3 |   "sensitive-variables": ["nme"],
      |                          ^^^^^^^
      = help: did you mean `name`?

    error: source_ami_filter needs `owners`, and this is empty
     --> web.json:5:62
      |
    5 | -ebs", "source_ami_filter": { "owners": [] }, "ami_name": "{{user `name`}}:x", "ssh_password": "pw" 
      |                                         ^^
      = help: anybody can publish an image with any name; name the account, such as "136693071363" for Debian

    error: the option `ssh_password` of amazon-ebs is not supported
     --> web.json:5:101
      |
    5 |  [] }, "ami_name": "{{user `name`}}:x", "ssh_password": "pw" },
      |                                         ^^^^^^^^^^^^^^
      = help: nobody logs in with a password: remove it, or name a key in ssh_private_key_file or ssh_bastion_private_key_file

    error: amazon-ebs needs `ami_name`
     --> web.json:6:5
      |
    6 |     { "type": "amazon-ebs" }
      |     ^
      = help: such as "web {{isotime \"2006-01-02 1504\"}}"

    error: amazon-ebs needs `source_ami_filter`
     --> web.json:6:5
      |
    6 |     { "type": "amazon-ebs" }
      |     ^
      = help: it says which image to start from; `source_ami` takes an id

    error: two builders are called `amazon-ebs`
     --> web.json:6:5
      |
    6 |     { "type": "amazon-ebs" }
      |     ^
      = help: give each a `name` of its own

    error: ansible needs `playbook_file`
     --> web.json:9:5
      |
    9 |     { "type": "ansible", "only": ["amazon-eb"], "timeout": 5 }
      |     ^
      = help: the playbook to run, such as web/playbook.yml

    error: there is no builder `amazon-eb`
     --> web.json:9:26
      |
    9 |     { "type": "ansible", "only": ["amazon-eb"], "timeout": 5 }
      |                          ^^^^^^
      = help: did you mean `amazon-ebs`?

    error: `timeout` must be a duration, this is `5`
     --> web.json:9:60
      |
    9 |     { "type": "ansible", "only": ["amazon-eb"], "timeout": 5 }
      |                                                            ^
      = help: write it as 30s, 5m or 1h30m
    "#);
}

#[test]
fn a_long_line_is_cut_around_the_spot() {
    let text = template(
        &format!(r#", "ami_description": "{}", "regoin": "x", "ssh_username": "{}""#, "a".repeat(300), "b".repeat(300)),
        "",
    );
    assert_snapshot!(errors(&text), @r#"
    error: amazon-ebs has no option `regoin`
     --> web.json:1:403
      |
    1 | aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "regoin": "x", "ssh_username": "bbbbbbbbbbbbbbbbbbbbbbbbbbbb
      |                                         ^^^^^^^^
      = help: did you mean `region`?
    "#);
}

#[test]
fn values_from_outside_are_shown_where_they_were_written() {
    let mut variables = Variables::default();
    variables.add_file(&Source::new("prod.json", "{\n  \"name\": \"{{user `nam`}}\"\n}")).expect("valid");
    variables.set("owner", "{{envv `USER`}}");
    let text = r#"{"variables": {"name": "x", "owner": "y"}, "builders": [{"type": "amazon-ebs", "source_ami": "ami-1", "ami_name": "{{user `name`}}"}]}"#;
    assert_snapshot!(read_with(text, &variables).expect_err("wrong").to_string(), @r#"
    error: there is no function `envv`
     --> -var owner
      = help: did you mean `env`?

    error: there is no variable `nam`
     --> prod.json:2:14
      |
    2 |   "name": "{{user `nam`}}"
      |              ^^^^
      = help: did you mean `name`?
    "#);
}

#[test]
fn sensitive_values_are_not_in_what_is_said_of_them() {
    let mut variables = Variables::default();
    let file = Source::new("prod.json", "{\n  \"pw\": \"hunter2{{envv}}\",\n  \"size\": \"hunter2secret\"\n}");
    variables.add_file(&file).expect("valid");
    let text = r#"{"variables": {"pw": "", "size": ""}, "sensitive-variables": ["pw", "size"], "builders": [{"type": "amazon-ebs", "region": "us-east-1",
      "ssh_username": "a", "instance_type": "t", "source_ami": "ami-1", "ami_name": "a", "skip_ami_run_tags": "{{user `size`}}"}]}"#;
    let shown = read_with(text, &variables).expect_err("wrong").to_string();
    assert!(shown.contains("error: there is no function `envv`\n --> prod.json:2:19\n"), "{shown}");
    assert!(shown.contains("must be true or false, this is `<sensitive>`"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn small_faults_have_their_sentence() {
    let cases = [
        (template(r#", "ami_name": "x""#, ""), "`ami_name` is there twice"),
        (template(r#", "communicator": "winrm""#, ""), "the communicator `winrm` is not supported"),
        (template(r#", "tags": []"#, ""), "`tags` must be an object of strings, this is a list"),
        (template(r#", "tags": {"a": []}"#, ""), "`a` must be a string, this is a list"),
        (template(r#", "region": {}"#, ""), "`region` must be a string, this is an object"),
        (
            template(r#", "skip_ami_run_tags": "maybe""#, ""),
            "`skip_ami_run_tags` must be true or false, this is `maybe`",
        ),
        (
            template(r#", "source_ami_filter": {"owners": ["self"]}"#, ""),
            "`source_ami` and `source_ami_filter` are both there",
        ),
        (template(r#", "tag": [{"key": "a", "vlaue": "b"}]"#, ""), "tag has no option `vlaue`"),
        (template(r#", "ami_block_device_mappings": [{}]"#, ""), "ami_block_device_mappings needs `device_name`"),
        (
            template(
                r#", "ami_block_device_mappings": [{"device_name": "x", "encrypted": false, "kms_key_id": "k"}]"#,
                "",
            ),
            "a volume with a key must be encrypted",
        ),
        (
            template(r#", "ami_regions": "a,b", "region_kms_key_ids": {"a": "k"}"#, ""),
            "the copy in `b` has no key, and others have",
        ),
        (
            template(r#", "ami_block_device_mappings": [{"device_name": "x", "volume_size": -1}]"#, ""),
            "`volume_size` must be a whole number",
        ),
        (
            template(r#", "ami_block_device_mappings": [{"device_name": "x", "volume_size": 99999999999999}]"#, ""),
            "too many",
        ),
        (
            template(r#", "instance_type": "{{.SourceAMI}}""#, ""),
            "`SourceAMI` is not known yet when this option is read",
        ),
        (template("", r#", "playbook_file": "x""#), "`playbook_file` is there twice"),
        (template("", r#", "groups": {}"#), "`groups` must be a list of strings"),
        (template("", r#", "override": []"#), "`override` must be an object of builder names"),
        (template("", r#", "override": {"x": {}}"#), "there is no builder `x`"),
        (
            template("", r#", "inventory_file_template": "x""#),
            "the option `inventory_file_template` of ansible is not supported",
        ),
        ("{}".to_owned(), "a template needs `builders`"),
        ("[]".to_owned(), "a template must be an object, this is a list"),
        (r#"{"builders": {}}"#.to_owned(), "`builders` must be a list, this is an object"),
        (r#"{"builders": [1]}"#.to_owned(), "a builder must be an object, this is a number"),
        (r#"{"builders": [{}]}"#.to_owned(), "a builder needs `type`"),
        (r#"{"variables": []}"#.to_owned(), "`variables` must be an object"),
        (r#"{"variables": {"a": []}}"#.to_owned(), "the variable `a` is a list, but values of variables are strings"),
        (r#"{"min_packer_version": "2.0"}"#.to_owned(), "this template needs Packer 2.0"),
        (r#"{"min_packer_version": "2.0-dev"}"#.to_owned(), "this template needs Packer 2.0-dev"),
        (r#"{"min_packer_version": "new"}"#.to_owned(), "`new` is no version"),
        (r#"{"locals": {}}"#.to_owned(), "a template has no option `locals`"),
        (r#"{"post-processors": {}}"#.to_owned(), "`post-processors` must be a list"),
    ];
    for (text, sentence) in cases {
        let errors = errors(&text);
        assert!(errors.contains(sentence), "{text}: {errors}");
    }
    let name = |name: &str| {
        format!(r#"{{"builders": [{{"type": "amazon-ebs", "source_ami": "ami-1", "ami_name": "{name}"}}]}}"#)
    };
    assert!(errors(&name("ab")).contains("has 2 characters; AWS allows 3 to 128"));
    assert!(errors(&name(&"a".repeat(129))).contains("has 129 characters"));
    assert!(errors(&name("")).contains("amazon-ebs needs `ami_name`"));
    recipe(&name(&"a".repeat(128)));
}
