//! The rules of tags (EC2 user guide, "Tag restrictions").

use ovenbird_aws::ec2;

use crate::catalogue::tags::Tag;
use crate::failure::Answer;
use crate::failure::refuse;

/// Tags per resource.
pub(crate) const MAX_TAGS: usize = 50;

/// Refuses tags that AWS would not take; the message says why.
pub(crate) fn verify_tags(tags: &[Tag]) -> Result<(), String> {
    for (at, (key, value)) in tags.iter().enumerate() {
        if key.is_empty() || key.chars().count() > 127 {
            return Err(format!("Tag keys must have 1 to 127 characters: '{key}'"));
        }
        if value.chars().count() > 255 {
            return Err(format!("The value of the tag '{key}' is longer than 255 characters"));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(format!("Tag keys starting with 'aws:' are reserved for internal use: '{key}'"));
        }
        if tags[..at].iter().any(|(other, _)| other == key) {
            return Err(format!("Duplicate tag key '{key}' specified."));
        }
    }
    if tags.len() > MAX_TAGS { Err(format!("More than {MAX_TAGS} tags")) } else { Ok(()) }
}

/// The same in EC2's code.
pub(crate) fn verify_ec2_tags(tags: &[Tag]) -> Answer<()> {
    if tags.len() > MAX_TAGS {
        return refuse("TagLimitExceeded", format!("A resource can have {MAX_TAGS} tags; {} were given", tags.len()));
    }
    verify_tags(tags).or_else(|message| refuse("InvalidParameterValue", message))
}

/// The tags that a create call gives to its new `kind` (`image`, `snapshot`, …); others than `kinds` cannot be tagged by it.
pub(crate) fn specified(specifications: &[ec2::TagSpecification], kinds: &[&str]) -> Answer<impl Fn(&str) -> Vec<Tag>> {
    let mut specified: Vec<(String, Vec<Tag>)> = Vec::new();
    for specification in specifications {
        let kind = specification.resource_type.clone().unwrap_or_default();
        if !kinds.contains(&kind.as_str()) {
            let text = format!("'{kind}' is not a valid taggable resource type for this operation.");
            return refuse("InvalidParameterValue", text);
        }
        let tags = from_api(&specification.tags);
        verify_ec2_tags(&tags)?;
        specified.push((kind, tags));
    }
    Ok(move |kind: &str| specified.iter().filter(|(of, _)| of == kind).flat_map(|(_, tags)| tags.clone()).collect())
}

/// Tags of a request.
pub(crate) fn from_api(tags: &[ec2::Tag]) -> Vec<Tag> {
    tags.iter().map(|tag| (tag.key.clone().unwrap_or_default(), tag.value.clone().unwrap_or_default())).collect()
}

/// Tags of an answer.
pub(crate) fn to_api(tags: &[Tag]) -> Vec<ec2::Tag> {
    tags.iter().map(|(key, value)| ec2::Tag::new(key, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(keys: &[&str]) -> Vec<Tag> {
        keys.iter().map(|key| ((*key).to_owned(), "value".to_owned())).collect()
    }

    #[test]
    fn the_rules() {
        assert_eq!(verify_tags(&tags(&["Name", "ovenbird:bake", "name"])), Ok(()));
        let long = "k".repeat(128);
        for bad in [&["aws:x"][..], &["AWS:x"], &[""], &[&long], &["a", "b", "a"]] {
            assert!(verify_tags(&tags(bad)).is_err(), "{bad:?}");
        }
        let many: Vec<String> = (0..51).map(|number| number.to_string()).collect();
        assert!(verify_tags(&tags(&many.iter().map(String::as_str).collect::<Vec<_>>())).is_err());
        assert!(verify_tags(&[("a".to_owned(), "v".repeat(256))]).is_err());
    }
}
