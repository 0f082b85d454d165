//! The instance metadata service, version 2 alone: a token first, then items of its tree (EC2 User Guide, "How IMDSv2 works").
//!
//! Not every refusal is meant for good while an instance starts: tokens are refused, items are missing for seconds, connections
//! too (boot.md, section 2). What is retried and what is final is decided here, once.

use std::cell::RefCell;
use std::time::Duration;

use http::Request;
use ureq::Agent;

use crate::fault::Fault;
use crate::time::Backoff;
use crate::time::Deadline;
use crate::transport;

/// Six hours, the most; longer than any boot.
const TOKEN_SECONDS: &str = "21600";
/// The service is on the same host; an answer that takes longer will not come.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes of an item: user data may have 16 KiB.
const LIMIT: u64 = 16_384;

/// A client of the metadata service.
#[derive(Debug)]
pub struct Imds {
    client: Agent,
    endpoint: String,
    token: RefCell<Option<String>>,
}

/// Why one try brought nothing.
enum Miss {
    /// Worth another try.
    Passing(String),
    /// The token is not taken (any more).
    Token,
    /// Final.
    Lasting(String),
}

impl Imds {
    /// A client of the service at `endpoint`, such as `http://169.254.169.254`.
    #[must_use]
    pub fn new(endpoint: &str) -> Self {
        Self { client: transport::client(), endpoint: endpoint.to_owned(), token: RefCell::default() }
    }

    /// An item that every instance has, such as `meta-data/instance-id`. Missing means not yet.
    ///
    /// # Errors
    /// When the service did not answer before the deadline, refuses, or has no such item.
    pub fn fetch(&self, item: &str, deadline: &Deadline) -> Result<String, Fault> {
        let bytes = self.retry(item, deadline, |token| match self.ask(item, token)? {
            Some(bytes) => Ok(bytes),
            None => Err(Miss::Passing("there is no such item".to_owned())),
        })?;
        text(item, bytes)
    }

    /// An item that not every instance has; `None` if the service says that there is none.
    ///
    /// # Errors
    /// When the service did not answer before the deadline, or refuses.
    pub fn find(&self, item: &str, deadline: &Deadline) -> Result<Option<String>, Fault> {
        self.retry(item, deadline, |token| self.ask(item, token))?.map(|bytes| text(item, bytes)).transpose()
    }

    /// The user data, at most one byte more than EC2 allows. `None` only when the service is certain: with the same token it
    /// must answer the instance's id and identity document. Instances have gone on without their user data otherwise (NixOS/amis#137).
    ///
    /// # Errors
    /// When the service did not answer before the deadline, or refuses.
    pub fn find_user_data(&self, deadline: &Deadline) -> Result<Option<Vec<u8>>, Fault> {
        self.retry("user-data", deadline, |token| {
            let found = self.ask("user-data", token)?;
            if found.is_some() {
                return Ok(found);
            }
            for item in ["meta-data/instance-id", "dynamic/instance-identity/document"] {
                if self.ask(item, token)?.is_none() {
                    return Err(Miss::Passing(format!("neither user data nor {item} is there")));
                }
            }
            Ok(None)
        })
    }

    fn retry<T>(
        &self,
        item: &str,
        deadline: &Deadline,
        mut once: impl FnMut(&str) -> Result<T, Miss>,
    ) -> Result<T, Fault> {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2));
        loop {
            let why = match self.ensure_token().and_then(|token| once(&token)) {
                Ok(answer) => return Ok(answer),
                Err(Miss::Lasting(why)) => return Err(Fault::lasting(self.sentence(item, &why))),
                Err(Miss::Passing(why)) => why,
                Err(Miss::Token) => {
                    self.token.replace(None);
                    "it refuses the token that it gave (HTTP 401)".to_owned()
                }
            };
            if !deadline.pause(backoff.next_pause()) {
                return Err(Fault::passing(self.sentence(item, &format!("{why}; the time for it is over"))));
            }
        }
    }

    fn sentence(&self, item: &str, why: &str) -> String {
        format!("the metadata service at {} does not give {item}: {why}", self.endpoint)
    }

    fn ensure_token(&self) -> Result<String, Miss> {
        if let Some(token) = &*self.token.borrow() {
            return Ok(token.clone());
        }
        // The token's path must begin with `latest`: other versions answer 403.
        let request = Request::put(format!("{}/latest/api/token", self.endpoint))
            .header("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS);
        let (status, body) = self.send(request)?;
        let token = match status {
            200 => String::from_utf8(body).map_err(|_| Miss::Passing("its token is no text".to_owned()))?,
            403 => return Err(Miss::Lasting("it is switched off for this instance (HTTP 403 for a token)".to_owned())),
            400 => return Err(Miss::Lasting("it does not understand the request for a token (HTTP 400)".to_owned())),
            other => return Err(Miss::Passing(format!("it answers HTTP {other} instead of a token"))),
        };
        self.token.replace(Some(token.clone()));
        Ok(token)
    }

    fn ask(&self, item: &str, token: &str) -> Result<Option<Vec<u8>>, Miss> {
        let request =
            Request::get(format!("{}/latest/{item}", self.endpoint)).header("x-aws-ec2-metadata-token", token);
        match self.send(request)? {
            (200, body) => Ok(Some(body)),
            (404, _) => Ok(None),
            (401, _) => Err(Miss::Token),
            (status @ (400 | 403 | 405), _) => Err(Miss::Lasting(format!("it answers HTTP {status}"))),
            (status, _) => Err(Miss::Passing(format!("it answers HTTP {status}"))),
        }
    }

    fn send(&self, request: http::request::Builder) -> Result<(u16, Vec<u8>), Miss> {
        let request = request.body(Vec::new()).map_err(|error| Miss::Lasting(error.to_string()))?;
        let answer = transport::send(&self.client, request, PATIENCE, LIMIT).map_err(Miss::Passing)?;
        Ok((answer.status().as_u16(), answer.into_body()))
    }
}

fn text(item: &str, bytes: Vec<u8>) -> Result<String, Fault> {
    let text = String::from_utf8(bytes).map_err(|_| Fault::lasting(format!("the metadata item {item} is not text")))?;
    Ok(text.trim().to_owned())
}
