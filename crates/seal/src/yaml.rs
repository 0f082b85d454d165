//! Ansible's YAML as plain text, lists and maps: tags (`!vault`, `!unsafe`) are looked through, numbers and booleans stay as written.

use saphyr::LoadableYamlNode as _;
use saphyr::Scalar;
use saphyr::Yaml;

/// A node of a YAML document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A scalar; null is the empty text.
    Text(String),
    /// A sequence.
    List(Vec<Self>),
    /// In the document's order.
    Map(Vec<(String, Self)>),
}

/// The documents of a text; `None` when it is not YAML, or has a key twice, of which only Ansible knows which one counts.
#[must_use]
pub fn parse(text: &str) -> Option<Vec<Node>> {
    Some(Yaml::load_from_str(text).ok()?.into_iter().map(Node::from).collect())
}

impl From<Yaml<'_>> for Node {
    fn from(yaml: Yaml<'_>) -> Self {
        match yaml {
            Yaml::Sequence(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Yaml::Mapping(pairs) => {
                Self::Map(pairs.into_iter().flat_map(|(key, value)| pair(key, value.into())).collect())
            }
            Yaml::Tagged(_, inner) => Self::from(*inner),
            Yaml::Representation(text, ..) => Self::Text(text.into_owned()),
            Yaml::Value(scalar) => Self::Text(scalar_text(scalar)),
            Yaml::Alias(_) | Yaml::BadValue => Self::Text(String::new()),
        }
    }
}

/// A merge key (`<<`) stands for the pairs of what it names.
fn pair(key: Yaml<'_>, value: Node) -> Vec<(String, Node)> {
    let key = Node::from(key).text().unwrap_or_default().to_owned();
    match (key.as_str(), value) {
        ("<<", Node::Map(pairs)) => pairs,
        ("<<", Node::List(maps)) => {
            maps.into_iter().flat_map(|map| if let Node::Map(pairs) = map { pairs } else { vec![] }).collect()
        }
        (_, value) => vec![(key, value)],
    }
}

fn scalar_text(scalar: Scalar<'_>) -> String {
    match scalar {
        Scalar::Null => String::new(),
        Scalar::Boolean(is) => is.to_string(),
        Scalar::Integer(number) => number.to_string(),
        Scalar::FloatingPoint(number) => number.to_string(),
        Scalar::String(text) => text.into_owned(),
    }
}

impl Node {
    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The items of a list; of anything else, none.
    #[must_use]
    pub fn list(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The pairs of a map; of anything else, none.
    #[must_use]
    pub fn pairs(&self) -> &[(String, Self)] {
        if let Self::Map(pairs) = self { pairs } else { &[] }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.pairs().iter().rev().find(|(its, _)| its == key).map(|(_, value)| value)
    }

    /// Every text in it, keys of maps too.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::List(items) => items.iter().flat_map(Self::texts).collect(),
            Self::Map(pairs) => {
                pairs.iter().flat_map(|(key, value)| std::iter::once(key.as_str()).chain(value.texts())).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_ansible_writes() {
        let text = "- &a {x: 1, y: yes}\n- <<: *a\n  z: !vault |\n    $ANSIBLE_VAULT;1.1\n- !unsafe \"{{ x }}\"\n- ~\n";
        let documents = parse(text).expect("YAML");
        let items = documents[0].list();
        assert_eq!(items[0].get("x").and_then(Node::text), Some("1"));
        assert_eq!(items[1].get("y").and_then(Node::text), Some("yes"));
        assert_eq!(items[1].get("z").and_then(Node::text), Some("$ANSIBLE_VAULT;1.1\n"));
        assert_eq!((items[2].text(), items[3].text()), (Some("{{ x }}"), Some("")));
        assert!(parse("a: [").is_none() && parse("a: 1\na: 2").is_none());
    }
}
