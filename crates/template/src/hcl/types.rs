//! Types of variables: `list(object({ name = string }))`. (developer.hashicorp.com/terraform/language/expressions/type-constraints)

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::expr::FuncCall;
use hcl_edit::expr::ObjectKey;

use super::config::Written;
use super::eval::Base;
use super::eval::Eval;
use super::value::set;
use crate::go::Fault;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;

/// What a variable may be.
#[derive(Clone, Debug)]
pub(super) enum Type {
    Any,
    Text,
    Number,
    Boolean,
    List(Box<Self>),
    Set(Box<Self>),
    Map(Box<Self>),
    Tuple(Vec<Self>),
    Object(Vec<Attribute>),
}

/// An attribute of an object type.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    name: String,
    kind: Type,
    /// What it is where it is missing; `None`: it must be there.
    default: Option<Node>,
}

/// Reads a type. In JSON it is a string that holds one.
pub(super) fn read(written: &Written) -> Result<Type, Fault> {
    match written {
        Written::Native { expression, start } => of(expression, &Eval::literals(*start)),
        Written::Json(node) => {
            let unclear = || Fault::new(&node.span, "a type is a string such as \"list(string)\"");
            let text = node.to_text().ok_or_else(unclear)?;
            let expression = hcl_edit::parser::parse_expr(&text).map_err(|_| unclear())?;
            of(&expression, &Eval { base: Base::Within(&node.span), ..Eval::literals(0) })
        }
    }
}

fn of(expression: &Expression, eval: &Eval<'_>) -> Result<Type, Fault> {
    let unknown = |name: &str| {
        let help =
            "there are string, number, bool, any, list(…), set(…), map(…), object({…}) and tuple([…])".to_owned();
        Fault::new(&eval.span(expression.span()), format!("there is no type `{name}`")).with_help(Some(help))
    };
    match expression {
        // Packer still takes the quotes of Terraform 0.11.
        Expression::String(name) => simple(name.value()).ok_or_else(|| unknown(name.value())),
        Expression::Variable(name) => simple(name.as_str()).ok_or_else(|| unknown(name.as_str())),
        Expression::FuncCall(call) => {
            let inner = call.args.get(0).ok_or_else(|| unknown(call.name.name.as_str()))?;
            match (call.name.name.as_str(), inner) {
                ("list", inner) => Ok(Type::List(Box::new(of(inner, eval)?))),
                ("set", inner) => Ok(Type::Set(Box::new(of(inner, eval)?))),
                ("map", inner) => Ok(Type::Map(Box::new(of(inner, eval)?))),
                ("tuple", Expression::Array(elements)) => {
                    Ok(Type::Tuple(elements.iter().map(|element| of(element, eval)).collect::<Result<_, _>>()?))
                }
                ("object", Expression::Object(members)) => {
                    let member =
                        |(key, value): (&ObjectKey, &hcl_edit::expr::ObjectValue)| attribute(key, value.expr(), eval);
                    Ok(Type::Object(members.iter().map(member).collect::<Result<_, _>>()?))
                }
                (name, _) => Err(unknown(name)),
            }
        }
        _ => Err(unknown("this")),
    }
}

fn simple(name: &str) -> Option<Type> {
    Some(match name {
        "string" => Type::Text,
        "number" => Type::Number,
        "bool" => Type::Boolean,
        "any" => Type::Any,
        "list" => Type::List(Box::new(Type::Any)),
        "set" => Type::Set(Box::new(Type::Any)),
        "map" => Type::Map(Box::new(Type::Any)),
        _ => return None,
    })
}

fn attribute(key: &ObjectKey, value: &Expression, eval: &Eval<'_>) -> Result<Attribute, Fault> {
    let name = match key {
        ObjectKey::Ident(name) => name.as_str().to_owned(),
        ObjectKey::Expression(expression) => expression.as_str().unwrap_or_default().to_owned(),
    };
    let Some((inner, default)) = optional(value) else {
        return Ok(Attribute { name, kind: of(value, eval)?, default: None });
    };
    let kind = of(inner, eval)?;
    let default = default.map(|default| eval.expression(default).and_then(|node| kind.convert(node))).transpose();
    let default =
        default.map_err(|fault| Fault { message: format!("the default of `{name}`: {}", fault.message), ..fault })?;
    Ok(Attribute { name, kind, default: Some(default.unwrap_or_else(|| Value::Null.into())) })
}

