//! The project that a command works in: the nearest `ovenbird.toml`.

use std::path::Path;
use std::path::PathBuf;

use ovenbird_core::pointer::PromotionRefused;
use ovenbird_core::project::FILE_NAME;
use ovenbird_core::project::Project;
use ovenbird_core::project::Service;

use crate::args::Global;
use crate::failure::Failure;
use crate::failure::Kind;

/// The region of the project around here, for commands that work without one too. A project that cannot be read names none:
/// commands that need it say why.
pub(crate) fn find_region(global: &Global) -> Option<String> {
    OpenProject::find(global.directory.as_deref()).ok()?.project.region
}

/// A project on the disk.
#[derive(Debug)]
pub(crate) struct OpenProject {
    /// The folder of `ovenbird.toml`; all paths in it are relative to here.
    pub folder: PathBuf,
    /// What it says.
    pub project: Project,
}

impl OpenProject {
    /// The project around `start`, or the current folder.
    pub(crate) fn find(start: Option<&Path>) -> Result<Self, Failure> {
        let start = match start {
            Some(start) => fs_err::canonicalize(start)?,
            None => std::env::current_dir()?,
        };
        let folder = start.ancestors().find(|folder| folder.join(FILE_NAME).is_file()).ok_or_else(|| {
            Failure::usage(format!("there is no {FILE_NAME} in {} or above it", start.display()))
                .hint("run this in a project's folder, or name one with -C FOLDER; `examples/` of Ovenbird is one")
        })?;
        let file = folder.join(FILE_NAME);
        let text = fs_err::read_to_string(&file)?;
        let project =
            Project::from_toml(&file.display().to_string(), &text).map_err(|error| Failure::of(Kind::Usage, &error))?;
        Ok(Self { folder: folder.to_owned(), project })
    }

    /// The service of this name, and its template's path.
    pub(crate) fn service(&self, name: &str) -> Result<(&Service, PathBuf), Failure> {
        let service = self.project.service(name).map_err(|error| Failure::of(Kind::Usage, &error))?;
        Ok((service, self.folder.join(&service.template)))
    }

    /// `name`, if it is one of the project's environments.
    pub(crate) fn environment(&self, name: &str) -> Result<String, Failure> {
        if self.project.find_environment(name).is_some() {
            return Ok(name.to_owned());
        }
        let unknown =
            PromotionRefused::UnknownEnvironment { name: name.to_owned(), known: self.project.environment_names() };
        Err(Failure::of(Kind::Usage, &unknown))
    }
}
