//! Which endpoint a command talks to, and as whom.

use ovenbird_aws::Client;
use ovenbird_aws::client::Patience;
use ovenbird_aws::client::Settings;

use crate::args::Global;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::folders;
use crate::output::Output;

/// Variables that say that somebody chose AWS (or another endpoint) for this shell.
const CHOSEN: [&str; 6] = [
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_ENDPOINT_URL",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// An endpoint, with credentials for one account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Makes the calls.
    pub client: Client,
    /// The account's id, 12 digits.
    pub id: String,
}

impl Account {
    /// AWS where a profile or keys are chosen, else the embedded EC2, which it says.
    pub(crate) async fn connect(global: &Global, region: Option<&str>, output: &Output) -> Result<Self, Failure> {
        let region = global.region.as_deref().or(region);
        let client =
            if wants_aws(global) { from_environment(global, region).await } else { embedded(region, output).await? };
        if client.region().is_none() {
            return Err(Failure::usage("no region is set")
                .hint("name one with --region, AWS_REGION, in the profile, or in ovenbird.toml"));
        }
        // Nobody wants to wait long to hear that the first call does not get through.
        let hasty = client.with_patience(&Patience { attempts: 3, ..Patience::default() });
        let id = ovenbird_fleet::caller_account(&hasty).await.map_err(|error| {
            Failure::of(Kind::Aws, &error).hint(
                "check the credentials with `aws sts get-caller-identity`; AWS_PROFILE or --profile chooses others",
            )
        })?;
        Ok(Self { client, id })
    }

    /// Is the endpoint on this machine's loopback?
    pub(crate) fn is_loopback(&self) -> bool {
        let Some(url) = self.client.endpoint_override() else { return false };
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default();
        let host = host
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
            .unwrap_or_else(|| host.rsplit_once(':').map_or(host, |(host, _)| host));
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The region that calls go to.
    pub(crate) fn region(&self) -> &str {
        self.client.region().unwrap_or_default()
    }
}

fn wants_aws(global: &Global) -> bool {
    global.aws
        || global.profile.is_some()
        || CHOSEN.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

async fn from_environment(global: &Global, region: Option<&str>) -> Client {
    let set = std::env::var_os("AWS_REGION").is_some() || std::env::var_os("AWS_DEFAULT_REGION").is_some();
    // The project's region is a default: what the shell or the command says wins.
    let region = global.region.as_deref().or(if set { None } else { region });
    Client::from_environment(&Settings { profile: global.profile.clone(), region: region.map(str::to_owned) }).await
}

async fn embedded(region: Option<&str>, output: &Output) -> Result<Client, Failure> {
    let state = folders::local()?;
    let failed = |error: ovenbird_local::StatusError| Failure::of(Kind::Failed, &error);
    let status = ovenbird_local::status(&state).map_err(failed)?;
    let Some(url) = status.url.filter(|_| status.running) else {
        return Err(Failure::usage("no AWS profile is chosen, and the embedded EC2 is not running")
            .hint("start it with `ovenbird local up`; or choose AWS with AWS_PROFILE, --profile, or --aws for an instance's role"));
    };
    let keys = ovenbird_local::credentials(&state, ovenbird_local::DEFAULT_ACCOUNT)
        .map_err(failed)?
        .ok_or_else(|| Failure::new(Kind::Failed, "the embedded EC2 has no default account"))?;
    output.note(&format!("using the embedded EC2 at {url} (no AWS profile is chosen)"));
    let region = region.map_or_else(|| status.region.clone().unwrap_or_default(), str::to_owned);
    Ok(Client::for_endpoint(&url, &region, &keys.access_key_id, &keys.secret_access_key).await)
}
