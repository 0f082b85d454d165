//! Shapes: structs that know their members' wire names, and the values that they are made of.

use bytes::Bytes;
use jiff::Timestamp;

use super::error::DecodeError;
use super::node::Node;
use super::protocol::Service;

/// Which of a member's names counts. EC2 writes `imageId` in its answers and asks for `ImageId` in its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// The name in the model (`locationName`, else the member's own).
    Model,
    /// EC2's query name: the model's with a capital first letter.
    Capital,
}

impl Naming {
    /// `wire` as this naming writes it.
    #[must_use]
    pub fn name(self, wire: &str) -> String {
        let mut letters = wire.chars();
        match (self, letters.next()) {
            (Self::Capital, Some(first)) => first.to_ascii_uppercase().to_string() + letters.as_str(),
            _ => wire.to_owned(),
        }
    }
}

/// Where a member travels. Everything but REST-JSON uses the body alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the body, under its name.
    Body,
    /// In the path, for `{name}` of the operation's path.
    Uri,
    /// In the query string.
    QueryString,
    /// In a header.
    Header,
    /// It is the body.
    Payload,
}

/// The type of a value, as the official model names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `string`
    String,
    /// `integer`
    Integer,
    /// `long`
    Long,
    /// `double` or `float`
    Double,
    /// `boolean`
    Boolean,
    /// `timestamp`
    Timestamp,
    /// `blob`
    Blob,
    /// `list` of something
    List(Box<Self>),
    /// `structure`, by its name in the model
    Structure(&'static str),
}

/// A member of a shape: what the model test compares.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name here; the model's in snake case.
    pub name: &'static str,
    /// Its wire name.
    pub wire: &'static str,
    /// Where it travels.
    pub place: Place,
    /// Its type.
    pub kind: Kind,
    /// The members of the structure that it is, or is a list of.
    pub members: fn() -> Vec<Self>,
}

/// Anything that can be a member.
pub trait Value: Sized {
    /// Its type in the model's terms.
    fn kind() -> Kind;
    /// The members, where it is or holds a structure.
    fn members() -> Vec<Member> {
        Vec::new()
    }
    /// Its tree; `None` is left out of the text.
    fn to_node(&self, naming: Naming) -> Option<Node>;
    /// Reads its tree; `node` is `None` where the text had nothing.
    ///
    /// # Errors
    /// A [`DecodeError`] that names what was expected.
    fn from_node(node: Option<Node>, naming: Naming) -> Result<Self, DecodeError>;
}

/// A structure of the model.
pub trait Shape: Value + Clone + std::fmt::Debug + Default + Send + Sync + 'static {
    /// Its name in the model.
    const NAME: &'static str;
}

/// A request, which names its operation and its answer.
pub trait Operation: Shape {
    /// What the service answers.
    type Answer: Shape;
    /// The service that has it.
    const SERVICE: Service;
    /// Its name, such as `DescribeImages`.
    const ACTION: &'static str;
    /// HTTP method; other than POST only in REST-JSON.
    const METHOD: &'static str = "POST";
    /// Path with `{member}` places.
    const PATH: &'static str = "/";
    /// HTTP status of success.
    const STATUS: u16 = 200;

    /// The member that makes repeated sending safe, where the model marks one as `idempotencyToken`. A client fills it
    /// when the caller left it out.
    fn idempotency_token(&mut self) -> Option<&mut Option<String>> {
        None
    }

    /// The snapshot whose blocks are read or written: such calls have a quota for each snapshot.
    fn snapshot_of_block(&self) -> Option<&str> {
        None
    }
}

/// Bytes: base64 in text, as they are where they are the payload. Copies of one share its bytes: a block is held once, however often
/// it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob(pub Bytes);

