//! Sealing a running instance by the rules that a disk is sealed by: the same program, in a view of the root without mounts.
//!
//! What would write again when the instance stops is stopped first, so that what was found is what the image holds.

use std::path::Path;
use std::time::Duration;

use crate::error::BakeError;
use crate::error::working;
use crate::launch::firmware::ESP_KERNEL;
use crate::seal::Report;
use crate::ssh::Login;
use crate::ssh::quoted;

/// How long sealing may take: it reads every file.
const SEAL: Duration = Duration::from_secs(1800);

/// Runs as root with the program on its standard input. Where the firmware starts systemd-boot (see `ovenbird_disk::kernel`), the program is
/// told which kernel that boots; where that cannot be read, nothing is said of it. The mounts are seen by nobody else and go with it.
const SCRIPT: &str = r#"set -e
systemctl stop rsyslog.service systemd-random-seed.service systemd-update-utmp.service auditd.service 2>/dev/null || true
journalctl --relinquish-var 2>/dev/null || true
room=/run/ovenbird-seal
mkdir -p $room
exec unshare --mount --propagation private sh -c '
set -e
@ESP_KERNEL@
mount -t tmpfs -o mode=0700 tmpfs "$0"
cat > "$0/program"
chmod 0700 "$0/program"
mkdir "$0/root"
mount --bind / "$0/root"
mkdir "$0/esp"
kernel=$(esp_kernel / "$0/esp")
export OVENBIRD_ESP_KERNEL="$kernel"
exec "$0/program" "$0/root" "$@"' $room"#;

/// Seals the instance, without the bake's public `keys`, and answers what its root holds.
///
/// # Errors
/// Where the program is not for the instance's architecture, or what the instance said.
pub(crate) fn seal_instance(
    login: &Login,
    program: &Path,
    architecture: &str,
    keys: &[String],
) -> Result<Report, BakeError> {
    let doing = format!("seal {}", login.host().name);
    verify_architecture(program, architecture)?;
    let file = fs_err::File::open(program).map_err(working(&doing))?;
    let keys: String = keys.iter().map(|key| format!(" {}", quoted(key))).collect();
    let output = login
        .command_as_root(&doing, &format!("{}{keys}", SCRIPT.replace("@ESP_KERNEL@", ESP_KERNEL)))
        .stdin_file(file.into_file())
        .deadline(SEAL)
        .run()
        .map_err(|error| if error.is_interrupted() { BakeError::Interrupted } else { working(&doing)(error) })?;
    serde_json::from_slice(&output.stdout).map_err(working(doing))
}

/// ELF's numbers of machines, by EC2's names of architectures. (ELF specification, `e_machine`)
const MACHINES: [(&str, [u8; 2]); 2] = [("x86_64", [0x3e, 0]), ("arm64", [0xb7, 0])];

fn verify_architecture(program: &Path, architecture: &str) -> Result<(), BakeError> {
    let start = fs_err::read(program).map_err(working("read the program that seals instances"))?;
    let machine = start.get(18..20).unwrap_or_default();
    let built_for = MACHINES.iter().find(|(_, number)| number == machine).map_or("another machine", |(name, _)| name);
    if built_for == architecture {
        return Ok(());
    }
    Err(BakeError::Unsupported(format!(
        "{} is built for {built_for}, and the image is {architecture}: build `ovenbird-agent` and `ovenbird-seal` for it, \
         and let OVENBIRD_AGENT name the agent",
        program.display()
    )))
}
