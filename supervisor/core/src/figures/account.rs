//! The account of a period: every millisecond of it exactly once, lived or not.
//!
//! **The axis.** First all that the box lived with a wall time inside the period, watch after watch; then the wall
//! time of the period that no watch covers (the box was off, its clock unknown, or a step forward skipped it), in
//! order. A step back makes the lived part longer than the wall time it covers: the surplus is
//! [`Account::repeated_ms`]. Nothing is dropped and nothing is counted twice, so for every device
//! `absent + unknown + observed = period + repeated`.
//!
//! A step of a day forward on Wednesday thus leaves a day of unknown time, although the box never slept: which of
//! the two clocks was right is not known here, and time without a name is not counted as up. A step of a day back
//! makes a week of eight observed days: what happened is measured, not what the calendar says.

use super::spans::{Span, Spans};
use super::watch::{Moment, WatchNumber, Watches};
use crate::time::Wall;

/// A period `[from, to)` in wall time, such as an ISO week in the site's zone; the caller knows the calendar.
///
/// For one that is not over, `to` is now: time to come is not time without data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    from: Wall,
    to: Wall,
}

impl Period {
    /// The period `[from, to)`; empty where `to <= from`.
    pub fn new(from: Wall, to: Wall) -> Period {
        Period { from, to: to.max(from) }
    }

    /// First millisecond inside.
    pub fn from(self) -> Wall {
        self.from
    }

    /// First millisecond after it.
    pub fn to(self) -> Wall {
        self.to
    }

    /// Wall time from end to end, in ms.
    pub fn length_ms(self) -> u64 {
        self.labels().length_ms()
    }

    fn labels(self) -> Span {
        Span::new(self.from.0, self.to.0)
    }
}

/// How long something lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// It was seen to begin and to end, in that order; `None`: it had not ended.
    Lived {
        /// Its first moment.
        from: Moment,
        /// The first moment after it.
        to: Option<Moment>,
    },
    /// It was agreed by the calendar: a maintenance window, hours of rest. Each time the clock shows these times
    /// counts.
    Agreed {
        /// Its first wall time.
        from: Wall,
        /// The first wall time after it.
        to: Wall,
    },
}

impl Stretch {
    /// From one moment to another.
    pub fn lived(from: Moment, to: Moment) -> Stretch {
        Stretch::Lived { from, to: Some(to) }
    }

    /// From a moment on.
    pub fn since(from: Moment) -> Stretch {
        Stretch::Lived { from, to: None }
    }
}

/// The part of one watch, or of the time without one, that lies in the period.
#[derive(Clone, Copy, Debug)]
struct Piece {
    labels: Span,
    /// Where it starts on the axis.
    offset: i64,
}

impl Piece {
    /// The place of a wall time on the axis, at the nearer end where it is outside.
    fn place(&self, wall_ms: i64) -> i64 {
        let inside = wall_ms.clamp(self.labels.from, self.labels.to).abs_diff(self.labels.from);
        self.offset.saturating_add_unsigned(inside)
    }

    fn end(&self) -> i64 {
        self.place(self.labels.to)
    }
}

/// The axis of a period.
#[derive(Clone, Debug)]
pub struct Account<'a> {
    period: Period,
    watches: &'a Watches,
    lived: Vec<(WatchNumber, Piece)>,
    unlived: Vec<Piece>,
    lived_end: i64,
    end: i64,
}

impl<'a> Account<'a> {
    /// The account of a period, given when the box watched.
    pub fn new(period: Period, watches: &'a Watches) -> Account<'a> {
        let mut at = 0_i64;
        let mut lay = |labels: Span| {
            let piece = Piece { labels, offset: at };
            at = piece.end();
            piece
        };
        let dated = watches.as_slice().iter().filter(|watch| watch.dated);
        let clips = dated.map(|watch| (watch.number, watch.labels().clip(period.labels())));
        let clips: Vec<(WatchNumber, Span)> = clips.filter(|(_, labels)| !labels.is_empty()).collect();
        let covered: Spans = clips.iter().map(|&(_, labels)| labels).collect();
        let lived: Vec<_> = clips.into_iter().map(|(number, labels)| (number, lay(labels))).collect();
        let lived_end = lived.last().map_or(0, |(_, piece)| piece.end());
        let whole: Spans = [period.labels()].into_iter().collect();
        let unlived: Vec<_> =
            whole.difference(&covered).as_slice().iter().map(|&labels| lay(labels)).collect();
        let end = unlived.last().map_or(lived_end, Piece::end);
        Account { period, watches, lived, unlived, lived_end, end }
    }

    /// The period.
    pub fn period(&self) -> Period {
        self.period
    }

    /// Time the box watched with a wall time inside the period, in ms.
    pub fn watched_ms(&self) -> u64 {
        self.watched().length_ms()
    }

    /// Time that was lived twice under the same wall time after a step back, in ms; 0 in a usual week.
    pub fn repeated_ms(&self) -> u64 {
        self.whole().length_ms().saturating_sub(self.period.length_ms())
    }

    /// All of the axis.
    pub(super) fn whole(&self) -> Span {
        Span::new(0, self.end)
    }

    /// The part of the axis in which the box watched.
    pub(super) fn watched(&self) -> Span {
        Span::new(0, self.lived_end)
    }

    /// Whether it had begun and was not over when the period ended.
    pub(super) fn is_under_way_at_end(&self, stretch: Stretch) -> bool {
        let (from, to) = match stretch {
            Stretch::Lived { from, to } => (self.watches.label(from), to.map(|to| self.watches.label(to))),
            Stretch::Agreed { from, to } => (from, Some(to)),
        };
        from < self.period.to && to.is_none_or(|to| to >= self.period.to)
    }

    /// The union of these on the axis.
    pub(super) fn place(&self, stretches: &[Stretch]) -> Spans {
        stretches.iter().flat_map(|&stretch| self.spans_of(stretch)).collect()
    }

    fn spans_of(&self, stretch: Stretch) -> Vec<Span> {
        match stretch {
            Stretch::Lived { from, to: Some(to) } if to < from => Vec::new(),
            Stretch::Lived { from, to } => {
                let end = to.map_or(self.lived_end, |to| self.place_lived(to));
                let label = |moment| self.watches.label(moment).0;
                let (label_from, label_to) = (label(from), to.map_or(i64::MAX, label));
                vec![
                    Span::new(self.place_lived(from), end),
                    Span::new(self.place_unlived(label_from), self.place_unlived(label_to)),
                ]
            }
            Stretch::Agreed { from, to } => {
                let pieces = self.lived.iter().map(|(_, piece)| piece).chain(&self.unlived);
                pieces.map(|piece| Span::new(piece.place(from.0), piece.place(to.0))).collect()
            }
        }
    }

    /// Where a moment is among what was lived; if its watch is not part of the period, at the next one.
    fn place_lived(&self, moment: Moment) -> i64 {
        match self.lived.binary_search_by_key(&moment.watch, |(number, _)| *number) {
            Ok(at) => self.lived.get(at).map_or(self.lived_end, |(_, piece)| piece.place(moment.wall.0)),
            Err(next) => self.lived.get(next).map_or(self.lived_end, |(_, piece)| piece.offset),
        }
    }

    /// Where a wall time is among what was not lived; inside a watch it is at the next gap.
    fn place_unlived(&self, wall_ms: i64) -> i64 {
        let next = self.unlived.partition_point(|piece| piece.labels.to <= wall_ms);
        self.unlived.get(next).map_or(self.end, |piece| piece.place(wall_ms))
    }
}
