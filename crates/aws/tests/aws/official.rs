//! The official models, as botocore ships them.

use std::io::Read;
use std::path::PathBuf;
use std::sync::LazyLock;

use ovenbird_aws::wire::Service;
use serde_json::Value as Json;

use crate::venv;

/// One service's model.
pub(crate) struct Model(Json);

impl Model {
    /// The model of a service, in the version that the crate declares.
    pub(crate) fn of(service: Service) -> &'static Self {
        static EC2: LazyLock<Model> = LazyLock::new(|| Model::read(Service::Ec2));
        static EBS: LazyLock<Model> = LazyLock::new(|| Model::read(Service::Ebs));
        static SSM: LazyLock<Model> = LazyLock::new(|| Model::read(Service::Ssm));
        static STS: LazyLock<Model> = LazyLock::new(|| Model::read(Service::Sts));
        static IAM: LazyLock<Model> = LazyLock::new(|| Model::read(Service::Iam));
        match service {
            Service::Ec2 => &EC2,
            Service::Ebs => &EBS,
            Service::Ssm => &SSM,
            Service::Sts => &STS,
            Service::Iam => &IAM,
        }
    }

    fn read(service: Service) -> Self {
        let folder = botocore_data().join(service.name()).join(service.version());
        let zipped = folder.join("service-2.json.gz");
        let bytes = if zipped.exists() {
            let mut bytes = Vec::new();
            flate2::read::GzDecoder::new(std::fs::File::open(zipped).unwrap()).read_to_end(&mut bytes).unwrap();
            bytes
        } else {
            let plain = folder.join("service-2.json");
            std::fs::read(&plain).unwrap_or_else(|error| panic!("botocore has no {}: {error}", plain.display()))
        };
        Self(serde_json::from_slice(&bytes).unwrap())
    }

    pub(crate) fn metadata(&self, key: &str) -> &str {
        self.0["metadata"][key].as_str().unwrap_or_default()
    }

    pub(crate) fn operation(&self, action: &str) -> &Json {
        &self.0["operations"][action]
    }

    pub(crate) fn shape(&self, name: &str) -> &Json {
        &self.0["shapes"][name]
    }

    /// The member of a structure whose name in snake case is `name`: its own name, and its description.
    pub(crate) fn member(&self, shape: &str, name: &str) -> Option<(&str, &Json)> {
        let members = self.shape(shape)["members"].as_object()?;
        let plain = name.trim_start_matches("r#");
        members
            .iter()
            .find(|(official, _)| snake_case(official) == plain)
            .map(|(official, member)| (&**official, member))
    }
}

fn botocore_data() -> PathBuf {
    let lib = venv::path().join("lib");
    let mut pythons = std::fs::read_dir(&lib).unwrap().map(|entry| entry.unwrap().path());
    let data = pythons.find_map(|python| Some(python.join("site-packages/botocore/data")).filter(|path| path.is_dir()));
    data.unwrap_or_else(|| panic!("no botocore under {}: run `make venv`", lib.display()))
}

/// `KmsKeyARN` is `kms_key_arn`, `HttpProtocolIpv6` is `http_protocol_ipv6`.
fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let after_small = at > 0 && !letters[at - 1].is_uppercase();
        let before_small = at > 0 && letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_small || before_small) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
