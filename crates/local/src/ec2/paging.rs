//! Pages of Describe calls. Without MaxResults everything is one page.

use std::ops::RangeInclusive;

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::failure::Answer;
use crate::failure::refuse;
use crate::faults::Twist;
use crate::world::Call;

/// How long a NextToken holds.
const TOKENS_HOLD: SignedDuration = SignedDuration::from_hours(24);

/// What a Describe call asked for.
pub(super) struct Paging<'a> {
    pub(super) action: &'static str,
    pub(super) max_results: Option<i32>,
    /// What MaxResults may be.
    pub(super) allowed: RangeInclusive<i32>,
    pub(super) next_token: Option<&'a str>,
}

impl Paging<'_> {
    /// The page of `items` (in the order of `seq`, which never changes) that was asked for, and the token of the next.
    pub(super) fn cut<T>(
        &self,
        call: &Call,
        mut items: Vec<T>,
        seq: impl Fn(&T) -> i64,
    ) -> Answer<(Vec<T>, Option<String>)> {
        if let Some(max) = self.max_results
            && !self.allowed.contains(&max)
        {
            let (from, to) = (self.allowed.start(), self.allowed.end());
            let text =
                format!("Value ( {max} ) for parameter maxResults is invalid. Expecting a value from {from} to {to}.");
            return refuse("InvalidParameterValue", text);
        }
        if let Some(token) = self.next_token.filter(|token| !token.is_empty()) {
            let opened = call.world.secret.open::<(String, i64)>("page", token, call.now);
            let Some((_, after)) = opened.ok().filter(|(action, _)| action == self.action) else {
                return refuse("InvalidNextToken", "The NextToken is not valid, or it has expired.");
            };
            items.retain(|item| seq(item) > after);
        }
        let is_first = self.next_token.is_none_or(str::is_empty);
        if call.twist == Some(Twist::EmptyPage) && is_first {
            return Ok((Vec::new(), Some(self.seal(call, i64::MIN)?)));
        }
        let asked = self.max_results.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
        let size = if call.twist == Some(Twist::ShortPage) { 1 } else { asked };
        if items.len() <= size {
            return Ok((items, None));
        }
        items.truncate(size);
        let after = items.last().map(&seq).unwrap_or_default();
        Ok((items, Some(self.seal(call, after)?)))
    }

    /// The token of the page after the item `after`.
    fn seal(&self, call: &Call, after: i64) -> Answer<String> {
        let expires = call.now.saturating_add(TOKENS_HOLD).unwrap_or(Timestamp::MAX);
        call.world.secret.seal("page", &(self.action, after), expires)
    }
}

/// Refuses pages of a call that names ids.
pub(super) fn refuse_pages_of_ids(ids: &[String], max_results: Option<i32>) -> Answer<()> {
    if ids.is_empty() || max_results.is_none() {
        return Ok(());
    }
    refuse(
        "InvalidParameterCombination",
        "The parameter maxResults cannot be used with the parameter of ids in the same request",
    )
}
