//! The image that somebody means.

use ovenbird_aws::ec2::Tag;
use ovenbird_core::reference::Candidate;
use ovenbird_core::reference::NotOne;
use ovenbird_core::reference::Reference;
use ovenbird_core::reference::choose;
use ovenbird_core::tags;

use crate::account::Account;
use crate::failure::Failure;
use crate::failure::Kind;

/// The id of the image that `text` names: `ami-…`, an image's name, `service@environment`, or a service.
pub(crate) async fn find(account: &Account, text: &str) -> Result<String, Failure> {
    let failed = |error: ovenbird_fleet::FleetError| Failure::of(Kind::Aws, &error);
    match Reference::read(text) {
        Reference::Id(id) => Ok(id),
        Reference::Pointer(pointer) => match ovenbird_fleet::find_pointer(&account.client, &pointer).await {
            Ok(Some(state)) => Ok(state.image),
            Ok(None) => Err(Failure::not_found(format!("{pointer} does not exist, so `{text}` names no image"))
                .hint("`ovenbird status` lists the pointers")),
            Err(error) => Err(failed(error)),
        },
        Reference::Name(name) => {
            let images = ovenbird_fleet::list_own_images(&account.client).await.map_err(failed)?;
            let available = images.into_iter().filter(|image| image.state.as_deref() == Some("available"));
            let candidates: Vec<Candidate> = available
                .map(|image| Candidate {
                    service: Tag::find(&image.tags, tags::SERVICE).map(str::to_owned),
                    id: image.image_id.unwrap_or_default(),
                    name: image.name.unwrap_or_default(),
                    created: image.creation_date.unwrap_or_default(),
                })
                .collect();
            choose(&name, &candidates).map(|image| image.id.clone()).map_err(|why| refuse(&name, why))
        }
    }
}

fn refuse(name: &str, why: NotOne) -> Failure {
    match why {
        NotOne::Several(images) => {
            let lines = images.iter().map(|image| format!("  {}  {}", image.id, image.name));
            Failure::not_found(format!("`{name}` fits {} images; name one by its id", images.len()))
                .picture(lines.collect::<Vec<_>>().join("\n"))
        }
        NotOne::None(near) => {
            let near = if near.is_empty() { String::new() } else { format!("; near it: {}", near.join(", ")) };
            Failure::not_found(format!("this account has no image or service `{name}` in this region{near}"))
                .hint("`ovenbird images` lists them; `service@environment` means the image that an environment uses")
        }
    }
}
