//! Functions of numbers.

use super::super::operators::rounded;
use super::MANY;
use super::Row;
use super::arguments::Arguments;
use crate::tree::Value;

pub(super) const FUNCTIONS: &[Row] = &[
    ("abs", "abs(NUMBER)", 1, 1, |a| Ok(Value::number(a.number(0)?.abs()))),
    ("ceil", "ceil(NUMBER)", 1, 1, |a| Ok(Value::number(a.number(0)?.ceil()))),
    ("floor", "floor(NUMBER)", 1, 1, |a| Ok(Value::number(a.number(0)?.floor()))),
    ("log", "log(NUMBER, BASE)", 2, 2, |a| {
        let logarithm = a.number(0)?.ln() / a.number(1)?.ln();
        if logarithm.is_finite() { Ok(Value::number(logarithm)) } else { Err("this logarithm is no number".to_owned()) }
    }),
    ("pow", "pow(NUMBER, POWER)", 2, 2, |a| {
        let power = a.number(0)?.powf(a.number(1)?);
        if power.is_finite() { Ok(Value::number(power)) } else { Err("this power is too large".to_owned()) }
    }),
    ("signum", "signum(NUMBER)", 1, 1, |a| {
        let number = a.number(0)?;
        Ok(Value::number(if number == 0.0 { 0.0 } else { number.signum() }))
    }),
    ("max", "max(NUMBER, …)", 1, MANY, |a| Ok(Value::number(all(a)?.into_iter().fold(f64::NEG_INFINITY, f64::max)))),
    ("min", "min(NUMBER, …)", 1, MANY, |a| Ok(Value::number(all(a)?.into_iter().fold(f64::INFINITY, f64::min)))),
    ("sum", "sum(LIST)", 1, 1, |a| {
        let numbers: Option<Vec<f64>> = a.list(0)?.iter().map(crate::tree::Node::to_number).collect();
        numbers
            .map_or_else(|| a.wrong(0, "a list of numbers"), |numbers| Ok(Value::number(rounded(numbers.iter().sum()))))
    }),
    ("parseint", "parseint(TEXT, BASE)", 2, 2, |a| {
        let (text, base) = (a.text(0)?, a.integer(1)?);
        let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base)).ok_or("a base is from 2 to 36")?;
        let number = i128::from_str_radix(&text, base);
        number.map(Value::integer).map_err(|_| format!("`{text}` is no number of base {base}"))
    }),
    ("tonumber", "tonumber(VALUE)", 1, 1, |a| {
        if a.node(0)?.is_null() { Ok(Value::Null) } else { Ok(Value::number(a.number(0)?)) }
    }),
    ("tobool", "tobool(VALUE)", 1, 1, |a| {
        if a.node(0)?.is_null() { Ok(Value::Null) } else { Ok(Value::Boolean(a.boolean(0)?)) }
    }),
    ("tostring", "tostring(VALUE)", 1, 1, |a| {
        if a.node(0)?.is_null() { Ok(Value::Null) } else { Ok(Value::text(a.text(0)?)) }
    }),
];

fn all(arguments: &Arguments<'_>) -> Result<Vec<f64>, String> {
    (0..arguments.len()).map(|index| arguments.number(index)).collect()
}
