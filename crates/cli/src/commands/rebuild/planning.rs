//! What every service of a fleet needs, found out side by side.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use futures::stream;
use ovenbird_bake::BakePath;
use ovenbird_bake::Plan;
use ovenbird_bake::PlannedLayer;
use ovenbird_bake::Request;
use ovenbird_bake::prepare_plan;
use ovenbird_core::layer::LayerKey;
use ovenbird_core::rebuild::Wanted;

use super::Context;
use crate::account::Account;
use crate::commands::bake::Asked;
use crate::commands::bake::Choices;
use crate::commands::bake::failure;
use crate::commands::bake::prepare;
use crate::commands::bake::show::Events;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::progress::Progress;
use crate::template::Given;

/// Services that are planned at a time: each makes a few calls and then hashes its files.
const AT_A_TIME: usize = 8;

/// The services by name, planned, or why that was not possible.
pub(super) struct Fleet {
    pub(super) services: BTreeMap<String, Result<Planned, Failure>>,
}

/// What the bake of a service would do, and in whose name.
pub(super) struct Planned {
    pub(super) account: Account,
    pub(super) plan: Plan,
}

/// Plans the services of these names. Where one cannot be planned, the others are.
pub(super) async fn plan(
    context: Context<'_>,
    given: &Given,
    names: &[String],
    progress: &Progress<'_>,
) -> Result<Fleet, Failure> {
    progress.phase("plan");
    let mut services = BTreeMap::new();
    let mut ready: Vec<(Account, Request)> = Vec::new();
    for name in names {
        let known = ready.last().map(|(account, _)| account.clone());
        let choices = Choices::default();
        match prepare(context, name, &Asked::simply(given, &choices).known(known.as_ref())).await {
            Ok((_, account, request)) => ready.push((account, request)),
            Err(failure) => _ = services.insert(name.clone(), Err(failure)),
        }
    }
    let (first, rest) = first_of_each_source(ready);
    for (account, request) in first {
        // Its package lists are those of all bakes from the same source.
        let mut events = Events::new(context, progress);
        let plan = prepare_plan(&account.client, &request, &mut |event| events.show(&event)).await;
        services.insert(request.service.clone(), plan.map(|plan| Planned { account, plan }).map_err(failure));
    }
    let plans = rest.into_iter().map(async |(account, request)| {
        let request = Request { keep_lists: true, ..request };
        let plan = prepare_plan(&account.client, &request, &mut |_| {}).await;
        (request.service, plan.map(|plan| Planned { account, plan }).map_err(failure))
    });
    services.extend(stream::iter(plans).buffer_unordered(AT_A_TIME).collect::<Vec<_>>().await);
    Ok(Fleet { services })
}

type Ready = (Account, Request);

fn first_of_each_source(ready: Vec<Ready>) -> (Vec<Ready>, Vec<Ready>) {
    let mut seen = Vec::new();
    ready.into_iter().partition(|(account, request)| {
        let source = (account.region().to_owned(), request.builder().ok().map(|builder| builder.source.clone()));
        let is_new = !seen.contains(&source);
        seen.push(source);
        is_new
    })
}

impl Fleet {
    /// The services that must be baked.
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        let planned = self.services.iter().filter_map(|(name, planned)| Some((name, planned.as_ref().ok()?)));
        planned
            .filter(|(_, planned)| planned.plan.existing.is_none())
            .map(|(name, planned)| Wanted { service: name.clone(), missing: planned.missing() })
            .collect()
    }

    /// The services that have their image already: name, account, `ami-…`.
    pub(super) fn reused(&self) -> impl Iterator<Item = (&str, &Account, &str)> {
        self.services.iter().filter_map(|(name, planned)| {
            let planned = planned.as_ref().ok()?;
            Some((name.as_str(), &planned.account, planned.plan.existing.as_ref()?.id.as_str()))
        })
    }

    /// A matrix that lacks a service must not look like one that has nothing to do.
    ///
    /// # Errors
    /// Names the services that could not be planned.
    pub(super) fn verify_planned(&self) -> Result<(), Failure> {
        let failed = self.services.iter().filter(|(_, planned)| planned.is_err());
        let names: Vec<&str> = failed.map(|(name, _)| name.as_str()).collect();
        if names.is_empty() {
            return Ok(());
        }
        let (some, all) = (names.len(), self.services.len());
        Err(Failure::new(Kind::Failed, format!("{some} of {all} services could not be planned: {}", names.join(", ")))
            .hint("the plan says why of each; `ovenbird plan SERVICE` shows all of it"))
    }

    /// The layer of this key, as one of `services` plans it.
    pub(super) fn layer(&self, services: &[String], key: LayerKey) -> Option<&PlannedLayer> {
        let planned = services.iter().filter_map(|name| self.services.get(name)?.as_ref().ok());
        planned.flat_map(|planned| &planned.plan.layers).find(|layer| layer.key == key)
    }
}

impl Planned {
    /// The layers that others can share and that are not there. On a launched instance there are none: it bakes all in one go.
    fn missing(&self) -> Vec<LayerKey> {
        match self.plan.path.path {
            BakePath::Direct => self.plan.to_run().iter().map(|layer| layer.key).collect(),
            BakePath::Launch => Vec::new(),
        }
    }
}
