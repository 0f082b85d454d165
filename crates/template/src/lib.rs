//! Packer templates: their text becomes a [`Recipe`], or errors that point at the spot.
//!
//! Read are Packer's JSON templates, and its HCL2, which is worked out to the values that JSON is read to: the builder
//! `amazon-ebs`, the provisioners `ansible`, `ansible-local`, `shell`, `file`, `shell-local`, `breakpoint` and `sleep`, the
//! post-processors `manifest` and `shell-local`. Nothing that a template asks for is ignored in silence: an option is
//! honoured, accepted with a note, or refused with what to use instead.
//!
//! This crate must never know files, the clock, the environment of the process, or AWS: the caller gives the text, a
//! [`Context`], and for HCL the [`Files`] that its functions ask for and the [`Answers`] to its data sources. The same input
//! always gives the same recipe.

mod amazon_ebs;
mod ansible;
mod builder;
mod context;
mod deferred;
mod duration;
mod fault;
mod fields;
mod go;
mod hcl;
mod json;
mod named_files;
mod nearest;
mod options;
mod packer;
mod place;
mod post_processor;
mod provisioner;
mod recipe;
mod scope;
mod snippet;
mod tree;
mod user_variables;
mod variables;

pub use amazon_ebs::*;
pub use ansible::Ansible;
pub use context::Context;
pub use context::PACKER_VERSION;
pub use deferred::Deferred;
pub use deferred::RenderError;
pub use deferred::SourceAmi;
pub use fault::TemplateError;
pub use fault::TemplateErrors;
pub use hcl::Answer;
pub use hcl::Answers;
pub use hcl::Files;
pub use hcl::Outside;
pub use hcl::Parsed;
pub use hcl::Query;
pub use hcl::is_placeholder;
pub use hcl::parse_hcl;
pub use named_files::NamedFile;
pub use packer::parse;
pub use place::NotUtf8;
pub use place::Place;
pub use place::Source;
pub use post_processor::Manifest;
pub use post_processor::PostProcessor;
pub use post_processor::PostProcessorKind;
pub use provisioner::AnsibleLocal;
pub use provisioner::Breakpoint;
pub use provisioner::Direction;
pub use provisioner::FileTransfer;
pub use provisioner::Origin;
pub use provisioner::Script;
pub use provisioner::Shell;
pub use provisioner::ShellLocal;
pub use provisioner::Sleep;
pub use recipe::Build;
pub use recipe::Builder;
pub use recipe::Note;
pub use recipe::Provisioner;
pub use recipe::ProvisionerKind;
pub use recipe::Recipe;
pub use recipe::Unsupported;
pub use variables::BadVariable;
pub use variables::Variables;
