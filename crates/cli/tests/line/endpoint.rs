//! Commands against an endpoint in which nothing really runs.

use crate::support::Lab;
use crate::support::Ran;
use crate::support::days_from_now;

use super::assert_says;

fn lab() -> Lab {
    let lab = Lab::pretend();
    lab.home.copy_examples();
    lab
}

#[test]
fn an_account_in_which_nothing_is() {
    let lab = lab();
    let quiet = |arguments: &[&str]| lab.home.run([arguments, &["--quiet"]].concat());
    assert_says("empty-status", &lab.home, &quiet(&["status"]));
    assert_says("empty-images", &lab.home, &quiet(&["images"]));
    assert_says("empty-cleanup", &lab.home, &quiet(&["cleanup"]));
    assert_says("empty-doctor", &lab.home, &quiet(&["doctor"]));
    assert_eq!(lab.home.run(["images", "--json"]).ok().text(), "[]");
    lab.home.run(["status"]).ok().warns("using the embedded EC2 at http://127.0.0.1:");
}

#[test]
fn every_kind_of_failure_has_its_exit_code() {
    let lab = lab();
    let kind = |arguments: &[&str], code: i32| {
        lab.home.run(arguments).exits(code);
        lab.home.run([arguments, &["--json"]].concat()).exits(code).json()["kind"].as_str().expect("a kind").to_owned()
    };
    assert_eq!(kind(&["plan", "wbe"], 2), "usage");
    assert_eq!(kind(&["terminate", "i-0123456789abcdef0"], 3), "aws");
    assert_eq!(kind(&["launch", "web", "--env", "dev"], 5), "not-found");
    assert_eq!(kind(&["bake", "web", "--dry-run"], 5), "not-found");
    assert_eq!(kind(&["promote", "web", "--to", "prod"], 6), "refused");
    assert_eq!(kind(&["promote", "web", "--to", "dev"], 6), "refused");
    let port = lab.status()["url"].as_str().and_then(|url| url.rsplit_once(':')).expect("a port").1.to_owned();
    let other = crate::support::Home::new();
    let taken = other.run(["local", "up", "--engine", "pretend", "--port", &port]).exits(1);
    taken.warns(&format!("listen on 127.0.0.1:{port} (another port: `ovenbird local up --port N`)"));
}

#[test]
fn a_missing_pointer_says_how_to_get_one() {
    let lab = lab();
    assert_says("error-no-pointer", &lab.home, &lab.home.run(["launch", "web", "--env", "dev", "--quiet"]));
    assert_says("error-nothing-to-promote", &lab.home, &lab.home.run(["promote", "web", "--to", "prod", "--quiet"]));
    assert_says("error-no-source-image", &lab.home, &lab.home.run(["plan", "web", "--quiet"]));
}

#[test]
fn the_clock_is_moved_on_loopback_alone() {
    let lab = lab();
    let bad = lab.home.run_at("tomorrow", ["cleanup", "--quiet"]);
    assert_says("error-bad-clock", &lab.home, &bad);
    lab.home.run_at(&days_from_now(9), ["cleanup"]).ok();

    // `0.0.0.0` leads to the same endpoint, but it is no loopback address.
    let variables = lab.home.run(["local", "env", "--json"]).ok().json();
    for command in [&["inventory"][..], &["cleanup"], &["plan", "web"]] {
        let mut tool = lab.home.ovenbird(command).env("OVENBIRD_NOW", days_from_now(9));
        for (name, value) in variables.as_object().expect("variables") {
            tool = tool.env(name, value.as_str().expect("text").replace("127.0.0.1", "0.0.0.0"));
        }
        assert_says("error-clock-elsewhere", &lab.home, &Ran::of(&format!("ovenbird {command:?} elsewhere"), tool));
    }
}

#[test]
fn the_environment_points_other_tools_at_it() {
    let lab = lab();
    let script = format!("eval \"$({} local env)\" && env", env!("CARGO_BIN_EXE_ovenbird"));
    let seen = lab.home.tool("sh").args(["-c", &script]).env("AWS_PROFILE", "work").run().expect("it runs").text();
    let url = lab.status()["url"].as_str().expect("a URL").to_owned();
    assert!(seen.contains(&format!("AWS_ENDPOINT_URL={url}\n")) && !seen.contains("AWS_PROFILE"), "{seen}");
    lab.home.run(["local", "env", "--account", "12"]).exits(2).warns("12 digits");
}

#[test]
fn up_and_down_can_be_repeated() {
    let lab = lab();
    lab.home.run(["local", "up"]).ok().says("was running already");
    lab.home.run(["local", "down"]).ok().says("is down");
    lab.home.run(["local", "down"]).ok().says("was not running");
    lab.up();
    lab.home.run(["local", "down", "--delete"]).ok();
    assert!(!lab.home.local_state().exists());
    lab.home.run(["local", "down", "--delete"]).ok();
}
