//! What is said of templates that are wrong.

use insta::assert_snapshot;

use super::*;

#[test]
fn errors_of_several_files_point_at_their_own() {
    let files = [
        ("a.pkr.hcl", "build {\n  sources = [\"source.amazon-ebs.wb\"]\n}\n"),
        (
            "b.pkr.hcl",
            "source \"amazon-ebs\" \"web\" {\n  source_ami = var.imge\n  ami_name = \"web\"\n}\nvariable \"image\" {\n}\n",
        ),
        (
            "c.pkr.hcl",
            "build {\n  sources = [\"source.amazon-ebs.web\"]\n  provisioner \"ansible\" {\n    playbok_file = \"p.yml\"\n  }\n}\n",
        ),
    ];
    let errors = parse(&files, &Variables::default(), &Answers::Placeholders).expect_err("wrong").to_string();
    assert_snapshot!(errors);
}

#[test]
fn syntax_errors_show_their_place() {
    assert_snapshot!(errors("build {\n  sources = [\n"));
}

#[test]
fn validations_speak_at_the_variable() {
    let text = template(
        "",
        "",
        "variable \"image\" {\n  default = \"x\"\n  validation {\n    condition     = substr(var.image, 0, 4) == \"ami-\"\n    error_message = \"The image must be an id.\"\n  }\n}",
    );
    assert_snapshot!(errors(&text));
}

#[test]
fn circles_are_found() {
    let text = template("tags = { a = local.a }", "", "locals {\n  a = local.b\n  b = \"${local.a}!\"\n}");
    assert_snapshot!(errors(&text));
}

#[test]
fn chains_of_locals_and_values_within_each_other_have_an_end() {
    // The stack of a program's main thread, which the command reads templates on; a test's own has a fourth of it.
    let reading = std::thread::Builder::new().stack_size(8 << 20).spawn(long_chains).expect("a thread");
    reading.join().expect("no fault");
}

fn long_chains() {
    let chain = |length: usize, open: &str, close: &str| {
        let link = |n: usize| format!(" l{n:04} = {open}local.l{:04}{close}\n", n + 1);
        let links: String = (0..length).map(link).collect();
        template("tags = { a = jsonencode(local.l0000) }", "", &format!("locals {{\n{links} l{length:04} = 1\n}}"))
    };
    assert_eq!(ebs(&recipe(&chain(200, "", ""))).tags["a"].find_literal(), Some("1"));
    let deep = "the values that this needs are nested more than 256 levels deep";
    for (open, close) in
        [("", ""), ("[", "]"), ("\"%{ for x in [1] }${try(", ")}%{ endfor }\""), ("true ? -(", ") : 1")]
    {
        let shown = errors(&chain(5000, open, close));
        assert!(shown.contains(deep), "{open}: {shown}");
    }
    let links: String = (1..5000).map(|n| format!(" l{n:04} = [local.l{:04}]\n", n - 1)).collect();
    let shown = errors(&template("", "", &format!("locals {{\n l0000 = 1\n{links}}}")));
    assert!(shown.contains("`local.l0256` is nested more than 256 levels deep"), "{shown}");
}

