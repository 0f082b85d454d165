//! Data sources: questions to AWS whose answers are part of the configuration.

use std::collections::BTreeMap;

use super::body;
use super::config::Block;
use super::eval::Worked;
use super::outside::Answers;
use super::schema;
use super::value::PLACEHOLDER;
use super::values::Values;
use crate::amazon_ebs;
use crate::amazon_ebs::SourceFilter;
use crate::fields::Fields;
use crate::go::Fault;
use crate::options;
use crate::place::Span;
use crate::scope::Found;
use crate::scope::Position;
use crate::scope::Scope;
use crate::tree::Node;
use crate::tree::Value;

/// A question that only AWS can answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Query {
    /// Which image fits: `data "amazon-ami"`.
    Image {
        /// The search.
        filter: SourceFilter,
        /// The region; `None`: the bake's.
        region: Option<String>,
    },
    /// What a parameter of Parameter Store holds: `data "amazon-parameterstore"`.
    Parameter {
        /// Its name.
        name: String,
        /// Whether an encrypted value is wanted in clear.
        decrypt: bool,
        /// The region; `None`: the bake's.
        region: Option<String>,
    },
}

/// What AWS answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An image.
    Image {
        /// `ami-…`
        id: String,
        /// Its name.
        name: String,
        /// As the API writes it.
        creation_date: String,
        /// Account.
        owner: String,
        /// Alias such as `amazon`, or empty.
        owner_name: String,
        /// Its tags.
        tags: BTreeMap<String, String>,
    },
    /// A parameter.
    Parameter {
        /// Its value.
        value: String,
        /// Its version.
        version: i64,
        /// Its ARN.
        arn: String,
    },
}

/// How a client gets at AWS; the same options as a builder's.
const ACCESS: [&str; 16] = [
    "region",
    "profile",
    "access_key",
    "secret_key",
    "token",
    "mfa_code",
    "shared_credentials_file",
    "vault_aws_engine",
    "assume_role",
    "assume_role_with_web_identity",
    "custom_endpoint_ec2",
    "insecure_skip_tls_verify",
    "max_retries",
    "decode_authorization_messages",
    "skip_metadata_api_check",
    "skip_credential_validation",
];

const PARAMETER_OPTIONS: &[options::Row] = &[(&["name", "with_decryption"], options::Treatment::Honoured)];

/// The value of a data source: known, or a placeholder until AWS has answered.
pub(super) fn read<'a>(values: &'a Values<'a>, block: &'a Block) -> Worked {
    let kind = block.label(0);
    let span = block.labels.first().map_or(&block.kind_span, |label| &label.span);
    if kind == "null" {
        schema::check(values, "the data source `null`", &block.body, &["input"], &[]);
        let input = block.body.find("input").map(|input| values.eval().written(&input.expression)).transpose()?;
        return Ok(Node {
            span: span.clone(),
            value: Value::object([("output".to_owned(), input.map_or(Value::Null, |node| node.value))]),
        });
    }
    if !matches!(kind, "amazon-ami" | "amazon-parameterstore") {
        let message = format!("the data source `{kind}` is not supported");
        return Err(Fault::new(span, message).with_help(Some(instead(kind).to_owned())));
    }
    let node = body::object(&values.eval(), block);
    let title = block.title();
    let user = |_: &str| Found::NotInHcl;
    let scope = Scope {
        context: values.context,
        user: &user,
        build: None,
        position: Position::Option,
        further: &[],
        uuids: values.uuids,
    };
    let query = Fields::of(&title, &node, values.findings, scope).and_then(|fields| query(kind, fields));
    // What is wrong with it was reported.
    let query = query.ok_or_else(|| Fault::new(span, ""))?;
    Ok(answer(values, query, span))
}

fn query(kind: &str, mut fields: Fields<'_>) -> Option<Query> {
    let (access, own) =
        std::mem::take(&mut fields.members).into_iter().partition(|member| ACCESS.contains(&member.key.as_str()));
    let access = Fields { members: access, ..fields.called(fields.owner) };
    options::check(&access, &amazon_ebs::table::options());
    let region = access.text("region");
    fields.members = own;
    if kind == "amazon-ami" {
        return amazon_ebs::search(&fields).map(|filter| Query::Image { filter, region });
    }
    options::check(&fields, PARAMETER_OPTIONS);
    let name = fields.required_text("name", "the parameter's name, such as \"/web/port\"")?;
    Some(Query::Parameter { name, decrypt: fields.boolean("with_decryption").unwrap_or(false), region })
}

fn answer(values: &Values<'_>, query: Query, span: &Span) -> Node {
    let found = match values.outside.answers {
        Answers::Placeholders => None,
        Answers::Known(answers) => answers.get(&query),
    };
    let value = match found {
        None => {
            if matches!(values.outside.answers, Answers::Known(_)) {
                values.wanted.borrow_mut().insert(query);
            }
            Value::text(PLACEHOLDER)
        }
        Some(Answer::Image { id, name, creation_date, owner, owner_name, tags }) => {
            let texts = [
                ("id", id),
                ("name", name),
                ("creation_date", creation_date),
                ("owner", owner),
                ("owner_name", owner_name),
            ];
            let tags = Value::object(tags.iter().map(|(key, value)| (key.clone(), Value::text(value))));
            let texts = texts.map(|(name, text)| (name.to_owned(), Value::text(text)));
            Value::object(texts.into_iter().chain([("tags".to_owned(), tags)]))
        }
        Some(Answer::Parameter { value, version, arn }) => {
            if matches!(query, Query::Parameter { decrypt: true, .. }) {
                values.hide(&Node::from(Value::text(value)));
            }
            Value::object([
                ("value".to_owned(), Value::text(value)),
                ("version".to_owned(), Value::integer(i128::from(*version))),
                ("arn".to_owned(), Value::text(arn)),
            ])
        }
    };
    Node { span: span.clone(), value }
}

fn instead(kind: &str) -> &'static str {
    match kind {
        "amazon-secretsmanager" => {
            "a secret in an image is in every copy of it: let the instance read it at boot, or give it with -var"
        }
        "http" | "external" | "external-raw" | "git-commit" | "git-repository" | "git-tree" => {
            "the same inputs must give the same image: give the value with -var, such as -var \"NAME=$(curl -sf URL)\""
        }
        "hcp-packer-artifact" | "hcp-packer-image" | "hcp-packer-version" | "hcp-packer-iteration" => {
            "name the image by a filter: data \"amazon-ami\", or the pointer that `ovenbird promote` moves: data \"amazon-parameterstore\""
        }
        _ => "there are amazon-ami, amazon-parameterstore and null; give other values with -var",
    }
}
