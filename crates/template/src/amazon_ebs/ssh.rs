//! How to log in to a launched instance. (packer-plugin-sdk, communicator/config.go)

use std::time::Duration;

use crate::fields::Fields;

/// How to log in to a launched instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// The user to log in as; where a direct bake has nobody logged in, the one that plays become by default.
    pub username: Option<String>,
    /// What proves who logs in.
    pub key: Key,
    /// Which address of the instance is used; `None`: the public one if there is one, else the private one.
    pub interface: Option<Interface>,
    /// A host instead of the instance's address.
    pub host: Option<String>,
    /// Port of the instance's sshd.
    pub port: u16,
    /// How long it may take until somebody can log in.
    pub timeout: Duration,
    /// How often the handshake may fail.
    pub handshake_attempts: u64,
    /// To wait after the instance runs, before the first connection.
    pub pause_before_connecting: Duration,
    /// Whether commands get a terminal.
    pub pty: bool,
    /// Whether the template asks that the bake's key be removed from the image. It always is.
    pub clear_authorized_keys: bool,
    /// Whether the instance may not use the agent of this machine.
    pub disable_agent_forwarding: bool,
    /// How often the connection says that it lives; zero: never.
    pub keep_alive_interval: Duration,
    /// How long a command may say nothing; zero: as long as it wants.
    pub read_write_timeout: Duration,
    /// Ciphers, as OpenSSH names them; empty: its own choice.
    pub ciphers: Vec<String>,
    /// Key exchanges, as OpenSSH names them; empty: its own choice.
    pub key_exchange_algorithms: Vec<String>,
    /// `scp` or `sftp`.
    pub file_transfer_method: Option<String>,
    /// The machine in between.
    pub bastion: Option<Bastion>,
    /// `PORT:HOST:PORT` of the instance that lead here.
    pub remote_tunnels: Vec<String>,
    /// `PORT:HOST:PORT` of this machine that lead to the instance.
    pub local_tunnels: Vec<String>,
    /// The local port of a session of Session Manager; `None`: one that is free.
    pub session_manager_port: Option<u16>,
}

/// What proves who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A key pair that lives as long as the bake.
    Temporary {
        /// Its name in EC2; `None`: the bake's.
        name: Option<String>,
        /// `ed25519` or `rsa`; `None`: ed25519.
        kind: Option<String>,
        /// Size of an RSA key in bits.
        bits: Option<u64>,
    },
    /// A private key of the user's.
    File {
        /// The file.
        path: String,
        /// A certificate with it.
        certificate: Option<String>,
        /// Name of the key pair in EC2; `None`: the image knows the key already.
        keypair: Option<String>,
    },
    /// The agent of this machine.
    Agent {
        /// Name of the key pair in EC2; `None`: the image knows the key already.
        keypair: Option<String>,
    },
}

/// Which address of the instance is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// The public IPv4 address.
    PublicIp,
    /// The private IPv4 address.
    PrivateIp,
    /// The public name.
    PublicDns,
    /// The private name.
    PrivateDns,
    /// The IPv6 address.
    Ipv6,
    /// None: Session Manager leads to it.
    SessionManager,
}

/// A machine between this one and the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bastion {
    /// Its name or address.
    pub host: String,
    /// Port of its sshd.
    pub port: u16,
    /// The user to log in as.
    pub username: Option<String>,
    /// Whether the agent of this machine logs in.
    pub agent_auth: bool,
    /// The private key.
    pub private_key_file: Option<String>,
    /// A certificate with it.
    pub certificate_file: Option<String>,
}

const INTERFACES: [(&str, Interface); 6] = [
    ("public_ip", Interface::PublicIp),
    ("private_ip", Interface::PrivateIp),
    ("public_dns", Interface::PublicDns),
    ("private_dns", Interface::PrivateDns),
    ("ipv6", Interface::Ipv6),
    ("session_manager", Interface::SessionManager),
];

