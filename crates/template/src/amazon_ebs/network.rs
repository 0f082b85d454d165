//! Where an instance is launched.

use super::source::Filters;
use super::source::filters;
use crate::fields::Fields;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;

/// Where an instance is launched. What is `None` is the account's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The virtual network.
    pub vpc: Option<Vpc>,
    /// Its subnet.
    pub subnet: Option<Subnet>,
    /// Such as `eu-west-1a`.
    pub availability_zone: Option<String>,
    /// Whether the instance gets a public address; `None`: as the subnet says.
    pub associate_public_ip_address: Option<bool>,
    /// Who may reach it.
    pub security_groups: SecurityGroups,
}

/// A virtual network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vpc {
    /// `vpc-…`
    Id(String),
    /// The one that fits these filters of `DescribeVpcs`.
    Search(Filters),
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subnet {
    /// `subnet-…`
    Id(String),
    /// One that fits.
    Search(SubnetSearch),
}

/// A search for a subnet. Where several fit and it says neither of the two, that is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetSearch {
    /// Filters of `DescribeSubnets`.
    pub filters: Filters,
    /// Take the one with the most free addresses.
    pub most_free: bool,
    /// Take any.
    pub random: bool,
}

/// Who may reach the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecurityGroups {
    /// A group of the bake's own.
    Temporary {
        /// The addresses that may log in; empty: only the baking machine's own.
        source_cidrs: Vec<String>,
    },
    /// `sg-…`
    Ids(Vec<String>),
    /// Those that fit these filters of `DescribeSecurityGroups`.
    Search(Filters),
}

impl Default for SecurityGroups {
    fn default() -> Self {
        Self::Temporary { source_cidrs: Vec::new() }
    }
}

pub(super) const FILTER_OPTIONS: &[Row] = &[(&["filters", "filter"], Honoured)];
pub(super) const SUBNET_OPTIONS: &[Row] = &[(&["filters", "filter", "most_free", "random"], Honoured)];

/// An id wins over a filter, as in Packer.
pub(super) fn read(fields: &Fields<'_>) -> Network {
    let vpc = fields.text("vpc_id").map(Vpc::Id);
    let vpc_search = search(fields, "vpc_filter").map(Vpc::Search);
    let subnet = fields.text("subnet_id").map(Subnet::Id);
    let subnet_search = subnet_search(fields).map(Subnet::Search);
    note_beaten(fields, vpc.is_some() && vpc_search.is_some(), "vpc_filter", "vpc_id");
    note_beaten(fields, subnet.is_some() && subnet_search.is_some(), "subnet_filter", "subnet_id");
    Network {
        vpc: vpc.or(vpc_search),
        subnet: subnet.or(subnet_search),
        availability_zone: fields.text("availability_zone"),
        associate_public_ip_address: fields.boolean("associate_public_ip_address"),
        security_groups: security_groups(fields),
    }
}

fn security_groups(fields: &Fields<'_>) -> SecurityGroups {
    let mut ids: Vec<String> = fields.text("security_group_id").into_iter().collect();
    ids.extend(fields.texts("security_group_ids").into_iter().filter(|id| !id.is_empty()));
    let search = search(fields, "security_group_filter");
    let mut source_cidrs = fields.texts("temporary_security_group_source_cidrs");
    source_cidrs.extend(fields.texts("temporary_security_group_source_cidr"));
    // The baking machine's own address is the default here.
    fields.boolean("temporary_security_group_source_public_ip");
    note_beaten(fields, !ids.is_empty() && search.is_some(), "security_group_filter", "security_group_ids");
    match (ids.is_empty(), search) {
        (false, _) => SecurityGroups::Ids(ids),
        (true, Some(filters)) => SecurityGroups::Search(filters),
        (true, None) => SecurityGroups::Temporary { source_cidrs },
    }
}

fn search(fields: &Fields<'_>, name: &'static str) -> Option<Filters> {
    let search = fields.objects(name, name).into_iter().next()?;
    options::check(&search, FILTER_OPTIONS);
    Some(filters(&search)).filter(|filters| !filters.is_empty())
}

fn subnet_search(fields: &Fields<'_>) -> Option<SubnetSearch> {
    let search = fields.objects("subnet_filter", "subnet_filter").into_iter().next()?;
    options::check(&search, SUBNET_OPTIONS);
    let found = SubnetSearch {
        filters: filters(&search),
        most_free: search.boolean("most_free").unwrap_or(false),
        random: search.boolean("random").unwrap_or(false),
    };
    Some(found).filter(|found| !found.filters.is_empty() || found.most_free || found.random)
}

fn note_beaten(fields: &Fields<'_>, is_beaten: bool, beaten: &str, winner: &str) {
    let span = fields.find(beaten).map(|node| node.span.clone());
    if let (true, Some(span)) = (is_beaten, span) {
        fields.findings.note(&span, beaten, &format!("`{winner}` is there too, and wins, as in Packer"));
    }
}