#[test]
fn small_faults_have_their_sentence() {
    for (source, root, sentence) in [
        ("tags = { a = vault(\"secret/x\", \"k\") }", "", "the function `vault` is not supported"),
        ("tags = { a = bcrypt(\"x\") }", "", "the function `bcrypt` is not supported"),
        ("tags = { a = uper(\"x\") }", "", "did you mean `upper`?"),
        ("tags = { a = upper() }", "", "`upper` is called as `upper(TEXT)`"),
        ("tags = { a = upper([]) }", "", "the value of `upper` must be a string, it is a list"),
        ("tags = { a = [1][3] }", "", "there is no element 3"),
        ("tags = { a = element([\"a\"], -1) }", "", "must be a number from 0 up, it is -1\n"),
        ("tags = { a = element([\"a\"], 0.5) }", "", "must be a whole number, it is 0.5\n"),
        (
            "tags = { a = element([\"a\"], var.n) }",
            "variable \"n\" {\n default = -731\n sensitive = true\n}",
            "must be a number from 0 up, it is <sensitive>\n",
        ),
        ("tags = { a = toset([1])[0] }", "", "the elements of a set have no index"),
        ("tags = { a = { bee = 1 }.be }", "", "did you mean `bee`?"),
        ("tags = { a = local.x }", "", "there is no local `x`"),
        ("tags = { a = foo }", "", "a string stands in quotes: \"foo\""),
        ("tags = { a = build.ID }", "", "within provisioners and post-processors only"),
        ("tags = { a = 1 / 0 }", "", "divides by zero"),
        ("tags = { a = 1 + \"x\" }", "", "cannot be used between a number and a string"),
        ("tags = { a = file(\"none\") }", "", "there is no /project/web/none"),
        ("tags = { a = templatefile(\"itself.tpl\", {}) }", "", "a file of `templatefile` cannot call `templatefile`"),
        ("tags = { a = \"{{user `x`}}\" }", "", "write ${var.x}"),
        ("region = \"a\"\nregion = \"b\"", "", "redefined attribute"),
        ("ami_nam = \"x\"", "", "did you mean `ami_name`?"),
        ("", "data \"http\" \"x\" {\n}", "the data source `http` is not supported"),
        ("", "data \"amazon-ami\" \"x\" {\n}", "needs `owners`"),
        ("", "data \"amazon-ami\" \"x\" {\n owners = [\"a\"]\n filtrs = {}\n}", "did you mean `filters`?"),
        ("", "variable \"needed\" {\n}", "the variable `needed` needs a value"),
        ("", "variable \"a\" {\n default = var.b\n}\nvariable \"b\" {\n default = 1\n}", "cannot ask for another one"),
        ("", "vriable \"a\" {\n}", "did you mean `variable`?"),
        ("", "packer {\n required_version = \"< 1.7\"\n}", "this template needs Packer < 1.7"),
        ("", "x = 1", "`x` stands in no block"),
        ("", "variable \"a\" {\n default = 1\n typ = string\n}", "did you mean `type`?"),
        ("", "variable \"a\" {\n default = 1\n nullable = true\n}", "a variable has no `nullable`"),
        (
            "",
            "variable \"a\" {\n default = 1\n validation {\n condition = var.a == 1\n error_message = \"One.\"\n mesage = 1\n }\n}",
            "a validation has no `mesage`",
        ),
        (
            "",
            "variable \"a\" {\n type = object({ size = optional(number, \"big\") })\n default = {}\n}",
            "the default of `size`: this must be a number, it is a string\n  --> web.pkr.hcl:11:42",
        ),
        ("", "variable \"a\" {\n type = object({ size = optional(number, 1, 2) })\n}", "there is no type `optional`"),
        ("", "local \"a\" {\n value = 1\n}", "local \"a\" needs `expression`"),
        ("", "local \"a\" {\n value = 1\n}", "a local has no `value`"),
        ("", "local \"a\" {\n expression = 1\n sensetive = true\n}", "did you mean `sensitive`?"),
        ("", "local \"a\" {\n expression = 1\n sensitive = var.x\n}", "only literal values may stand here"),
        ("", "locals {\n a {\n }\n}", "`locals` has no block `a`"),
        ("", "variables {\n a {\n }\n}", "`variables` has no block `a`"),
        ("name = \"x\"", "", "a source has no `name`"),
        ("dynamic \"tga\" {\n for_each = []\n content {\n }\n}", "", "did you mean `tag`?"),
        ("", "data \"null\" \"x\" {\n input = 1\n inptu = 2\n}", "did you mean `input`?"),
        (
            "dynamic \"tag\" {\n for_each = []\n content {\n }\n content {\n }\n}",
            "",
            "a dynamic block has one `content`",
        ),
    ] {
        let shown = errors(&template(source, "", root));
        assert!(shown.contains(sentence), "{source}{root}: {shown}");
    }
    for (build, sentence) in [
        ("provisioner \"ansible\" {\n playbook_file = build.Hosts\n}", "did you mean `Host`?"),
        (
            "provisioner \"ansible\" {\n playbook_file = substr(build.ID, 0, 3)\n}",
            "`substr` cannot be used on a value of the build",
        ),
        ("provisioner \"ansible\" {\n playbook_file = length(build.ID)\n}", "`length` cannot be used on a value"),
        ("provisioner \"ansible\" {\n playbook_file = basename(build.ID)\n}", "`basename` cannot be used on a value"),
        (
            "provisioner \"ansible\" {\n playbook_file = build.ID == \"\" ? \"a\" : \"b\"\n}",
            "`==` cannot be used on a value",
        ),
        (
            "provisioner \"ansible\" {\n playbook_file = format(\"%9s\", build.ID)\n}",
            "`%9s` cannot be used on a value of the build",
        ),
        (
            "provisioner \"ansible\" {\n playbook_file = lookup({ i-1 = \"a\" }, build.ID, \"b\")\n}",
            "`lookup` cannot be used on a value",
        ),
        (
            "provisioner \"ansible\" {\n playbook_file = coalesce(build.Password, \"b\")\n}",
            "`coalesce` cannot be used on a value",
        ),
        ("provisoner \"ansible\" {\n}", "did you mean `provisioner`?"),
        ("sorces = []", "did you mean `sources`?"),
        ("dynamic \"provisoner\" {\n for_each = [1]\n content {\n }\n}", "did you mean `provisioner`?"),
        (
            "dynamic \"provisioner\" {\n for_each = []\n iterater = x\n content {\n }\n}",
            "a dynamic block has no `iterater`",
        ),
        ("provisioner \"shell\" \"x\" {\n inline = [\"a\"]\n}", "`provisioner` needs a type"),
        (
            "post-processors {\n provisioner \"shell\" {\n }\n}",
            "`post-processors` has no block `provisioner`\n --> web.pkr.hcl:9:2",
        ),
        ("post-processors \"x\" {\n}", "`post-processors` has no label"),
        ("post-processors {\n keep = true\n}", "`post-processors` has no `keep`"),
        (
            "post-processors {\n dynamic \"provisioner\" {\n for_each = []\n content {\n }\n }\n}",
            "there is no block `provisioner` here",
        ),
        (
            "provisioner \"shell\" {\n inline = [\"a\"]\n only = [\"amazon-ebs.web\"]\n except = [\"amazon-ebs.x\"]\n}",
            "either `only` or `except` may be there, not both",
        ),
        (
            "provisioner \"shell\" {\n inline = [\"a\"]\n override = { web = 1 }\n}",
            "an override must be an object of options, this is a number",
        ),
        (
            "source \"amazon-ebs.web\" {\n name = \"x\"\n ami_name = \"x\"\n}",
            "`ami_name` is set by the source already: a build adds to it, and changes nothing\n  --> web.pkr.hcl:10:2",
        ),
        (
            "error-cleanup-provisioner \"shell\" {\n inline = [\"a\"]\n}\nerror-cleanup-provisioner \"shell\" {\n inline = [\"b\"]\n}",
            "one error-cleanup-provisioner at most",
        ),
        ("dynamic \"provisioner\" {\n labels = [\"shell\"]\n content {\n }\n}", "needs `for_each`"),
    ] {
        let shown = errors(&template("", build, ""));
        assert!(shown.contains(sentence), "{build}: {shown}");
    }
}

