//! The play phase: the image's own `ansible-playbook` runs the baked play.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use ovenbird_core::block::Digest;

use crate::fault::Fault;
use crate::files::ensure_private_folder;
use crate::report::say_raw;
use crate::settings::Root;
use crate::spawn::Tool;
use crate::time::Deadline;

/// Runs the boot play to its end.
///
/// # Errors
/// When the image has none, it cannot be started, a task fails, or the deadline is over.
pub fn run_play(root: &Root, deadline: &Deadline) -> Result<(), Fault> {
    let folder = root.boot();
    let playbook = folder.join("playbook.yml");
    if !playbook.is_file() {
        return Err(Fault::lasting(format!("the image has no boot play at {}", playbook.display())));
    }
    let mut log = open_log(root)?;
    let mut tasks = TaskNames::default();
    let tool = Tool::new("ansible-playbook")
        .arg(&playbook)
        .in_folder(&folder)
        .env("ANSIBLE_CONFIG", folder.join("ansible.cfg"))
        .env("ANSIBLE_HOME", root.lib().join("ansible"))
        // "localhost" is implied; that there is no inventory is no news.
        .env("ANSIBLE_LOCALHOST_WARNING", "False")
        .env("ANSIBLE_INVENTORY_UNPARSED_WARNING", "False")
        // Where an inventory is looked for; a file there would turn the implied localhost into another one.
        .env("ANSIBLE_INVENTORY", "/dev/null")
        // Modules would write their arguments, parameters included, to the journal.
        .env("ANSIBLE_NO_TARGET_SYSLOG", "True")
        .env("ANSIBLE_RETRY_FILES_ENABLED", "False")
        .env("ANSIBLE_NOCOLOR", "True")
        .env("PYTHONUNBUFFERED", "1");
    let output = tool.run_showing(deadline, &mut |bytes| {
        // A full disk must not end the play.
        _ = log.write_all(bytes);
        say_raw(bytes);
        tasks.read(bytes);
    })?;
    let meaning = match output.code {
        Some(0) => return Ok(()),
        Some(2) => "a task failed",
        Some(4) => "the play could not be read, or its host not be reached",
        Some(1 | 5) => "ansible-playbook could not start the play",
        Some(250) => "ansible-playbook met an unexpected error",
        Some(_) => "ansible-playbook failed",
        None => "ansible-playbook was killed",
    };
    let task = tasks.last.map(|task| format!(" in the task \"{task}\"")).unwrap_or_default();
    Err(Fault::passing(format!("{meaning}{task}; its output is in {}", root.play_log().display())))
}

fn open_log(root: &Root) -> Result<File, Fault> {
    let path = root.play_log();
    let open = || {
        ensure_private_folder(path.parent().unwrap_or(&path))?;
        File::options().create(true).append(true).mode(0o600).open(&path)
    };
    open().map_err(|error| Fault::lasting(format!("cannot write {}: {error}", path.display())))
}

/// Follows Ansible's output for the name of the task that runs.
#[derive(Default)]
struct TaskNames {
    line: Vec<u8>,
    last: Option<String>,
}

impl TaskNames {
    fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte != b'\n' {
                // Only the start of a line counts.
                if self.line.len() < 300 {
                    self.line.push(*byte);
                }
                continue;
            }
            let line = String::from_utf8_lossy(&self.line);
            let name =
                ["TASK [", "RUNNING HANDLER ["].iter().find_map(|start| line.strip_prefix(start)?.rsplit_once(']'));
            if let Some((name, _)) = name {
                self.last = Some(name.chars().filter(|letter| !letter.is_control()).take(100).collect());
            }
            self.line.clear();
        }
    }
}

/// The digest of everything in the boot folder: names, contents, links. Another image has another play.
///
/// # Errors
/// When something in it cannot be read.
pub fn digest_of_play(root: &Root) -> Result<Digest, Fault> {
    let mut listing = Vec::new();
    let mut folders = vec![root.boot()];
    while let Some(folder) = folders.pop() {
        let unreadable = |error: std::io::Error| Fault::lasting(format!("cannot read {}: {error}", folder.display()));
        let entries =
            std::fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(unreadable)?;
        for entry in entries {
            let path = entry.path();
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() {
                folders.push(path);
            } else {
                let content = if kind.is_symlink() {
                    std::fs::read_link(&path).map(|target| target.into_os_string().into_encoded_bytes())
                } else {
                    std::fs::read(&path)
                };
                listing.push(format!("{} {}\n", path.display(), Digest::of(&content.map_err(unreadable)?)));
            }
        }
    }
    listing.sort();
    Ok(Digest::of(listing.concat().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_task_is_known_however_the_output_is_cut() {
        let text = b"PLAY [x] ***\n\nTASK [web : write [the] page] ****\nok: [localhost]\nfatal: TASK [no]\n";
        for cut in 0..text.len() {
            let mut tasks = TaskNames::default();
            tasks.read(&text[..cut]);
            tasks.read(&text[cut..]);
            assert_eq!(tasks.last.as_deref(), Some("web : write [the] page"));
        }
    }

    #[test]
    fn a_changed_file_is_another_play() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root(folder.path().to_owned());
        std::fs::create_dir_all(root.boot().join("templates")).unwrap();
        std::fs::write(root.boot().join("playbook.yml"), "[]").unwrap();
        std::fs::write(root.boot().join("templates/a"), "1").unwrap();
        let before = digest_of_play(&root).unwrap();
        assert_eq!(digest_of_play(&root).unwrap(), before);
        std::fs::write(root.boot().join("templates/a"), "2").unwrap();
        assert_ne!(digest_of_play(&root).unwrap(), before);
    }
}
