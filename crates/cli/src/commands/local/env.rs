//! `ovenbird local env`

use ovenbird_local::DEFAULT_ACCOUNT;

use super::Context;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::folders;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Keys of this account
    #[arg(long, default_value = DEFAULT_ACCOUNT, value_name = "ID")]
    account: String,
}

pub(crate) fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let state = folders::local()?;
    let status = ovenbird_local::status(&state).map_err(|error| Failure::of(Kind::Failed, &error))?;
    let Some(url) = status.url.filter(|_| status.running) else {
        return Err(Failure::usage("the embedded EC2 is not running").hint("start it with `ovenbird local up`"));
    };
    let keys = super::keys(&arguments.account)?;
    let region = status.region.unwrap_or_default();
    let variables = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_ACCESS_KEY_ID", &keys.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key),
        ("AWS_REGION", &region),
        ("AWS_DEFAULT_REGION", &region),
    ];
    if context.output.is_json() {
        context.output.data(&std::collections::BTreeMap::from(variables));
        return Ok(());
    }
    for (name, value) in variables {
        context.output.print(&format!("export {name}={value}"));
    }
    context.output.print("unset AWS_PROFILE AWS_SESSION_TOKEN");
    Ok(())
}
