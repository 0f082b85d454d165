//! Walking a play's files.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;
use ovenbird_core::block::Digest;

use super::Reach;
use super::naming;
use super::search::Context;
use super::search::Search;
use super::tasks::Finding;
use super::tasks::Seen;
use super::words;
use crate::ansible::Config;
use crate::ansible::Playbook;
use crate::yaml;
use crate::yaml::Node;

/// Folders beside a playbook that Ansible reads without being told.
const BESIDE: [&str; 18] = [
    "group_vars",
    "host_vars",
    "library",
    "module_utils",
    "action_plugins",
    "become_plugins",
    "cache_plugins",
    "callback_plugins",
    "cliconf_plugins",
    "connection_plugins",
    "doc_fragments",
    "filter_plugins",
    "inventory_plugins",
    "lookup_plugins",
    "shell_plugins",
    "strategy_plugins",
    "test_plugins",
    "vars_plugins",
];

/// Texts that are longer are data, in which no names are looked for.
const LONGEST_TEXT: u64 = 1 << 20;

pub(super) struct Collector<'a> {
    playbook: &'a Playbook,
    pub(super) search: Search,
    files: BTreeSet<PathBuf>,
    /// Playbooks and roles that were walked.
    visited: BTreeSet<PathBuf>,
    /// Files whose YAML was read.
    parsed: BTreeSet<PathBuf>,
    /// Files whose words were looked at.
    judged: BTreeSet<PathBuf>,
    widened: BTreeSet<PathBuf>,
    env: BTreeMap<String, Digest>,
    unseen: BTreeSet<String>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(playbook: &'a Playbook, config: &Config) -> Self {
        Self {
            playbook,
            search: Search::new(playbook, config),
            files: BTreeSet::new(),
            visited: BTreeSet::new(),
            parsed: BTreeSet::new(),
            judged: BTreeSet::new(),
            widened: BTreeSet::new(),
            env: BTreeMap::new(),
            unseen: BTreeSet::new(),
        }
    }

    pub(super) fn settings(&mut self, config: &Config) -> io::Result<()> {
        self.files.extend(config.file.iter().chain(&config.files).filter(|file| file.is_file()).cloned());
        config.plugins.iter().try_for_each(|folder| self.folder(folder))
    }

    /// Whatever of the arguments is a path: `-e @FILE`, `--vault-password-file=FILE`, `--vault-id label@FILE`, `-i INVENTORY`.
    pub(super) fn arguments(&mut self) -> io::Result<()> {
        let directory = &self.playbook.directory;
        let folder = self.playbook_folder();
        let context = Context { playbook: folder.clone(), role: None, here: directory.clone(), prefer: Vec::new() };
        for argument in &self.playbook.extra_arguments {
            let parts = [argument.as_str()].into_iter().chain(argument.split(['=', '@', ' ', ',']));
            for part in parts.filter(|part| !part.is_empty()) {
                let path = directory.join(part);
                if path.is_dir() {
                    self.folder(&path)?;
                } else if path.is_file() {
                    self.text_file(&path, &context)?;
                    // An inventory's variables are beside it.
                    for name in ["group_vars", "host_vars"] {
                        self.folder(&path.with_file_name(name))?;
                    }
                }
            }
            self.words(argument, &context)?;
        }
        self.inventory(&context)
    }

    /// The user's own inventory, and the variables beside it.
    fn inventory(&mut self, context: &Context) -> io::Result<()> {
        let file = self.playbook.inventory_file.clone();
        if let Some(file) = file.as_ref().filter(|file| file.is_file()) {
            self.text_file(file, context)?;
        }
        let folders = file.as_deref().map(|file| if file.is_dir() { file } else { file.parent().unwrap_or(file) });
        let folders = folders.into_iter().chain(self.playbook.inventory_directory.as_deref()).map(Path::to_owned);
        for folder in folders.collect::<Vec<_>>() {
            self.folder(&folder.join("group_vars"))?;
            self.folder(&folder.join("host_vars"))?;
        }
        Ok(())
    }

    fn playbook_folder(&self) -> PathBuf {
        let file = self.playbook.directory.join(&self.playbook.file);
        file.parent().unwrap_or(&self.playbook.directory).to_owned()
    }

    /// A playbook and what stands beside it.
    pub(super) fn playbook(&mut self, file: &Path) -> io::Result<()> {
        let file = naming::tidy(file);
        if !file.is_file() || !self.visited.insert(file.clone()) {
            return Ok(());
        }
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        for name in BESIDE {
            self.folder(&folder.join(name))?;
        }
        let context = Context { playbook: folder.clone(), role: None, here: folder, prefer: Vec::new() };
        self.yaml_file(&file, &context)
    }

    /// A role: all of its folder, and what its YAML and its templates name.
    pub(super) fn role(&mut self, folder: &Path, context: &Context) -> io::Result<()> {
        let folder = naming::tidy(folder);
        if !self.visited.insert(folder.clone()) {
            return Ok(());
        }
        for file in files_below(&folder) {
            let here = file.parent().unwrap_or(&folder).to_owned();
            let inside = Context { role: Some(folder.clone()), here, ..context.clone() };
            let part = file.strip_prefix(&folder).ok().and_then(|path| path.iter().next()).unwrap_or_default();
            if part.to_str().is_some_and(|part| matches!(part, "tasks" | "handlers" | "defaults" | "vars" | "meta")) {
                self.yaml_file(&file, &inside)?;
            } else if part == "templates" {
                self.text_file(&file, &inside)?;
            } else {
                self.files.insert(file);
            }
        }
        Ok(())
    }

    /// A file of tasks, plays or variables.
    pub(super) fn yaml_file(&mut self, file: &Path, context: &Context) -> io::Result<()> {
        let file = naming::tidy(file);
        self.text_file(&file, context)?;
        if !self.parsed.insert(file.clone()) {
            return Ok(());
        }
        let Some(text) = read_text(&file)? else { return Ok(()) };
        match yaml::parse(&text) {
            Some(documents) => documents.iter().try_for_each(|node| self.findings(node, context)),
            // Ansible reads what we cannot, a key that is there twice for one.
            None => self.widen(context),
        }
    }

    /// A template, or a file whose form is not known: its words count.
    fn text_file(&mut self, file: &Path, context: &Context) -> io::Result<()> {
        self.files.insert(file.to_owned());
        if !self.judged.insert(file.to_owned()) {
            return Ok(());
        }
        let Some(text) = read_text(file)? else { return Ok(()) };
        let lookups = words::lookups(&text);
        let place = naming::name(file, &self.playbook.directory);
        self.unseen.extend(lookups.unseen.iter().map(|name| format!("lookup `{name}` in {place}")));
        if lookups.files {
            let absolute = words::words(&text).filter(|word| word.starts_with('/')).map(PathBuf::from);
            self.files.extend(absolute.filter(|path| path.is_file()));
        }
        self.words(&text, context)?;
        if lookups.dynamic { self.widen(context) } else { Ok(()) }
    }

    /// Files, collections and variables of the environment that a word of the text names.
    fn words(&mut self, text: &str, context: &Context) -> io::Result<()> {
        for word in words::words(text).collect::<BTreeSet<_>>() {
            // An absolute path is mostly one of the image, not of the machine that bakes.
            let is_relative = !word.starts_with('/');
            let found = Some(word).filter(|_| is_relative).and_then(|word| context.find(word));
            if let Some(path) = found.filter(|path| path.is_file()) {
                self.text_file(&naming::tidy(&path), context)?;
            }
            if let Some(collection) = self.search.find_collection(word, &context.playbook) {
                self.files.extend(files_below(&collection.folder.join("plugins")));
                let about =
                    ["galaxy.yml", "MANIFEST.json", "meta/runtime.yml"].map(|name| collection.folder.join(name));
                self.files.extend(about.into_iter().filter(|file| file.is_file()));
            }
            self.variable(word, text);
        }
        Ok(())
    }

    fn variable(&mut self, word: &str, text: &str) {
        let inherited =
            || (text.contains("env'") || text.contains("env\"")).then(|| std::env::var(word).ok()).flatten();
        if let Some(value) = self.given(word).or_else(inherited) {
            // A file is its content, not where this machine keeps it.
            let digest = digest_of_file(Path::new(&value)).ok().unwrap_or_else(|| Digest::of(value.as_bytes()));
            self.env.insert(format!("env {word}"), digest);
        }
    }

    /// What the template gives a variable of the environment.
    fn given(&self, name: &str) -> Option<String> {
        self.playbook.env.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.clone())
    }

    fn findings(&mut self, node: &Node, context: &Context) -> io::Result<()> {
        let mut seen = Seen::default();
        seen.node(node, context);
        for finding in seen.findings {
            self.finding(finding, context)?;
        }
        Ok(())
    }

    fn finding(&mut self, finding: Finding, context: &Context) -> io::Result<()> {
        match finding {
            Finding::Dynamic => self.widen(context),
            Finding::Environment(name) => {
                let value = self.given(&name).or_else(|| std::env::var(&name).ok()).map(PathBuf::from);
                let file = value.filter(|path| path.is_absolute() && path.is_file());
                // The variable's digest is that of the file's content. A text may name further files; a program names none.
                match file.map(|file| read_text(&file)).transpose()? {
                    Some(None) => Ok(()),
                    Some(Some(_)) | None => self.widen(context),
                }
            }
            Finding::Role { name, prefer } => {
                match self.search.find_role(&name, &context.playbook, context.role.as_deref(), &prefer) {
                    Some(folder) => self.role(&folder, &Context { prefer, ..context.clone() }),
                    None => Ok(()),
                }
            }
            Finding::Playbook(name) => {
                let in_collection = self.search.find_collection(&name, &context.playbook).map(|found| {
                    let name = found.member;
                    ["yml", "yaml"].map(|end| found.folder.join("playbooks").join(format!("{name}.{end}")))
                });
                let paths = in_collection.map_or_else(|| vec![context.here.join(&name)], Vec::from);
                paths.iter().try_for_each(|path| self.playbook(path))
            }
            Finding::Tasks(path) => {
                let here = path.parent().unwrap_or(&context.here).to_owned();
                self.yaml_file(&path, &Context { here, ..context.clone() })
            }
            Finding::File(path) if path.is_dir() => self.folder(&path),
            Finding::File(path) => self.text_file(&naming::tidy(&path), context),
        }
    }

    /// A name is only known at run time: everything that it could be counts.
    fn widen(&mut self, context: &Context) -> io::Result<()> {
        if !self.widened.insert(context.playbook.clone()) {
            return Ok(());
        }
        self.folder(&context.playbook)?;
        for folder in self.search.role_folders(&context.playbook) {
            self.folder(&folder)?;
        }
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "it reads as the other steps do")]
    fn folder(&mut self, folder: &Path) -> io::Result<()> {
        self.files.extend(files_below(&naming::tidy(folder)));
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<Reach> {
        let mut files = self.env;
        for file in &self.files {
            files.insert(naming::name(file, &self.playbook.directory), digest_of_file(file)?);
        }
        Ok(Reach { files, unseen: self.unseen.into_iter().collect() })
    }
}

