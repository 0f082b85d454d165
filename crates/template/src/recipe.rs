//! The recipe: what a template asks for, as plain values.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::amazon_ebs::AmazonEbs;
use crate::ansible::Ansible;
use crate::place::Place;
use crate::post_processor::PostProcessor;
use crate::post_processor::PostProcessorKind;
use crate::provisioner::AnsibleLocal;
use crate::provisioner::Breakpoint;
use crate::provisioner::FileTransfer;
use crate::provisioner::Shell;
use crate::provisioner::ShellLocal;
use crate::provisioner::Sleep;

/// What a template asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The template's own description.
    pub description: Option<String>,
    /// User variables with their final values, sensitive ones in clear.
    pub variables: BTreeMap<String, String>,
    /// Values that must never be shown. None is empty.
    pub sensitive: BTreeSet<String>,
    /// One bake for each builder.
    pub builds: Vec<Build>,
    /// Sequences of post-processors; each sequence starts from the image.
    pub post_processors: Vec<Vec<PostProcessor>>,
    /// What the template asks for that changes nothing here, and why.
    pub notes: Vec<Note>,
}

impl Recipe {
    /// The build of that name; without a name, the only one, or the only one that can be baked.
    #[must_use]
    pub fn find_build(&self, name: Option<&str>) -> Option<&Build> {
        match (name, self.builds.as_slice()) {
            (Some(name), builds) => builds.iter().find(|build| build.name == name),
            (None, [only]) => Some(only),
            (None, builds) => {
                let mut bakeable = builds.iter().filter(|build| matches!(build.builder, Builder::AmazonEbs(_)));
                bakeable.next().filter(|_| bakeable.next().is_none())
            }
        }
    }

    /// The recipe with what there is to say of it, in the order of the template.
    pub(crate) fn with_notes(self, notes: Vec<Note>) -> Self {
        let mut notes: Vec<Note> =
            notes.into_iter().chain(self.builds.iter().filter_map(Build::note_of_root)).collect();
        notes.sort_by(|one, other| one.place.cmp(&other.place));
        Self { notes, ..self }
    }

    /// The post-processors that are for the build of that name.
    pub fn post_processors_for(&self, build: &str) -> impl Iterator<Item = &PostProcessor> {
        self.post_processors.iter().flatten().filter(move |processor| {
            let is_for = |names: &[String]| names.iter().any(|name| name == build);
            (processor.only.is_empty() || is_for(&processor.only)) && !is_for(&processor.except)
        })
    }

    /// What the build asks for and nobody here does: provisioners, and post-processors that are for it.
    #[must_use]
    pub fn unsupported_in<'a>(&'a self, build: &'a Build) -> Vec<&'a Unsupported> {
        let provisioners = build.provisioners.iter().chain(&build.error_cleanup);
        let provisioners = provisioners.filter_map(|provisioner| match &provisioner.kind {
            ProvisionerKind::Unsupported(unsupported) => Some(unsupported),
            _ => None,
        });
        let post_processors = self.post_processors_for(&build.name).filter_map(|processor| match &processor.kind {
            PostProcessorKind::Unsupported(unsupported) => Some(unsupported),
            _ => None,
        });
        provisioners.chain(post_processors).collect()
    }

    /// `text` with every sensitive value hidden.
    #[must_use]
    pub fn masked(&self, text: &str) -> String {
        let hide = |text: String, secret: &String| text.replace(secret.as_str(), "<sensitive>");
        self.longest_secrets_first().into_iter().fold(text.to_owned(), hide)
    }

    /// A value that holds another one then leaves nothing of itself behind.
    pub(crate) fn longest_secrets_first(&self) -> Vec<&String> {
        let mut secrets: Vec<&String> = self.sensitive.iter().collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }
}

