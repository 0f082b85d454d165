//! Numbers digit by digit, as `format` shows them. (Go's math/big/ftoa.go)

use crate::tree::Node;
use crate::tree::Value;

/// `0.DIGITS` times ten to the power of `exponent`; no digit is needless, so zero has none.
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    pub(super) is_negative: bool,
    digits: String,
    exponent: i64,
}

/// Verbs that show all digits have a limit: no number of a template is longer.
const LONGEST: i64 = 1000;

impl Decimal {
    /// A number, or a string that holds one.
    pub(super) fn of(node: &Node) -> Option<Self> {
        let (Value::Number(text) | Value::Text(text)) = &node.value else { return None };
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let exponent = power.parse::<i64>().ok()?.checked_add(i64::try_from(whole.len()).ok()?)?;
        let decimal = Self { is_negative: text.starts_with('-'), digits, exponent }.trimmed();
        (decimal.exponent.abs() <= LONGEST).then_some(decimal)
    }

    pub(super) fn absolute(&self) -> Self {
        Self { is_negative: false, ..self.clone() }
    }

    fn trimmed(mut self) -> Self {
        let zeros = self.digits.bytes().take_while(|byte| *byte == b'0').count();
        self.digits = self.digits[zeros..].trim_end_matches('0').to_owned();
        self.exponent = if self.digits.is_empty() { 0 } else { self.exponent - i64::try_from(zeros).unwrap_or(0) };
        self
    }

    /// At most `count` digits; the half goes to the even one.
    fn rounded(&self, count: i64) -> Self {
        let Ok(count) = usize::try_from(count) else {
            return Self { digits: String::new(), exponent: 0, ..*self };
        };
        let Some((kept, cut)) = self.digits.split_at_checked(count).filter(|(_, cut)| !cut.is_empty()) else {
            return self.clone();
        };
        let is_odd = kept.bytes().last().is_some_and(|digit| digit % 2 == 1);
        let mut digits = kept.to_owned();
        let mut exponent = self.exponent;
        if cut > "5" || (cut == "5" && is_odd) {
            // All nines become a one and zeros.
            let nines = kept.bytes().rev().take_while(|digit| *digit == b'9').count();
            digits.truncate(kept.len() - nines);
            match digits.pop() {
                Some(last) => digits.push(char::from_u32(u32::from(last) + 1).unwrap_or('9')),
                None => {
                    digits.push('1');
                    exponent += 1;
                }
            }
        }
        Self { is_negative: self.is_negative, digits, exponent }.trimmed()
    }

    pub(super) fn to_whole(&self) -> Option<i128> {
        let zeros = usize::try_from(self.exponent).ok()?.checked_sub(self.digits.len())?;
        let sign = if self.is_negative { "-" } else { "" };
        format!("{sign}0{}{}", self.digits, "0".repeat(zeros)).parse().ok()
    }

    fn sign(&self) -> &'static str {
        if self.is_negative { "-" } else { "" }
    }

    /// The digits at the places from `start` on, counted from the point; zeros where there are none.
    fn places(&self, start: i64, end: i64) -> String {
        let digit = |place: i64| {
            let index = usize::try_from(place + self.exponent).ok();
            index.and_then(|index| self.digits.as_bytes().get(index)).map_or('0', |byte| char::from(*byte))
        };
        (start..end).map(digit).collect()
    }

    /// `%f`: `precision` digits behind the point.
    pub(super) fn fixed(&self, precision: usize) -> String {
        let precision = i64::try_from(precision).unwrap_or(LONGEST);
        let rounded = self.rounded(self.exponent + precision);
        let whole = if rounded.exponent > 0 { rounded.places(-rounded.exponent, 0) } else { "0".to_owned() };
        let point = if precision > 0 { "." } else { "" };
        format!("{}{whole}{point}{}", self.sign(), rounded.places(0, precision))
    }

    /// `%e`: one digit before the point and `precision` behind it.
    pub(super) fn scientific(&self, precision: usize) -> String {
        let precision = i64::try_from(precision).unwrap_or(LONGEST);
        let rounded = self.rounded(precision + 1);
        let first = rounded.digits.get(..1).unwrap_or("0");
        let point = if precision > 0 { "." } else { "" };
        let start = 1 - rounded.exponent;
        let power = if rounded.digits.is_empty() { 0 } else { rounded.exponent - 1 };
        let sign = if power < 0 { '-' } else { '+' };
        format!("{}{first}{point}{}e{sign}{:02}", self.sign(), rounded.places(start, start + precision), power.abs())
    }

    /// `%g`: `%e` for large and small exponents, `%f` otherwise; `None`: as many digits as there are.
    pub(super) fn general(&self, precision: Option<usize>) -> String {
        let wanted = precision.map(|precision| i64::try_from(precision.max(1)).unwrap_or(LONGEST));
        let rounded = wanted.map_or_else(|| self.clone(), |wanted| self.rounded(wanted));
        let count = i64::try_from(rounded.digits.len()).unwrap_or(LONGEST);
        let limit = match wanted {
            None => 6,
            Some(wanted) if wanted > count && count >= rounded.exponent => count,
            Some(wanted) => wanted,
        };
        let power = rounded.exponent - 1;
        let is_zero = rounded.digits.is_empty();
        if !is_zero && (power < -4 || power >= limit) {
            return rounded.scientific(rounded.digits.len().saturating_sub(1));
        }
        rounded.fixed(usize::try_from(count - rounded.exponent).unwrap_or(0))
    }
}
