//! The way into the instance: its security group lets this machine in, sshd answers, cloud-init is done. Into one that an earlier run
//! has sealed there is none, and none is needed.

use std::time::Duration;

use ovenbird_aws::ec2;
use ovenbird_disk::tool::ToolError;
use ovenbird_disk::wait::wait_until;
use ovenbird_template::SecurityGroups;

use super::import_key::given_key;
use crate::error::BakeError;
use crate::error::calling;
use crate::error::working;
use crate::event::Event;
use crate::event::Phase;
use crate::interrupt::stop_if_interrupted;
use crate::launch::login_host;
use crate::launch::own_cidrs;
use crate::launch::wait_for_state;
use crate::oven::Oven;
use crate::oven::needed;
use crate::ssh::Host;
use crate::ssh::Login;
use crate::step::Step;
use crate::step::Work;

/// How long EC2 may take until an instance runs.
const RUNNING: Duration = Duration::from_secs(600);
/// How long cloud-init may take: it runs what the template's user data says.
const CLOUD_INIT: Duration = Duration::from_secs(900);

/// Waits until cloud-init has ended; where it is not installed there is nothing to wait for. It ends with 1 where something of it
/// failed, and with 2 where it did with warnings (cloud-init 23.4 and later).
const AWAIT_CLOUD_INIT: &str = "command -v cloud-init >/dev/null || exit 0; cloud-init status --wait --long";

pub(crate) struct Connect;

impl Step for Connect {
    fn name(&self) -> String {
        "connect".to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if oven.inspection.is_some() || oven.launched.login.is_some() {
                return Ok(());
            }
            let launched = needed(oven.launched.instance.clone(), "an instance")?;
            let id = launched.instance_id.unwrap_or_default();
            oven.tell(Event::Phase { phase: Phase::Boot });
            let running = wait_for_state(&oven.request.watch, oven.client, &id, ("running", RUNNING)).await?;
            let ssh = &oven.request.builder()?.ssh;
            let host = login_host(ssh, &running).ok_or_else(|| {
                BakeError::Instance(format!(
                    "{id} runs and has no address that this machine could use: launch it in a subnet with public addresses \
                     (`associate_public_ip_address`), or set `ssh_interface` to the address that reaches it"
                ))
            })?;
            oven.launched.instance = Some(running);
            let_in(oven, &host).await?;
            let folder = oven.folder.path.join(super::SSH);
            let key = match given_key(oven)? {
                Some((path, _)) => path,
                None => needed(oven.launched.key.as_ref(), "a key")?.private.clone(),
            };
            fs_err::create_dir_all(&folder).map_err(working("make the folder of the bake's connection"))?;
            let login = Login::new(host, &key, &folder, &oven.folder.id);
            oven.tell(Event::Instance { instance: id.clone(), login: login.for_a_person() });
            pause(ssh.pause_before_connecting)?;
            login.ensure_connected(ssh.timeout).map_err(|error| {
                if error.is_interrupted() { BakeError::Interrupted } else { working(format!("log in to {id}"))(error) }
            })?;
            await_cloud_init(&login)?;
            oven.launched.login = Some(login);
            Ok(())
        })
    }

    /// What goes in the security group goes with it; the connection ends before the instance does.
    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if let Some(login) = oven.launched.login.take() {
                login.close();
            }
            crate::ssh::undo_socket_folder(&oven.folder.id).map_err(working("remove the connection's socket"))
        })
    }

    fn is_scaffold(&self) -> bool {
        true
    }
}

/// Opens the bake's own group for this machine. A group of the template's is the template's matter.
async fn let_in(oven: &Oven<'_>, host: &Host) -> Result<(), BakeError> {
    let SecurityGroups::Temporary { source_cidrs } = &oven.request.builder()?.network.security_groups else {
        return Ok(());
    };
    let group = needed(oven.launched.group.clone(), "a security group")?;
    let (v6, v4): (Vec<_>, Vec<_>) = own_cidrs(source_cidrs, host)?.into_iter().partition(|cidr| cidr.contains(':'));
    let description = Some("the machine that bakes".to_owned());
    let range = |cidr| ec2::IpRange { cidr_ip: Some(cidr), description: description.clone() };
    let range_v6 = |cidr| ec2::Ipv6Range { cidr_ipv6: Some(cidr), description: description.clone() };
    let port = Some(i32::from(host.port));
    let permission = ec2::IpPermission {
        ip_protocol: Some("tcp".to_owned()),
        from_port: port,
        to_port: port,
        ip_ranges: v4.into_iter().map(range).collect(),
        ipv6_ranges: v6.into_iter().map(range_v6).collect(),
        ..Default::default()
    };
    let request = ec2::AuthorizeSecurityGroupIngressRequest {
        group_id: Some(group),
        ip_permissions: vec![permission],
        ..Default::default()
    };
    match oven.client.send(request).await {
        Err(error) if !error.has_code("InvalidPermission.Duplicate") => {
            Err(calling("let this machine into the bake's security group")(error))
        }
        _ => Ok(()),
    }
}

fn await_cloud_init(login: &Login) -> Result<(), BakeError> {
    let doing = format!("wait for cloud-init on {}", login.host().name);
    match login.command(&doing, AWAIT_CLOUD_INIT).accept([2]).deadline(CLOUD_INIT).run() {
        Ok(_) => Ok(()),
        Err(ToolError::Interrupted { .. }) => Err(BakeError::Interrupted),
        Err(error) => Err(working(doing)(error)),
    }
}

fn pause(how_long: Duration) -> Result<(), BakeError> {
    _ = wait_until(how_long, Duration::from_millis(100), || None::<()>);
    stop_if_interrupted()
}
