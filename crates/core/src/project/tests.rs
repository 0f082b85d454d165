use std::error::Error;

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<Project, ProjectError> {
    Project::from_toml(FILE_NAME, text)
}

/// The whole chain of causes, as people see it.
fn why(text: &str) -> String {
    let error = read(text).expect_err(text);
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{cause}")
}

#[test]
fn reads_a_project() {
    let project = read(
        r#"
        environments = ["dev", { name = "prod", profile = "acme-prod", region = "eu-west-1" }]
        region = "us-east-1"

        [services.web]
        template = "web/web.json"
        instance_type = "t3.small"
        variables = { owner = "web-team" }
        "#,
    )
    .expect("a project");
    assert_eq!(project.environment_names(), ["dev", "prod"]);
    let prod = project.find_environment("prod").expect("prod");
    assert_eq!((prod.profile.as_deref(), prod.region.as_deref()), (Some("acme-prod"), Some("eu-west-1")));
    let web = project.service("web").expect("web");
    assert_eq!(web.template, PathBuf::from("web/web.json"));
    assert_eq!(web.variables["owner"], "web-team");
    assert_eq!(
        project.service("wbe").expect_err("unknown").to_string(),
        "the project has no service `wbe`; it has web (did you mean `web`?)"
    );
}

#[test]
fn says_what_is_wrong_and_where() {
    let unknown = why("environments = [\"dev\"]\n[services.web]\ntemplate = \"t\"\ninstance_typ = \"t3\"\n");
    assert!(unknown.starts_with("`ovenbird.toml` cannot be understood: TOML parse error at line 4"), "{unknown}");
    assert!(unknown.contains("unknown field `instance_typ`"), "{unknown}");
    let table = why("environments = [{ name = \"dev\", acount = \"1\" }]");
    assert!(table.contains("unknown field `acount`"), "{table}");
    let number = why("environments = [1]");
    assert!(number.contains("expected an environment: \"dev\""), "{number}");
    assert!(why("[services]").contains("missing field `environments`"));
    assert!(why("environments = []").contains("names no environments"));
    assert!(why("environments = [\"Dev\"]").contains("the environment `Dev` is no valid name"));
    assert!(
        why("environments = [\"dev\"]\n[services.my_web]\ntemplate = \"t\"")
            .contains("the service `my_web` is no valid name")
    );
    assert!(why("environments = [\"dev\", \"dev\"]").contains("names the environment `dev` twice"));
    assert!(why("environments = [\"dev\"]\n[services.web]\ntemplate = \"\"").contains("empty `template`"));
}

#[test]
fn names_have_bounds() {
    let longest = "a".repeat(63);
    for name in ["a", "web-2", "a-", longest.as_str()] {
        assert!(is_name(name), "{name}");
    }
    let too_long = "a".repeat(64);
    for name in ["", "2web", "-a", "A", "a_b", "a/b", "ä", too_long.as_str()] {
        assert!(!is_name(name), "{name}");
    }
}

proptest! {
    #[test]
    fn reading_never_panics(text in ".{0,200}") {
        let _ = read(&text);
    }
}
