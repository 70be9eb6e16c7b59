//! Chooses what one request over columns asks for: which columns, and how many rows of them.
//!
//! A GETBULK is a rectangle: every repeated column costs as many variable bindings as the longest. So columns of
//! like need go side by side, those that need one binding go as non-repeaters, and the rectangle is the one that
//! brings most wanted octets into one reply.

/// One open column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Want {
    /// Which.
    pub(super) slot: u16,
    /// How many variable bindings are expected until it has ended; at least 1.
    pub(super) need: u32,
    /// Octets one of its variable bindings takes.
    pub(super) octets: u32,
}

/// What a reply has room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Octets of variable bindings.
    pub(super) octets: u32,
    /// Variable bindings.
    pub(super) varbinds: u32,
    /// Columns that the request has room for.
    pub(super) columns: usize,
    /// Whether the agent is known to end its reply at its message size, mid-row if need be: then one row more than
    /// fits may be asked for, and the reply is filled to the brim.
    pub(super) cuts: bool,
}

/// A request over columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// How many of the leading columns are asked for once.
    pub(super) singles: u16,
    /// Rows asked of each further column.
    pub(super) repetitions: u16,
}

/// Most names in one request: what keeps the request itself inside one unfragmented datagram.
pub(super) const MOST_NAMES: usize = 56;
/// Most distinct row counts tried; more do not change the outcome noticeably.
const MOST_CANDIDATES: usize = 24;
/// Most rows asked for at once.
const MOST_REPETITIONS: u32 = 1_000;

/// Reorders and cuts `wants` to the columns to ask for now, the non-repeaters in front. At least one is kept.
pub(super) fn shape(wants: &mut Vec<Want>, room: Room, bulk: bool) -> Shape {
    if bulk {
        wants.sort_by_key(|want| want.need > 1);
    }
    let one_each = if bulk { wants.iter().take_while(|want| want.need <= 1).count() } else { wants.len() };
    let mut left = room;
    let singles = take_singles(&wants[..one_each], &mut left);
    if !bulk || singles < one_each || one_each == wants.len() || singles >= room.columns {
        wants.truncate(singles);
        return Shape { singles: singles as u16, repetitions: 0 };
    }

    let repeated = &wants[singles..];
    let most = room.columns - singles;
    let mut best = Pick::default();
    for rows in candidates(repeated, left, most) {
        let pick = Pick::of(repeated, rows, left, most);
        if pick.beats(&best, left) {
            best = pick;
        }
    }
    if best.columns == 0 {
        // Not even one row of one column fits beside the singles, or at all.
        if singles == 0 {
            wants.truncate(1);
            return Shape { singles: 0, repetitions: 1 };
        }
        wants.truncate(singles);
        return Shape { singles: singles as u16, repetitions: 0 };
    }
    keep(wants, singles, best, left, most);
    Shape { singles: singles as u16, repetitions: best.rows as u16 }
}

/// How many of `wants` fit once each, at least one; takes their room.
fn take_singles(wants: &[Want], left: &mut Room) -> usize {
    let mut count = 0;
    for want in wants.iter().take(left.columns) {
        let fits = want.octets <= left.octets && left.varbinds > 0;
        if count > 0 && !fits {
            break;
        }
        left.octets = left.octets.saturating_sub(want.octets);
        left.varbinds = left.varbinds.saturating_sub(1);
        count += 1;
    }
    count
}

/// Row counts worth trying.
fn candidates(wants: &[Want], room: Room, most: usize) -> Vec<u32> {
    let row: u32 = wants.iter().take(most).map(|want| want.octets).sum();
    let fit = room.octets / row.max(1);
    let together = wants.len().clamp(1, most.max(1)) as u32;
    let mut rows: Vec<u32> = vec![(fit + u32::from(room.cuts)).min(room.varbinds / together)];
    // The columns that need most, side by side: how many rows of them fit.
    let mut by_need: Vec<&Want> = wants.iter().collect();
    by_need.sort_by_key(|want| std::cmp::Reverse(want.need));
    let mut beside = 0;
    for (want, columns) in by_need.into_iter().zip(1..) {
        beside += want.octets;
        let fit = (room.octets / beside.max(1)).min(room.varbinds / columns);
        for candidate in [want.need, want.need.min(fit)] {
            if rows.len() < MOST_CANDIDATES && !rows.contains(&candidate) {
                rows.push(candidate);
            }
        }
    }
    for candidate in &mut rows {
        *candidate = (*candidate).clamp(1, MOST_REPETITIONS);
    }
    rows
}

/// A rectangle and what it brings.
#[derive(Clone, Copy, Debug, Default)]
struct Pick {
    rows: u32,
    columns: usize,
    useful: u32,
    cost: u32,
    /// Whether nothing is wanted any more after it.
    completes: bool,
}

impl Pick {
    fn of(wants: &[Want], rows: u32, room: Room, most: usize) -> Pick {
        let mut pick = Pick { rows, ..Pick::default() };
        for full in [true, false] {
            for want in wants.iter().filter(|want| (want.need >= rows) == full) {
                pick.add(want, room, most);
            }
        }
        pick.useful = pick.useful.min(room.octets);
        if room.cuts {
            pick.cost = pick.cost.min(room.octets);
        }
        pick.completes = pick.columns == wants.len() && wants.iter().all(|want| want.need <= rows);
        pick
    }