#[test]
fn what_is_wrong_is_said_once() {
    for (source, build, count) in [
        ("", "provisioner \"shell\" {\n inline = [build.ID == \"\"]\n}", 1),
        ("", "provisioner \"shell\" {\n inline = [element([\"a\"], -1)]\n}", 1),
        (
            "spot_price = local.x\ndeprecate_at = local.x\ncommunicator = local.x\nami_regions = [local.x]\n\
             region_kms_key_ids = { us-east-1 = \"k\" }",
            "provisioner \"shell-local\" {\n inline = [\"a\"]\n environment_vars = [local.x]\n valid_exit_codes = [local.x]\n only_on = [local.x]\n override = local.x\n}",
            8,
        ),
        ("", "provisioner \"shell\" {\n iinline = [build.ID == \"\"]\n}", 3),
        ("tags = { a = local.x }\nmetadata_options {\n http_tokens = local.x\n}", "", 2),
        ("launch_block_device_mappings {\n device_name = local.x\n volume_size = local.y\n}", "", 2),
    ] {
        let shown = errors(&template(source, build, ""));
        assert_eq!(shown.matches("error: ").count(), count, "{shown}");
    }
}

#[test]
fn a_build_without_sources_and_one_that_is_there_twice_are_pointed_at() {
    let source = "source \"amazon-ebs\" \"web\" {\n  source_ami = \"ami-1\"\n  ami_name = \"web\"\n}\n";
    assert_snapshot!(errors(&format!("{source}build {{\n  sources = []\n}}\n")), @r#"
    error: a build needs at least one source
     --> web.pkr.hcl:5:1
      |
    5 | build {
      | ^^^^^
      = help: such as sources = ["source.amazon-ebs.web"]
    "#);
    let build = "build {\n  sources = [\"source.amazon-ebs.web\"]\n}\n";
    assert_snapshot!(errors(&format!("{source}{build}{build}")), @r#"
    error: two builds are called `amazon-ebs.web`
     --> web.pkr.hcl:9:14
      |
    9 |   sources = ["source.amazon-ebs.web"]
      |              ^^^^^^^^^^^^^^^^^^^^^^^
      = help: give a build a `name`, or the source another one: source "TYPE.NAME" { name = "other" }
    "#);
}

#[test]
fn a_refusal_over_a_value_of_the_build_names_its_place_and_the_way_round() {
    let build = "provisioner \"shell\" {\n inline = [\"a\"]\n}\nprovisioner \"ansible\" {\n playbook_file = \"p.yml\"\n extra_arguments = [\"-e\", trimprefix(build.ID, \"i-\")]\n}";
    assert_snapshot!(errors(&template("", build, "")));
}

#[test]
fn what_changes_nothing_is_noted() {
    let mut variables = Variables::default();
    variables.add_file(&Source::new("v.pkrvars.hcl", "siz = 1\n")).expect("valid");
    let text = template(
        "",
        "hcp_packer_registry {\n bucket_name = \"x\"\n}\nprovisioner \"ansible\" {\n playbook_file = \"p.yml\"\n only = [\"amazon-ebs.wb\"]\n}",
        "packer {\n required_plugins {\n amazon = { version = \"1\", source = \"x\" }\n }\n}\nvariable \"size\" {\n}",
    );
    let recipe = recipe_with(&[("web.pkr.hcl", &text)], &variables);
    let notes: Vec<String> = recipe.notes.iter().map(ToString::to_string).collect();
    assert_snapshot!(notes.join("\n"));
    assert_eq!(recipe.builds[0].provisioners, []);
}

#[test]
fn names_of_sources_that_select_nothing_are_noted() {
    let build = "provisioner \"shell\" {\n inline = [\"a\"]\n only = [\"source.amazon-ebs.web\"]\n}\n\
        provisioner \"shell\" {\n inline = [\"b\"]\n override = { wen = { inline = [\"c\"] } }\n}";
    let recipe = recipe(&template("", build, ""));
    let notes: Vec<String> = recipe.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "web.pkr.hcl:10:10: source.amazon-ebs.web: as in Packer, it names no source; write `amazon-ebs.web`",
            "web.pkr.hcl:14:15: wen: the build has no such source; did you mean `web`?",
        ]
    );
    let kinds: Vec<String> = recipe.builds[0].provisioners.iter().map(|one| one.kind.to_string()).collect();
    assert_eq!(kinds, ["shell `b`"]);
}

#[test]
fn undeclared_arguments_are_errors_and_var_files_are_literal() {
    let mut variables = Variables::default();
    variables.add_argument("nme=x").expect("name=value");
    let text = template("", "", "variable \"name\" {\n default = 1\n}");
    let shown =
        parse(&[("web.pkr.hcl", &text)], &variables, &Answers::Placeholders).expect_err("undeclared").to_string();
    assert!(shown.contains("the template has no variable `nme`") && shown.contains("--> -var nme\n"), "{shown}");
    let errors =
        Variables::default().add_file(&Source::new("v.pkrvars.hcl", "a = var.b\nb {\n}\n")).expect_err("no literal");
    assert!(errors.to_string().contains("only literal values may stand here"), "{errors}");
}
