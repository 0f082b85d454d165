//! Running the bakes: each is an `ovenbird bake` of its own, so each has its own mounts and its own end, and what runs here is what
//! a worker of a CI system runs. The schedule says which begins when.

use std::sync::mpsc;
use std::sync::mpsc::Sender;
use std::time::Duration;
use std::time::Instant;

use ovenbird_core::rebuild::Goal;
use ovenbird_core::rebuild::Schedule;
use ovenbird_core::rebuild::State;
use ovenbird_core::rebuild::Unit;
use ovenbird_disk::interrupt;
use ovenbird_disk::tool::Line;
use ovenbird_disk::tool::Tool;
use serde_json::Value;

use super::Arguments;
use super::Context;
use super::matrix;
use super::planning::Fleet;
use super::show::Board;
use crate::failure::Failure;

/// A bake has deadlines of its own for all that it waits for.
const DEADLINE: Duration = Duration::from_secs(24 * 3600);
/// How long a bake that is interrupted may take to take back what it made.
const GRACE: Duration = Duration::from_secs(60);

/// How a unit ended, and what it did.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) state: State,
    /// Layers that ran.
    pub(super) layers: usize,
    /// Blocks that they changed.
    pub(super) blocks: u64,
    pub(super) took: Duration,
    /// The image, if it made or found one.
    pub(super) image: Option<String>,
    /// Why it failed.
    pub(super) error: Option<String>,
}

/// What a bake's thread tells.
enum News {
    Event(usize, Value),
    End(usize, Result<(), String>),
}

/// Runs the units, at most `jobs` at a time; answers how each ended.
pub(super) fn run(
    context: Context<'_>,
    arguments: &Arguments,
    fleet: &Fleet,
    units: &[Unit],
    jobs: usize,
) -> Result<Vec<Ended>, Failure> {
    let mut schedule = Schedule::new(units, jobs);
    let board = Board::new(context, fleet, units);
    let mut ended: Vec<Ended> = vec![Ended::waiting(); units.len()];
    let mut began: Vec<Option<Instant>> = vec![None; units.len()];
    let (sender, news) = mpsc::channel();
    let program = std::env::current_exe()?.display().to_string();
    let at_a_time = jobs.min(units.len()).to_string();
    std::thread::scope(|scope| {
        let mut running = 0;
        while !schedule.is_over() {
            // After an interrupt nothing begins; what runs gets the time to take back what it made.
            let starting = if interrupt::requested() { Vec::new() } else { schedule.start() };
            for place in starting {
                began[place] = Some(Instant::now());
                board.begins(place);
                let tool = tool(&program, context, arguments, &units[place]).args(["--one-of", &at_a_time]);
                let sender = sender.clone();
                scope.spawn(move || bake(tool, place, &sender));
                running += 1;
            }
            if running == 0 {
                break;
            }
            match news.recv() {
                Ok(News::Event(place, event)) => {
                    ended[place].note(&event);
                    board.event(place, &event);
                }
                Ok(News::End(place, result)) => {
                    running -= 1;
                    let ended = &mut ended[place];
                    ended.took = began[place].map(|began| began.elapsed()).unwrap_or_default();
                    if let Err(error) = &result {
                        ended.error.get_or_insert_with(|| error.clone());
                    }
                    schedule.end(place, result.is_ok());
                    board.ends(place, ended, result.is_ok());
                }
                Err(_) => break,
            }
        }
    });
    board.finish();
    for (ended, state) in ended.iter_mut().zip(schedule.states()) {
        ended.state = *state;
    }
    Ok(ended)
}

fn tool(program: &str, context: Context<'_>, arguments: &Arguments, unit: &Unit) -> Tool {
    let mut tool = Tool::new(program).args(matrix::arguments(&arguments.given, unit)).args(["--json", "--keep-lists"]);
    if arguments.no_pointer && matches!(unit.goal, Goal::Image(_)) {
        tool = tool.arg("--no-pointer");
    }
    for argument in context.global.again() {
        tool = tool.arg(argument);
    }
    tool.doing(format!("bake {}", unit.services.join(", "))).deadline(DEADLINE).grace(GRACE)
}

/// Runs one bake to its end, in a thread of its own.
fn bake(tool: Tool, place: usize, sender: &Sender<News>) {
    let tell = |news| _ = sender.send(news);
    let ended = tool.run_lines(|line| {
        if let Line::Out(line) = line
            && let Ok(event) = serde_json::from_str(line)
        {
            tell(News::Event(place, event));
        }
    });
    tell(News::End(place, ended.map(drop).map_err(|error| error.to_string())));
}

impl Ended {
    fn waiting() -> Self {
        Self { state: State::Waiting, layers: 0, blocks: 0, took: Duration::ZERO, image: None, error: None }
    }

    /// Reads one line of a bake's answer.
    fn note(&mut self, event: &Value) {
        match event["event"].as_str() {
            Some("kept") => {
                self.layers += 1;
                self.blocks += event["changed_blocks"].as_u64().unwrap_or_default();
            }
            Some("baked") => self.image = event["image"].as_str().map(str::to_owned),
            Some("error") => {
                let causes = event["causes"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let told: Vec<&str> = event["error"].as_str().into_iter().chain(causes).collect();
                self.error = Some(told.join(": "));
            }
            _ => {}
        }
    }
}
