mod diff;
mod documents;
mod endpoint;
mod errors;
mod help;

use crate::support::Home;
use crate::support::Ran;

/// Compares with the snapshot of this name, one file each.
#[track_caller]
fn assert_is(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Compares all that the command said. Folders of this very run are named as a user would.
#[track_caller]
fn assert_says(name: &str, home: &Home, ran: &Ran) {
    let told = format!("exit code {}\n--- output\n{}--- errors\n{}\n", ran.code, ran.stdout, ran.stderr);
    let told = told
        .replace(&home.project().display().to_string(), "/project")
        .replace(&home.path().display().to_string(), "/user");
    assert_is(name, &told);
}
