//! How typed requests and answers become HTTP and come back: shapes, a small tree between them and the text, four protocols.
//!
//! `Shape` (a struct) <-> [`Node`] (a tree) <-> query form, XML, JSON or REST-JSON. Each arrow is written once.

mod error;
mod json;
mod node;
mod protocol;
mod query;
mod rest;
mod shape;
mod xml;

pub use error::ApiError;
pub use error::DecodeError;
pub use node::Node;
pub use protocol::Protocol;
pub use protocol::Service;
pub use protocol::decode_answer;
pub use protocol::decode_request;
pub use protocol::encode_answer;
pub use protocol::encode_error;
pub use protocol::encode_request;
pub use query::decode_form;
pub use shape::Blob;
pub use shape::Kind;
pub use shape::Member;
pub use shape::Naming;
pub use shape::Operation;
pub use shape::Place;
pub use shape::Shape;
pub use shape::Value;
pub(crate) use shape::operation;
pub(crate) use shape::shape;
