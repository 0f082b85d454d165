//! Packer's manifest file, to the letter: others' scripts read it (packer.md 6; packer, post-processor/manifest).

use std::collections::BTreeMap;
use std::path::Path;

use ovenbird_core::block::Digest;
use ovenbird_template::Manifest;
use serde::Deserialize;
use serde::Serialize;

use super::Artifact;
use crate::disks::write_atomically;
use crate::error::BakeError;
use crate::error::working;
use crate::request::Request;

/// The file: every bake that ever wrote to it.
#[derive(Default, Serialize, Deserialize)]
struct ManifestFile {
    builds: Vec<Build>,
    last_run_uuid: String,
}

/// One image, in Packer's order of fields.
#[derive(Serialize, Deserialize)]
struct Build {
    name: String,
    builder_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    build_time: Option<i64>,
    files: Option<serde_json::Value>,
    artifact_id: String,
    packer_run_uuid: String,
    custom_data: Option<BTreeMap<String, String>>,
}

/// Adds the image to the file. Bakes side by side wait for each other.
pub(super) fn write(request: &Request, artifact: &Artifact<'_>, manifest: &Manifest) -> Result<(), BakeError> {
    let path = request.directory.join(&manifest.output);
    let doing = || format!("write {}", path.display());
    let folder = path.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(folder).map_err(working(doing()))?;
    let lock = fs_err::File::open(folder).map_err(working(doing()))?.into_parts().0;
    lock.lock().map_err(working(doing()))?;
    let mut file = read(&path)?;
    let uuid = uuid(artifact.bake);
    file.builds.push(build(request, artifact, manifest, &uuid)?);
    file.last_run_uuid = uuid;
    write_atomically(&path, &serde_json::to_string_pretty(&file).map_err(working(doing()))?)
}

fn read(path: &Path) -> Result<ManifestFile, BakeError> {
    let doing = || format!("read {}, which the image is added to", path.display());
    match fs_err::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(working(doing())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(ManifestFile::default()),
        Err(error) => Err(working(doing())(error)),
    }
}

fn build(request: &Request, artifact: &Artifact<'_>, manifest: &Manifest, uuid: &str) -> Result<Build, BakeError> {
    let custom = manifest.custom_data.iter().map(|(key, value)| {
        let value = value.render(&artifact.ami).map_err(working(format!("render custom_data `{key}`")))?;
        Ok((key.clone(), value))
    });
    let custom: BTreeMap<String, String> = custom.collect::<Result<_, BakeError>>()?;
    // As Packer does, by region, whatever the home region is.
    let mut ids: Vec<String> = artifact.images.iter().map(|(region, image)| format!("{region}:{image}")).collect();
    ids.sort();
    Ok(Build {
        name: request.build.name.clone(),
        builder_type: request.build.kind.clone(),
        build_time: (!manifest.strip_time).then(|| request.now.as_second()),
        files: None,
        artifact_id: ids.join(","),
        packer_run_uuid: uuid.to_owned(),
        custom_data: (!custom.is_empty()).then_some(custom),
    })
}

/// The bake's id in the form that Packer's runs have.
fn uuid(bake: &str) -> String {
    let hex = Digest::of(bake.as_bytes()).hex();
    // Version 4, variant 1 (RFC 9562): a number without a meaning.
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_a_uuid() {
        let uuid = uuid("bake-0123456789abcdef");
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }

    #[test]
    fn what_packer_wrote_is_kept() {
        let packers = r#"{"builds":[{"name":"a","builder_type":"amazon-ebs","build_time":1,"files":null,"artifact_id":"us-east-1:ami-1","packer_run_uuid":"u","custom_data":null}],"last_run_uuid":"u"}"#;
        let file: ManifestFile = serde_json::from_str(packers).expect("Packer's");
        assert_eq!(serde_json::to_string(&file).expect("plain"), packers);
    }
}