/// The type and the default of an `optional(…)`.
fn optional(value: &Expression) -> Option<(&Expression, Option<&Expression>)> {
    let call: &FuncCall = value.as_func_call()?;
    let is_optional = call.name.name.as_str() == "optional" && call.args.len() <= 2;
    Some((call.args.get(0).filter(|_| is_optional)?, call.args.get(1)))
}

impl Type {
    /// The type that a value has by itself.
    pub(super) fn of_value(node: &Node) -> Self {
        match node.value {
            Value::Null => Self::Any,
            Value::Boolean(_) => Self::Boolean,
            Value::Number(_) => Self::Number,
            Value::Text(_) => Self::Text,
            Value::Array(_) => Self::List(Box::new(Self::Any)),
            Value::Set(_) => Self::Set(Box::new(Self::Any)),
            Value::Object(_) => Self::Map(Box::new(Self::Any)),
        }
    }

    /// Whether a value on the command line is taken to the letter, not as an expression.
    pub(super) fn is_literal(&self) -> bool {
        matches!(self, Self::Text | Self::Number | Self::Any)
    }

    /// `node` as a value of this type.
    pub(super) fn convert(&self, node: Node) -> Result<Node, Fault> {
        if node.is_null() || node.is_unknown() {
            return Ok(node);
        }
        let Node { span, value } = node;
        let wrong = |node: &Node| Fault::new(&node.span, format!("this must be {self}, it is {}", node.kind()));
        let node = Node { span: span.clone(), value };
        let value = match self {
            Self::Any => return Ok(node),
            Self::Text => Value::Text(node.to_text().ok_or_else(|| wrong(&node))?),
            Self::Number => match node.value {
                Value::Number(_) => return Ok(node),
                _ => Value::number(node.to_number().ok_or_else(|| wrong(&node))?),
            },
            Self::Boolean => Value::Boolean(node.to_boolean().ok_or_else(|| wrong(&node))?),
            Self::List(kind) | Self::Set(kind) => match node.value {
                Value::Array(elements) | Value::Set(elements) => {
                    let elements = elements.into_iter().map(|element| kind.convert(element));
                    let elements = elements.collect::<Result<Vec<_>, _>>()?;
                    if matches!(self, Self::Set(_)) { set(elements) } else { Value::Array(elements) }
                }
                _ => return Err(wrong(&node)),
            },
            Self::Tuple(kinds) => match node.value {
                Value::Array(elements) if elements.len() == kinds.len() => {
                    let elements = elements.into_iter().zip(kinds).map(|(element, kind)| kind.convert(element));
                    Value::Array(elements.collect::<Result<_, _>>()?)
                }
                _ => return Err(wrong(&node)),
            },
            Self::Map(kind) => match node.value {
                Value::Object(members) => {
                    let member = |member: Member| Ok(Member { node: kind.convert(member.node)?, ..member });
                    Value::Object(members.into_iter().map(member).collect::<Result<_, Fault>>()?)
                }
                _ => return Err(wrong(&node)),
            },
            Self::Object(attributes) => match &node.value {
                Value::Object(members) => object(attributes, members, &node)?,
                _ => return Err(wrong(&node)),
            },
        };
        Ok(Node { span, value })
    }
}

/// The attributes of the type; others are dropped, as HCL's conversion does.
fn object(attributes: &[Attribute], members: &[Member], node: &Node) -> Result<Value, Fault> {
    let mut converted = Vec::new();
    for attribute in attributes {
        let given = members.iter().find(|member| member.key == attribute.name);
        // As in Packer, a null asks for the default too.
        let given = given.filter(|member| attribute.default.is_none() || !member.node.is_null());
        converted.push(match (given, &attribute.default) {
            (Some(member), _) => Member { node: attribute.kind.convert(member.node.clone())?, ..member.clone() },
            (None, Some(default)) => Member {
                key: attribute.name.clone(),
                key_span: node.span.clone(),
                node: default.clone().at(&node.span),
            },
            (None, None) => {
                return Err(Fault::new(&node.span, format!("the attribute `{}` is missing", attribute.name)));
            }
        });
    }
    Ok(Value::Object(converted))
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("anything"),
            Self::Text => f.write_str("a string"),
            Self::Number => f.write_str("a number"),
            Self::Boolean => f.write_str("true or false"),
            Self::List(_) | Self::Set(_) => f.write_str("a list"),
            Self::Tuple(kinds) => write!(f, "a list of {}", kinds.len()),
            Self::Map(_) | Self::Object(_) => f.write_str("an object"),
        }
    }
}
