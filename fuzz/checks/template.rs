//! What must hold whatever a template says: nothing panics, the same text gives the same recipe, and errors point into the text.

// Each user takes those checks that it needs.
#![allow(dead_code)]

use std::collections::BTreeMap;

use miette::Diagnostic as _;
use ovenbird_template::Answers;
use ovenbird_template::Builder;
use ovenbird_template::Context;
use ovenbird_template::Files;
use ovenbird_template::Outside;
use ovenbird_template::Parsed;
use ovenbird_template::Recipe;
use ovenbird_template::Source;
use ovenbird_template::SourceAmi;
use ovenbird_template::TemplateErrors;
use ovenbird_template::Variables;
use ovenbird_template::parse;
use ovenbird_template::parse_hcl;

/// Neither ending is its own: the caller says what the text is.
const NAME: &str = "t";

/// Reads `data` as a whole template.
pub(crate) fn json_template(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let source = Source::new(NAME, &text);
    match (read(&source), read(&source)) {
        (Ok(recipe), Ok(again)) => {
            assert_eq!(recipe, again, "the same text gives the same recipe");
            let lines = text.lines().count().max(1);
            assert!(recipe.notes.iter().all(|note| note.place.line <= lines + 1), "notes point into the text");
            render(&recipe);
        }
        (Err(errors), Err(_)) => point_into(&errors, &text),
        (one, other) => panic!("read once as {one:?} and once as {other:?}"),
    }
}

/// Reads `data` as a whole template of HCL.
pub(crate) fn hcl_template(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let source = [Source::new(NAME, &text)];
    let outside = Outside { files: &NoFiles, answers: &Answers::Placeholders };
    let read = || parse_hcl(&source, &Variables::default(), &context(), &outside);
    match (read(), read()) {
        (Ok(Parsed::Recipe(recipe)), Ok(Parsed::Recipe(again))) => {
            assert_eq!(recipe, again, "the same text gives the same recipe");
            render(&recipe);
        }
        (Err(errors), Err(_)) => point_into(&errors, &text),
        (one, other) => panic!("read once as {one:?} and once as {other:?}"),
    }
}

/// A disk without files.
struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("there is no {path}"))
    }

    fn is_file(&self, _: &str) -> bool {
        false
    }

    fn list(&self, _: &str) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
}

/// Reads `data` as the strings of a template that are rendered at once, later, and later with further values.
pub(crate) fn template_string(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let template = serde_json::json!({
        "variables": {"v": "{{env `HOME`}}", "w": text},
        "builders": [{
            "type": "amazon-ebs", "source_ami": "ami-1", "ami_name": "web",
            "region": text, "ami_description": text, "tags": {text.as_ref(): text},
        }],
        "provisioners": [{"type": "shell", "inline": [text], "execute_command": text, "environment_vars": [text]}],
    });
    json_template(template.to_string().as_bytes());
}

fn read(source: &Source) -> Result<Recipe, TemplateErrors> {
    parse(source, &Variables::default(), &context())
}

fn context() -> Context {
    Context {
        instant: "2026-11-22T23:20:40.12Z".parse().expect("an instant"),
        template_dir: "/t".to_owned(),
        pwd: "/p".to_owned(),
        environment: BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]),
        seed: 7,
    }
}

/// What is rendered later gives a text or an error, and no panic.
fn render(recipe: &Recipe) {
    let image = SourceAmi { id: "ami-1".to_owned(), ..SourceAmi::default() };
    for build in &recipe.builds {
        let Builder::AmazonEbs(ebs) = &build.builder else { continue };
        for text in ebs.image_snapshot_tags().values().chain(&ebs.ami_description) {
            let rendered = text.render_with(&image, &BTreeMap::from([("Path", "/tmp/s")]));
            assert!(
                text.find_literal().is_none_or(|literal| rendered.as_deref() == Ok(literal)),
                "a literal is itself"
            );
        }
    }
    let _ = recipe.masked(&format!("{recipe:?}"));
}

/// Errors are there, can be shown, and mark whole characters of the text.
fn point_into(errors: &TemplateErrors, text: &str) {
    assert!(!errors.errors().is_empty(), "no error says what is wrong");
    assert!(errors.to_string().contains("error: "));
    for error in errors.errors().iter().filter(|error| error.place().file == NAME) {
        for label in error.labels().into_iter().flatten() {
            let (start, end) = (label.offset(), label.offset() + label.len());
            assert!(end <= text.len(), "{error}: {start}..{end} is outside of the text");
            assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{error}: half a character is marked");
        }
    }
}
