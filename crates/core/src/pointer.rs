//! Pointers: which image an environment runs, and when it may become another one.
//!
//! A pointer is an SSM parameter of type `aws:ec2:image`. Promotion never rebuilds: it makes the next environment's
//! pointer name the very image that the environment before it runs.

use std::fmt;

use crate::project::is_name;

/// Every parameter of Ovenbird's begins with this.
pub const ROOT: &str = "/ovenbird";

/// The name of one pointer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
}

impl Pointer {
    /// The pointer of a service in an environment.
    #[must_use]
    pub fn new(service: &str, environment: &str) -> Self {
        Self { service: service.to_owned(), environment: environment.to_owned() }
    }

    /// The parameter's name, `/ovenbird/<service>/<environment>`.
    #[must_use]
    pub fn parameter(&self) -> String {
        self.to_string()
    }

    /// Reads a parameter's name; `None` for a parameter that is no pointer, such as one of a service's own settings.
    #[must_use]
    pub fn find(parameter: &str) -> Option<Self> {
        let (service, environment) = parameter.strip_prefix(ROOT)?.strip_prefix('/')?.split_once('/')?;
        (is_name(service) && is_name(environment)).then(|| Self::new(service, environment))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ROOT}/{}/{}", self.service, self.environment)
    }
}

/// What is asked for, and what was found out about it.
#[derive(Clone, Debug)]
pub struct PromotionRequest<'a> {
    /// The service.
    pub service: &'a str,
    /// The project's environments, in order.
    pub environments: &'a [String],
    /// Where the image comes from; `None`: the environment before `to`.
    pub from: Option<&'a str>,
    /// The environment whose pointer moves.
    pub to: &'a str,
    /// The image that `from` points at, with its state; `None` without a pointer. See [`promotion_source`].
    pub source: Option<SourceImage<'a>>,
    /// The image that `to` points at now.
    pub target: Option<&'a str>,
    /// Environments may be skipped or gone back to.
    pub forced: bool,
}

/// The image that the source's pointer names.
#[derive(Clone, Copy, Debug)]
pub struct SourceImage<'a> {
    /// `ami-…`.
    pub id: &'a str,
    /// Its state in `DescribeImages`; `None` when it is not there.
    pub state: Option<&'a str>,
}

/// A promotion that may be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The pointer to move.
    pub pointer: Pointer,
    /// The environment that runs the image already.
    pub from: String,
    /// What the pointer shall name.
    pub image: String,
    /// What it names now.
    pub replaces: Option<String>,
}

impl Promotion {
    /// Whether the pointer names the image already.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.replaces.as_ref() == Some(&self.image)
    }
}

impl fmt::Display for Promotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pointer, from, image, replaces } = self;
        match replaces {
            _ if self.is_done() => write!(f, "{pointer} names {image} already, as {from} does"),
            Some(old) => write!(f, "{pointer}: {old} -> {image}, the image of {from}"),
            None => write!(f, "{pointer}: none -> {image}, the image of {from}"),
        }
    }
}

/// Why a promotion may not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromotionRefused {
    /// The project has no such environment.
    #[error("the project has no environment `{name}`; it has {}{}", known.join(", "), suggestion(name, known))]
    UnknownEnvironment {
        /// What was given.
        name: String,
        /// The project's environments.
        known: Vec<String>,
    },
    /// Nothing comes before the first environment.
    #[error("`{0}` is the first environment, so nothing is promoted to it; a bake makes its image, or give --from")]
    FirstEnvironment(String),
    /// The same environment on both sides.
    #[error("`{0}` cannot be promoted to itself")]
    SameEnvironment(String),
    /// Not the next environment in order.
    #[error("from `{from}` the next environment is {}, not `{to}`; promote step by step, or use --force", next.as_ref().map_or_else(|| "none".to_owned(), |next| format!("`{next}`")))]
    OutOfOrder {
        /// The source.
        from: String,
        /// The target.
        to: String,
        /// The one that may be promoted to.
        next: Option<String>,
    },
    /// The source points at nothing.
    #[error(
        "{0} does not exist, so there is no image to promote; bake the service or promote to that environment first"
    )]
    NoSource(Pointer),
    /// The source's image cannot be launched.
    #[error("image {image}, which {pointer} names, {}; a pointer never names an image that cannot be launched", state.as_ref().map_or_else(|| "does not exist any more".to_owned(), |state| format!("is {state}, not available")))]
    NotAvailable {
        /// The source's pointer.
        pointer: Pointer,
        /// `ami-…`.
        image: String,
        /// Its state; `None`: it is gone.
        state: Option<String>,
    },
}

