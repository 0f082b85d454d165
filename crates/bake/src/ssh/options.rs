//! How `ssh` is called: the same for our own commands, for Ansible's, and for the person who looks at a failed bake.

use std::path::Path;
use std::path::PathBuf;

use super::quoted;

/// Who is logged in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Address or name.
    pub address: String,
    /// Port of the server; 22 unless the template says otherwise.
    pub port: u16,
    /// The user, such as `admin`.
    pub user: String,
    /// What its key is pinned under: the instance's id, since addresses come back.
    pub name: String,
    /// The machine to go through, if there is no direct way.
    pub bastion: Option<Bastion>,
}

/// A machine to go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bastion {
    /// Address or name.
    pub address: String,
    /// Port of its server.
    pub port: u16,
    /// The user there.
    pub user: String,
    /// The private key for it; `None`: the ssh agent's.
    pub key: Option<PathBuf>,
}

/// Files of a connection.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// The private key.
    pub(super) key: PathBuf,
    /// Where the host's key is pinned.
    pub(super) known_hosts: PathBuf,
    /// The socket of the shared connection.
    pub(super) control: PathBuf,
}

/// Options for `ssh` and whatever takes its options.
pub(super) fn options(host: &Host, files: &Files) -> Vec<String> {
    let mut options = vec!["-F".to_owned(), "none".to_owned()];
    let mut set = |name: &str, value: &str| options.extend(["-o".to_owned(), format!("{name}={value}")]);
    set("BatchMode", "yes");
    set("IdentityFile", &in_config(&files.key));
    set("IdentitiesOnly", "yes");
    set("IdentityAgent", "none");
    set("PreferredAuthentications", "publickey");
    set("HostKeyAlias", &host.name);
    set("CheckHostIP", "no");
    set("UserKnownHostsFile", &in_config(&files.known_hosts));
    set("GlobalKnownHostsFile", "/dev/null");
    set("StrictHostKeyChecking", "yes");
    set("UpdateHostKeys", "no");
    set("ConnectTimeout", "5");
    // A host that has gone is noticed after a minute; a host that is busy stays.
    set("ServerAliveInterval", "15");
    set("ServerAliveCountMax", "4");
    set("ControlMaster", "auto");
    set("ControlPath", &in_config(&files.control));
    // Where the bake's connection was lost, such as by a reboot, a command makes one that the next ones find.
    set("ControlPersist", "60");
    set("LogLevel", "ERROR");
    if let Some(bastion) = &host.bastion {
        set("ProxyCommand", &through(bastion, &files.known_hosts));
    }
    options
}

/// What a person types to get in; without the bake's own connection, which ends with the bake.
pub(super) fn for_a_person(host: &Host, files: &Files) -> String {
    let mut words = vec!["ssh".to_owned()];
    let mut options = options(host, files).into_iter();
    while let (Some(flag), Some(value)) = (options.next(), options.next()) {
        let needed = ["IdentityFile", "IdentitiesOnly", "HostKeyAlias", "UserKnownHostsFile", "ProxyCommand"];
        if needed.iter().any(|name| value.starts_with(&format!("{name}="))) {
            words.extend([flag, quoted(&value)]);
        }
    }
    if host.port != 22 {
        words.extend(["-p".to_owned(), host.port.to_string()]);
    }
    words.push(quoted(&format!("{}@{}", host.user, host.address)));
    words.join(" ")
}

fn through(bastion: &Bastion, known_hosts: &Path) -> String {
    let mut words: Vec<String> =
        ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new"].map(Into::into).into();
    words.extend(["-o".to_owned(), quoted(&format!("UserKnownHostsFile={}", in_config(known_hosts)))]);
    if let Some(key) = &bastion.key {
        words.extend(["-o".to_owned(), "IdentitiesOnly=yes".to_owned()]);
        words.extend(["-i".to_owned(), quoted(&key.display().to_string().replace('%', "%%"))]);
    }
    words.extend(["-p".to_owned(), bastion.port.to_string(), "-W".to_owned(), "[%h]:%p".to_owned()]);
    words.push(quoted(&format!("{}@{}", bastion.user, bastion.address)));
    words.join(" ")
}

/// A path as ssh's configuration reads it: `%` is a token there, and a space ends a word.
fn in_config(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(bastion: Option<Bastion>) -> Host {
        Host {
            address: "203.0.113.7".to_owned(),
            port: 2222,
            user: "admin".to_owned(),
            name: "i-0123".to_owned(),
            bastion,
        }
    }

    fn files() -> Files {
        let file = |name: &str| PathBuf::from("/state/a bake/100%").join(name);
        Files { key: file("key"), known_hosts: file("known"), control: file("c") }
    }

    #[test]
    fn a_person_gets_what_is_needed_and_no_more() {
        let command = for_a_person(&host(None), &files());
        assert_eq!(
            command,
            "ssh -o 'IdentityFile=\"/state/a bake/100%%/key\"' -o 'IdentitiesOnly=yes' -o 'HostKeyAlias=i-0123' \
             -o 'UserKnownHostsFile=\"/state/a bake/100%%/known\"' -p 2222 'admin@203.0.113.7'"
        );
    }

    #[test]
    fn a_bastion_is_gone_through_with_its_own_key() {
        let bastion =
            Bastion { address: "gate".to_owned(), port: 22, user: "ec2-user".to_owned(), key: Some("/k".into()) };
        let options = options(&host(Some(bastion)), &files());
        let proxy = options.iter().find(|option| option.starts_with("ProxyCommand=")).expect("a proxy");
        assert!(proxy.ends_with("-i '/k' -p 22 -W [%h]:%p 'ec2-user@gate'"), "{proxy}");
    }
}
