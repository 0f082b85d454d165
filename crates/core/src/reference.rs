//! How people name an image: by its id, by its name, as `service@environment`, or by its service.

use crate::pointer::Pointer;
use crate::project::is_name;

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `ami-…`
    Id(String),
    /// `service@environment`: the image that the environment uses.
    Pointer(Pointer),
    /// The image's own name, or its service's, which means the service's youngest image.
    Name(String),
}

/// An image that can be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// `ami-…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its service, if it has one.
    pub service: Option<String>,
    /// When it was made, as the API writes it: text that sorts by time.
    pub created: String,
}

/// Why a name means no image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOne {
    /// No image has it; these are near.
    None(Vec<String>),
    /// Several do.
    Several(Vec<Candidate>),
}

impl Reference {
    /// Reads what was typed. Everything is something: what is no id and no pointer is a name.
    #[must_use]
    pub fn read(text: &str) -> Self {
        if text.starts_with("ami-") {
            return Self::Id(text.to_owned());
        }
        match text.split_once('@') {
            Some((service, environment)) if is_name(service) && is_name(environment) => {
                Self::Pointer(Pointer::new(service, environment))
            }
            _ => Self::Name(text.to_owned()),
        }
    }
}

/// The image that `name` means: the one that is called so; else the youngest of the service that is; else the only one whose name
/// begins so.
///
/// # Errors
/// [`NotOne`], with the candidates.
pub fn choose<'a>(name: &str, images: &'a [Candidate]) -> Result<&'a Candidate, NotOne> {
    let called = images.iter().filter(|image| image.name == name).collect::<Vec<_>>();
    let of_service = images.iter().filter(|image| image.service.as_deref() == Some(name));
    let youngest = of_service.max_by_key(|image| (&image.created, &image.id));
    let beginning = images.iter().filter(|image| !name.is_empty() && image.name.starts_with(name)).collect::<Vec<_>>();
    match (called.as_slice(), youngest, beginning.as_slice()) {
        ([only], None, _) | ([], None, [only]) => Ok(only),
        ([], Some(youngest), _) => Ok(youngest),
        ([], None, []) => Err(NotOne::None(near(name, images))),
        // The name of one image and of another's service is nobody's to decide.
        (called, Some(youngest), _) => Err(several(called.iter().copied().chain([youngest]))),
        ([], None, beginning) => Err(several(beginning.iter().copied())),
        (called, None, _) => Err(several(called.iter().copied())),
    }
}

fn several<'a>(images: impl Iterator<Item = &'a Candidate>) -> NotOne {
    let mut images: Vec<Candidate> = images.cloned().collect();
    images.sort_by(|a, b| (&b.created, &b.id).cmp(&(&a.created, &a.id)));
    images.dedup();
    NotOne::Several(images)
}

/// Names that are a slip away; of short names, nearly all are two slips from each other.
fn near(name: &str, images: &[Candidate]) -> Vec<String> {
    let slips = if name.chars().count() < 6 { 1 } else { 2 };
    let names = images.iter().flat_map(|image| image.service.iter().chain([&image.name]));
    let mut near: Vec<String> =
        names.filter(|known| strsim::damerau_levenshtein(name, known) <= slips).cloned().collect();
    near.sort();
    near.dedup();
    near
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn image(id: &str, name: &str, service: Option<&str>) -> Candidate {
        Candidate {
            id: id.to_owned(),
            name: name.to_owned(),
            service: service.map(str::to_owned),
            created: format!("2026-{id}"),
        }
    }

    #[test]
    fn reads_the_ways_to_name_an_image() {
        assert_eq!(Reference::read("ami-1"), Reference::Id("ami-1".to_owned()));
        assert_eq!(Reference::read("web@dev"), Reference::Pointer(Pointer::new("web", "dev")));
        for name in ["web", "web 2026-11-24 1000", "a@b@c", "Web@dev", ""] {
            assert_eq!(Reference::read(name), Reference::Name(name.to_owned()), "{name}");
        }
    }

    #[test]
    fn chooses_one_or_says_why_not() {
        let images =
            [image("1", "web 1", Some("web")), image("2", "web 2", Some("web")), image("3", "db 1", Some("db"))];
        let id = |name: &str| choose(name, &images).map(|image| image.id.clone());
        assert_eq!(id("web"), Ok("2".to_owned()), "the youngest of the service");
        assert_eq!(id("web 1"), Ok("1".to_owned()), "the image of that name");
        assert_eq!(id("db 1"), Ok("3".to_owned()));
        assert_eq!(id("db "), Ok("3".to_owned()), "the only one that begins so");
        assert_eq!(id("wbe"), Err(NotOne::None(vec!["web".to_owned()])));
        assert_eq!(id(""), Err(NotOne::None(Vec::new())));
        let Err(NotOne::Several(found)) = choose("web ", &images) else { panic!("two begin so") };
        assert_eq!(found.iter().map(|image| image.id.as_str()).collect::<Vec<_>>(), ["2", "1"]);
    }

    #[test]
    fn an_image_that_is_called_like_another_service_is_ambiguous() {
        let images = [image("1", "web", Some("db")), image("2", "x", Some("web"))];
        assert!(matches!(choose("web", &images), Err(NotOne::Several(found)) if found.len() == 2));
    }

    proptest! {
        #[test]
        fn what_is_chosen_has_the_name(name in "[ab]{0,2}", images in prop::collection::vec(("[0-9]", "[ab]{1,3}", prop::option::of("[ab]{1,2}")), 0..5)) {
            let images: Vec<_> = images.iter().map(|(id, name, service)| image(id, name, service.as_deref())).collect();
            if let Ok(found) = choose(&name, &images) {
                prop_assert!(found.name.starts_with(&name) || found.service.as_ref() == Some(&name));
            }
        }
    }
}
