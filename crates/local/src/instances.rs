//! The life of an instance: pending, running, stopping, stopped and started again, shutting-down, terminated.
//!
//! Every step of an instance happens in its turn (one at a time per instance), on a thread of its own.

mod addresses;
mod machine;
mod turns;
mod view;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ovenbird_disk::wait::wait_until;
use rusqlite::Connection;

use crate::catalogue::images;
use crate::catalogue::instances;
use crate::catalogue::instances::Instance;
use crate::catalogue::instances::State;
use crate::catalogue::snapshots;
use crate::catalogue::volumes;
use crate::delays::Delay;
use crate::disks;
use crate::engine::Seen;
use crate::failure::Answer;
use crate::failure::Failure;
use crate::world::World;

pub(crate) use addresses::pick_address;
pub(crate) use addresses::pick_mac;
pub(crate) use addresses::subnet_of;
pub(crate) use addresses::vpc_of;
pub(crate) use machine::machine_of;
pub(crate) use machine::plugged;
pub(crate) use turns::Turns;

/// Why a state changed: code and message (API reference, StateReason).
const USER_INITIATED: (&str, &str) =
    ("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown");
const INSTANCE_INITIATED: (&str, &str) =
    ("Client.InstanceInitiatedShutdown", "Client.InstanceInitiatedShutdown: Instance initiated shutdown");
const DAEMON_STOPPED: (&str, &str) = ("Server.ScheduledStop", "Server.ScheduledStop: The embedded EC2 was stopped");
const DAEMON_KILLED: (&str, &str) =
    ("Server.InternalError", "Server.InternalError: The instance ended while the embedded EC2 was not running");

/// Brings a pending instance up, in the background.
pub(crate) fn begin(world: Arc<World>, id: String) {
    std::thread::spawn(move || {
        let turn = world.turns.of(&id);
        let _turn = turn.take();
        let has_run = has_run(&world, &id);
        if let Err(failure) = launch(&world, &id) {
            let message = format!("Server.InternalError: {}", failure.chain());
            tracing::error!(instance = id, "{message}");
            // One that ran before keeps its disks.
            let after = if has_run { State::Stopped } else { State::Terminated };
            note(&id, finish(&world, &id, after, Some(("Server.InternalError", &message))));
        }
    });
}

fn launch(world: &Arc<World>, id: &str) -> Answer<()> {
    let is_pending = |instance: &Instance| instance.state == State::Pending;
    let Some(instance) = world.catalogue.transact(|db| instances::find_any(db, id))?.filter(is_pending) else {
        return Ok(());
    };
    let attached = world.catalogue.transact(|db| volumes::list_attached(db, id))?;
    // The disks of an instance that was stopped are there, with what it wrote.
    for volume in attached.into_iter().filter(|volume| volume.state == "creating") {
        disks::ensure(world, &volume)?;
        world.catalogue.transact(|db| {
            volumes::set_state(db, &volume.id, "in-use")?;
            volumes::set_attachment(db, &volume.id, "attached")
        })?;
    }
    hold(world, id, State::Pending, Delay::InstanceRunning);
    if !world.delays.of(Delay::InstanceBooted).is_zero() {
        // It says `running` while the machine is still to boot, as on EC2.
        become_running(world, id)?;
        hold(world, id, State::Running, Delay::InstanceBooted);
    }
    let is_wanted = |instance: &Instance| matches!(instance.state, State::Pending | State::Running);
    if world.catalogue.transact(|db| instances::find_any(db, id))?.filter(is_wanted).is_none() {
        return Ok(());
    }
    world.engine.start(&machine_of(world, &instance)?)?;
    become_running(world, id)
}

fn become_running(world: &World, id: &str) -> Answer<()> {
    let (is_pending, now) = (|instance: &Instance| instance.state == State::Pending, world.clock.now());
    world.catalogue.transact(|db| match instances::find_any(db, id)?.filter(is_pending) {
        Some(_) => instances::set_state(db, id, State::Running, None, now),
        // It is to be terminated already; whoever does it waits for this turn.
        None => Ok(()),
    })
}

