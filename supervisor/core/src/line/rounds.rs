//! When which line is probed: whole seconds, so that probes of one second start together.

/// The seconds in which each of a list of lines is probed. Lines of one spacing are dealt out over its seconds, one
/// after the other: neighbours in the site file, which often hang on one uplink, are not probed in the same second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    /// Spacing and turn within it, s.
    turns: Vec<(u32, u32)>,
}

impl Rounds {
    /// Rounds for lines probed every so many seconds.
    pub fn new(spacings_s: impl IntoIterator<Item = u32>) -> Rounds {
        let mut dealt: Vec<(u32, u32)> = Vec::new();
        let turn = |spacing_s: u32| {
            let spacing_s = spacing_s.max(1);
            let known = match dealt.iter().position(|(known, _)| *known == spacing_s) {
                Some(at) => at,
                None => {
                    dealt.push((spacing_s, 0));
                    dealt.len() - 1
                }
            };
            let turn = dealt[known].1;
            dealt[known].1 = (turn + 1) % spacing_s;
            (spacing_s, turn)
        };
        Rounds { turns: spacings_s.into_iter().map(turn).collect() }
    }

    /// The lines (by their position) that are due in this second of the monotonic clock.
    pub fn due(&self, second: u64) -> impl Iterator<Item = usize> {
        let is_due = move |(spacing_s, turn): (u32, u32)| second % u64::from(spacing_s) == u64::from(turn);
        self.turns.iter().enumerate().filter_map(move |(at, turn)| is_due(*turn).then_some(at))
    }

    /// The first second after `second` in which any line is due; `None` without lines.
    pub fn next_after(&self, second: u64) -> Option<u64> {
        let next = |(spacing_s, turn): &(u32, u32)| {
            let (spacing_s, turn) = (u64::from(*spacing_s), u64::from(*turn));
            let behind = (second + 1) % spacing_s;
            second + 1 + (turn + spacing_s - behind) % spacing_s
        };
        self.turns.iter().map(next).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn neighbours_are_probed_in_different_seconds() {
        let rounds = Rounds::new([10, 10, 2, 10, 2, 2]);
        let due = |second| rounds.due(second).collect::<Vec<_>>();
        assert_eq!(due(100), [0, 2, 5]);
        assert_eq!(due(101), [1, 4]);
        assert_eq!(due(102), [2, 3, 5]);
        assert_eq!(due(103), [4]);
        assert_eq!(Rounds::new([30]).next_after(0), Some(30));
        assert_eq!(Rounds::new([]).next_after(7), None);
    }

    proptest! {
        /// Each line comes once in each of its spacings, evenly spread, and no second is slept through.
        #[test]
        fn every_line_has_its_turn(spacings in proptest::collection::vec(0_u32..12, 1..40), from in 0_u64..1_000) {
            let rounds = Rounds::new(spacings.iter().copied());
            let mut seen = vec![0; spacings.len()];
            let mut second = from;
            while let Some(next) = rounds.next_after(second).filter(|next| *next <= from + 2_520) {
                prop_assert!((second + 1..next).all(|skipped| rounds.due(skipped).next().is_none()));
                prop_assert!(rounds.due(next).next().is_some());
                rounds.due(next).for_each(|at| seen[at] += 1);
                second = next;
            }
            for (at, spacing_s) in spacings.iter().enumerate() {
                let spacing_s = u64::from((*spacing_s).max(1));
                prop_assert!((2_520_u64 / spacing_s).abs_diff(seen[at]) <= 1, "{} s: {}", spacing_s, seen[at]);
            }
            for spacing_s in 1_u32..12 {
                let of_second = |second| rounds.due(second).filter(|at| spacings[*at] == spacing_s).count();
                let counts: Vec<usize> = (0..u64::from(spacing_s)).map(of_second).collect();
                prop_assert!(counts.iter().max() <= counts.iter().min().map(|least| least + 1).as_ref());
            }
        }
    }
}
