//! Growth: what 1, 10 and 50 services that share their common roles cost, in time, calls and blocks.

use std::time::Instant;

use crate::Failure;
use crate::figure::table;
use crate::lab::Lab;
use crate::lab::Place;

/// How many services a project has, measured one after the other.
const SIZES: [usize; 3] = [1, 10, 50];

const COMMON: &str = "
- hosts: all
  gather_facts: false
  become: true
  vars:
    users_admins:
      - name: ada
        keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHXLMof41+6VPeM4uzAZrI9yr5BkYs3PJDYoNLmVTa+/ ada@example.com]
  roles: [ovenbird.base.users, ovenbird.base.logging, ovenbird.base.monitoring]
";

/// One size of a project.
struct Grown {
    services: usize,
    seconds: f64,
    calls: u64,
    blocks: u64,
}

/// The curve, as a section of the page.
pub(crate) fn measure(place: &Place) -> Result<String, Failure> {
    let grown = SIZES.iter().map(|services| grow(place, *services)).collect::<Result<Vec<_>, _>>()?;
    let mut rows = Vec::new();
    let mut below: Option<&Grown> = None;
    for size in &grown {
        let further = |now: f64, was: f64| {
            below.map_or_else(
                || "—".to_owned(),
                |below| format!("{:.1}", (now - was) / (size.services - below.services) as f64),
            )
        };
        let (seconds, calls, blocks) = below.map_or((0.0, 0, 0), |below| (below.seconds, below.calls, below.blocks));
        rows.push(vec![
            size.services.to_string(),
            format!("{:.1}", size.seconds),
            further(size.seconds, seconds),
            size.calls.to_string(),
            further(size.calls as f64, calls as f64),
            size.blocks.to_string(),
            further(size.blocks as f64, blocks as f64),
        ]);
        below = Some(size);
    }
    let head = ["services", "seconds", "each further", "API calls", "each further", "new blocks", "each further"];
    Ok(table(&head, &rows))
}

/// Bakes that many services from nothing but a base.
fn grow(place: &Place, services: usize) -> Result<Grown, Failure> {
    let lab = Lab::start(place, &[])?;
    write_project(&lab, services)?;
    let (calls, blocks) = (lab.calls()?, lab.blocks()?);
    let began = Instant::now();
    lab.ovenbird(&["rebuild", "--quiet"]).run()?;
    let seconds = began.elapsed().as_secs_f64();
    eprintln!("{services} services in {seconds:.1} s");
    Ok(Grown { services, seconds, calls: lab.calls()? - calls, blocks: lab.blocks()? - blocks })
}

fn write_project(lab: &Lab<'_>, services: usize) -> Result<(), Failure> {
    let mut project = "environments = [\"dev\"]\nregion = \"us-east-1\"\n".to_owned();
    lab.write("common.yml", COMMON)?;
    for number in 0..services {
        let name = format!("service-{number}");
        project += &format!("[services.{name}]\ntemplate = \"{name}/{name}.json\"\n");
        lab.write(
            &format!("{name}/{name}.json"),
            &format!(
                r#"{{"builders": [{{"type": "amazon-ebs", "region": "us-east-1",
                "source_ami_filter": {{"filters": {{"name": "debian-12-amd64-*"}}, "owners": ["136693071363"], "most_recent": true}},
                "instance_type": "t3.micro", "ssh_username": "admin", "ami_name": "{name} {{{{uuid}}}}"}}],
                "provisioners": [{{"type": "ansible", "playbook_file": "common.yml"}},
                                 {{"type": "ansible", "playbook_file": "{name}/{name}.yml"}}]}}"#
            ),
        )?;
        lab.write(
            &format!("{name}/{name}.yml"),
            &format!(
                "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.copy:\n        \
                 dest: /etc/systemd/system/{name}.service\n        content: |\n          [Service]\n          \
                 ExecStart=/usr/bin/sleep {number}\n    - ansible.builtin.systemd:\n        name: {name}.service\n        enabled: true\n"
            ),
        )?;
    }
    lab.write("ovenbird.toml", &project)
}
