//! When the box watched, and what its clock called it.
//!
//! **Wall time names moments, it does not measure them.** A clock that is set back lives an hour twice, one that is
//! set forward skips one. So the box's life is a list of [`Watch`]es: each is a run of the supervisor during which
//! the wall clock was not stepped; inside one, wall and monotonic time run alike. It has a length of its own, taken
//! from the monotonic clock, and a step, a stop or a restart ends it. A [`Moment`] says in which one it was.

use super::spans::Span;
use crate::time::Wall;

/// Number of a watch; later ones have greater numbers, whatever their wall time says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchNumber(pub u64);

/// A run of the supervisor without a step of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Its number.
    pub number: WatchNumber,
    /// Wall time at its start. If the clock was set later in the same boot, the store may place it by counting back
    /// from there; it then places the moments inside it in the same way.
    pub from: Wall,
    /// How long it was, by the monotonic clock, in ms.
    pub length_ms: u64,
    /// Monotonic time between the end of the watch before it (in the list) and its start, in ms: 0 after a step of
    /// the clock, the difference of boot times where the supervisor restarted within a boot, the difference of wall
    /// times across boots if the kernel called both synchronised. `None`: nobody can know.
    pub after_ms: Option<u64>,
    /// Whether its wall times can be believed. What was watched under a clock that showed 1970 and was never placed
    /// is not: it belongs to no period and counts as unknown wherever it was in truth.
    pub dated: bool,
}

impl Watch {
    /// Its wall times.
    pub(super) fn labels(&self) -> Span {
        Span::new(self.from.0, self.from.0.saturating_add_unsigned(self.length_ms))
    }
}

/// A moment, as it was recorded.
///
/// Moments are ordered as they were lived: by watch, then by wall time inside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// In which watch.
    pub watch: WatchNumber,
    /// Wall time then.
    pub wall: Wall,
}

impl Moment {
    /// A moment of a watch, in wall ms.
    pub fn new(watch: u64, wall_ms: i64) -> Moment {
        Moment { watch: WatchNumber(watch), wall: Wall(wall_ms) }
    }
}

/// The watches that a computation knows of, in the order they were lived.
#[derive(Clone, Debug, Default)]
pub struct Watches {
    list: Vec<Watch>,
    /// Per watch: which unbroken chain of known distances it belongs to, and where it starts in it, in ms.
    chain: Vec<(u32, u64)>,
}

impl Watches {
    /// These watches, in any order; of several with one number the last counts.
    ///
    /// For a period: all that touch it, and all back to the `first_bad` of the oldest fault handed in, else that
    /// fault's duration is unknown.
    pub fn new(mut list: Vec<Watch>) -> Watches {
        list.reverse();
        list.sort_by_key(|watch| watch.number);
        list.dedup_by_key(|watch| watch.number);
        let (mut links, mut at) = (0_u32, 0_u64);
        let mut chain = Vec::with_capacity(list.len());
        for watch in &list {
            match watch.after_ms {
                Some(after_ms) => at = at.saturating_add(after_ms),
                None => (links, at) = (links.saturating_add(1), 0),
            }
            chain.push((links, at));
            at = at.saturating_add(watch.length_ms);
        }
        Watches { list, chain }
    }

    /// The watches, in the order they were lived.
    pub fn as_slice(&self) -> &[Watch] {
        &self.list
    }

    fn find(&self, number: WatchNumber) -> Option<(usize, &Watch)> {
        let at = self.list.binary_search_by_key(&number, |watch| watch.number).ok()?;
        self.list.get(at).map(|watch| (at, watch))
    }

    /// The moment of a wall time that was recorded without its watch, such as a fault's `first_bad`, given a later
    /// moment of the same fault: the last one lived before that with this wall time. `None` if no watch has it.
    pub fn moment_before(&self, wall: Wall, later: Moment) -> Option<Moment> {
        let earlier = self.list.iter().rev().skip_while(|watch| watch.number > later.watch);
        let holding = earlier.filter(|watch| watch.labels().from <= wall.0 && wall.0 <= watch.labels().to);
        holding.map(|watch| Moment { watch: watch.number, wall }).find(|moment| *moment <= later)
    }

    /// Time that passed from one moment to a later one, in ms, by the monotonic clock; `None` where nobody can know
    /// (a restart under an unknown clock lies between them, or a watch is missing) or `to` was lived first.
    pub fn between_ms(&self, from: Moment, to: Moment) -> Option<u64> {
        if to < from {
            return None;
        }
        if from.watch == to.watch {
            return Some(to.wall.0.abs_diff(from.wall.0));
        }
        let since_start = |moment: Moment| {
            let (at, watch) = self.find(moment.watch)?;
            let (chain, start) = *self.chain.get(at)?;
            let inside = Span::new(watch.from.0, moment.wall.0).length_ms().min(watch.length_ms);
            Some((chain, start.saturating_add(inside)))
        };
        let ((first, start), (last, end)) = (since_start(from)?, since_start(to)?);
        (first == last).then(|| end.saturating_sub(start))
    }

    /// The wall time to file a moment under. One of an undated watch is filed under the start of the next dated one,
    /// when the box knew the time again; failing that, under the end of the last dated one.
    pub fn label(&self, moment: Moment) -> Wall {
        let Some((at, watch)) = self.find(moment.watch) else {
            return moment.wall;
        };
        if watch.dated {
            return moment.wall;
        }
        let (before, after) = self.list.split_at(at);
        let next = after.iter().find(|watch| watch.dated).map(|watch| watch.from);
        let last = || before.iter().rfind(|watch| watch.dated).map(|watch| Wall(watch.labels().to));
        next.or_else(last).unwrap_or(moment.wall)
    }
}
