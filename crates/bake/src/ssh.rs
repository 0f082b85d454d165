//! OpenSSH to an instance that was launched for a bake: one connection, which commands, files and Ansible share.
//!
//! The machine's own `ssh` does the work, so that ciphers, proxies and keys are what people know. Nothing of the user's
//! configuration is read: a bake must not depend on who runs it. The host's key is pinned at the first login.

mod error;
mod key;
mod login;
mod options;

pub use error::SshError;
pub use key::KeyPair;
pub use login::Login;
pub(crate) use login::undo_socket_folder;
pub use options::Bastion;
pub use options::Host;

/// One word for a POSIX shell, whatever is in it.
#[must_use]
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
