//! The endpoint's secret, and what is derived from it: keys, and tokens that nobody else can make.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use aws_sigv4::sign::v4::calculate_signature;
use data_encoding::BASE32_NOPAD;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::Answer;
use crate::failure::Failure;
use crate::ids::random_bytes;

/// 32 random bytes of the state folder; everything that the endpoint must recognise later is derived from them.
#[derive(Clone)]
pub(crate) struct Secret {
    bytes: Vec<u8>,
}

impl Secret {
    /// The secret in `file`, made (mode 0600) where there is none.
    pub(crate) fn ensure(file: &Path) -> Answer<Self> {
        if let Some(secret) = Self::find(file)? {
            return Ok(secret);
        }
        let partial = file.with_extension(format!("{}.partial", std::process::id()));
        let mut opened = fs_err::OpenOptions::new();
        opened.create(true).truncate(true).write(true);
        opened.options_mut().mode(0o600);
        let mut written = opened.open(&partial)?;
        std::io::Write::write_all(&mut written, &random_bytes::<32>()?)?;
        written.sync_all()?;
        // Linking never replaces: of two processes that make one at the same time, the first wins.
        let linked = fs_err::hard_link(&partial, file);
        fs_err::remove_file(&partial)?;
        match (Self::find(file)?, linked) {
            (Some(secret), _) => Ok(secret),
            (None, Err(error)) => Err(error.into()),
            (None, Ok(())) => {
                Err(Failure::internal("make the endpoint's secret", format!("{} is damaged", file.display())))
            }
        }
    }

    /// The secret in `file`, where there is one.
    pub(crate) fn find(file: &Path) -> Answer<Option<Self>> {
        match fs_err::read(file) {
            Ok(bytes) if bytes.len() == 32 => Ok(Some(Self { bytes })),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// HMAC-SHA256 of `text` for one purpose, in hex.
    pub(crate) fn mac(&self, purpose: &str, text: &str) -> String {
        calculate_signature(&self.bytes, format!("{purpose}\0{text}").as_bytes())
    }

    /// `letters` characters of `A-Z2-7` for one purpose; the alphabet of access key ids.
    pub(crate) fn letters(&self, purpose: &str, text: &str, letters: usize) -> String {
        BASE32_NOPAD.encode(self.mac(purpose, text).as_bytes())[..letters].to_owned()
    }

    /// `value` as an opaque token that only this endpoint can make.
    pub(crate) fn seal<T: Serialize>(&self, purpose: &str, value: &T, expires: Timestamp) -> Answer<String> {
        let body = serde_json::to_string(&(value, expires.as_second()))
            .map_err(|error| Failure::internal("write a token", error))?;
        let mac = self.mac(purpose, &body);
        Ok(BASE64URL_NOPAD.encode(format!("{}{body}", &mac[..32]).as_bytes()))
    }

    /// Reads a token of [`Self::seal`].
    pub(crate) fn open<T: DeserializeOwned>(&self, purpose: &str, token: &str, now: Timestamp) -> Result<T, Unsealed> {
        let text = BASE64URL_NOPAD.decode(token.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or(Unsealed::Foreign)?;
        let (mac, body) = text.split_at_checked(32).ok_or(Unsealed::Foreign)?;
        if !is_same(mac, &self.mac(purpose, body)[..32]) {
            return Err(Unsealed::Foreign);
        }
        let (value, expires): (T, i64) = serde_json::from_str(body).map_err(|_| Unsealed::Foreign)?;
        if expires <= now.as_second() { Err(Unsealed::Expired) } else { Ok(value) }
    }
}

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsealed {
    /// Not made here, or for something else.
    Foreign,
    /// Its time is over.
    Expired,
}

/// Compares without telling by its time where the difference is.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn fixed_secret() -> Secret {
        Secret { bytes: vec![7; 32] }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn opens_its_own_tokens_until_they_expire() {
        let secret = fixed_secret();
        let token = secret.seal("page", &("snap-1", 7), at(100)).expect("sealed");
        let open = |purpose: &str, token: &str, now| secret.open::<(String, u32)>(purpose, token, at(now));
        assert_eq!(open("page", &token, 99), Ok(("snap-1".to_owned(), 7)));
        assert_eq!(open("page", &token, 100), Err(Unsealed::Expired));
        assert_eq!(open("block", &token, 99), Err(Unsealed::Foreign));
        let mut forged = token.into_bytes();
        forged[50] ^= 1;
        let forged = String::from_utf8(forged).expect("ascii");
        assert_eq!(open("page", &forged, 99), Err(Unsealed::Foreign));
        assert_eq!(open("page", "ünsinn", 99), Err(Unsealed::Foreign));
        assert_eq!(open("page", "", 99), Err(Unsealed::Foreign));
    }

    #[test]
    fn is_kept_in_a_file_that_only_its_owner_reads() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("secret");
        let first = Secret::ensure(&file).expect("made");
        let again = Secret::ensure(&file).expect("found");
        assert_eq!(first.mac("a", "b"), again.mac("a", "b"));
        assert_eq!(fs_err::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    }
}