/// The text of a file; `None` when it is no text, or too long for one.
fn read_text(file: &Path) -> io::Result<Option<String>> {
    if fs::metadata(file)?.len() > LONGEST_TEXT {
        return Ok(None);
    }
    Ok(String::from_utf8(fs::read(file)?).ok())
}

/// All files below a folder, if it is one. Links are followed, but not in circles; a link that leads nowhere is a file as well.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(folder).follow_links(true);
    let entries = walk.into_iter().filter_entry(|entry| entry.file_name() != ".git");
    let paths = entries.filter_map(|entry| match entry {
        Ok(entry) => (!entry.file_type().is_dir()).then(|| entry.into_path()),
        Err(error) => {
            error.path().filter(|path| path.is_symlink() && error.loop_ancestor().is_none()).map(Path::to_owned)
        }
    });
    paths.collect()
}

/// Content and whether it may be executed; of a link that leads nowhere, where it leads.
fn digest_of_file(path: &Path) -> io::Result<Digest> {
    if !path.exists() {
        return Ok(Digest::of(fs::read_link(path)?.as_os_str().as_bytes()));
    }
    let mut content = fs::read(path)?;
    let is_executable = fs::metadata(path)?.permissions().mode() & 0o111 != 0;
    content.push(u8::from(is_executable));
    Ok(Digest::of(&content))
}
