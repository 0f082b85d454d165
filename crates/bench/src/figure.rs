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
    /// The peer's.
    pub(crate) peer: f64,
    /// Who the peer is.
    pub(crate) peer_version: String,
    /// How many times better ours is: peer / ours for what should be small, ours / peer for what should be large.
    pub(crate) ratio: f64,
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
        Self { name: name.to_owned(), unit: unit.to_owned(), ours, peer, peer_version: peer_version.to_owned(), ratio }
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
        assert!((kept[0].ratio - 2.0).abs() < f64::EPSILON && (kept[1].ratio - 0.5).abs() < f64::EPSILON);
    }
}
