//! `ovenbird local base`: what is there already is neither built nor fetched again, unless that is asked for.

use crate::support::Lab;
use crate::support::Ran;

#[test]
fn a_base_that_is_registered_is_not_built_again() {
    let lab = Lab::start_for_bakes();
    lab.down(&[]);
    lab.up_with(&["--delays", "image-registered=1s"]);
    let base = lab.base();
    // It can be launched at once, whatever the endpoint's delays are.
    let state = lab.api().find_image(&base).and_then(|image| image.state);
    assert_eq!(state.as_deref(), Some("available"));
    // Without any tool nothing can be built or fetched.
    let run = |options: &[&str]| {
        let arguments = [&["local", "base", "debian-12"], options].concat();
        let command = format!("{} without tools", arguments.join(" "));
        Ran::of(&command, lab.home.ovenbird(arguments).env("PATH", "/nowhere"))
    };
    let again = run(&["--json"]).ok().json();
    assert_eq!((&again["image"], &again["was_there"]), (&base.as_str().into(), &true.into()));
    run(&[]).ok().says(&format!("is registered already as {base}"));
    // That asks the archives anew; as long as they give nothing, all stays as it was.
    run(&["--rebuild"]).exits(1).warns("mmdebstrap").warns("what was fetched is kept");
    run(&["--json"]).ok().says(&base);
}
