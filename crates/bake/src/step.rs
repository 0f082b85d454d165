//! Steps: what a bake is a list of, and the one way to run such a list.
//!
//! The intent is in the journal before the effect, and the outcome after it. So however a bake ends, it is known which effects there
//! may be: a failure undoes them, the last first; `bake --resume` runs the same list again, in which what was done is found.

use futures::future::LocalBoxFuture;

use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;
use crate::interrupt::stop_if_interrupted;
use crate::journal::Entry;
use crate::oven::Oven;
use crate::working_disk;

/// What a step does, under way.
pub(crate) type Work<'a> = LocalBoxFuture<'a, Result<(), BakeError>>;

/// One effect of a bake, and how it is taken back.
pub(crate) trait Step {
    /// Its name among the steps of its bake: `keep layer 1f2e3d4c5b6a`.
    fn name(&self) -> String;

    /// Brings the effect about. Run twice, there is one effect: what an earlier run made is found, by the journal or by the bake's tag.
    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a>;

    /// Takes the effect back, also half of it. Does nothing where there is none, and keeps what is of use to the next bake.
    fn undo<'a>(&'a self, _oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Is the effect of no use when the bake is over? Then it is taken back after a success too.
    fn is_scaffold(&self) -> bool {
        false
    }
}

/// Steps in the order in which they are run.
pub(crate) type Steps<'p> = Vec<Box<dyn Step + 'p>>;

/// Runs the steps. Where one fails, the effects of all that had begun are taken back, unless the bake shall keep them.
///
/// # Errors
/// The failed step's. What could not be taken back leaves as [`Event::Left`], and the bake's folder stays for `doctor`.
pub(crate) async fn run(oven: &mut Oven<'_>, steps: &Steps<'_>) -> Result<(), BakeError> {
    let ended = ensure_all(oven, steps).await;
    match &ended {
        Ok(()) => undo_where(oven, steps, |step| step.is_scaffold()).await,
        Err(_) if oven.keeps_failure => {
            oven.is_clean = false;
            let disk = oven.folder.path.join(working_disk::NAME);
            oven.tell(Event::Stays { bake: oven.folder.id.clone(), disk: disk.is_file().then_some(disk) });
        }
        Err(_) => undo_where(oven, steps, |_| true).await,
    }
    ended
}

async fn ensure_all(oven: &mut Oven<'_>, steps: &Steps<'_>) -> Result<(), BakeError> {
    for step in steps {
        stop_if_interrupted()?;
        let name = step.name();
        oven.journal.append(Entry::Starts { step: name.clone() })?;
        oven.meet(Moment::Before, &name)?;
        step.ensure(oven).await?;
        if oven.meet(Moment::After, &name)? == Outcome::Again {
            step.ensure(oven).await?;
        }
        oven.journal.append(Entry::Done { step: name })?;
    }
    Ok(())
}

/// Undoes, the last first, every step that began, in this run or in one that is resumed.
async fn undo_where(oven: &mut Oven<'_>, steps: &Steps<'_>, is_due: impl Fn(&dyn Step) -> bool) {
    for step in steps.iter().rev().filter(|step| is_due(step.as_ref())) {
        let name = step.name();
        if !oven.journal.has_begun(&name) {
            continue;
        }
        if let Err(error) = undo(oven, step.as_ref(), &name).await {
            // The bake's own end is the news; what is left is found by its tag.
            oven.has_left = true;
            oven.tell(Event::Left { step: name, error: error.chain() });
        }
    }
}

async fn undo(oven: &mut Oven<'_>, step: &dyn Step, name: &str) -> Result<(), BakeError> {
    step.undo(oven).await?;
    if oven.meet(Moment::Undone, name)? == Outcome::Again {
        step.undo(oven).await?;
    }
    oven.journal.append(Entry::Undone { step: name.to_owned() })
}

/// A moment of a bake at which a test may break in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The intent is written, the effect not begun.
    Before,
    /// The effect is there, the outcome not written.
    After,
    /// The effect is taken back.
    Undone,
}

/// What a test does to a bake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// The step fails.
    Fail,
    /// The bake's process ends here: nothing is undone.
    Die,
    /// The step (or its undoing) is run once more.
    Again,
}

/// Decides what goes wrong, by the step's name. A bake of its own has none.
pub type Mishaps<'a> = dyn FnMut(&str, Moment) -> Option<Mishap> + 'a;

/// How a moment went by.
#[derive(PartialEq, Eq)]
enum Outcome {
    GoOn,
    Again,
}

impl Oven<'_> {
    fn meet(&mut self, moment: Moment, step: &str) -> Result<Outcome, BakeError> {
        match (self.mishaps)(step, moment) {
            None => Ok(Outcome::GoOn),
            Some(Mishap::Again) => Ok(Outcome::Again),
            Some(mishap) => {
                self.keeps_failure |= mishap == Mishap::Die;
                Err(working(format!("go on with the step `{step}`"))("a test broke in here"))
            }
        }
    }
}
