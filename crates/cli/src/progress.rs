//! Live progress for people, in one file: a line that changes on a terminal, a line per phase elsewhere.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;
use std::time::Instant;

use indicatif::MultiProgress;
use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;

use crate::output::Output;

/// A phase shorter than this is not worth a line of its own.
const WORTH_TELLING: Duration = Duration::from_millis(50);

/// Follows work that has phases. Silent with `--quiet` and `--json`.
pub(crate) struct Progress<'a> {
    output: &'a Output,
    bar: ProgressBar,
    began: Instant,
    phase: RefCell<Option<(String, Instant)>>,
    /// The phases that have ended, each name once, in the order of their first time.
    ended: RefCell<Vec<(String, Duration)>>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(output: &'a Output) -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_style(
            ProgressStyle::with_template("{spinner:.cyan} {elapsed:>4} {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        if output.has_progress() {
            bar.enable_steady_tick(Duration::from_millis(100));
        } else {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { output, bar, began: Instant::now(), phase: RefCell::new(None), ended: RefCell::new(Vec::new()) }
    }

    /// A phase begins; the one before it is told with its time.
    pub(crate) fn phase(&self, name: &str) {
        self.end_phase();
        self.bar.set_message(name.to_owned());
        *self.phase.borrow_mut() = Some((name.to_owned(), Instant::now()));
    }

    /// Something within the phase.
    pub(crate) fn detail(&self, text: &str) {
        let phase = self.phase.borrow().as_ref().map(|(name, _)| name.clone()).unwrap_or_default();
        self.bar.set_message(format!("{phase} · {text}"));
    }

    /// A line that stays.
    pub(crate) fn line(&self, text: &str) {
        self.bar.suspend(|| self.output.note(text));
    }

    /// The end: the last phase is told, the line goes. Answers how long it all took.
    pub(crate) fn finish(&self) -> Duration {
        self.end_phase();
        self.bar.finish_and_clear();
        self.began.elapsed()
    }

    /// Where the time went, until now.
    pub(crate) fn phases(&self) -> Vec<(String, Duration)> {
        self.ended.borrow().clone()
    }

    fn end_phase(&self) {
        let Some((name, began)) = self.phase.borrow_mut().take() else { return };
        let took = began.elapsed();
        let mut ended = self.ended.borrow_mut();
        match ended.iter_mut().find(|(known, _)| *known == name) {
            Some((_, total)) => *total += took,
            None => ended.push((name.clone(), took)),
        }
        if took >= WORTH_TELLING {
            self.line(&format!("{:>6.1} s  {name}", took.as_secs_f64()));
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Follows several works at a time, a line each. Silent with `--quiet` and `--json`; elsewhere than on a terminal, only ends are told.
pub(crate) struct Lines<'a> {
    output: &'a Output,
    board: MultiProgress,
    names: Vec<String>,
    width: usize,
    bars: RefCell<BTreeMap<usize, ProgressBar>>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(output: &'a Output, names: &[String]) -> Self {
        let board = MultiProgress::new();
        if !output.has_progress() {
            board.set_draw_target(ProgressDrawTarget::hidden());
        }
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
        Self { output, board, names: names.to_vec(), width, bars: RefCell::default() }
    }

    /// The work at `place` begins: it gets its line.
    pub(crate) fn begin(&self, place: usize) {
        let bar = self.board.add(ProgressBar::new_spinner());
        bar.set_style(
            ProgressStyle::with_template("{spinner:.cyan} {elapsed:>4} {prefix} {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_prefix(self.name(place));
        if self.output.has_progress() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        self.bars.borrow_mut().insert(place, bar);
    }

    /// What it is doing.
    pub(crate) fn detail(&self, place: usize, text: &str) {
        if let Some(bar) = self.bars.borrow().get(&place) {
            bar.set_message(text.to_owned());
        }
    }

    /// Its end: its line stays, with what came out.
    pub(crate) fn end(&self, place: usize, how: &str) {
        let Some(bar) = self.bars.borrow_mut().remove(&place) else { return };
        let took = bar.elapsed().as_secs_f64();
        bar.finish_and_clear();
        self.board.suspend(|| self.output.note(&format!("{took:>6.1} s  {}  {how}", self.name(place))));
    }

    /// The end of all.
    pub(crate) fn finish(&self) {
        self.bars.borrow_mut().clear();
        _ = self.board.clear();
    }

    fn name(&self, place: usize) -> String {
        format!("{:<width$}", self.names[place], width = self.width)
    }
}
