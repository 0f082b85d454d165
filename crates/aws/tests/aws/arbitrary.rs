//! Arbitrary requests and answers of any operation, made from what its shape says of itself.

use std::ops::Range;

use jiff::Timestamp;
use ovenbird_aws::wire::Kind;
use ovenbird_aws::wire::Member;
use ovenbird_aws::wire::Naming;
use ovenbird_aws::wire::Node;
use ovenbird_aws::wire::Place;
use ovenbird_aws::wire::Protocol;
use ovenbird_aws::wire::Shape;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Which texts and trees the protocol can carry at all.
#[derive(Clone, Copy)]
pub(crate) struct Carried {
    /// XML 1.0 has no control characters.
    control: bool,
    /// A query form has no way to write a structure without members.
    empty_structures: bool,
    /// botocore writes the fraction of an instant in a form from a float, in microseconds; only whole seconds are sure to arrive.
    fractions: bool,
}

impl Carried {
    pub(crate) fn by_requests(protocol: Protocol) -> Self {
        let json = matches!(protocol, Protocol::Json | Protocol::RestJson);
        Self { control: true, empty_structures: json, fractions: json }
    }

    pub(crate) fn by_answers(protocol: Protocol) -> Self {
        Self {
            control: matches!(protocol, Protocol::Json | Protocol::RestJson),
            empty_structures: true,
            fractions: true,
        }
    }
}

/// Arbitrary values of a shape, of those that the protocol can carry.
pub(crate) fn any_of<T: Shape>(carried: Carried) -> impl Strategy<Value = T> {
    structure(&T::members(), carried).prop_map(move |node| {
        let node = if carried.empty_structures { node } else { prune(node).unwrap_or(Node::Struct(Vec::new())) };
        T::from_node(Some(node), Naming::Model).unwrap()
    })
}

/// Without structures and lists that hold nothing.
fn prune(node: Node) -> Option<Node> {
    match node {
        Node::List(items) => {
            let items: Vec<Node> = items.into_iter().filter_map(prune).collect();
            (!items.is_empty()).then_some(Node::List(items))
        }
        Node::Struct(members) => {
            let members: Vec<(String, Node)> =
                members.into_iter().filter_map(|(name, node)| Some((name, prune(node)?))).collect();
            (!members.is_empty()).then_some(Node::Struct(members))
        }
        scalar => Some(scalar),
    }
}

fn structure(members: &[Member], carried: Carried) -> BoxedStrategy<Node> {
    let names: Vec<&'static str> = members.iter().map(|member| member.wire).collect();
    let values: Vec<BoxedStrategy<Option<Node>>> = members.iter().map(|member| optional(member, carried)).collect();
    let pair = |(name, node): (&&str, Option<Node>)| Some(((*name).to_owned(), node?));
    values.prop_map(move |values| Node::Struct(names.iter().zip(values).filter_map(pair).collect())).boxed()
}

fn optional(member: &Member, carried: Carried) -> BoxedStrategy<Option<Node>> {
    let present = |strategy: BoxedStrategy<Node>| strategy.prop_map(Some).boxed();
    match (member.place, &member.kind) {
        // A path without its parts and a body without bytes are something else.
        (Place::Uri, Kind::String) => present(text(carried, 1..20).prop_map(Node::Text).boxed()),
        (Place::Uri | Place::Payload, kind) => present(value(kind, member.members, carried)),
        (Place::Header, Kind::String) => option::of(header_text().prop_map(Node::Text)).boxed(),
        (_, kind) => option::of(value(kind, member.members, carried)).boxed(),
    }
}

fn value(kind: &Kind, members: fn() -> Vec<Member>, carried: Carried) -> BoxedStrategy<Node> {
    match kind {
        Kind::String => text(carried, 0..20).prop_map(Node::Text).boxed(),
        Kind::Integer => any::<i32>().prop_map(|value| Node::Integer(value.into())).boxed(),
        Kind::Long => any::<i64>().prop_map(Node::Integer).boxed(),
        Kind::Double => any::<i32>().prop_map(|value| Node::Float(f64::from(value) / 8.0)).boxed(),
        Kind::Boolean => any::<bool>().prop_map(Node::Bool).boxed(),
        Kind::Timestamp => instant(carried).prop_map(Node::Instant).boxed(),
        Kind::Blob => vec(any::<u8>(), 0..64).prop_map(|bytes| Node::Bytes(bytes.into())).boxed(),
        Kind::List(item) => vec(value(item, members, carried), 0..4).prop_map(Node::List).boxed(),
        Kind::Structure(_) => structure(&members(), carried),
    }
}

/// From 1970 to the end of year 9999, with and without a fraction of a second.
fn instant(carried: Carried) -> impl Strategy<Value = Timestamp> {
    let seconds = 0..253_402_300_000_i64;
    let whole = seconds.clone().prop_map(|seconds| Timestamp::from_second(seconds).unwrap());
    let milliseconds: i64 = if carried.fractions { 1000 } else { 1 };
    let fraction = (seconds, 0..milliseconds).prop_map(|(s, ms)| Timestamp::from_millisecond(s * 1000 + ms).unwrap());
    prop_oneof![whole, fraction]
}

/// Texts that break careless encoders more often than chance would.
fn text(carried: Carried, length: Range<usize>) -> BoxedStrategy<String> {
    const TROUBLE: &str = "+%&=<>\"'/?#.;:,[]{}()\\ \t\n\ré漢🦀\u{85}\u{2028}\u{feff}\u{7f}aZ09-_~*";
    let trouble: Vec<char> = TROUBLE.chars().collect();
    let letter = prop_oneof![3 => prop::sample::select(trouble), 1 => any::<char>()];
    let letter = letter.prop_map(move |letter| {
        let in_xml = matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        if carried.control || in_xml { letter } else { '%' }
    });
    let text = vec(letter, length).prop_map(String::from_iter);
    if carried.control {
        prop_oneof![5 => text, 1 => Just("\0\u{1}\u{1f}%00".to_owned())].boxed()
    } else {
        text.boxed()
    }
}

/// Visible ASCII that neither starts nor ends with a space: what a header holds.
fn header_text() -> impl Strategy<Value = String> {
    vec(prop::char::range(' ', '~'), 0..40).prop_map(|letters| String::from_iter(letters).trim().to_owned())
}
