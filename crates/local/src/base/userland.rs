//! The packages, unpacked and configured: a tar that is kept.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use fs_err as fs;
use ovenbird_core::block::Digest;
use ovenbird_disk::tool::Line;
use ovenbird_disk::tool::Tool;

use super::BaseError;
use super::Phase;
use super::Reuse;
use super::configuration;
use super::io_error;

/// What a base is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasePlan {
    /// The release: `bookworm`.
    pub suite: String,
    /// Where it and its updates come from.
    pub mirror: String,
    /// Where its security updates come from.
    pub security_mirror: String,
    /// The packages asked for; what they depend on comes with them, what they recommend does not.
    pub packages: Vec<String>,
}

impl BasePlan {
    /// Debian 12 for a virtual machine of EC2: what boots it, what lets people in, what Ansible needs, and no more.
    #[must_use]
    pub fn debian_12() -> Self {
        const PACKAGES: [&str; 19] = [
            "linux-image-cloud-amd64",
            "systemd",
            "systemd-sysv",
            "systemd-resolved",
            "systemd-timesyncd",
            "libpam-systemd",
            "dbus",
            "udev",
            "netbase",
            "iproute2",
            "e2fsprogs",
            "ca-certificates",
            "cloud-init",
            "cloud-guest-utils", // growpart; only recommended by cloud-init
            "openssh-server",
            "sudo",
            "python3",
            "python3-apt",   // Ansible's apt module would install it in every bake
            "usr-is-merged", // instead of usrmerge, which brings 45 MiB of Perl
        ];
        Self {
            suite: "bookworm".to_owned(),
            mirror: "http://deb.debian.org/debian".to_owned(),
            security_mirror: "http://deb.debian.org/debian-security".to_owned(),
            packages: PACKAGES.map(str::to_owned).to_vec(),
        }
    }

    /// The lines of `sources.list`, for the build and for the image.
    #[must_use]
    pub fn sources(&self) -> [String; 3] {
        let Self { suite, mirror, security_mirror, .. } = self;
        [
            format!("deb {mirror} {suite} main"),
            format!("deb {mirror} {suite}-updates main"),
            format!("deb {security_mirror} {suite}-security main"),
        ]
    }

    /// Names what the cache keeps: changes with every input of the packages' unpacking.
    #[must_use]
    pub fn key(&self) -> String {
        let inputs =
            [self.sources().join("\n"), self.packages.join("\n"), configuration::DPKG.to_owned(), HOOK.to_owned()];
        format!("{}-{}", self.suite, &Digest::of(inputs.join("\n\n").as_bytes()).hex()[..16])
    }
}

/// Where the packages' files are.
pub(super) struct Userland {
    pub(super) tar: PathBuf,
    /// When the newest of its archives was published, in seconds since 1970.
    pub(super) epoch: u64,
    pub(super) is_from_cache: bool,
}

/// Notes when each archive's index was signed, while the package lists are still there.
const HOOK: &str =
    r#"for list in "$1"/var/lib/apt/lists/*InRelease; do date --date="$(sed -n 's/^Date: //p' "$list")" +%s; done > "#;

/// Lays `/bin`, `/lib` and `/sbin` out as links before the first package, so that usrmerge is not needed.
const MERGED_USR: &str = "/usr/share/mmdebstrap/hooks/merged-usr";

/// How long archives on a slow line may take.
const DEADLINE: Duration = Duration::from_secs(30 * 60);

/// Where the plan's packages are kept, and the dates of their archives.
fn paths(plan: &BasePlan, cache: &Path) -> [PathBuf; 2] {
    ["tar", "epoch"].map(|ending| cache.join(format!("{}.{ending}", plan.key())))
}

/// The tar of the plan's packages, if the cache has it.
pub(super) fn find(plan: &BasePlan, cache: &Path) -> Result<Option<Userland>, BaseError> {
    let [tar, dated] = paths(plan, cache);
    if !tar.exists() || !dated.exists() {
        return Ok(None);
    }
    let dates = fs::read_to_string(&dated).map_err(io_error("read the date of the package archives"))?;
    let epoch = dates.lines().filter_map(|line| line.parse().ok()).max();
    let epoch = epoch.ok_or_else(|| BaseError::NotBootable(format!("{} holds no date", dated.display())))?;
    Ok(Some(Userland { tar, epoch, is_from_cache: true }))
}

