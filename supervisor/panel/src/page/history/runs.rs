//! The past of a state or text: a strip of time and the list of its changes.

use crate::drawing::{RunStrip, run_strip};
use crate::voice::Voice;
use roundsman_store::{Run, RunState, Span};
use std::collections::HashMap;

/// Changes that are listed.
const MOST_LISTED: usize = 30;
/// Height of the strip.
const HEIGHT: f64 = 76.0;

/// One stretch in the list.
pub(super) struct Line {
    pub(super) word: String,
    pub(super) since: String,
    pub(super) lasted: String,
    /// There was no value; `word` says why.
    pub(super) absent: bool,
}

fn word(state: &RunState, v: &Voice) -> String {
    match state {
        RunState::Word(word) => v.word(word),
        RunState::Bad(absence) => v.text(&absence.name()),
    }
}

/// The strip in the widths named.
pub(super) fn strip(runs: &[Run], span: Span, label: &str, widths: &[(&str, f64)], v: &Voice) -> String {
    let mut lengths: HashMap<String, i64> = HashMap::new();
    for run in runs.iter().filter(|run| matches!(run.state, RunState::Word(_))) {
        *lengths.entry(word(&run.state, v)).or_default() += run.to.0.saturating_sub(run.from.0);
    }
    // What it is nearly always draws no eye; of two the first by its word, so that the picture stays the same.
    let usual = lengths.iter().max_by_key(|(word, length)| (**length, std::cmp::Reverse(*word)));
    let usual = usual.map(|(word, _)| word.clone());
    let shown: Vec<crate::drawing::Run> = runs
        .iter()
        .map(|run| {
            let word = word(&run.state, v);
            crate::drawing::Run {
                span: (run.from, run.to),
                usual: usual.as_ref() == Some(&word),
                absent: matches!(run.state, RunState::Bad(_)),
                word,
            }
        })
        .collect();
    let picture = |width: f64| {
        run_strip(&RunStrip {
            label,
            span: (span.from, span.to),
            interval_s: u32::try_from(span.interval_ms / 1_000).unwrap_or(u32::MAX),
            runs: &shown,
            zone: &v.zone,
            width,
            height: HEIGHT,
        })
    };
    widths
        .iter()
        .map(|(class, width)| format!("<div class=\"fits-{class}\">{}</div>", picture(*width)))
        .collect()
}

/// The latest stretches, the newest first, and how many older ones there are.
pub(super) fn lines(runs: &[Run], v: &Voice) -> (Vec<Line>, usize) {
    let newest = runs.iter().rev().take(MOST_LISTED);
    let line = |run: &Run| Line {
        word: word(&run.state, v),
        since: v.long(run.from),
        lasted: v.duration(run.to.0.abs_diff(run.from.0)),
        absent: matches!(run.state, RunState::Bad(_)),
    };
    (newest.map(line).collect(), runs.len().saturating_sub(MOST_LISTED))
}
