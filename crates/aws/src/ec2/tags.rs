//! Tags, and the calls that write and list them.

use super::Filter;
use super::Nothing;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Describes a tag.
    pub struct Tag {
        /// The key of the tag.
        key: Option<String> = "key",
        /// The value of the tag.
        value: Option<String> = "value",
    }

    /// The tags to apply to a resource when the resource is being created.
    pub struct TagSpecification {
        /// The type of resource to tag on creation.
        resource_type: Option<String> = "resourceType",
        /// The tags to apply to the resource.
        tags: Vec<Tag> = "Tag",
    }

    /// Describes a tag.
    pub struct TagDescription {
        /// The tag key.
        key: Option<String> = "key",
        /// The ID of the resource.
        resource_id: Option<String> = "resourceId",
        /// The resource type.
        resource_type: Option<String> = "resourceType",
        /// The tag value.
        value: Option<String> = "value",
    }

    /// Adds or overwrites only the specified tags for the specified Amazon EC2 resource or resources.
    pub struct CreateTagsRequest {
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// The IDs of the resources. Required.
        resources: Vec<String> = "ResourceId",
        /// The tags. Required.
        tags: Vec<Tag> = "Tag",
    }

    /// Deletes the specified set of tags from the specified set of resources.
    pub struct DeleteTagsRequest {
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// The IDs of the resources. Required.
        resources: Vec<String> = "resourceId",
        /// The tags to delete.
        tags: Vec<Tag> = "tag",
    }

    /// Describes the specified tags for your EC2 resources.
    pub struct DescribeTagsRequest {
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
        /// The maximum number of items to return for this request.
        max_results: Option<i32> = "maxResults",
        /// The token returned from a previous paginated request.
        next_token: Option<String> = "nextToken",
    }

    /// The answer of DescribeTags.
    pub struct DescribeTagsResult {
        /// The token to include in another request to get the next page of items.
        next_token: Option<String> = "nextToken",
        /// The tags.
        tags: Vec<TagDescription> = "tagSet",
    }
}

operation!(Ec2, "CreateTags", CreateTagsRequest => Nothing);
operation!(Ec2, "DeleteTags", DeleteTagsRequest => Nothing);
operation!(Ec2, "DescribeTags", DescribeTagsRequest => DescribeTagsResult);
