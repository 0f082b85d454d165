//! Operators of expressions.

use hcl_edit::expr::BinaryOp;
use hcl_edit::expr::BinaryOperator;
use hcl_edit::expr::UnaryOperator;

use super::eval::Eval;
use super::eval::Worked;
use super::late;
use crate::go::Fault;
use crate::place::Span;
use crate::tree::Node;
use crate::tree::Value;

pub(super) fn unary(operator: UnaryOperator, node: &Node) -> Result<Value, String> {
    if node.is_unknown() {
        return Ok(Value::unknown());
    }
    let value = match operator {
        UnaryOperator::Neg => node.to_number().map(|number| Value::number(-number)),
        UnaryOperator::Not => node.to_boolean().map(|value| Value::Boolean(!value)),
    };
    value.ok_or_else(|| format!("`{}` cannot be used on {}", operator.as_str(), node.kind()))
}

pub(super) fn binary(eval: &Eval<'_>, operation: &BinaryOp, span: &Span) -> Worked {
    use BinaryOperator::*;
    let operator = *operation.operator.value();
    let left = eval.expression(&operation.lhs_expr)?;
    // The right side of a decided `&&` or `||` may be one that only makes sense otherwise.
    let decided = match operator {
        And => left.to_boolean() == Some(false),
        Or => left.to_boolean() == Some(true),
        _ => false,
    };
    if decided {
        return Ok(Node { span: span.clone(), value: Value::Boolean(operator == Or) });
    }
    let right = eval.expression(&operation.rhs_expr)?;
    if late::is_late(&left) || late::is_late(&right) {
        return Err(Fault::new(span, late::refusal(operator.as_str())));
    }
    if left.is_unknown() || right.is_unknown() {
        return Ok(Node { span: span.clone(), value: Value::unknown() });
    }
    let value = match operator {
        Eq => Some(Value::Boolean(left.is_equal(&right))),
        NotEq => Some(Value::Boolean(!left.is_equal(&right))),
        And | Or => left.to_boolean().and(right.to_boolean()).map(Value::Boolean),
        _ => numbers(operator, &left, &right).map_err(|message| Fault::new(span, message))?,
    };
    let value = value.ok_or_else(|| {
        let message = format!("`{}` cannot be used between {} and {}", operator.as_str(), left.kind(), right.kind());
        Fault::new(span, message)
    })?;
    Ok(Node { span: span.clone(), value })
}

fn numbers(operator: BinaryOperator, left: &Node, right: &Node) -> Result<Option<Value>, String> {
    use BinaryOperator::*;
    let (Some(left), Some(right)) = (left.to_number(), right.to_number()) else { return Ok(None) };
    if matches!(operator, Div | Mod) && right == 0.0 {
        return Err("this divides by zero".to_owned());
    }
    let value = match operator {
        Plus => Value::number(rounded(left + right)),
        Minus => Value::number(rounded(left - right)),
        Mul => Value::number(rounded(left * right)),
        Div => Value::number(rounded(left / right)),
        Mod => Value::number(rounded(left % right)),
        Less => Value::Boolean(left < right),
        LessEq => Value::Boolean(left <= right),
        Greater => Value::Boolean(left > right),
        GreaterEq => Value::Boolean(left >= right),
        Eq | NotEq | And | Or => return Ok(None),
    };
    Ok(Some(value))
}

/// A fraction to the 15 digits that survive arithmetic, so that 0.1 + 0.2 is 0.3 as in Packer, whose numbers have more of them.
pub(super) fn rounded(number: f64) -> f64 {
    if number.fract() == 0.0 { number } else { format!("{number:.14e}").parse().unwrap_or(number) }
}
