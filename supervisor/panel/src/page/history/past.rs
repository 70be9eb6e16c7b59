//! What history answers, made ready for drawings and tables.

use crate::drawing::Spread;
use roundsman_core::time::Wall;
use roundsman_store::{Band, HistoryColumn, Span};

/// The past of a series of numbers.
pub(super) struct Numbers {
    /// The middle of each column in which something was polled.
    pub(super) points: Vec<(Wall, Option<Spread>)>,
    /// Seconds from one point to the next where none is missing.
    pub(super) step_s: u32,
    /// The smallest and the largest value.
    pub(super) extremes: Option<(f64, f64)>,
    /// Mean of all samples.
    pub(super) mean: Option<f64>,
    /// Samples with a value.
    pub(super) count: u64,
    /// Samples without one in polls that were answered.
    pub(super) bad: u64,
    /// Polls that failed.
    pub(super) failed: u64,
}

impl Numbers {
    pub(super) fn of(span: Span, width_ms: i64, columns: &[HistoryColumn]) -> Numbers {
        let middle = |column: &HistoryColumn| Wall(column.from.0.saturating_add(width_ms / 2).min(span.to.0));
        let spread = |band: Band| Spread { low: band.min, mean: band.mean, high: band.max };
        // Where single samples are gone, values stand farther apart than columns are wide. History says which of them
        // belong together; a drawing takes two and a half steps for together.
        let valued: Vec<&HistoryColumn> = columns.iter().filter(|column| column.band.is_some()).collect();
        let joined = valued.windows(2).filter(|two| !two[1].broken);
        let farthest_ms = joined.map(|two| two[1].from.0.abs_diff(two[0].from.0)).max().unwrap_or(0);
        let step_ms =
            span.interval_ms.max(width_ms.max(0).cast_unsigned()).max((farthest_ms * 2).div_ceil(5));
        let bands = || columns.iter().filter_map(|column| Some((column.band?, column.count)));
        let count: u64 = columns.iter().map(|column| u64::from(column.count)).sum();
        let sum: f64 = bands().map(|(band, count)| band.mean * f64::from(count)).sum();
        let low = bands().map(|(band, _)| band.min).reduce(f64::min);
        let high = bands().map(|(band, _)| band.max).reduce(f64::max);
        Numbers {
            points: columns.iter().map(|column| (middle(column), column.band.map(spread))).collect(),
            step_s: u32::try_from(step_ms.div_ceil(1_000)).unwrap_or(u32::MAX),
            extremes: low.zip(high),
            mean: (count > 0).then(|| sum / count as f64),
            count,
            bad: columns.iter().map(|column| u64::from(column.bad)).sum(),
            failed: columns.iter().map(|column| u64::from(column.failed)).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_weighs_its_samples_and_extremes_come_from_all_columns() {
        let column = |from, band: Option<(f64, f64, f64)>, count, bad, failed| HistoryColumn {
            from: Wall(from),
            band: band.map(|(min, mean, max)| Band { first: min, min, max, last: max, mean }),
            count,
            bad,
            failed,
            broken: false,
        };
        let columns = [
            column(0, Some((1.0, 2.0, 3.0)), 3, 0, 0),
            column(60_000, None, 0, 1, 2),
            column(120_000, Some((4.0, 10.0, 40.0)), 1, 0, 0),
        ];
        let span = Span { from: Wall(0), to: Wall(180_000), points: 3, interval_ms: 20_000 };
        let past = Numbers::of(span, 60_000, &columns);
        assert_eq!((past.extremes, past.mean), (Some((1.0, 40.0)), Some(4.0)));
        assert_eq!((past.count, past.bad, past.failed, past.step_s), (4, 1, 2, 60));
        assert_eq!(past.points[1], (Wall(90_000), None));
        assert_eq!(past.points[2].1, Some(Spread { low: 4.0, mean: 10.0, high: 40.0 }));
        // By 5 minutes first, then every sample: one line, until something is missing.
        let mut mixed: Vec<HistoryColumn> =
            (0..4).map(|n| column(n * 300_000, Some((1.0, 1.0, 1.0)), 30, 0, 0)).collect();
        mixed.extend((0..9).map(|n| column(1_200_000 + n * 10_000, Some((1.0, 1.0, 1.0)), 1, 0, 0)));
        mixed.push(HistoryColumn { broken: true, ..column(9_000_000, Some((1.0, 1.0, 1.0)), 1, 0, 0) });
        let past = Numbers::of(Span { interval_ms: 10_000, ..span }, 10_000, &mixed);
        assert_eq!(past.step_s, 120, "300 s are two and a half of them, and what is broken does not count");
        let none = Numbers::of(span, 60_000, &[]);
        assert_eq!((none.extremes, none.mean, none.count), (None, None, 0));
    }
}
