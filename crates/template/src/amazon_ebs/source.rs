//! What a bake starts from.

use crate::fields::Fields;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;
use crate::options::Treatment::Refused;
use crate::tree::Member;
use crate::tree::Value;

/// Filters of a `Describe` call, by name; values may have the wildcards `*` and `?`.
pub type Filters = Vec<(String, Vec<String>)>;

/// What a bake starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceImage {
    /// This image.
    Id(String),
    /// The image that matches.
    Filter(SourceFilter),
}

/// A search for the source image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceFilter {
    /// Filters of `DescribeImages`.
    pub filters: Filters,
    /// Accounts, or the aliases `self`, `amazon`, `aws-marketplace`. Never empty.
    pub owners: Vec<String>,
    /// Whether the newest of several matches is meant; otherwise several are an error.
    pub most_recent: bool,
    /// Whether deprecated images count.
    pub include_deprecated: bool,
}

pub(super) const OPTIONS: &[Row] = &[
    (&["filters", "filter", "owners", "most_recent", "include_deprecated"], Honoured),
    (&["random"], Refused("use most_recent")),
];

/// Reads `source_ami` or `source_ami_filter`.
pub(super) fn read(fields: &Fields<'_>) -> Option<SourceImage> {
    let id = fields.find("source_ami").filter(|node| fields.asks_for(node));
    let filter = fields.find("source_ami_filter").filter(|node| fields.asks_for(node));
    match (id, filter) {
        (Some(_), Some(filter)) => {
            let help = "keep one of them".to_owned();
            fields.findings.error(&filter.span, "`source_ami` and `source_ami_filter` are both there", Some(help));
            None
        }
        (Some(_), None) => fields.text("source_ami").map(SourceImage::Id),
        (None, Some(_)) => {
            let filter = fields.objects("source_ami_filter", "source_ami_filter").into_iter().next()?;
            search(&filter).map(SourceImage::Filter)
        }
        (None, None) => {
            let given = fields.find("source_ami").map(|_| "source_ami");
            fields.missing(
                given.unwrap_or("source_ami_filter"),
                "it says which image to start from; `source_ami` takes an id",
            );
            None
        }
    }
}

/// Reads a search for an image.
pub(crate) fn search(fields: &Fields<'_>) -> Option<SourceFilter> {
    options::check(fields, OPTIONS);
    let mut owners = fields.texts("owners");
    if owners.is_empty() && fields.find("owners").is_some_and(|node| fields.asks_for(node)) {
        // What is wrong with them has been reported.
        return None;
    }
    owners.retain(|owner| !owner.is_empty());
    if owners.is_empty() {
        fields.missing(
            "owners",
            "anybody can publish an image with any name; name the account, such as \"136693071363\" for Debian",
        );
        return None;
    }
    Some(SourceFilter {
        filters: filters(fields),
        owners,
        most_recent: fields.boolean("most_recent").unwrap_or(false),
        include_deprecated: fields.boolean("include_deprecated").unwrap_or(false),
    })
}

/// `"filters": {…}`, with `"filter": [{"name": …, "value": …}]` after it.
pub(super) fn filters(fields: &Fields<'_>) -> Filters {
    let values = |member: &Member| match &member.node.value {
        Value::Array(elements) => elements.iter().map(|element| fields.scalar(&member.key, element)).collect(),
        _ => fields.scalar(&member.key, &member.node).map(|value| vec![value]),
    };
    let mut filters: Filters = fields.map("filters", values).into_iter().collect();
    for pair in fields.objects("filter", "filter") {
        options::check(&pair, &[(&["name", "value"], Honoured)]);
        let (name, values) = (pair.required_text("name", "a filter of DescribeImages"), pair.texts("value"));
        filters.extend(name.map(|name| (name, values)));
    }
    filters
}
