//! What Packer 1.6.6 itself made of these strings, in one run of a template with the `null` builder.

use ovenbird_template::Builder;
use ovenbird_template::Context;
use ovenbird_template::Source;
use ovenbird_template::Variables;
use ovenbird_template::parse;
use serde_json::Value;
use serde_json::json;

const SEEN: &str = include_str!("fixtures/packer-1.6.6.json");

/// `text` as the description of an image.
fn rendered(text: &str, context: &Context) -> String {
    let template = json!({
        "variables": {"v": "{{user `w`}}!", "w": "W", "n": "8", "f": "1.50", "t": "x"},
        "builders": [{"type": "amazon-ebs", "source_ami": "ami-1", "ami_name": "web", "ami_description": text}],
    });
    let recipe = parse(&Source::new("t.json", &template.to_string()), &Variables::default(), context);
    let recipe = recipe.unwrap_or_else(|errors| panic!("{errors}"));
    let Builder::AmazonEbs(ebs) = &recipe.builds[0].builder else { panic!("supported") };
    ebs.ami_description.as_ref().and_then(|text| text.find_literal()).expect("nothing is deferred").to_owned()
}

#[test]
fn strings_are_rendered_as_packer_does() {
    let seen: Value = serde_json::from_str(SEEN).expect("valid JSON");
    let context = Context {
        instant: jiff::Timestamp::from_second(seen["timestamp"].as_i64().expect("seconds")).expect("in range"),
        template_dir: String::new(),
        pwd: String::new(),
        environment: [].into(),
        seed: 0,
    };
    let pairs = seen["rendered"].as_array().expect("a list");
    assert!(pairs.len() > 150);
    for pair in pairs {
        let text = pair[0].as_str().expect("a string");
        assert_eq!(rendered(text, &context), pair[1], "{text}");
    }
}