/// Lets the time pass that EC2 would take, unless the instance is no longer `state`, or the daemon ends.
fn hold(world: &World, id: &str, state: State, delay: Delay) {
    let takes = world.delays.of(delay);
    if takes.is_zero() {
        return;
    }
    let due = world.delays.due(delay, world.clock.now());
    let is_over = || {
        let found = world.catalogue.transact(|db| instances::find_any(db, id));
        let is_still = found.is_ok_and(|found| found.is_some_and(|instance| instance.state == state));
        (!is_still || world.is_closing() || world.clock.now() >= due).then_some(())
    };
    // What is over by the endpoint's clock is over by the machine's soon after.
    let _ = wait_until(takes + Duration::from_secs(1), Duration::from_millis(20), is_over);
}

/// Has every disk of the instance been made? Only an earlier launch did that.
fn has_run(world: &World, id: &str) -> bool {
    let attached = world.catalogue.transact(|db| volumes::list_attached(db, id)).unwrap_or_default();
    !attached.is_empty() && attached.iter().all(|volume| volume.state != "creating")
}

/// Notes that a user asked for `after`, and when.
pub(crate) fn note_user_initiated(db: &Connection, id: &str, after: State, now: Timestamp) -> Answer<()> {
    let (code, message) = USER_INITIATED;
    let message = format!("{message} ({})", now.strftime("%Y-%m-%d %H:%M:%S GMT"));
    instances::set_state(db, id, after, Some((code, &message)), now)
}

/// Ends an instance that is shutting down or stopping, in the background.
pub(crate) fn end(world: Arc<World>, id: String) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let turn = world.turns.of(&id);
        let _turn = turn.take();
        note(&id, end_once(&world, &id));
    })
}

fn end_once(world: &Arc<World>, id: &str) -> Answer<()> {
    let Some(instance) = world.catalogue.transact(|db| instances::find_any(db, id))? else { return Ok(()) };
    let after = match instance.state {
        State::ShuttingDown => State::Terminated,
        State::Stopping => State::Stopped,
        _ => return Ok(()),
    };
    let stopped = world.engine.stop(&machine_of(world, &instance)?).map_err(Failure::from);
    let delay = if after == State::Stopped { Delay::InstanceStopped } else { Delay::InstanceTerminated };
    hold(world, id, instance.state, delay);
    finish(world, id, after, None)?;
    stopped
}

/// Notes that an instance ended. A terminated one lets go of its volumes; those made to go with it go.
fn finish(world: &World, id: &str, after: State, reason: Option<(&str, &str)>) -> Answer<()> {
    let now = world.clock.now();
    let gone = world.catalogue.transact(|db| {
        let mut gone = Vec::new();
        if after == State::Terminated {
            for volume in volumes::list_attached(db, id)? {
                // One that was never finished holds nothing.
                if volume.state == "creating"
                    || volume.attachment.is_some_and(|attachment| attachment.delete_on_termination)
                {
                    volumes::delete_volume(db, &volume.id)?;
                    gone.push(volume.id);
                } else {
                    volumes::detach(db, &volume.id)?;
                }
            }
        }
        instances::set_state(db, id, after, reason, now)?;
        Ok(gone)
    })?;
    gone.iter().try_for_each(|volume| disks::remove(world, volume))
}

/// Logs what failed in the background.
pub(crate) fn note(id: &str, answer: Answer<()>) {
    if let Err(failure) = answer {
        tracing::error!(instance = id, "{}", failure.chain());
    }
}

/// Looks after the running instances once: what ended by itself is stopped or terminated, as it was launched to be.
pub(crate) fn watch_once(world: &Arc<World>) -> Answer<()> {
    let alive = world.catalogue.transact(instances::list_alive)?;
    for instance in alive.into_iter().filter(|instance| instance.state == State::Running) {
        // While it is some step's turn the machine may not have begun to boot.
        let turn = world.turns.of(&instance.id);
        if turn.is_taken() || world.engine.look(&machine_of(world, &instance)?) == Seen::Running {
            continue;
        }
        let now = world.clock.now();
        let after = if instance.ends_terminated { State::ShuttingDown } else { State::Stopping };
        if move_on(world, &instance, State::Running, after, INSTANCE_INITIATED, now)? {
            end(Arc::clone(world), instance.id);
        }
    }
    Ok(())
}