impl<T: Value> Value for Option<T> {
    fn kind() -> Kind {
        T::kind()
    }
    fn members() -> Vec<Member> {
        T::members()
    }
    fn to_node(&self, naming: Naming) -> Option<Node> {
        self.as_ref().and_then(|value| value.to_node(naming))
    }
    fn from_node(node: Option<Node>, naming: Naming) -> Result<Self, DecodeError> {
        node.map(|node| T::from_node(Some(node), naming)).transpose()
    }
}

impl<T: Value> Value for Vec<T> {
    fn kind() -> Kind {
        Kind::List(Box::new(T::kind()))
    }
    fn members() -> Vec<Member> {
        T::members()
    }
    fn to_node(&self, naming: Naming) -> Option<Node> {
        Some(Node::List(self.iter().filter_map(|item| item.to_node(naming)).collect()))
    }
    fn from_node(node: Option<Node>, naming: Naming) -> Result<Self, DecodeError> {
        items(node)?
            .into_iter()
            .enumerate()
            .map(|(at, item)| T::from_node(Some(item), naming).map_err(|error| error.inside(&(at + 1).to_string())))
            .collect()
    }
}

/// The items of a list in any of its textual forms: JSON's, XML's repeated `item`, a form's numbered members.
fn items(node: Option<Node>) -> Result<Vec<Node>, DecodeError> {
    match node {
        None => Ok(Vec::new()),
        Some(Node::List(items)) => Ok(items),
        Some(Node::Text(text)) if text.trim().is_empty() => Ok(Vec::new()),
        Some(Node::Struct(members)) => {
            let mut numbered: Vec<(u32, Node)> = Vec::new();
            for (name, node) in members {
                match name.parse() {
                    Ok(number) => numbered.push((number, node)),
                    Err(_) if name == "item" || name == "member" => numbered.push((0, node)),
                    Err(_) => return Err(DecodeError::unexpected("a list", "a structure").inside(&name)),
                }
            }
            numbered.sort_by_key(|(number, _)| *number);
            Ok(numbered.into_iter().map(|(_, node)| node).collect())
        }
        Some(other) => Err(DecodeError::unexpected("a list", other.describe())),
    }
}

macro_rules! scalar {
    ($type:ty, $kind:ident, $what:literal, |$value:ident| $encode:expr, |$node:ident| $decode:expr) => {
        impl Value for $type {
            fn kind() -> Kind {
                Kind::$kind
            }
            fn to_node(&self, _: Naming) -> Option<Node> {
                let $value = self;
                Some($encode)
            }
            fn from_node(node: Option<Node>, _: Naming) -> Result<Self, DecodeError> {
                let $node = node.ok_or(DecodeError::unexpected($what, "nothing"))?;
                let found = $node.describe();
                let decode = move || -> Option<Self> { $decode };
                decode().ok_or(DecodeError::unexpected($what, found))
            }
        }
    };
}

scalar!(String, String, "text", |value| Node::Text(value.clone()), |node| node.text());
scalar!(bool, Boolean, "true or false", |value| Node::Bool(*value), |node| match node {
    Node::Bool(value) => Some(value),
    Node::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
    Node::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
    _ => None,
});
scalar!(i32, Integer, "a whole number", |value| Node::Integer(i64::from(*value)), |node| whole(&node)
    .and_then(|value| Self::try_from(value).ok()));
scalar!(i64, Long, "a whole number", |value| Node::Integer(*value), |node| whole(&node));
scalar!(f64, Double, "a number", |value| Node::Float(*value), |node| match node {
    Node::Float(value) => Some(value),
    #[expect(clippy::cast_precision_loss, reason = "a double on the wire holds no more")]
    Node::Integer(value) => Some(value as Self),
    other => other.text()?.trim().parse().ok(),
});
scalar!(Timestamp, Timestamp, "an instant", |value| Node::Instant(*value), |node| match node {
    Node::Instant(instant) => Some(instant),
    #[expect(clippy::cast_possible_truncation, reason = "epoch milliseconds fit a double")]
    Node::Float(seconds) if seconds.is_finite() => Self::from_millisecond((seconds * 1000.0).round() as i64).ok(),
    Node::Integer(seconds) => Self::from_second(seconds).ok(),
    Node::Text(text) => text.trim().parse().ok(),
    _ => None,
});
scalar!(Blob, Blob, "base64", |value| Node::Bytes(value.0.clone()), |node| match node {
    Node::Bytes(bytes) => Some(Self(bytes)),
    Node::Text(text) => {
        let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        data_encoding::BASE64.decode(text.as_bytes()).ok().map(|bytes| Self(bytes.into()))
    }
    _ => None,
});

