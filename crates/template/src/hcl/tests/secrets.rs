//! Values that nobody may see are not in what is said of them.

use super::*;

const SECRET: &str = "hunter2secret";

/// What is said of a template with these declarations, with `give` adding values.
fn said(root: &str, give: impl FnOnce(&mut Variables)) -> String {
    let mut variables = Variables::default();
    give(&mut variables);
    let text = template("", "", root);
    parse(&[("web.pkr.hcl", &text)], &variables, &Answers::Placeholders).expect_err(root).to_string()
}

fn argument(variables: &mut Variables, text: &str) {
    variables.add_argument(text).expect("name=value");
}

#[test]
fn a_value_of_the_command_line_is_shown_by_its_name() {
    let number = "variable \"pw\" {\n type = number\n sensitive = true\n}";
    let shown = said(number, |variables| argument(variables, &format!("pw={SECRET}")));
    assert_eq!(shown, "error: the variable `pw`: this must be a number, it is a string\n --> -var pw\n");

    let open = "variable \"pw\" {\n type = number\n}";
    let shown = said(open, |variables| argument(variables, &format!("pw={SECRET}")));
    assert!(shown.contains("--> -var pw\n") && !shown.contains(SECRET), "{shown}");

    let misspelt = said("variable \"db_password\" {\n default = \"\"\n}", |variables| {
        argument(variables, &format!("db_pasword={SECRET}"));
    });
    assert_eq!(
        misspelt,
        "error: the template has no variable `db_pasword`\n --> -var db_pasword\n  = help: did you mean `db_password`?\n"
    );

    for value in ["[hunter2secret", "[upper(\"hunter2secret\")]", "[hunter2secret]"] {
        let list = "variable \"pw\" {\n type = list(string)\n}";
        let shown = said(list, |variables| argument(variables, &format!("pw={value}")));
        assert!(shown.contains("--> -var pw\n") && !shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn a_value_of_the_environment_is_shown_by_its_name() {
    // The tests' environment has PKR_VAR_size=9 and PKR_VAR_stranger=x.
    let shown = said("variable \"stranger\" {\n type = list(number)\n}", |_| ());
    let expected = "error: the variable `stranger` is a list, written as an expression: only literal values may stand here\n \
        --> PKR_VAR_stranger\n  = help: strings stand in quotes, such as [\"a\", \"b\"]\n";
    assert_eq!(shown, expected);
}

#[test]
fn a_sensitive_value_of_a_file_is_shown_by_its_place() {
    let file = Source::new("v.pkrvars.hcl", "\npw = \"hunter2secret\"\n");
    let add = |variables: &mut Variables| variables.add_file(&file).expect("valid");
    let shown = said("variable \"pw\" {\n type = number\n sensitive = true\n}", add);
    assert_eq!(shown, "error: the variable `pw`: this must be a number, it is a string\n --> v.pkrvars.hcl:2:6\n");
    let shown = said("variable \"pw\" {\n type = number\n}", add);
    assert!(shown.contains("2 | pw = \"hunter2secret\"\n"), "{shown}");
}

#[test]
fn a_file_that_cannot_be_read_is_not_shown() {
    for (name, text, sentence) in [
        ("v.pkrvars.hcl", "pw = hunter2secret", "only literal values"),
        ("v.pkrvars.hcl", "pw = \"hunter2secret", "no valid HCL"),
        ("v.pkrvars.hcl", "pw = sha256(\"hunter2secret\")", "no function can be called here"),
        ("v.json", "{\"pw\": \"hunter2secret}", ""),
        ("v.json", "[\"hunter2secret\"]", "a variables file is an object"),
    ] {
        let shown = Variables::default().add_file(&Source::new(name, text)).expect_err(text).to_string();
        assert!(shown.contains(sentence) && shown.contains(&format!("--> {name}:1:")), "{shown}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn a_sensitive_default_is_hidden_even_where_it_is_wrong() {
    let root = "variable \"pw\" {\n type = number\n default = \"hunter2secret\"\n sensitive = true\n}";
    let shown = said(root, |_| ());
    assert!(shown.contains("must be a number") && !shown.contains(SECRET), "{shown}");
    let shown = said("variable \"pw\" {\n default = 1\n sensitive = var.x\n}", |_| ());
    assert!(shown.contains("only literal values may stand here"), "{shown}");
}
