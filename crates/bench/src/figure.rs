//! What was measured, and the files that keep it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::Serialize;

use crate::Failure;

/// One comparison: ours and the peer's, medians of one run on one machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// What was done.
    pub(crate) name: String,
    /// `s`, `MiB/s`, `blocks`, `MiB`.
    pub(crate) unit: String,
    /// Ours.
    pub(crate) ours: f64,
    /// The peer's; none if it never ended well.
    pub(crate) peer: Option<f64>,
    /// In how many of the rounds the peer failed, if it did.
    #[serde(default)]
    pub(crate) peer_failed: Option<String>,
    /// Who the peer is.
    pub(crate) peer_version: String,
    /// How many times better ours is: peer / ours for what should be small, ours / peer for what should be large.
    pub(crate) ratio: Option<f64>,
}

impl Figure {
    /// Something that should be small.
    pub(crate) fn small(name: &str, unit: &str, ours: f64, peer: f64, peer_version: &str) -> Self {
        Self::new(name, unit, ours, peer, peer_version, peer / ours)
    }

    /// Something that should be large.
    pub(crate) fn large(name: &str, unit: &str, ours: f64, peer: f64, peer_version: &str) -> Self {
        Self::new(name, unit, ours, peer, peer_version, ours / peer)
    }

    fn new(name: &str, unit: &str, ours: f64, peer: f64, peer_version: &str, ratio: f64) -> Self {
        let known = |value: f64| (!value.is_nan()).then_some(value);
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            ours,
            peer: known(peer),
            peer_failed: None,
            peer_version: peer_version.to_owned(),
            ratio: known(ratio),
        }
    }

    /// The same, where the peer ended well in only so many of the rounds.
    pub(crate) fn peer_ended_in(self, ended: usize, rounds: usize) -> Self {
        let failed = rounds - ended;
        Self { peer_failed: (failed > 0).then(|| format!("failed in {failed} of {rounds} rounds")), ..self }
    }

    /// The figure as a row of the page.
    pub(crate) fn row(&self) -> Vec<String> {
        // Less than a tenth is no nothing.
        let value = |value: f64| {
            let digits = if value < 0.1 { 3 } else { 1 };
            format!("{value:.digits$} {}", self.unit)
        };
        let peer: Vec<String> = self.peer.map(value).into_iter().chain(self.peer_failed.clone()).collect();
        let ratio = self.ratio.map_or_else(|| "—".to_owned(), |ratio| format!("{ratio:.1}"));
        vec![self.name.clone(), value(self.ours), peer.join(", "), self.peer_version.clone(), ratio]
    }
}

/// The median; of an even number, the mean of the middle two.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

/// Puts figures into the JSON file; those of the same name are replaced, others stay.
pub(crate) fn keep(file: &Path, figures: &[Figure]) -> Result<(), Failure> {
    let known: Vec<Figure> =
        fs_err::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let is_old = |known: &Figure| {
        !figures.iter().any(|new| (&new.name, &new.peer_version) == (&known.name, &known.peer_version))
    };
    let all: Vec<&Figure> = known.iter().filter(|known| is_old(known)).chain(figures).collect();
    fs_err::write(file, serde_json::to_string_pretty(&all)? + "\n")?;
    Ok(())
}

/// Puts a section into the page, between its two marks, or at the end.
pub(crate) fn show(page: &Path, section: &str, text: &str) -> Result<(), Failure> {
    let was = fs_err::read_to_string(page).unwrap_or_else(|_| "# Benchmarks\n".to_owned());
    let (begin, end) = (format!("<!-- {section}: begin -->\n"), format!("<!-- {section}: end -->\n"));
    let fresh = format!("{begin}{}\n{end}", text.trim_end());
    let now = match (was.find(&begin), was.find(&end)) {
        (Some(from), Some(to)) if from < to => format!("{}{fresh}{}", &was[..from], &was[to + end.len()..]),
        _ => format!("{}\n{fresh}", was.trim_end().to_owned() + "\n"),
    };
    fs_err::write(page, now)?;
    Ok(())
}

/// A table in Markdown.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head_cells: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rule: Vec<String> = head.iter().map(|_| "---".to_owned()).collect();
    line(&head_cells) + &line(&rule) + &rows.iter().map(|row| line(row)).collect::<String>()
}

/// What the machine is, for the page.
pub(crate) fn machine() -> String {
    let read = |file: &str| fs_err::read_to_string(file).unwrap_or_default();
    let cpu: BTreeMap<String, String> = read("/proc/cpuinfo")
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .collect();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let load = read("/proc/loadavg");
    format!(
        "{cores} cores, {}, load {} when it began",
        cpu.get("model name").map_or("unknown processor", String::as_str),
        load.split(' ').next().unwrap_or("unknown")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_section_is_replaced_and_the_rest_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let page = folder.path().join("page.md");
        fs_err::write(&page, "# Benchmarks\n\nby hand\n").expect("written");
        show(&page, "one", "first").expect("shown");
        show(&page, "two", "other").expect("shown");
        show(&page, "one", "second").expect("shown");
        let text = fs_err::read_to_string(&page).expect("read");
        assert!(text.contains("by hand") && text.contains("second") && text.contains("other"), "{text}");
        assert!(!text.contains("first") && text.find("second") < text.find("other"), "{text}");
    }

    #[test]
    fn figures_of_one_name_are_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("bench.json");
        keep(&file, &[Figure::small("a", "s", 1.0, 4.0, "p")]).expect("kept");
        keep(&file, &[Figure::small("a", "s", 2.0, 4.0, "p"), Figure::large("b", "MiB/s", 2.0, 4.0, "p")])
            .expect("kept");
        let kept: Vec<Figure> = serde_json::from_slice(&fs_err::read(file).expect("read")).expect("figures");
        assert_eq!(kept.len(), 2);
        assert_eq!((kept[0].ratio, kept[1].ratio), (Some(2.0), Some(0.5)));
    }

    #[test]
    fn ours_is_kept_and_shown_where_the_peer_failed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("bench.json");
        let never = Figure::small("ten", "s", 60.0, median(&[]), "p").peer_ended_in(0, 2);
        let once = Figure::small("two", "s", 60.0, 90.0, "p").peer_ended_in(1, 2);
        keep(&file, &[never, once, Figure::small("one", "s", 60.0, 90.0, "p").peer_ended_in(2, 2)]).expect("kept");
        let kept: Vec<Figure> = serde_json::from_slice(&fs_err::read(&file).expect("read")).expect("figures");
        let rows: Vec<String> = kept.iter().map(|figure| figure.row().join("|")).collect();
        assert_eq!(
            rows,
            [
                "ten|60.0 s|failed in 2 of 2 rounds|p|—",
                "two|60.0 s|90.0 s, failed in 1 of 2 rounds|p|1.5",
                "one|60.0 s|90.0 s|p|1.5"
            ]
        );
    }
}
