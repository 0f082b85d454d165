//! OpenSSH to an instance that was launched for a bake: one connection, which commands, files and Ansible share.
//!
//! The machine's own `ssh` does the work, so that ciphers, proxies and keys are what people know. Nothing of the user's
//! configuration is read: a bake must not depend on who runs it. The host's key is pinned at the first login.

mod error;
mod key;
mod login;
mod options;
mod transfer;

pub use error::SshError;
pub use key::KeyPair;
pub use login::Login;
pub use options::Bastion;
pub use options::Host;
pub use transfer::quoted;
