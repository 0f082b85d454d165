//! Where the instance may be launched.

use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_template::Filters;
use ovenbird_template::Network;
use ovenbird_template::SecurityGroups;
use ovenbird_template::Subnet;
use ovenbird_template::Vpc;

use crate::error::BakeError;
use crate::error::calling;

/// Where an instance may be launched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The network; `None`: the account's default one.
    pub(crate) vpc: Option<String>,
    /// Subnets, the best first; none: the default network's.
    pub(crate) subnets: Vec<String>,
    /// Security groups that are there; empty: the bake makes its own.
    pub(crate) groups: Vec<String>,
}

/// Finds what the template's `vpc_…`, `subnet_…`, `availability_zone` and `security_group_…` mean.
///
/// # Errors
/// AWS's refusals; a search that finds nothing, or several where one is meant.
pub(crate) async fn find_place(client: &Client, network: &Network) -> Result<Place, BakeError> {
    let vpc = match &network.vpc {
        None => None,
        Some(Vpc::Id(id)) => Some(id.clone()),
        Some(Vpc::Search(filters)) => Some(find_vpc(client, filters).await?),
    };
    let found = find_subnets(client, network, vpc.as_deref()).await?;
    let vpc = vpc.or_else(|| found.first().and_then(|subnet| subnet.vpc_id.clone()));
    // One security group is of one network, so what is fallen back to must be too.
    let subnets = found.into_iter().filter(|subnet| subnet.vpc_id == vpc).filter_map(|subnet| subnet.subnet_id);
    let subnets = subnets.collect();
    let groups = match &network.security_groups {
        SecurityGroups::Temporary { .. } => Vec::new(),
        SecurityGroups::Ids(ids) => ids.clone(),
        SecurityGroups::Search(filters) => find_groups(client, filters).await?,
    };
    Ok(Place { vpc, subnets, groups })
}

async fn find_vpc(client: &Client, filters: &Filters) -> Result<String, BakeError> {
    let request = ec2::DescribeVpcsRequest { filters: written(filters), ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling("look for the template's network"))?;
    let ids: Vec<String> = pages.into_iter().flat_map(|page| page.vpcs).filter_map(|vpc| vpc.vpc_id).collect();
    match ids.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(BakeError::Unsupported("vpc_filter finds no network in this region: check its filters".to_owned())),
        several => Err(BakeError::Unsupported(format!(
            "vpc_filter finds several networks ({}): narrow it",
            several.join(", ")
        ))),
    }
}

async fn find_subnets(client: &Client, network: &Network, vpc: Option<&str>) -> Result<Vec<ec2::Subnet>, BakeError> {
    let mut filters = match &network.subnet {
        Some(Subnet::Id(id)) => vec![Filter::new("subnet-id", [id])],
        Some(Subnet::Search(search)) => written(&search.filters),
        // Without any wish, the default network's own subnets, one for each zone.
        None if vpc.is_none() => vec![Filter::new("default-for-az", ["true"])],
        None => Vec::new(),
    };
    filters.extend(vpc.map(|vpc| Filter::new("vpc-id", [vpc])));
    filters.extend(network.availability_zone.as_ref().map(|zone| Filter::new("availability-zone", [zone])));
    let request = ec2::DescribeSubnetsRequest { filters, ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling("look for subnets to launch in"))?;
    let found: Vec<ec2::Subnet> = pages.into_iter().flat_map(|page| page.subnets).collect();
    choose(network, found)
}

/// Orders the subnets that were found, or says why there is none to choose.
fn choose(network: &Network, mut found: Vec<ec2::Subnet>) -> Result<Vec<ec2::Subnet>, BakeError> {
    let is_search = matches!(network.subnet, Some(Subnet::Search(_)));
    if found.is_empty() && (network.subnet.is_some() || network.vpc.is_some() || network.availability_zone.is_some()) {
        return Err(BakeError::Unsupported(
            "no subnet of this region fits what the template says: check subnet_id, subnet_filter, vpc_id and \
             availability_zone"
                .to_owned(),
        ));
    }
    let any_will_do =
        matches!(&network.subnet, Some(Subnet::Search(search)) if search.most_free || search.random) || !is_search;
    if found.len() > 1 && !any_will_do {
        let ids: Vec<&str> = found.iter().filter_map(|subnet| subnet.subnet_id.as_deref()).collect();
        return Err(BakeError::Unsupported(format!(
            "subnet_filter finds several subnets ({}): narrow it, or say `most_free` or `random`",
            ids.join(", ")
        )));
    }
    // With the most free addresses first; `random` is content with that too.
    found.sort_by_key(|subnet| (std::cmp::Reverse(subnet.available_ip_address_count), subnet.subnet_id.clone()));
    Ok(found)
}

async fn find_groups(client: &Client, filters: &Filters) -> Result<Vec<String>, BakeError> {
    let request = ec2::DescribeSecurityGroupsRequest { filters: written(filters), ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling("look for the template's security groups"))?;
    let groups = pages.into_iter().flat_map(|page| page.security_groups);
    let ids: Vec<String> = groups.filter_map(|group| group.group_id).collect();
    if ids.is_empty() {
        return Err(BakeError::Unsupported("security_group_filter finds no group: check its filters".to_owned()));
    }
    Ok(ids)
}

fn written(filters: &Filters) -> Vec<Filter> {
    filters.iter().map(|(name, values)| Filter::new(name, values.clone())).collect()
}

#[cfg(test)]
mod tests {
    use ovenbird_template::SubnetSearch;

    use super::*;

    fn subnet(id: &str, free: i32) -> ec2::Subnet {
        ec2::Subnet { subnet_id: Some(id.to_owned()), available_ip_address_count: Some(free), ..Default::default() }
    }

    fn search(most_free: bool) -> Network {
        let search = SubnetSearch { filters: Vec::new(), most_free, random: false };
        Network { subnet: Some(Subnet::Search(search)), ..Default::default() }
    }

    #[test]
    fn the_freest_comes_first_where_any_will_do() {
        let found = || vec![subnet("subnet-a", 3), subnet("subnet-b", 250)];
        let ids = |network| -> Vec<String> {
            let chosen = choose(&network, found()).expect("some");
            chosen.into_iter().filter_map(|subnet| subnet.subnet_id).collect()
        };
        assert_eq!(ids(search(true)), ["subnet-b", "subnet-a"]);
        assert_eq!(ids(Network::default()), ["subnet-b", "subnet-a"]);
        let error = choose(&search(false), found()).expect_err("several").to_string();
        assert!(error.contains("subnet-a, subnet-b") && error.contains("most_free"), "{error}");
        assert!(choose(&search(true), Vec::new()).is_err());
        assert!(choose(&Network::default(), Vec::new()).expect("the default network may have none").is_empty());
    }
}
