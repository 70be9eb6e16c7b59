//! A figure beside the previous period's and the mean of the four before.
//!
//! A period without data has no figure and takes no part: it is neither 0 nor carried over.

/// Periods before this one that make the mean.
pub const PAST_PERIODS: usize = 4;

/// Which way a figure should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// More is better: availability, health.
    HigherIsBetter,
    /// Less is better: faults, times to repair.
    LowerIsBetter,
    /// Neither: devices in the site.
    Neutral,
}

/// Which way a figure went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It rose.
    Up,
    /// It fell.
    Down,
    /// As printed, it is the same.
    Level,
}

/// What a change means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It went the way it should.
    Better,
    /// It went the other way.
    Worse,
    /// It stayed, or has no better side.
    Neither,
}

/// From an earlier figure to this one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// By how much, in the figure's unit: this one less the earlier one, both as printed.
    pub by: f64,
    /// The same as a share of the earlier one (环比), 0.1 for 10 %; `None` where that was 0.
    pub relative: Option<f64>,
    /// Which way.
    pub direction: Direction,
    /// Whether that is good.
    pub verdict: Verdict,
}

/// A figure and what to hold it against. Figures are rounded to the step they are printed with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// This period.
    pub this: Option<f64>,
    /// The period before it.
    pub previous: Option<f64>,
    /// The mean of those of the [`PAST_PERIODS`] before it that have data.
    pub mean: Option<f64>,
    /// How many those are.
    pub mean_of: usize,
    /// Against the previous one; `None` where either is missing.
    pub against_previous: Option<Change>,
    /// Against the mean; `None` where either is missing.
    pub against_mean: Option<Change>,
}

/// Compares a figure with the past, newest first; what lies further back than [`PAST_PERIODS`] is not looked at.
///
/// `step` is the last digit that is printed, such as 0.01, and more than 0: figures that print alike are
/// [`Direction::Level`], and a printed change is the difference of the printed figures. A figure that is not finite
/// counts as missing.
pub fn compare(this: Option<f64>, past: &[Option<f64>], step: f64, sense: Sense) -> Comparison {
    let in_steps = |figure: f64| Some((figure / step).round()).filter(|steps| steps.is_finite());
    let known: Vec<f64> =
        past.iter().take(PAST_PERIODS).copied().flatten().filter(|figure| figure.is_finite()).collect();
    // Each divided before they are added: the sum of large figures is not finite.
    let mean = known.iter().map(|figure| figure / known.len() as f64).sum();
    let mean = (!known.is_empty()).then_some(mean);
    let this = this.and_then(in_steps);
    let previous = past.first().copied().flatten().and_then(in_steps);
    let mean = mean.and_then(in_steps);
    let change =
        |earlier: Option<f64>| this.zip(earlier).map(|(this, earlier)| change(this, earlier, step, sense));
    let printed = |steps: Option<f64>| steps.map(|steps| steps * step);
    Comparison {
        this: printed(this),
        previous: printed(previous),
        mean: printed(mean),
        mean_of: known.len(),
        against_previous: change(previous),
        against_mean: change(mean),
    }
}

/// Both in steps.
fn change(this: f64, earlier: f64, step: f64, sense: Sense) -> Change {
    let direction = match this.total_cmp(&earlier) {
        _ if this == earlier => Direction::Level,
        std::cmp::Ordering::Less => Direction::Down,
        _ => Direction::Up,
    };
    let verdict = match (direction, sense) {
        (Direction::Level, _) | (_, Sense::Neutral) => Verdict::Neither,
        (Direction::Up, Sense::HigherIsBetter) | (Direction::Down, Sense::LowerIsBetter) => Verdict::Better,
        (Direction::Up, Sense::LowerIsBetter) | (Direction::Down, Sense::HigherIsBetter) => Verdict::Worse,
    };
    let by = this - earlier;
    Change { by: by * step, relative: (earlier != 0.0).then(|| by / earlier.abs()), direction, verdict }
}
