//! The bake's own key, which cloud-init has put into the homes of an instance.

use std::io;
use std::path::Path;

use crate::root::Root;
use crate::rules::homes;

/// Takes the key (`ssh-ed25519 AAAA…`, without its comment) out of every `authorized_keys`; a file with nothing else in it goes.
///
/// # Errors
/// When one of them cannot be read or written.
pub fn remove_key(root: &Path, key: &str) -> io::Result<()> {
    let root = Root::open(root)?;
    for home in homes(&root)? {
        let file = home.join(".ssh/authorized_keys");
        let Some(content) = root.read(&file)? else { continue };
        let text = String::from_utf8_lossy(&content);
        // cloud-init puts options before root's key, so the line need not begin with it.
        let kept: String = text.split_inclusive('\n').filter(|line| !line.contains(key)).collect();
        if kept.trim().is_empty() {
            root.remove(&file)?;
        } else {
            root.rewrite(&file, kept.as_bytes())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bakes_key_goes() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = |home: &str| dir.path().join(home).join(".ssh/authorized_keys");
        for (home, text) in [
            ("root", "no-pty,command=\"echo no\" ssh-ed25519 AAAAours bake-1\n"),
            ("home/ada", "ssh-ed25519 AAAAhers ada\nssh-ed25519 AAAAours bake-1\n"),
            ("home/bob", "ssh-ed25519 AAAAhis bob\n"),
        ] {
            fs_err::create_dir_all(file(home).parent().expect("a parent")).expect("made");
            fs_err::write(file(home), text).expect("written");
        }
        remove_key(dir.path(), "ssh-ed25519 AAAAours").expect("removed");
        assert!(!file("root").exists());
        assert_eq!(fs_err::read_to_string(file("home/ada")).expect("read"), "ssh-ed25519 AAAAhers ada\n");
        assert_eq!(fs_err::read_to_string(file("home/bob")).expect("read"), "ssh-ed25519 AAAAhis bob\n");
    }
}
