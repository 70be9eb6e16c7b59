//! Sets of time: sorted, disjoint spans, and the algebra on them.
//!
//! Every operation is one pass over both sets. A set never holds an empty span, nor two that touch.

/// A span `[from, to)` in milliseconds of any one axis; empty where `to <= from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First millisecond inside.
    pub from: i64,
    /// First millisecond after it.
    pub to: i64,
}

impl Span {
    /// The span `[from, to)`.
    pub fn new(from: i64, to: i64) -> Span {
        Span { from, to }
    }

    /// Whether nothing is inside.
    pub fn is_empty(self) -> bool {
        self.to <= self.from
    }

    /// Milliseconds inside, 0 or more.
    pub fn length_ms(self) -> u64 {
        if self.is_empty() { 0 } else { self.to.abs_diff(self.from) }
    }

    /// What is in both.
    #[must_use]
    pub fn clip(self, other: Span) -> Span {
        Span { from: self.from.max(other.from), to: self.to.min(other.to) }
    }
}

/// A set of milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans(Vec<Span>);

impl FromIterator<Span> for Spans {
    /// The union of spans in any order; empty ones are left out.
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Spans {
        let mut sorted: Vec<Span> = spans.into_iter().filter(|span| !span.is_empty()).collect();
        sorted.sort_unstable();
        let mut set: Vec<Span> = Vec::with_capacity(sorted.len());
        for span in sorted {
            match set.last_mut() {
                Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
                _ => set.push(span),
            }
        }
        Spans(set)
    }
}

impl Spans {
    /// Its spans, in order, disjoint, none empty.
    pub fn as_slice(&self) -> &[Span] {
        &self.0
    }

    /// Whether nothing is inside.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Milliseconds inside.
    pub fn length_ms(&self) -> u64 {
        self.0.iter().fold(0, |sum, span| sum.saturating_add(span.length_ms()))
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Spans) -> Spans {
        self.0.iter().chain(&other.0).copied().collect()
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Spans) -> Spans {
        let (mut both, mut a, mut b) = (Vec::new(), 0, 0);
        while let (Some(mine), Some(theirs)) = (self.0.get(a), other.0.get(b)) {
            let common = mine.clip(*theirs);
            if !common.is_empty() {
                both.push(common);
            }
            if mine.to <= theirs.to {
                a += 1;
            } else {
                b += 1;
            }
        }
        Spans(both)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Spans) -> Spans {
        let (mut left, mut b) = (Vec::new(), 0);
        for mine in &self.0 {
            let mut from = mine.from;
            while other.0.get(b).is_some_and(|theirs| theirs.to <= from) {
                b += 1;
            }
            // The last one looked at may reach into the next of ours: `b` stays on it.
            let mut at = b;
            while let Some(theirs) = other.0.get(at).filter(|theirs| theirs.from < mine.to) {
                if theirs.from > from {
                    left.push(Span::new(from, theirs.from));
                }
                from = from.max(theirs.to);
                at += 1;
            }
            b = at.saturating_sub(1).max(b);
            if from < mine.to {
                left.push(Span::new(from, mine.to));
            }
        }
        Spans(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WIDTH: i64 = 64;

    fn spans() -> impl Strategy<Value = Vec<Span>> {
        let span = (0..WIDTH, 0..WIDTH).prop_map(|(from, to)| Span::new(from, to));
        proptest::collection::vec(span, 0..10)
    }

    /// The same set, one bit a millisecond.
    fn bits(spans: &[Span]) -> u64 {
        (0..WIDTH)
            .filter(|&at| spans.iter().any(|s| s.from <= at && at < s.to))
            .fold(0, |bits, at| bits | 1 << at)
    }

    fn is_sound(set: &Spans) -> bool {
        set.0.iter().all(|span| !span.is_empty()) && set.0.windows(2).all(|two| two[0].to < two[1].from)
    }

    proptest! {
        /// The algebra agrees with bits.
        #[test]
        fn agrees_with_bits(a in spans(), b in spans()) {
            let (a_bits, b_bits) = (bits(&a), bits(&b));
            let (a, b): (Spans, Spans) = (a.into_iter().collect(), b.into_iter().collect());
            for (name, found, expected) in [
                ("itself", a.clone(), a_bits),
                ("union", a.union(&b), a_bits | b_bits),
                ("intersection", a.intersection(&b), a_bits & b_bits),
                ("difference", a.difference(&b), a_bits & !b_bits),
            ] {
                prop_assert!(is_sound(&found), "{}: {:?}", name, found);
                prop_assert_eq!(bits(found.as_slice()), expected, "{}", name);
                prop_assert_eq!(found.length_ms(), u64::from(expected.count_ones()), "{}", name);
            }
        }
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let all: Spans = [Span::new(i64::MIN, i64::MAX)].into_iter().collect();
        assert_eq!(all.length_ms(), u64::MAX);
        assert_eq!(all.difference(&all), Spans::default());
    }
}
