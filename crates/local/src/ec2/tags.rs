//! CreateTags, DeleteTags, DescribeTags.

use ovenbird_aws::ec2::CreateTagsRequest;
use ovenbird_aws::ec2::DeleteTagsRequest;
use ovenbird_aws::ec2::DescribeTagsRequest;
use ovenbird_aws::ec2::DescribeTagsResult;
use ovenbird_aws::ec2::Nothing;
use ovenbird_aws::ec2::TagDescription;
use rusqlite::Connection;

use super::filters::Filterable;
use super::filters::select;
use super::key_pairs::own_key_pair;
use super::paging::Paging;
use super::resources::Kind;
use super::resources::own_instance;
use super::resources::own_snapshot;
use super::resources::own_volume;
use super::resources::visible_image;
use super::security_groups::own_group;
use crate::catalogue::launch_templates;
use crate::catalogue::tags;
use crate::catalogue::tags::Tag;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::tagging;
use crate::world::Call;

/// Writes tags on resources: on all of them, or on none.
pub(crate) fn create_tags(call: &Call, request: &CreateTagsRequest) -> Answer<Nothing> {
    let new = tagging::from_api(&request.tags);
    required((!new.is_empty()).then_some(()), "Tag")?;
    tagging::verify_ec2_tags(&new)?;
    call.world.catalogue.transact(|db| {
        verify_resources(db, call, &request.resources)?;
        for resource in &request.resources {
            tags::put_tags(db, &call.scope, resource, &new)?;
            if tags::list_tags(db, &call.scope, resource)?.len() > tagging::MAX_TAGS {
                return refuse(
                    "TagLimitExceeded",
                    format!("The resource {resource} would have more than {} tags", tagging::MAX_TAGS),
                );
            }
        }
        Ok(Nothing {})
    })
}

/// Deletes tags by key, or by key and value; without any tag named, all of them.
pub(crate) fn delete_tags(call: &Call, request: &DeleteTagsRequest) -> Answer<Nothing> {
    call.world.catalogue.transact(|db| {
        verify_resources(db, call, &request.resources)?;
        for resource in &request.resources {
            for tag in &request.tags {
                let key = required(tag.key.as_deref(), "Tag.Key")?;
                tags::delete_tag(db, &call.scope, resource, key, tag.value.as_deref())?;
            }
            if request.tags.is_empty() {
                for (key, _) in tags::list_tags(db, &call.scope, resource)? {
                    tags::delete_tag(db, &call.scope, resource, &key, None)?;
                }
            }
        }
        Ok(Nothing {})
    })
}

/// Every resource must be there. Public and shared images may be tagged too; such tags are the caller's alone.
fn verify_resources(db: &Connection, call: &Call, resources: &[String]) -> Answer<()> {
    required(resources.first(), "ResourceId")?;
    for id in resources {
        match Kind::find(id) {
            Some(Kind::Image) => drop(visible_image(db, call, Some(id))?),
            Some(Kind::Snapshot) => drop(own_snapshot(db, call, Some(id))?),
            Some(Kind::Volume) => drop(own_volume(db, call, Some(id))?),
            Some(Kind::Instance) => drop(own_instance(db, call, Some(id))?),
            Some(Kind::KeyPair) => drop(own_key_pair(db, call, id)?),
            Some(Kind::SecurityGroup) => drop(own_group(db, call, id)?),
            Some(kind @ Kind::LaunchTemplate) => {
                if launch_templates::find_template(db, &call.scope, id)?.is_none() {
                    return kind.not_found(id);
                }
            }
            None => return refuse("InvalidID", format!("The ID '{id}' is not valid")),
        }
    }
    Ok(())
}

struct Listed {
    seq: i64,
    resource: String,
    tag: [Tag; 1],
}

impl Listed {
    fn kind(&self) -> &'static str {
        Kind::find(&self.resource).map_or("", Kind::name)
    }
}

/// The caller's tags.
pub(crate) fn describe_tags(call: &Call, request: &DescribeTagsRequest) -> Answer<DescribeTagsResult> {
    let all = call.world.catalogue.transact(|db| tags::list_all(db, &call.scope))?;
    let listed = (1_i64..).zip(all).map(|(seq, (resource, key, value))| Listed { seq, resource, tag: [(key, value)] });
    let paging = Paging {
        action: "DescribeTags",
        max_results: request.max_results,
        allowed: 5..=1000,
        next_token: request.next_token.as_deref(),
    };
    let (page, next_token) = paging.cut(call, select(listed.collect(), &request.filters)?, |listed| listed.seq)?;
    let to_api = |listed: Listed| {
        let kind = listed.kind().to_owned();
        let [(key, value)] = listed.tag;
        TagDescription {
            key: Some(key),
            resource_id: Some(listed.resource),
            resource_type: Some(kind),
            value: Some(value),
        }
    };
    Ok(DescribeTagsResult { next_token, tags: page.into_iter().map(to_api).collect() })
}

impl Filterable for Listed {
    const FILTERS: &'static [&'static str] = &["key", "resource-id", "resource-type", "value"];

    fn values_of(&self, filter: &str) -> Vec<String> {
        let [(key, value)] = &self.tag;
        vec![match filter {
            "key" => key.clone(),
            "resource-id" => self.resource.clone(),
            "resource-type" => self.kind().to_owned(),
            _ => value.clone(),
        }]
    }

    fn tags(&self) -> &[Tag] {
        &self.tag
    }
}