/// Changes the state where it still is `before`; did it?
fn move_on(
    world: &World,
    instance: &Instance,
    before: State,
    after: State,
    reason: (&str, &str),
    now: Timestamp,
) -> Answer<bool> {
    world.catalogue.transact(|db| {
        let is_still = instances::find_any(db, &instance.id)?.is_some_and(|found| found.state == before);
        if is_still {
            instances::set_state(db, &instance.id, after, Some(reason), now)?;
        }
        Ok(is_still)
    })
}

/// Takes up what an earlier daemon left: running machines go on, the others are ended.
pub(crate) fn adopt_all(world: &Arc<World>) -> Answer<()> {
    for volume in world.catalogue.transact(volumes::list_unfinished)? {
        disks::begin(Arc::clone(world), volume);
    }
    fail_unfinished(world)?;
    for instance in world.catalogue.transact(instances::list_alive)? {
        let (id, now) = (instance.id.clone(), world.clock.now());
        // A stopped one holds nothing but its disks.
        if instance.state == State::Stopped {
            continue;
        }
        if instance.state == State::Running {
            match world.engine.adopt(&machine_of(world, &instance)?) {
                Ok(Seen::Running) => {
                    tracing::info!(instance = id, "found again");
                    note(&id, finish_attachments(world, &instance));
                    continue;
                }
                Ok(Seen::Ended) => {}
                Err(error) => tracing::error!(instance = id, "could not take it up: {}", Failure::from(error).chain()),
            }
        }
        if matches!(instance.state, State::Running | State::Pending) {
            world
                .catalogue
                .transact(|db| instances::set_state(db, &id, State::ShuttingDown, Some(DAEMON_KILLED), now))?;
        }
        note(&id, end_once(world, &id));
    }
    Ok(())
}

/// Snapshots and images whose making an earlier daemon did not finish have failed.
fn fail_unfinished(world: &World) -> Answer<()> {
    let why = "the embedded EC2 ended while the image was made; make it again";
    world.catalogue.transact(|db| {
        snapshots::list_unfinished(db)?.iter().try_for_each(|id| snapshots::fail_snapshot(db, id))?;
        images::list_unfinished(db)?.iter().try_for_each(|id| images::fail_image(db, id, why))
    })
}

/// Finishes what an earlier daemon began with the volumes of a running instance.
fn finish_attachments(world: &Arc<World>, instance: &Instance) -> Answer<()> {
    for volume in world.catalogue.transact(|db| volumes::list_attached(db, &instance.id))? {
        let Some(attachment) = &volume.attachment else { continue };
        let (machine, plugged) = (machine_of(world, instance)?, plugged(world, &volume, &attachment.device));
        match attachment.state.as_str() {
            "attaching" => {
                world.engine.attach(&machine, &plugged)?;
                world.catalogue.transact(|db| volumes::set_attachment(db, &volume.id, "attached"))?;
            }
            "detaching" => {
                world.engine.detach(&machine, &plugged)?;
                world.catalogue.transact(|db| volumes::detach(db, &volume.id))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Ends every instance, at the daemon's own end.
pub(crate) fn end_all(world: &Arc<World>) {
    world.close();
    let ended = world.catalogue.transact(|db| {
        let mut ending = Vec::new();
        for instance in instances::list_alive(db)?.into_iter().filter(|instance| instance.state != State::Stopped) {
            instances::set_state(db, &instance.id, State::ShuttingDown, Some(DAEMON_STOPPED), world.clock.now())?;
            ending.push(instance.id);
        }
        Ok(ending)
    });
    match ended {
        Ok(ids) => {
            let ends: Vec<_> = ids.into_iter().map(|id| end(Arc::clone(world), id)).collect();
            // A thread that panicked has said so; the others still count.
            ends.into_iter().for_each(|end| drop(end.join()));
        }
        Err(failure) => tracing::error!("could not end the instances: {}", failure.chain()),
    }
}
