//! Calls, counted.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

/// How often each account called each action since the daemon started.
#[derive(Default)]
pub(crate) struct Calls {
    counts: Mutex<BTreeMap<String, BTreeMap<String, u64>>>,
}

impl Calls {
    /// One more; `action` is such as `ec2:DescribeImages`.
    pub(crate) fn count(&self, account: &str, action: String) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(account.to_owned()).or_default().entry(action).or_default() += 1;
    }

    /// Account to action to count.
    pub(crate) fn list(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
