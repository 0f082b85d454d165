#![allow(clippy::unwrap_used, missing_docs)]
mod support;
use support::*;
use support::machine::*;
#[test]
fn adhoc() {
    let ns = "ob-agent-nspawn";
    tool(&["ip","netns","add",ns]);
    tool(&["ip","-n",ns,"link","set","lo","up"]);
    tool(&["ip","-n",ns,"address","add","169.254.169.254/32","dev","lo"]);
    let listener = std::thread::spawn(move || {
        let file = std::fs::File::open(format!("/run/netns/{ns}")).unwrap();
        rustix::thread::move_into_link_name_space(std::os::fd::AsFd::as_fd(&file), Some(rustix::thread::LinkNameSpaceType::Network)).unwrap();
        std::net::TcpListener::bind("169.254.169.254:80").unwrap()
    }).join().unwrap();
    let fake = Fake::on(listener);
    fake.world().volumes = vec![volume("available")];
    fake.world().user_data = Some(format!(r#"{{"environment":"dev","extra":{{"volume_id":"{VOLUME}"}}}}"#).into_bytes());
    let out = command("sh").args(["-c", "timeout 40 sh /tmp/obt/run.sh"]).output().unwrap();
    println!("{}\n{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    println!("{:?} {:?}", fake.world().log, fake.world().tags);
    tool(&["ip","netns","delete",ns]);
}
