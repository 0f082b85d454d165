//! The baked image on its own kernel. Without KVM it takes minutes.

use std::time::Instant;

use super::main_job::Baked;
use super::page;
use crate::support::Lab;

#[test]
fn boots_in_a_virtual_machine() {
    let lab = Lab::start("qemu");
    lab.home.copy_examples();
    lab.base();
    let image = Baked::of(&lab.home.run(["bake", "web", "--json"])).image;
    let volume = lab.api().create_volume();
    let extra = format!("volume_id={volume}");
    let began = Instant::now();
    let launched =
        lab.home.run(["launch", "web", "--env", "dev", "--extra", &extra, "--wait", "--timeout", "600", "--json"]);
    let told = launched.json();
    let id = told["instance"].as_str().unwrap_or_default();
    if launched.code != 0 {
        println!("{}", lab.status()["instances"][0]["id"].as_str().map(|id| lab.api().console(id)).unwrap_or_default());
    }
    launched.clone().ok();
    assert_eq!((&told["state"], &told["image"]), (&"ok".into(), &image.into()));
    println!("provisioned itself within {:.1} s", began.elapsed().as_secs_f64());
    let served = page::fetch(told["address"].as_str().expect("an address"));
    let shown = ["environment", "instance", "volume", "greeting"].map(|element| page::element(&served, element));
    assert_eq!(shown, ["dev", id, &volume, &format!("laid on {id}")]);
    assert!(lab.api().console(id).contains("Linux version"), "its own kernel booted");
}