/// One builder with the provisioners that are for it. `only`, `except` and `override` are worked in, and `{{build_name}}`
/// in a provisioner is this build's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The builder's name, or its type where it has none.
    pub name: String,
    /// The builder's type, as the template writes it; what runs is told it as Packer tells it.
    pub kind: String,
    /// What makes the image.
    pub builder: Builder,
    /// What runs on it, in order.
    pub provisioners: Vec<Provisioner>,
    /// What runs when a provisioner failed, before the bake is taken back: `error-cleanup-provisioner`.
    pub error_cleanup: Option<Provisioner>,
    /// Where the builder stands.
    pub place: Place,
}

impl Build {
    /// A script or file that counts on the user of `ssh_username` finds root in a direct bake, which logs in nowhere.
    fn note_of_root(&self) -> Option<Note> {
        let Builder::AmazonEbs(ebs) = &self.builder else { return None };
        let user = ebs.ssh.username.as_deref().filter(|user| *user != "root")?;
        let counts_on_it = |provisioner: &Provisioner| {
            matches!(
                provisioner.kind,
                ProvisionerKind::Shell(_) | ProvisionerKind::File(_) | ProvisionerKind::AnsibleLocal(_)
            )
        };
        self.provisioners.iter().any(counts_on_it).then(|| Note {
            place: self.place.clone(),
            option: "ssh_username".to_owned(),
            text: format!("a direct bake works as root in /, with root's home, not as {user} in its own"),
            only_direct: true,
        })
    }
}

/// What makes an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Builder {
    /// An EBS-backed AMI.
    AmazonEbs(Box<AmazonEbs>),
    /// Something that Ovenbird does not know: shown in a plan, refused by a bake.
    Unsupported(Unsupported),
}

/// A provisioner of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provisioner {
    /// What it does.
    pub kind: ProvisionerKind,
    /// To wait before it.
    pub pause_before: Duration,
    /// How often to try again.
    pub max_retries: u64,
    /// How long it may take; `None`: as long as it wants.
    pub timeout: Option<Duration>,
    /// Where it stands.
    pub place: Place,
}

/// What a provisioner does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProvisionerKind {
    /// Runs a playbook.
    Ansible(Box<Ansible>),
    /// Runs a playbook in the image itself.
    AnsibleLocal(Box<AnsibleLocal>),
    /// Runs scripts in the image.
    Shell(Box<Shell>),
    /// Copies files.
    File(Box<FileTransfer>),
    /// Runs scripts on this machine.
    ShellLocal(Box<ShellLocal>),
    /// Waits for a person.
    Breakpoint(Breakpoint),
    /// Waits.
    Sleep(Sleep),
    /// Something that Ovenbird does not know: shown in a plan, refused by a bake.
    Unsupported(Unsupported),
}

impl fmt::Display for ProvisionerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ansible(ansible) => write!(f, "ansible {}", ansible.playbook_file),
            Self::AnsibleLocal(local) => write!(f, "ansible-local {}", local.playbook_files.join(", ")),
            Self::Shell(shell) => write!(f, "shell {}", shell.script.summary()),
            Self::File(transfer) => transfer.fmt(f),
            Self::ShellLocal(shell) => write!(f, "shell-local {}", shell.script.summary()),
            Self::Breakpoint(_) => f.write_str("breakpoint"),
            Self::Sleep(sleep) => write!(f, "sleep {:?}", sleep.duration),
            Self::Unsupported(unsupported) => f.write_str(&unsupported.kind),
        }
    }
}

/// A builder, provisioner or post-processor of a type that Ovenbird does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The type, as the template writes it.
    pub kind: String,
    /// What to use instead, a sentence.
    pub instead: String,
    /// Where it stands.
    pub place: Place,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` is not supported; {}", self.place, self.kind, self.instead)
    }
}

/// Something that a template asks for and that changes nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where it stands.
    pub place: Place,
    /// The option.
    pub option: String,
    /// Why it changes nothing.
    pub text: String,
    /// Whether it is of no concern to a bake that launches an instance.
    pub only_direct: bool,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.option, self.text)
    }
}
