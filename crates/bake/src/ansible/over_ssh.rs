//! A play against a launched instance: Ansible's own `ssh` connection, over the login that is there. Never a proxy, which makes
//! plays five to ten times slower (packer.md 2.3).

use std::path::Path;
use std::time::Instant;

use fs_err as fs;
use ovenbird_disk::tool::Tool;

use super::Config;
use super::Course;
use super::Event;
use super::Log;
use super::Playbook;
use super::PlaybookError;
use super::PlaybookOutcome;
use super::command;
use super::inventory;
use super::outcome;
use super::write_events_plugin;
use crate::sandbox::BAKE_VARIABLE;
use crate::ssh::Login;
use crate::ssh::quoted;

/// Runs a playbook against the instance, as Packer's `ansible` provisioner does with `use_proxy: false`.
///
/// `work` receives the inventory, the log (`ansible.log`, appended to) and Ansible's temporary files.
///
/// # Errors
/// [`PlaybookError`], which names the failed task, its place, what the module said, and the log.
pub(crate) fn run_playbook_over_ssh(
    login: &Login,
    playbook: &Playbook,
    work: &Path,
    on_event: &mut dyn FnMut(Event),
) -> Result<PlaybookOutcome, PlaybookError> {
    let started = Instant::now();
    let config = Config::read(&playbook.directory, &playbook.env)?;
    write_inputs(login, playbook, work)?;
    let mut log = Log::append(&work.join("ansible.log"), &playbook.secrets)?;
    let mut course = Course::default();
    let tool = with_login(command(playbook, &config, work), login);
    log.line(&format!("$ {tool}"));
    let ended = tool.run_lines(|line| course.follow(line, &mut log, on_event));
    outcome(ended, course, playbook, log, started)
}

/// The host's key is checked, against the one that the first login pinned.
fn with_login(tool: Tool, login: &Login) -> Tool {
    // The first is `-F`, without quotes: Ansible would take those at both ends of the text away.
    let word = |option: String| if option.contains(['"', ' ', '\'']) { quoted(&option) } else { option };
    let options: Vec<String> = login.options().into_iter().map(word).collect();
    tool.env(BAKE_VARIABLE, login.bake())
        .env("ANSIBLE_HOST_KEY_CHECKING", "1")
        .env("ANSIBLE_SSH_ARGS", options.join(" "))
        // A connection that breaks once is no reason to fail a bake.
        .env("ANSIBLE_SSH_RETRIES", "2")
        // Piped like our own files: the image needs neither scp nor an SFTP server.
        .env("ANSIBLE_SSH_TRANSFER_METHOD", "piped")
}

fn write_inputs(login: &Login, playbook: &Playbook, work: &Path) -> std::io::Result<()> {
    write_events_plugin(work)?;
    let host = login.host();
    let variables = format!(
        "ansible_connection=ssh ansible_host={} ansible_port={} ansible_user={} ansible_ssh_private_key_file={} \
         ansible_python_interpreter=auto_silent",
        host.address,
        host.port,
        host.user,
        quoted(&login.key().display().to_string()),
    );
    fs::write(inventory(work), playbook.inventory_of(&variables))
}
