//! The key of one bake: made on this machine, so that no private key ever travels.

use std::path::Path;
use std::path::PathBuf;

use ovenbird_disk::tool::Tool;

use super::SshError;

/// An ed25519 key pair in two files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// The private key's file, which only its owner can read.
    pub private: PathBuf,
    /// The public key as `authorized_keys` has it: type, body, and the bake's id as its comment.
    pub public: String,
}

impl KeyPair {
    /// The key pair in `folder`; made if it is not there. `comment` tells it from other keys of an instance.
    ///
    /// # Errors
    /// Where `ssh-keygen` is missing, or the folder cannot be written to.
    pub fn ensure(folder: &Path, comment: &str) -> Result<Self, SshError> {
        let private = folder.join("id_ed25519");
        let public = private.with_extension("pub");
        if !public.is_file() {
            fs_err::create_dir_all(folder).map_err(SshError::file("make the bake's key"))?;
            // Half a pair is none: ssh-keygen would ask whether to overwrite it.
            _ = fs_err::remove_file(&private);
            Tool::new("ssh-keygen")
                .doing("make the bake's key")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"])
                .arg(&private)
                .run()?;
        }
        let public = fs_err::read_to_string(&public).map_err(SshError::file("read the bake's key"))?;
        Ok(Self { private, public: public.trim().to_owned() })
    }

    /// Type and body, which is what a key is; the comment may differ from place to place.
    #[must_use]
    pub fn body(&self) -> String {
        self.public.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn is_made_once_and_is_its_owners() {
        let dir = tempfile::tempdir().expect("a folder");
        let pair = KeyPair::ensure(dir.path(), "bake-1").expect("a key");
        assert!(pair.public.starts_with("ssh-ed25519 ") && pair.public.ends_with(" bake-1"), "{}", pair.public);
        assert!(!pair.body().contains("bake-1"));
        assert_eq!(fs_err::metadata(&pair.private).expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(KeyPair::ensure(dir.path(), "bake-1").expect("the same key"), pair);
        fs_err::remove_file(pair.private.with_extension("pub")).expect("removed");
        assert_ne!(KeyPair::ensure(dir.path(), "bake-1").expect("another key").body(), pair.body());
    }
}
