//! `ovenbird local status`

use ovenbird_local::Delays;
use ovenbird_local::Status;

use super::Context;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::folders;
use crate::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(context: Context<'_>, _: &Arguments) -> Result<(), Failure> {
    let status = ovenbird_local::status(&folders::local()?).map_err(|error| Failure::of(Kind::Failed, &error))?;
    if context.output.is_json() {
        context.output.data(&status);
        return Ok(());
    }
    if !status.running {
        context.output.print("the embedded EC2 is not running; start it with `ovenbird local up`");
        return Ok(());
    }
    tell_conduct(context, &status);
    context.output.print(&format!(
        "{}  pid {}  engine {}  {} images  {} blocks, {:.1} MiB",
        status.url.unwrap_or_default(),
        status.pid.unwrap_or_default(),
        status.engine.unwrap_or_default(),
        status.images,
        status.blocks,
        status.bytes as f64 / f64::from(1 << 20),
    ));
    if !status.instances.is_empty() {
        let rows = status
            .instances
            .into_iter()
            .map(|line| vec![line.id, line.state, line.image, line.private_ip, line.account, line.region]);
        context.output.print(&table::render(&["INSTANCE", "STATE", "IMAGE", "ADDRESS", "ACCOUNT", "REGION"], rows));
    }
    let calls = status.calls.into_iter().flat_map(|(account, calls)| {
        calls.into_iter().map(move |(action, count)| vec![account.clone(), action, count.to_string()])
    });
    context.output.print(&table::render(&["ACCOUNT", "CALL", "COUNT"], calls));
    Ok(())
}

/// Says which faults and delays are on, if any.
pub(super) fn tell_conduct(context: Context<'_>, status: &Status) {
    if let Some(faults) = &status.faults {
        let met: Vec<String> = status.injected.iter().map(|(mode, count)| format!("{mode} {count}")).collect();
        context.output.print(&format!("faults are switched on: {faults}; met so far: {}", met.join(", ")));
    }
    let Ok(delays) = Delays::parse(&status.delays) else { return };
    if !delays.is_none() {
        context.output.print(&format!("delays are on: {}", status.delays));
        let rows = delays.rows().into_iter();
        let rows = rows.map(|(name, millis, source)| vec![name.to_owned(), format!("{millis} ms"), source.to_owned()]);
        context.output.print(&table::render(&["DELAY", "TIME", "SOURCE"], rows));
    }
}
