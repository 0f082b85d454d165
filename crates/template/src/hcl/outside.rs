//! What a configuration may ask of the world outside, through its caller.

use std::collections::BTreeMap;

use super::data::Answer;
use super::data::Query;

/// Files that `file`, `templatefile`, `fileset` and others ask for. This crate touches none itself.
pub trait Files {
    /// The content of a file; an error is a sentence.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// Whether there is such a file.
    fn is_file(&self, path: &str) -> bool;

    /// All files below a folder, relative to it, with `/` between the parts, sorted.
    ///
    /// # Errors
    /// When it cannot be listed.
    fn list(&self, folder: &str) -> Result<Vec<String>, String>;
}

/// What AWS has to do with a configuration.
#[derive(Clone, Debug)]
pub enum Answers {
    /// AWS is not asked: its values are placeholders.
    Placeholders,
    /// What AWS answered so far; anything else is wanted.
    Known(BTreeMap<Query, Answer>),
}

/// The world outside of a configuration.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    /// Its files.
    pub files: &'a dyn Files,
    /// What AWS answered.
    pub answers: &'a Answers,
}
