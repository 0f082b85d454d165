//! Functions of address ranges.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use super::MANY;
use super::Row;
use super::arguments::texts;
use crate::tree::Value;

pub(super) const FUNCTIONS: &[Row] = &[
    ("cidrhost", "cidrhost(RANGE, NUMBER)", 2, 2, |a| {
        let (range, number) = (Range::read(&a.text(0)?)?, i128::from(a.integer(1)?));
        range.host(number).map(Value::Text)
    }),
    ("cidrnetmask", "cidrnetmask(RANGE)", 1, 1, |a| {
        let range = Range::read(&a.text(0)?)?;
        if range.width == 32 {
            Ok(Value::Text(range.shown(range.mask())))
        } else {
            Err("only IPv4 has netmasks".to_owned())
        }
    }),
    ("cidrsubnet", "cidrsubnet(RANGE, NEW BITS, NUMBER)", 3, 3, |a| {
        let number = u128::try_from(a.integer(2)?).map_err(|_| "a subnet's number is from 0 up".to_owned())?;
        Range::read(&a.text(0)?)?.subnet(a.integer(1)?, number).map(|range| Value::Text(range.to_string()))
    }),
    ("cidrsubnets", "cidrsubnets(RANGE, NEW BITS, …)", 1, MANY, |a| {
        let range = Range::read(&a.text(0)?)?;
        let mut next = range.address;
        let mut subnets = Vec::new();
        for index in 1..a.len() {
            let first = range.subnet(a.integer(index)?, 0)?;
            let size = first.size();
            // The next one that is a multiple of its own size.
            let start = next.div_ceil(size).saturating_mul(size);
            let subnet = Range { address: start, ..first };
            if start < range.address || start.saturating_add(size - 1) > range.address.saturating_add(range.size() - 1)
            {
                return Err("the range is too small for these subnets".to_owned());
            }
            next = start.saturating_add(size);
            subnets.push(subnet.to_string());
        }
        Ok(texts(subnets))
    }),
];

/// A range such as `10.0.0.0/8`.
#[derive(Clone, Copy)]
struct Range {
    address: u128,
    prefix: u32,
    /// 32 or 128 bits.
    width: u32,
}

impl Range {
    fn read(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no range of addresses, such as 10.0.0.0/8");
        let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let (address, width) = match address.parse().map_err(|_| wrong())? {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= width).ok_or_else(wrong)?;
        let range = Self { address, prefix, width };
        Ok(Self { address: address & range.mask(), ..range })
    }

    /// How many addresses it has; all of IPv6 counts as one less.
    fn size(&self) -> u128 {
        1_u128.checked_shl(self.width - self.prefix).unwrap_or(u128::MAX)
    }

    fn mask(&self) -> u128 {
        let all = if self.width == 32 { u128::from(u32::MAX) } else { u128::MAX };
        all & !(self.size().wrapping_sub(1))
    }

    /// The address at `number`; a negative one counts from the end.
    fn host(&self, number: i128) -> Result<String, String> {
        let offset =
            if number < 0 { self.size().checked_sub(number.unsigned_abs()) } else { Some(number.unsigned_abs()) };
        let offset =
            offset.filter(|offset| *offset < self.size()).ok_or_else(|| format!("{self} has no address {number}"))?;
        Ok(self.shown(self.address + offset))
    }

    fn subnet(&self, new_bits: i64, number: u128) -> Result<Self, String> {
        let prefix = u32::try_from(new_bits)
            .ok()
            .and_then(|bits| self.prefix.checked_add(bits))
            .filter(|prefix| *prefix <= self.width);
        let prefix = prefix.ok_or_else(|| format!("{self} cannot be made {new_bits} bits longer"))?;
        let subnet = Self { prefix, ..*self };
        let count = 1_u128.checked_shl(prefix - self.prefix).unwrap_or(u128::MAX);
        if number >= count {
            return Err(format!("{self} has no subnet {number} of /{prefix}"));
        }
        Ok(Self { address: self.address + number * subnet.size(), ..subnet })
    }

    fn shown(&self, address: u128) -> String {
        match u32::try_from(address) {
            Ok(address) if self.width == 32 => Ipv4Addr::from_bits(address).to_string(),
            _ => Ipv6Addr::from_bits(address).to_string(),
        }
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.shown(self.address), self.prefix)
    }
}
