//! Random ids in AWS's form.

use crate::failure::Answer;
use crate::failure::Failure;

/// `N` random bytes of the kernel.
pub(crate) fn random_bytes<const N: usize>() -> Answer<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Failure::internal("ask the kernel for random bytes", error))?;
    Ok(bytes)
}

/// `prefix-` and 17 hex digits, such as `ami-0123456789abcdef0`.
pub(crate) fn random_id(prefix: &str) -> Answer<String> {
    let hex = data_encoding::HEXLOWER.encode(&random_bytes::<9>()?);
    Ok(format!("{prefix}-0{}", &hex[..16]))
}

/// A request id in the form of a UUID.
pub(crate) fn request_id() -> Answer<String> {
    let hex = data_encoding::HEXLOWER.encode(&random_bytes::<16>()?);
    Ok(format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..]))
}

/// Is `id` of the form `prefix-` and 8 or 17 hex digits?
pub(crate) fn is_id(prefix: &str, id: &str) -> bool {
    id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')).is_some_and(|digits| {
        matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_aws_form() {
        let id = random_id("ami").expect("random");
        assert!(is_id("ami", &id), "{id}");
        assert_ne!(id, random_id("ami").expect("random"));
        for bad in ["ami-", "ami-xyz", "ami-0123456789ABCDEF0", "snap-12345678", "ami-1234567890"] {
            assert!(!is_id("ami", bad), "{bad}");
        }
        assert!(is_id("ami", "ami-12345678"));
        assert_eq!(request_id().expect("random").len(), 36);
    }
}