    /// Adds a column where it fits; says whether it did.
    fn add(&mut self, want: &Want, room: Room, most: usize) -> bool {
        let cost = self.cost + self.rows * want.octets;
        // An agent that cuts is allowed one row too many.
        let overshoot = if room.cuts { cost / self.rows.max(1) } else { 0 };
        let fits = cost <= room.octets + overshoot
            && (self.columns as u32 + 1) * self.rows <= room.varbinds
            && self.columns < most;
        if fits {
            self.cost = cost;
            self.columns += 1;
            self.useful += want.need.min(self.rows) * want.octets;
        }
        fits
    }

    /// Whether it is better than `other`: it alone brings all that is still wanted, or clearly more, or as much with
    /// clearly less waste. The first candidate is the widest, and a walk side by side reads a table in a consistent
    /// state: that is worth a sixteenth.
    fn beats(&self, other: &Pick, room: Room) -> bool {
        let clearly = room.octets / 16;
        let waste = |pick: &Pick| pick.cost.saturating_sub(pick.useful);
        if self.completes != other.completes {
            return self.completes;
        }
        self.useful > other.useful + clearly
            || (other.columns == 0 && self.columns > 0)
            || (self.useful >= other.useful && waste(self) + clearly < waste(other))
    }
}

/// Leaves the singles and the columns of `best`, in their order.
fn keep(wants: &mut Vec<Want>, singles: usize, best: Pick, room: Room, most: usize) {
    let mut again = Pick { rows: best.rows, ..Pick::default() };
    let mut kept = [false; 1 << 8];
    for full in [true, false] {
        for (at, want) in wants[singles..].iter().enumerate().take(kept.len()) {
            if (want.need >= best.rows) == full {
                kept[at] = again.add(want, room, most);
            }
        }
    }
    let mut at = 0;
    wants.retain(|_| {
        at += 1;
        at <= singles || kept.get(at - 1 - singles).copied().unwrap_or(false)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(list: &[(u32, u32)]) -> Vec<Want> {
        list.iter()
            .enumerate()
            .map(|(slot, &(need, octets))| Want { slot: slot as u16, need, octets })
            .collect()
    }

    const ROOM: Room = Room { octets: 1_400, varbinds: 1_000, columns: MOST_NAMES, cuts: false };

    #[test]
    fn a_rectangle_fits_the_reply() {
        type Case = (&'static str, Room, bool, Vec<Want>, usize, Shape);
        let cases: [Case; 7] = [
            ("nine columns of 24", ROOM, true, wants(&[(24, 25); 9]), 9, shape_of(0, 6)),
            (
                "the same, filled by an agent that cuts",
                Room { cuts: true, ..ROOM },
                true,
                wants(&[(24, 25); 9]),
                9,
                shape_of(0, 7),
            ),
            ("all that is left", ROOM, true, wants(&[(3, 25); 9]), 9, shape_of(0, 3)),
            ("one binding each", ROOM, true, wants(&[(1, 25); 4]), 4, shape_of(4, 0)),
            ("short beside long", ROOM, true, wants(&[(1, 25), (24, 25), (24, 25)]), 3, shape_of(1, 24)),
            ("v1 asks once", ROOM, false, wants(&[(24, 25); 9]), 9, shape_of(9, 0)),
            (
                "one binding at a time",
                Room { varbinds: 1, ..ROOM },
                true,
                wants(&[(24, 25); 9]),
                1,
                shape_of(0, 1),
            ),
        ];
        for (case, room, bulk, mut wants, columns, expected) in cases {
            let shape = shape(&mut wants, room, bulk);
            assert_eq!((shape, wants.len()), (expected, columns), "{case}");
        }
    }

    fn shape_of(singles: u16, repetitions: u16) -> Shape {
        Shape { singles, repetitions }
    }

    #[test]
    fn a_short_table_does_not_widen_a_long_one() {
        let mut all = wants(&[(25, 25), (24, 25), (24, 25), (3, 25), (3, 25)]);
        let shape = shape(&mut all, ROOM, true);
        assert!(shape.repetitions >= 18, "{shape:?}");
        assert_eq!(all.len(), 3, "{all:?}");
    }

    #[test]
    fn few_variable_bindings_at_once_are_all_used() {
        let room = Room { varbinds: 11, ..ROOM };
        for (columns, expected) in [(1, shape_of(0, 11)), (2, shape_of(0, 5)), (9, shape_of(0, 1))] {
            let mut all = wants(&vec![(600, 28); columns]);
            assert_eq!(shape(&mut all, room, true), expected, "{columns} columns");
            assert_eq!(all.len(), columns);
        }
    }

    #[test]
    fn one_enormous_value_is_still_asked_for() {
        let mut all = wants(&[(5, 60_000)]);
        assert_eq!(shape(&mut all, ROOM, true), shape_of(0, 1));
        assert_eq!(all.len(), 1);
    }
}