/// ` (did you mean …?)`, where one of the known names is near.
pub(crate) fn suggestion(name: &str, known: &[String]) -> String {
    let near = known.iter().find(|known| strsim::damerau_levenshtein(name, known) <= 2);
    near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

/// The pointer whose image a promotion to `to` would take: the one of `from`, or of the environment before `to`.
///
/// # Errors
/// When an environment is not known, or the order forbids the promotion and it is not forced.
pub fn promotion_source(
    service: &str,
    environments: &[String],
    from: Option<&str>,
    to: &str,
    forced: bool,
) -> Result<Pointer, PromotionRefused> {
    let place = |name: &str| {
        let unknown = || PromotionRefused::UnknownEnvironment { name: name.to_owned(), known: environments.to_vec() };
        environments.iter().position(|known| known == name).ok_or_else(unknown)
    };
    let to_place = place(to)?;
    let from_place = match from {
        Some(from) => place(from)?,
        None => to_place.checked_sub(1).ok_or_else(|| PromotionRefused::FirstEnvironment(to.to_owned()))?,
    };
    if from_place == to_place {
        return Err(PromotionRefused::SameEnvironment(to.to_owned()));
    }
    let from = &environments[from_place];
    if from_place + 1 != to_place && !forced {
        let next = environments.get(from_place + 1).cloned();
        return Err(PromotionRefused::OutOfOrder { from: from.clone(), to: to.to_owned(), next });
    }
    Ok(Pointer::new(service, from))
}

/// Decides whether a pointer may move. Forcing lifts the order alone: an image that is not there is never pointed at.
///
/// # Errors
/// When it may not, with what to do instead.
pub fn promotion(request: &PromotionRequest<'_>) -> Result<Promotion, PromotionRefused> {
    let PromotionRequest { service, environments, from, to, source, target, forced } = *request;
    let pointer = promotion_source(service, environments, from, to, forced)?;
    let Some(image) = source else {
        return Err(PromotionRefused::NoSource(pointer));
    };
    if image.state != Some("available") {
        let state = image.state.map(ToOwned::to_owned);
        return Err(PromotionRefused::NotAvailable { pointer, image: image.id.to_owned(), state });
    }
    Ok(Promotion {
        pointer: Pointer::new(service, to),
        from: pointer.environment,
        image: image.id.to_owned(),
        replaces: target.map(ToOwned::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn environments() -> Vec<String> {
        ["dev", "staging", "prod"].map(ToOwned::to_owned).into()
    }

    fn ask(from: Option<&str>, to: &str, forced: bool) -> Result<Promotion, PromotionRefused> {
        let source = Some(SourceImage { id: "ami-2", state: Some("available") });
        let environments = environments();
        promotion(&PromotionRequest {
            service: "web",
            environments: &environments,
            from,
            to,
            source,
            target: Some("ami-1"),
            forced,
        })
    }

    #[test]
    fn moves_to_the_next_environment() {
        let promotion = ask(None, "prod", false).expect("in order");
        assert_eq!(promotion.to_string(), "/ovenbird/web/prod: ami-1 -> ami-2, the image of staging");
        assert_eq!(ask(Some("staging"), "prod", false), Ok(promotion));
    }

    #[test]
    fn skips_or_goes_back_only_when_forced() {
        let refused = ask(Some("dev"), "prod", false).expect_err("skips staging");
        assert_eq!(
            refused.to_string(),
            "from `dev` the next environment is `staging`, not `prod`; promote step by step, or use --force"
        );
        assert!(ask(Some("prod"), "dev", false).expect_err("back").to_string().contains("next environment is none"));
        assert_eq!(ask(Some("dev"), "prod", true).expect("forced").from, "dev");
        assert_eq!(ask(Some("prod"), "dev", true).expect("forced").from, "prod");
    }

    #[test]
    fn refuses_what_makes_no_sense_even_when_forced() {
        assert_eq!(ask(None, "dev", true), Err(PromotionRefused::FirstEnvironment("dev".to_owned())));
        assert_eq!(ask(Some("dev"), "dev", true), Err(PromotionRefused::SameEnvironment("dev".to_owned())));
        let unknown = ask(None, "prd", true).expect_err("unknown").to_string();
        assert_eq!(unknown, "the project has no environment `prd`; it has dev, staging, prod (did you mean `prod`?)");
    }

    #[test]
    fn never_points_at_what_is_not_there() {
        let environments = environments();
        let ask = |source| {
            let request = PromotionRequest {
                service: "web",
                environments: &environments,
                from: None,
                to: "prod",
                source,
                target: None,
                forced: true,
            };
            promotion(&request).map(|promotion| promotion.to_string()).map_err(|refused| refused.to_string())
        };
        let image = |state| Some(SourceImage { id: "ami-2", state });
        assert_eq!(
            ask(image(Some("available"))),
            Ok("/ovenbird/web/prod: none -> ami-2, the image of staging".to_owned())
        );
        assert!(ask(None).expect_err("no pointer").starts_with("/ovenbird/web/staging does not exist"));
        assert!(ask(image(None)).expect_err("gone").contains("does not exist any more"));
        assert!(ask(image(Some("pending"))).expect_err("pending").contains("is pending, not available"));
    }

    #[test]
    fn says_when_there_is_nothing_to_do() {
        let promotion = Promotion {
            pointer: Pointer::new("web", "prod"),
            from: "dev".to_owned(),
            image: "ami-1".to_owned(),
            replaces: Some("ami-1".to_owned()),
        };
        assert!(promotion.is_done());
        assert_eq!(promotion.to_string(), "/ovenbird/web/prod names ami-1 already, as dev does");
    }

    #[test]
    fn only_pointers_are_pointers() {
        for parameter in [
            "/ovenbird/web",
            "/ovenbird/web/prod/x",
            "ovenbird/web/prod",
            "/ovenbirdx/web/prod",
            "/ovenbird/Web/prod",
            "/ovenbird//prod",
        ] {
            assert_eq!(Pointer::find(parameter), None, "{parameter}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_read_back(service in "[a-z][a-z0-9-]{0,62}", environment in "[a-z][a-z0-9-]{0,62}") {
            let pointer = Pointer::new(&service, &environment);
            prop_assert_eq!(Pointer::find(&pointer.parameter()), Some(pointer));
        }
    }
}