/// The tar of the plan's packages, from the cache or by mmdebstrap.
pub(super) fn ensure(
    plan: &BasePlan,
    cache: &Path,
    reuse: Reuse,
    work: &Path,
    progress: &mut dyn FnMut(Phase),
) -> Result<Userland, BaseError> {
    if reuse != Reuse::Nothing
        && let Some(kept) = find(plan, cache)?
    {
        progress(Phase::ReusePackages);
        return Ok(kept);
    }
    let (new_tar, new_dated) = (work.join("packages.tar"), work.join("epoch"));
    install(plan, &new_tar, &new_dated, work, progress)?;
    let [tar, dated] = paths(plan, cache);
    // A build that is ended between the two finds no tar, and fetches anew.
    let remove_old = if tar.exists() { fs::remove_file(&tar) } else { Ok(()) };
    let kept = remove_old.and_then(|()| fs::rename(&new_dated, &dated)).and_then(|()| fs::rename(&new_tar, &tar));
    kept.map_err(io_error("keep the packages in the cache"))?;
    let fetched = find(plan, cache)?;
    let fetched = fetched.ok_or_else(|| BaseError::NotBootable(format!("{} is gone", tar.display())))?;
    Ok(Userland { is_from_cache: false, ..fetched })
}

fn install(
    plan: &BasePlan,
    tar: &Path,
    dated: &Path,
    work: &Path,
    progress: &mut dyn FnMut(Phase),
) -> Result<(), BaseError> {
    let options = list_host_apt_options()?;
    // Namespaces of its own, since mmdebstrap mounts /proc and /dev and starts many processes: whatever ends it ends them all.
    Tool::new("unshare")
        .doing(format!("install the packages of {} with mmdebstrap", plan.suite))
        .args(["--mount", "--propagation=private", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"])
        .args(["mmdebstrap", "--mode=root", "--variant=apt", "--architectures=amd64", "--format=tar"])
        .arg(format!("--hook-dir={MERGED_USR}"))
        .arg(format!("--include={}", plan.packages.join(",")))
        .arg(r#"--aptopt=APT::Install-Recommends "false""#)
        .args(options.iter().map(|option| format!("--aptopt={option}")))
        .arg("--dpkgopt=force-unsafe-io")
        .args(
            configuration::DPKG
                .lines()
                .filter(|line| line.starts_with("path-"))
                .map(|line| format!("--dpkgopt={line}")),
        )
        .arg(format!("--customize-hook={HOOK}'{}'", dated.display()))
        .arg(&plan.suite)
        .arg(tar)
        .args(plan.sources())
        .env("TMPDIR", work)
        .deadline(DEADLINE)
        .run_lines(|line| {
            if let Line::Err(line) = line
                && let Some(phase) = phase_of(line)
            {
                progress(phase);
            }
        })?;
    Ok(())
}

/// What mmdebstrap's own lines mean.
fn phase_of(line: &str) -> Option<Phase> {
    Some(match line.strip_prefix("I: ")? {
        line if line.starts_with("running apt-get update") => Phase::FetchLists,
        line if line.starts_with("downloading packages") => Phase::FetchPackages,
        line if line.starts_with("extracting archives") => Phase::InstallPackages,
        _ => return None,
    })
}

/// How this machine reaches package archives (proxies, certificates, relaxed dates), which mmdebstrap does not inherit.
fn list_host_apt_options() -> Result<Vec<String>, BaseError> {
    let dump = Tool::new("apt-config").doing("ask how this machine reaches package archives").args(["dump", "Acquire"]);
    let dump = dump.run()?.text();
    Ok(dump.lines().filter(|line| is_about_reaching_archives(line)).map(str::to_owned).collect())
}

fn is_about_reaching_archives(line: &str) -> bool {
    const WORDS: [&str; 6] = ["::proxy", "::cainfo", "::verify-", "::check-", "::retries", "::timeout"];
    let (name, value) = line.split_once(' ').unwrap_or_default();
    let name = name.to_ascii_lowercase();
    value != "\"\";" && WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_follows_every_input() {
        let plan = BasePlan::debian_12();
        let mut keys = vec![plan.key(), BasePlan { mirror: "http://elsewhere/debian".into(), ..plan.clone() }.key()];
        keys.push(BasePlan { suite: "trixie".into(), ..plan.clone() }.key());
        keys.push(BasePlan { security_mirror: "http://elsewhere/security".into(), ..plan.clone() }.key());
        keys.push(BasePlan { packages: plan.packages[1..].to_vec(), ..plan.clone() }.key());
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 5);
        assert_eq!(plan.key(), BasePlan::debian_12().key());
    }

    #[test]
    fn only_the_way_to_the_archives_comes_from_the_host() {
        let taken = |line| is_about_reaching_archives(line);
        assert!(taken("Acquire::http::Proxy \"http://10.0.0.1:3142\";"));
        assert!(taken("Acquire::https::CAInfo \"/etc/ssl/own.pem\";"));
        assert!(taken("Acquire::Check-Valid-Until \"false\";"));
        assert!(!taken("Acquire::http::Proxy \"\";"));
        assert!(!taken("Acquire::GzipIndexes \"true\";"));
        assert!(!taken("Acquire \"\";"));
    }

    #[test]
    fn progress_is_read_from_mmdebstraps_lines() {
        assert_eq!(phase_of("I: downloading packages with apt..."), Some(Phase::FetchPackages));
        assert_eq!(phase_of("I: success in 1.0 seconds"), None);
        assert_eq!(phase_of("W: downloading packages"), None);
    }
}
