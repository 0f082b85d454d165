//! Keys of key pairs. `ssh-keygen` makes and reads them: it is the reference of both formats, and it is on every machine
//! that logs in to instances.

use std::time::Duration;

use data_encoding::BASE64;
use data_encoding::HEXLOWER;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::tool::ToolError;
use sha1::Digest as _;
use sha1::Sha1;

use crate::failure::Answer;
use crate::failure::Failure;

/// A new key pair.
pub(crate) struct NewKey {
    /// PEM (RSA) or OpenSSH (ED25519).
    pub(crate) private: String,
    /// Type and base64.
    pub(crate) public: String,
    /// As EC2 shows it for keys that it made.
    pub(crate) fingerprint: String,
}

/// A public key that was brought along.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    /// `rsa` or `ed25519`.
    pub(crate) kind: &'static str,
    /// Type and base64.
    pub(crate) text: String,
    /// As EC2 shows it for keys that were imported.
    pub(crate) fingerprint: String,
}

/// Makes a key: 2048 bits of RSA, or ED25519.
pub(crate) fn make(kind: &str) -> Answer<NewKey> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("key");
    let form: &[&str] = if kind == "rsa" { &["-t", "rsa", "-b", "2048", "-m", "PEM"] } else { &["-t", "ed25519"] };
    keygen("make a key pair").args(["-q", "-N", "", "-C", "", "-f"]).arg(&file).args(form).run().map_err(failed)?;
    let private = fs_err::read_to_string(&file)?;
    let public = two_words(&fs_err::read_to_string(file.with_extension("pub"))?);
    let fingerprint =
        if kind == "rsa" { fingerprint_of_private(&private)? } else { fingerprint_of_public(&public, "sha256")? };
    Ok(NewKey { private, public, fingerprint })
}

/// Reads an OpenSSH public key; `None` where it is none, or of a type that EC2 does not take.
pub(crate) fn read_public(text: &str) -> Answer<Option<PublicKey>> {
    let (kind, digest) = match text.split_whitespace().next() {
        Some("ssh-rsa") => ("rsa", "md5"),
        Some("ssh-ed25519") => ("ed25519", "sha256"),
        _ => return Ok(None),
    };
    let text = two_words(text);
    // A key that ssh-keygen cannot read has no fingerprint.
    let Ok(fingerprint) = fingerprint_of_public(&text, digest) else { return Ok(None) };
    Ok(Some(PublicKey { kind, text, fingerprint }))
}

fn keygen(doing: &str) -> Tool {
    Tool::new("ssh-keygen").doing(doing).deadline(Duration::from_secs(30))
}

fn failed(error: ToolError) -> Failure {
    Failure::internal("use ssh-keygen", error)
}

fn two_words(key: &str) -> String {
    key.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// `2048 MD5:aa:bb… no comment (RSA)` is `aa:bb…`.
fn fingerprint_of_public(public: &str, digest: &str) -> Answer<String> {
    let shown = keygen("read a public key").args(["-l", "-E", digest, "-f", "-"]).stdin_bytes(format!("{public}\n"));
    let shown = shown.run().map_err(failed)?.text();
    let second = shown.split_whitespace().nth(1).unwrap_or_default();
    Ok(second.split_once(':').map(|(_, hash)| hash.to_owned()).unwrap_or_default())
}

/// SHA-1 of the private key in PKCS#8's DER form, which wraps the PEM's own (EC2 user guide, "Verify the fingerprint of
/// your key pair").
fn fingerprint_of_private(pem: &str) -> Answer<String> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pkcs1 =
        BASE64.decode(body.as_bytes()).map_err(|error| Failure::internal("read the key of ssh-keygen", error))?;
    // Version 0, and the algorithm: rsaEncryption without parameters.
    const HEAD: [u8; 18] = [2, 1, 0, 0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let mut inner = HEAD.to_vec();
    inner.push(4);
    push_with_length(&mut inner, &pkcs1);
    let mut der = vec![0x30];
    push_with_length(&mut der, &inner);
    let digest = HEXLOWER.encode(&Sha1::digest(&der));
    let pairs: Vec<&str> = (0..digest.len()).step_by(2).map(|at| &digest[at..at + 2]).collect();
    Ok(pairs.join(":"))
}

/// DER's length, in two bytes as keys of 2048 bits need them, and the content.
fn push_with_length(der: &mut Vec<u8>, content: &[u8]) {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    der.push(0x82);
    der.extend(length.to_be_bytes());
    der.extend(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_keys_are_read_back() {
        for kind in ["rsa", "ed25519"] {
            let made = make(kind).expect("made");
            let read = read_public(&format!("{} somebody@somewhere\n", made.public)).expect("asked").expect("read");
            assert_eq!((read.kind, &read.text), (kind, &made.public));
            assert_eq!(read.fingerprint == made.fingerprint, kind == "ed25519", "{}", read.fingerprint);
        }
    }

    #[test]
    fn rsa_keys_are_pem_with_a_sha1_fingerprint_and_imported_ones_have_an_md5() {
        let made = make("rsa").expect("made");
        assert!(made.private.starts_with("-----BEGIN RSA PRIVATE KEY-----"), "{}", &made.private[..40]);
        assert_eq!(made.fingerprint.split(':').count(), 20, "{}", made.fingerprint);
        let imported = read_public(&made.public).expect("asked").expect("read");
        assert_eq!(imported.fingerprint.split(':').count(), 16, "{}", imported.fingerprint);
    }

    #[test]
    fn other_texts_are_no_keys() {
        for text in ["", "ssh-rsa", "ssh-rsa AAAA", "ssh-dss AAAAB3NzaC1kc3M= x", "-----BEGIN PUBLIC KEY-----"] {
            assert_eq!(read_public(text).expect("asked"), None, "{text}");
        }
    }
}
