//! Where the agent looks, and how long it waits.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// What the surroundings decide.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file system that the agent works on.
    pub root: Root,
    /// The metadata service, without a slash at the end.
    pub metadata_endpoint: String,
    /// One URL for all AWS services (`AWS_ENDPOINT_URL`); otherwise the instance's metadata decides.
    pub endpoint_url: Option<String>,
    /// How long each phase may take.
    pub budget: Budget,
}

impl Settings {
    /// The settings of an instance: the link-local address, and what `OVENBIRD_METADATA_ENDPOINT` and `AWS_ENDPOINT_URL` say.
    #[must_use]
    pub fn from_environment(root: PathBuf) -> Self {
        let named = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let metadata_endpoint =
            named("OVENBIRD_METADATA_ENDPOINT").unwrap_or_else(|| "http://169.254.169.254".to_owned());
        Self {
            root: Root(root),
            metadata_endpoint: metadata_endpoint.trim_end_matches('/').to_owned(),
            endpoint_url: named("AWS_ENDPOINT_URL"),
            budget: Budget::default(),
        }
    }
}

/// The longest that each part of a boot may take. All of it fits into the unit's ten minutes.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Everything up to the report.
    pub boot: Duration,
    /// The metadata service; it has been seen to take more than two minutes to appear (cloud-init#5565).
    pub metadata: Duration,
    /// How long "no credentials" may only mean "not yet"; two seconds were seen (amazon-eks-ami#1970).
    pub role: Duration,
    /// Parameter Store, when there is nothing to fall back on.
    pub parameters: Duration,
    /// Parameter Store, when every parameter has a default or a kept value.
    pub parameters_with_fallback: Duration,
    /// All volumes; a volume's last holder may take minutes to die (taupage#508).
    pub volumes: Duration,
    /// Tag and files at the end.
    pub report: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            boot: seconds(570),
            metadata: seconds(240),
            role: seconds(15),
            parameters: seconds(120),
            parameters_with_fallback: seconds(10),
            volumes: seconds(300),
            report: seconds(5),
        }
    }
}

/// The root of the instance's file system; another folder in tests. Each path of the contract with the image is here.
#[derive(Clone, Debug)]
pub struct Root(pub PathBuf);

impl Root {
    /// An absolute path of the instance, under this root.
    #[must_use]
    pub fn path(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let path = absolute.as_ref();
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// What the image takes as metadata.
    #[must_use]
    pub fn schema(&self) -> PathBuf {
        self.path("/usr/lib/ovenbird/schema.json")
    }

    /// The baked boot play: `playbook.yml`, `ansible.cfg`, templates, roles.
    #[must_use]
    pub fn boot(&self) -> PathBuf {
        self.path("/usr/lib/ovenbird/boot")
    }

    /// What this boot produced; only root may look, and it is gone after a reboot.
    #[must_use]
    pub fn run(&self) -> PathBuf {
        self.path("/run/ovenbird")
    }

    /// The facts for the play.
    #[must_use]
    pub fn facts(&self) -> PathBuf {
        self.run().join("facts.json")
    }

    /// Where Ansible looks for facts of the machine's own.
    #[must_use]
    pub fn fact_link(&self) -> PathBuf {
        self.path("/etc/ansible/facts.d/ovenbird.fact")
    }

    /// How this boot went.
    #[must_use]
    pub fn result(&self) -> PathBuf {
        self.run().join("result.json")
    }

    /// What outlives a reboot.
    #[must_use]
    pub fn lib(&self) -> PathBuf {
        self.path("/var/lib/ovenbird")
    }

    /// The state of one instance id; an image or clone may carry the states of others.
    #[must_use]
    pub fn state(&self, instance_id: &str) -> PathBuf {
        self.lib().join("instance").join(format!("{instance_id}.json"))
    }

    /// Parameters of an earlier boot.
    #[must_use]
    pub fn parameters(&self) -> PathBuf {
        self.lib().join("parameters.json")
    }

    /// What the play printed.
    #[must_use]
    pub fn play_log(&self) -> PathBuf {
        self.path("/var/log/ovenbird/play.log")
    }
}
