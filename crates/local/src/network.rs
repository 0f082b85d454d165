//! The network of an instance: a namespace of its own, and a router between it and this machine.
//!
//! ```text
//!   this machine               ROUTER namespace                 the instance's namespace
//!   obv… 169.254.250.1 ------- outer 169.254.250.2
//!                              inner 169.254.169.254 ---------- eth0 172.31.x.y
//! ```
//!
//! As on EC2, the metadata service answers on the router, where a server of the instance's own that takes port 80 is not
//! in its way. The instance reaches the router and this machine's end of the wire, and nothing else: without another
//! route, everything is refused at once instead of being waited for. No address of this machine changes, so that it may
//! itself be an EC2 instance with a metadata service on 169.254.169.254.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use fs_err as fs;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::tool::ToolError;
use rustix::thread::LinkNameSpaceType;
use sha2::Digest as _;
use sha2::Sha256;

/// Where `ip netns` keeps namespaces.
const NAMESPACES: &str = "/run/netns";
/// Every namespace that belongs to the embedded EC2 begins so.
const OURS: &str = "ob-";
/// The end of a router's name.
const ROUTER: &str = "-router";

/// What can go wrong with an instance's network.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// `ip` failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The namespace cannot be entered, or what was to be done in it failed.
    #[error("could not {doing} in the network namespace {namespace}")]
    Inside {
        /// What was being done.
        doing: &'static str,
        /// The namespace.
        namespace: String,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}

/// The network of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Name of the instance's namespace; begins with `ob-`.
    pub namespace: String,
    /// Address of `eth0`.
    pub private_ip: Ipv4Addr,
    /// Ethernet address of `eth0`.
    pub mac: String,
}

impl Network {
    /// Name of the namespace where the metadata service listens.
    #[must_use]
    pub fn router(&self) -> String {
        format!("{}{ROUTER}", self.namespace)
    }

    /// Makes what is missing of it. Afterwards `eth0` can be reached from this machine.
    ///
    /// # Errors
    /// [`NetworkError`]; what was made stays, until [`undo`].
    pub fn ensure(&self) -> Result<(), NetworkError> {
        let (inside, router, wire) = (&self.namespace, self.router(), wire(&self.namespace));
        let doing = format!("set up the network namespace {inside}");
        ensure_namespace(inside, &doing)?;
        ensure_namespace(&router, &doing)?;
        if !Path::new("/sys/class/net").join(&wire).exists() {
            ip(&doing).args(["link", "add", &wire, "type", "veth", "peer", "name", "outer", "netns", &router]).run()?;
        }
        // Refused where the pair is there already; if it failed for another reason, the next step says so.
        _ = ip(&doing)
            .args(["-n", &router, "link", "add", "inner", "type", "veth", "peer", "name", "eth0", "netns", inside])
            .run();
        ip_batch(&doing, &router, &self.router_steps())?;
        ip_batch(&doing, inside, &self.inside_steps())?;
        run_in(&router, "let packets pass", || fs::write("/proc/sys/net/ipv4/ip_forward", "1"))?;
        let ip_address = self.private_ip;
        ip(&doing)
            .args(["-batch", "-"])
            .stdin_bytes(format!(
                "address replace 169.254.250.1/32 dev {wire}\n\
                 link set dev {wire} up\n\
                 route replace {ip_address}/32 via 169.254.250.2 dev {wire} onlink src 169.254.250.1\n"
            ))
            .run()?;
        Ok(())
    }

    /// Sends what the instance has for others to its router, which must know a way on.
    ///
    /// # Errors
    /// [`NetworkError::Tool`].
    pub fn ensure_default_route(&self) -> Result<(), NetworkError> {
        let doing = format!("give {} a default route", self.namespace);
        Ok(ip_batch(&doing, &self.namespace, "route replace default via 169.254.169.254 dev eth0\n")?)
    }

    fn router_steps(&self) -> String {
        format!(
            "link set dev lo up\n\
             address replace 169.254.250.2/32 dev outer\n\
             link set dev outer up\n\
             address replace 169.254.169.254/32 dev inner\n\
             link set dev inner up\n\
             route replace 169.254.250.1/32 dev outer\n\
             route replace {}/32 dev inner\n",
            self.private_ip
        )
    }

    fn inside_steps(&self) -> String {
        format!(
            "link set dev lo up\n\
             link set dev eth0 address {}\n\
             link set dev eth0 up\n\
             address replace {}/32 dev eth0\n\
             route replace 169.254.169.254/32 dev eth0\n\
             route replace 169.254.250.1/32 via 169.254.169.254 dev eth0\n",
            self.mac, self.private_ip
        )
    }
}

/// Removes the instance's namespace, its router and its wire. Repeatable.
///
/// # Errors
/// [`NetworkError::Tool`] when something of it is there and cannot be removed.
pub fn undo(namespace: &str) -> Result<(), NetworkError> {
    let doing = format!("remove the network namespace {namespace}");
    let wire = wire(namespace);
    if Path::new("/sys/class/net").join(&wire).exists() {
        ip(&doing).args(["link", "delete", "dev", &wire]).even_if_interrupted().run()?;
    }
    for namespace in [namespace, &format!("{namespace}{ROUTER}")] {
        if exists(namespace) {
            ip(&doing).args(["netns", "delete", namespace]).even_if_interrupted().run()?;
        }
    }
    Ok(())
}

/// The instances' namespaces on this machine, sorted; one whose router alone is left counts too.
#[must_use]
pub fn list_ours() -> Vec<String> {
    let entries = fs::read_dir(NAMESPACES).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut ours: Vec<String> = names
        .filter(|name| name.starts_with(OURS))
        .map(|name| name.strip_suffix(ROUTER).unwrap_or(&name).to_owned())
        .collect();
    ours.sort();
    ours.dedup();
    ours
}

/// Runs `work` in a thread of its own inside the namespace: what it opens there (a listener, say) stays there.
///
/// # Errors
/// [`NetworkError::Inside`] when the namespace cannot be entered, or `work` fails.
pub fn run_in<T: Send>(
    namespace: &str,
    doing: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> Result<T, NetworkError> {
    let inside = || {
        let file = fs::File::open(Path::new(NAMESPACES).join(namespace))?;
        let kind = Some(LinkNameSpaceType::Network);
        rustix::thread::move_into_link_name_space(std::os::fd::AsFd::as_fd(&file), kind)?;
        work()
    };
    // The thread ends here, so no other work ever runs in the namespace.
    let result = std::thread::scope(|scope| scope.spawn(inside).join());
    let result = result.unwrap_or_else(|_| Err(io::Error::other("the thread panicked")));
    result.map_err(|source| NetworkError::Inside { doing, namespace: namespace.to_owned(), source })
}

/// Name of this machine's end of the wire: 15 characters are all that Linux allows.
fn wire(namespace: &str) -> String {
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(namespace));
    format!("obv{}", &digest[..12])
}

fn exists(namespace: &str) -> bool {
    Path::new(NAMESPACES).join(namespace).exists()
}

fn ensure_namespace(name: &str, doing: &str) -> Result<(), ToolError> {
    if !exists(name) {
        ip(doing).args(["netns", "add", name]).run()?;
    }
    Ok(())
}

fn ip(doing: &str) -> Tool {
    Tool::new("ip").doing(doing).deadline(std::time::Duration::from_secs(20))
}

fn ip_batch(doing: &str, namespace: &str, steps: &str) -> Result<(), ToolError> {
    ip(doing).args(["-n", namespace, "-batch", "-"]).stdin_bytes(steps).run().map(drop)
}
