//! The name that was probably meant.

/// The known name that is nearest to `name`; `None` when all are too far away to be a slip of the fingers.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    let lower = name.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), known))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Whether one slip of the fingers makes `name` of `known`.
pub(crate) fn is_slip(name: &str, known: &str) -> bool {
    strsim::damerau_levenshtein(name, known) == 1
}

/// `did you mean …?`, if something is near enough.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|known| format!("did you mean `{known}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_and_nothing_else() {
        let known = ["region", "ami_regions", "tags"];
        assert_eq!(nearest("regoin", known), Some("region"));
        assert_eq!(nearest("Region", known), Some("region"));
        assert_eq!(nearest("tag", known), Some("tags"));
        assert_eq!(nearest("flavour", known), None);
        assert_eq!(nearest("", known), None);
    }
}