pub(super) fn read(fields: &Fields<'_>) -> Ssh {
    let timeout = fields.duration("ssh_timeout").or_else(|| fields.duration("ssh_wait_timeout"));
    let interface = fields.one_of("ssh_interface", &INTERFACES.map(|(name, _)| name));
    Ssh {
        username: fields.text("ssh_username"),
        key: key(fields),
        interface: interface
            .and_then(|text| INTERFACES.iter().find(|(name, _)| *name == text).map(|(_, interface)| *interface)),
        host: fields.text("ssh_host"),
        port: port(fields, "ssh_port").unwrap_or(22),
        timeout: timeout.filter(|timeout| !timeout.is_zero()).unwrap_or(Duration::from_secs(300)),
        handshake_attempts: fields.count("ssh_handshake_attempts").filter(|count| *count > 0).unwrap_or(10),
        pause_before_connecting: fields.duration("pause_before_connecting").unwrap_or_default(),
        pty: fields.boolean("ssh_pty").unwrap_or(false),
        clear_authorized_keys: fields.boolean("ssh_clear_authorized_keys").unwrap_or(false),
        disable_agent_forwarding: fields.boolean("ssh_disable_agent_forwarding").unwrap_or(false),
        keep_alive_interval: fields.duration("ssh_keep_alive_interval").unwrap_or(Duration::from_secs(5)),
        read_write_timeout: fields.duration("ssh_read_write_timeout").unwrap_or_default(),
        ciphers: fields.texts("ssh_ciphers"),
        key_exchange_algorithms: fields.texts("ssh_key_exchange_algorithms"),
        file_transfer_method: fields.one_of("ssh_file_transfer_method", &["scp", "sftp"]),
        bastion: bastion(fields),
        remote_tunnels: fields.texts("ssh_remote_tunnels"),
        local_tunnels: fields.texts("ssh_local_tunnels"),
        session_manager_port: port(fields, "session_manager_port"),
    }
}

fn key(fields: &Fields<'_>) -> Key {
    let name = fields.text("temporary_key_pair_name");
    let kind = fields.one_of("temporary_key_pair_type", &["ed25519", "rsa"]);
    let bits = fields.count("temporary_key_pair_bits").filter(|bits| *bits > 0);
    let keypair = fields.text("ssh_keypair_name");
    let certificate = fields.text("ssh_certificate_file");
    match (fields.text("ssh_private_key_file"), fields.boolean("ssh_agent_auth")) {
        (Some(path), _) => Key::File { path, certificate, keypair },
        (None, Some(true)) => Key::Agent { keypair },
        (None, _) => {
            if let (Some(_), Some(node)) = (&keypair, fields.find("ssh_keypair_name")) {
                let help = "name its private key in `ssh_private_key_file`, or set `ssh_agent_auth`".to_owned();
                fields.findings.error(&node.span, "`ssh_keypair_name` names a key that nobody can use", Some(help));
            }
            Key::Temporary { name, kind, bits }
        }
    }
}

fn bastion(fields: &Fields<'_>) -> Option<Bastion> {
    let bastion = Bastion {
        host: String::new(),
        port: port(fields, "ssh_bastion_port").unwrap_or(22),
        username: fields.text("ssh_bastion_username"),
        agent_auth: fields.boolean("ssh_bastion_agent_auth").unwrap_or(false),
        private_key_file: fields.text("ssh_bastion_private_key_file"),
        certificate_file: fields.text("ssh_bastion_certificate_file"),
    };
    Some(Bastion { host: fields.text("ssh_bastion_host")?, ..bastion })
}

fn port(fields: &Fields<'_>, name: &str) -> Option<u16> {
    let number = fields.count(name).filter(|number| *number > 0)?;
    let port = u16::try_from(number).ok();
    if let (None, Some(node)) = (port, fields.find(name)) {
        fields.findings.error(&node.span, format!("`{name}` must be a port, this is `{number}`"), None);
    }
    port
}