fn whole(node: &Node) -> Option<i64> {
    match node {
        Node::Integer(value) => Some(*value),
        Node::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Declares structures of the model: `member: type = "wireName"`, with ` in Header` and the like for REST-JSON.
macro_rules! shape {
    ($($(#[$doc:meta])* pub struct $name:ident {
        $($(#[$member_doc:meta])* $member:ident : $type:ty = $wire:literal $(in $place:ident)? ,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($(#[$member_doc])* pub $member: $type,)*
        }

        impl $crate::wire::Value for $name {
            fn kind() -> $crate::wire::Kind {
                $crate::wire::Kind::Structure(stringify!($name))
            }
            fn members() -> Vec<$crate::wire::Member> {
                vec![$($crate::wire::Member {
                    name: stringify!($member),
                    wire: $wire,
                    place: $crate::wire::shape!(@place $($place)?),
                    kind: <$type as $crate::wire::Value>::kind(),
                    members: <$type as $crate::wire::Value>::members,
                },)*]
            }
            #[allow(unused_variables, unused_mut, clippy::let_and_return, reason = "a structure may be empty")]
            fn to_node(&self, naming: $crate::wire::Naming) -> Option<$crate::wire::Node> {
                let mut members = Vec::new();
                $(if let Some(node) = $crate::wire::Value::to_node(&self.$member, naming) {
                    members.push((naming.name($wire), node));
                })*
                Some($crate::wire::Node::Struct(members))
            }
            #[allow(unused_variables, unused_mut, reason = "a structure may be empty")]
            fn from_node(node: Option<$crate::wire::Node>, naming: $crate::wire::Naming) -> Result<Self, $crate::wire::DecodeError> {
                let mut node = $crate::wire::DecodeError::structure(node)?;
                Ok(Self {
                    $($member: $crate::wire::Value::from_node(node.take(&naming.name($wire)), naming)
                        .map_err(|error| error.inside($wire))?,)*
                })
            }
        }

        impl $crate::wire::Shape for $name {
            const NAME: &'static str = stringify!($name);
        }
    )*};
    (@place) => { $crate::wire::Place::Body };
    (@place $place:ident) => { $crate::wire::Place::$place };
}

/// Ties a request to its operation and answer: `operation!(Ec2, "DescribeImages", DescribeImagesRequest => DescribeImagesResult);`
/// REST-JSON adds method, path and status; `idempotent by client_token` names the model's idempotency token.
macro_rules! operation {
    (
        $service:ident, $action:literal, $request:ty => $answer:ty
        $(, $method:literal $path:literal $status:literal)? $(, idempotent by $token:ident)? $(, a block of $snapshot:ident)?
    ) => {
        impl $crate::wire::Operation for $request {
            type Answer = $answer;
            const SERVICE: $crate::wire::Service = $crate::wire::Service::$service;
            const ACTION: &'static str = $action;
            $(const METHOD: &'static str = $method;
            const PATH: &'static str = $path;
            const STATUS: u16 = $status;)?
            $(fn idempotency_token(&mut self) -> Option<&mut Option<String>> {
                Some(&mut self.$token)
            })?
            $(fn snapshot_of_block(&self) -> Option<&str> {
                self.$snapshot.as_deref()
            })?
        }
    };
}

pub(crate) use operation;
pub(crate) use shape;
