//! A key that lives as long as the bake: its private half never leaves this machine.

use ovenbird_aws::ec2;
use ovenbird_aws::wire::Blob;
use ovenbird_template::Key;

use crate::error::BakeError;
use crate::error::calling;
use crate::error::working;
use crate::event::Event;
use crate::event::Phase;
use crate::launch::delete_key;
use crate::launch::key_name;
use crate::launch::run_tags;
use crate::launch::tag_all;
use crate::oven::Oven;
use crate::source::Source;
use crate::ssh::KeyPair;
use crate::step::Step;
use crate::step::Work;

/// The first step of a launch.
pub(crate) const NAME: &str = "import key";

pub(crate) struct ImportKey<'p> {
    pub(crate) source: &'p Source,
}

/// The key pair of a template that names a key of its own; `None`: the bake makes one.
pub(super) fn given_key(oven: &Oven<'_>) -> Result<Option<(std::path::PathBuf, Option<String>)>, BakeError> {
    Ok(match &oven.request.builder()?.ssh.key {
        Key::File { path, keypair, .. } => Some((oven.request.directory.join(path), keypair.clone())),
        Key::Temporary { .. } | Key::Agent { .. } => None,
    })
}

impl Step for ImportKey<'_> {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            oven.tell(Event::Phase { phase: Phase::Launch });
            if given_key(oven)?.is_some() {
                return Ok(());
            }
            let bake = oven.folder.id.clone();
            let pair = KeyPair::ensure(&oven.folder.path.join(super::SSH), &bake).map_err(working("make a key"))?;
            let request = ec2::ImportKeyPairRequest {
                key_name: Some(key_name(&bake)),
                public_key_material: Some(Blob(pair.public.clone().into())),
                tag_specifications: tag_all(&run_tags(oven, self.source)?, ["key-pair"]),
                ..Default::default()
            };
            match oven.client.send(request).await {
                // It is ours: the name is the bake's. The key is that of the bake's folder, as long as that is there.
                Err(error) if !error.has_code("InvalidKeyPair.Duplicate") => {
                    return Err(calling("import the bake's key")(error));
                }
                _ => {}
            }
            oven.launched.key = Some(pair);
            Ok(())
        })
    }

    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if given_key(oven)?.is_none() {
                delete_key(oven.client, &oven.folder.id).await?;
            }
            Ok(())
        })
    }

    fn is_scaffold(&self) -> bool {
        true
    }
}
