//! Session tokens of IMDSv2. They carry their own end, signed, so that nothing has to be kept for them.

use data_encoding::BASE64URL_NOPAD;
use jiff::SignedDuration;
use jiff::Timestamp;
use sha2::Digest as _;
use sha2::Sha256;

/// The longest a token may live (EC2 User Guide, "How Instance Metadata Service Version 2 works").
const LONGEST: SignedDuration = SignedDuration::from_hours(6);

/// The tokens of one metadata service: those of another instance, or of an earlier daemon, are not valid.
pub struct Tokens {
    secret: [u8; 32],
}

impl Tokens {
    /// A new secret.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self { secret })
    }

    /// The life that a request's header asks for: 1 to 21600 seconds; `None` for anything else.
    #[must_use]
    pub fn read_life(header: &str) -> Option<SignedDuration> {
        let seconds: u32 = header.trim().parse().ok()?;
        let life = SignedDuration::from_secs(seconds.into());
        (seconds > 0 && life <= LONGEST).then_some(life)
    }

    /// A token that is valid from `now` on for `life`.
    #[must_use]
    pub fn issue(&self, now: Timestamp, life: SignedDuration) -> String {
        let end = now.saturating_add(life).unwrap_or(Timestamp::MAX).as_second().to_be_bytes();
        BASE64URL_NOPAD.encode(&[end.as_slice(), &self.sign(end)].concat())
    }

    /// Whether `token` is one of ours and has not ended.
    #[must_use]
    pub fn is_valid(&self, token: &str, now: Timestamp) -> bool {
        let Ok(bytes) = BASE64URL_NOPAD.decode(token.as_bytes()) else { return false };
        let Some((end, signature)) = bytes.split_first_chunk::<8>() else { return false };
        signature == self.sign(*end) && now.as_second() < i64::from_be_bytes(*end)
    }

    /// All that is signed has one length, so a plain hash behind the secret cannot be extended.
    fn sign(&self, end: [u8; 8]) -> [u8; 32] {
        Sha256::new().chain_update(self.secret).chain_update(end).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_from_one_second_to_six_hours() {
        for wrong in ["0", "21601", "-1", "1.5", "x", "", "99999999999999"] {
            assert_eq!(Tokens::read_life(wrong), None, "{wrong}");
        }
        assert_eq!(Tokens::read_life("1"), Some(SignedDuration::from_secs(1)));
        assert_eq!(Tokens::read_life(" 21600 "), Some(LONGEST));
    }

    #[test]
    fn a_token_ends_and_belongs_to_one_service() {
        let (tokens, others) = (Tokens::new().unwrap(), Tokens::new().unwrap());
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let token = tokens.issue(now, SignedDuration::from_secs(60));
        let after = |seconds| now + SignedDuration::from_secs(seconds);
        assert!(tokens.is_valid(&token, now) && tokens.is_valid(&token, after(59)));
        assert!(!tokens.is_valid(&token, after(60)));
        assert!(!others.is_valid(&token, now));
        for forged in ["", "AAAA", &token[1..], &token.to_uppercase(), "ü"] {
            assert!(!tokens.is_valid(forged, now), "{forged}");
        }
    }
}
