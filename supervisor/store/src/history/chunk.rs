//! What one series brought in one segment, as a blob; and the polls of its device, which say when.
//!
//! The polls of a device stand once in the chunk of its own series `poll.outcome`: when each ended, and how. A chunk
//! of numbers refers to them by position, so that its samples cost no bytes for time. A chunk of words (states,
//! texts) holds the changes with their times; a word holds until the next change or the end of the segment, in the
//! polls that were answered.
//!
//! ```text
//! polls    = 0 · statuses · times
//! numbers  = 1 · statuses · column of numbers        counters = 2 · statuses · column of counters
//! words    = 3 · count of strings, (length, UTF-8)… · count of marks, (ms since the one before, code)…
//! statuses = count of runs, (length << 4 | status)…  status: 0 absent, 1 good, 2 + n the n-th Absence
//! code     = 0 gone, 1 + n the n-th Absence, 16 + n the n-th string
//! ```

use super::hot::{self, Outcome, Point};
use super::numbers;
use crate::bytes::{Decoded, Input, put, put_signed};
use roundsman_core::reading::Absence;
use std::collections::BTreeMap;
use std::sync::Arc;

mod tag {
    pub(super) const POLLS: u8 = 0;
    pub(super) const NUMBERS: u8 = 1;
    pub(super) const COUNTERS: u8 = 2;
    pub(super) const WORDS: u8 = 3;
}

const FIRST_STRING: u64 = 16;

/// What stood at one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Nothing: the poll failed, or its answer did not have the point.
    Absent,
    Good,
    Bad(Absence),
}

impl Status {
    fn number(self) -> u64 {
        match self {
            Status::Absent => 0,
            Status::Good => 1,
            Status::Bad(absence) => 2 + u64::from(hot::number_of(absence)),
        }
    }

    fn from_number(n: u64) -> Decoded<Status> {
        Ok(match n {
            0 => Status::Absent,
            1 => Status::Good,
            n => Status::Bad(hot::absence(n - 2)?),
        })
    }
}

/// A status per position, as runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Statuses {
    runs: Vec<(Status, u32)>,
    length: u32,
}

impl Statuses {
    /// Appends one, after as many absent ones as are missing before `position`.
    pub(crate) fn push(&mut self, position: u32, status: Status) {
        if position > self.length {
            self.extend(Status::Absent, position - self.length);
        }
        self.extend(status, 1);
    }

    fn extend(&mut self, status: Status, count: u32) {
        match self.runs.last_mut() {
            Some((last, length)) if *last == status => *length += count,
            _ if count > 0 => self.runs.push((status, count)),
            _ => {}
        }
        self.length += count;
    }

    /// Appends another one's, which begin at `position`.
    pub(crate) fn append(&mut self, position: u32, other: &Statuses) {
        if position > self.length {
            self.extend(Status::Absent, position - self.length);
        }
        for (status, count) in &other.runs {
            self.extend(*status, *count);
        }
    }

    /// How many positions there are.
    pub(crate) fn len(&self) -> usize {
        self.length as usize
    }

    fn good(&self) -> usize {
        self.runs.iter().filter(|(status, _)| *status == Status::Good).map(|(_, n)| *n as usize).sum()
    }

    /// One status per position.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Status> + '_ {
        self.runs.iter().flat_map(|(status, count)| std::iter::repeat_n(*status, *count as usize))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put(out, self.runs.len() as u64);
        for (status, count) in &self.runs {
            put(out, u64::from(*count) << 4 | status.number());
        }
    }

    fn decode(input: &mut Input<'_>) -> Decoded<Statuses> {
        let mut statuses = Statuses::default();
        for _ in 0..input.count()? {
            let n = input.number()?;
            let count = u32::try_from(n >> 4).map_err(|_| "run out of range")?;
            if count as usize + statuses.len() > numbers::MOST {
                return Err("too many positions for one chunk");
            }
            statuses.extend(Status::from_number(n & 15)?, count);
        }
        Ok(statuses)
    }
}

/// The polls of a device: when each ended, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Polls {
    pub(crate) times: Vec<i64>,
    pub(crate) outcomes: Statuses,
}

impl Polls {
    /// Appends a poll; its position.
    pub(crate) fn push(&mut self, at: i64, outcome: Outcome) -> u32 {
        let position = self.times.len() as u32;
        self.times.push(at);
        self.outcomes.push(position, outcome.map_or_else(Status::Bad, |()| Status::Good));
        position
    }

    /// When the first poll that was answered ended.
    pub(crate) fn first_answer(&self) -> Option<i64> {
        let answered = self.outcomes.iter().position(|status| status == Status::Good)?;
        self.times.get(answered).copied()
    }

    /// Appends another one's.
    pub(crate) fn append(&mut self, other: &Polls) {
        self.outcomes.append(self.times.len() as u32, &other.outcomes);
        self.times.extend_from_slice(&other.times);
    }
}

/// What a word became.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mark {
    Word(Arc<str>),
    Bad(Absence),
    /// The point is no longer there.
    Gone,
}

/// What a series brought.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Column {
    Numbers(Statuses, Vec<f64>),
    Counters(Statuses, Vec<u64>),
    /// Changes and when they came.
    Words(Vec<(i64, Mark)>),
}

/// Kind of a series, as its row stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeriesKind {
    Polls = 0,
    Number = 1,
    Counter = 2,
    State = 3,
    Text = 4,
}

impl SeriesKind {
    pub(crate) fn from_number(n: i64) -> Option<SeriesKind> {
        use SeriesKind::{Counter, Number, Polls, State, Text};
        [Polls, Number, Counter, State, Text].into_iter().find(|kind| *kind as i64 == n)
    }

    /// Whether it is kept as changes.
    pub(crate) fn is_word(self) -> bool {
        matches!(self, SeriesKind::State | SeriesKind::Text)
    }

    /// A column for it.
    pub(crate) fn column(self) -> Column {
        match self {
            SeriesKind::Counter => Column::Counters(Statuses::default(), Vec::new()),
            SeriesKind::State | SeriesKind::Text => Column::Words(Vec::new()),
            SeriesKind::Number | SeriesKind::Polls => Column::Numbers(Statuses::default(), Vec::new()),
        }
    }
}

impl Column {
    /// Appends what the poll at `position`, ended at `at`, brought. A point of another kind than the column's is
    /// never written and left out.
    pub(crate) fn push(&mut self, position: u32, at: i64, point: Point) {
        match (self, point) {
            (Column::Numbers(statuses, values), Point::Number(x)) => {
                statuses.push(position, Status::Good);
                values.push(x);
            }
            (Column::Counters(statuses, values), Point::Counter(n)) => {
                statuses.push(position, Status::Good);
                values.push(n);
            }
            (Column::Numbers(statuses, _) | Column::Counters(statuses, _), Point::Bad(absence)) => {
                statuses.push(position, Status::Bad(absence));
            }
            (Column::Words(marks), Point::Word(word)) => mark(marks, at, Mark::Word(word)),
            (Column::Words(marks), Point::Bad(absence)) => mark(marks, at, Mark::Bad(absence)),
            (Column::Words(marks), Point::Gone) => mark(marks, at, Mark::Gone),
            _ => {}
        }
    }

    /// Whether it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Column::Numbers(statuses, _) | Column::Counters(statuses, _) => statuses.len() == 0,
            Column::Words(marks) => marks.is_empty(),
        }
    }

    /// Appends the same series' next column, whose polls begin at `position`.
    pub(crate) fn append(&mut self, position: u32, next: Column) {
        match (self, next) {
            (Column::Numbers(statuses, values), Column::Numbers(more, mut new)) => {
                statuses.append(position, &more);
                values.append(&mut new);
            }
            (Column::Counters(statuses, values), Column::Counters(more, mut new)) => {
                statuses.append(position, &more);
                values.append(&mut new);
            }
            (Column::Words(marks), Column::Words(new)) => {
                for (at, what) in new {
                    mark(marks, at, what);
                }
            }
            _ => {}
        }
    }

    /// The column as a blob.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Column::Numbers(statuses, values) => {
                out.push(tag::NUMBERS);
                statuses.encode(&mut out);
                numbers::encode(&mut out, values);
            }
            Column::Counters(statuses, values) => {
                out.push(tag::COUNTERS);
                statuses.encode(&mut out);
                numbers::encode_counters(&mut out, values);
            }
            Column::Words(marks) => encode_words(&mut out, marks),
        }
        out
    }

    /// The column of a blob.
    ///
    /// # Errors
    /// Says what is wrong with the bytes.
    pub(crate) fn decode(blob: &[u8]) -> Decoded<Column> {
        let mut input = Input::new(blob);
        let tag = input.byte()?;
        if tag == tag::WORDS {
            return decode_words(input).map(Column::Words);
        }
        let statuses = Statuses::decode(&mut input)?;
        let good = statuses.good();
        match tag {
            tag::NUMBERS => Ok(Column::Numbers(statuses, numbers::decode(input, good)?)),
            tag::COUNTERS => Ok(Column::Counters(statuses, numbers::decode_counters(input, good)?)),
            _ => Err("unknown kind of chunk"),
        }
    }
}

/// Appends a change, unless it is none.
fn mark(marks: &mut Vec<(i64, Mark)>, at: i64, what: Mark) {
    if marks.last().is_none_or(|(_, last)| *last != what) {
        marks.push((at, what));
    }
}

/// The polls of a device as a blob.
pub(crate) fn encode_polls(polls: &Polls) -> Vec<u8> {
    let mut out = vec![tag::POLLS];
    polls.outcomes.encode(&mut out);
    numbers::encode_integers(&mut out, &polls.times);
    out
}

/// The polls of a blob.
///
/// # Errors
/// Says what is wrong with the bytes.
pub(crate) fn decode_polls(blob: &[u8]) -> Decoded<Polls> {
    let mut input = Input::new(blob);
    if input.byte()? != tag::POLLS {
        return Err("not a chunk of polls");
    }
    let outcomes = Statuses::decode(&mut input)?;
    let times = numbers::decode_integers(input, outcomes.len())?;
    Ok(Polls { times, outcomes })
}

fn encode_words(out: &mut Vec<u8>, marks: &[(i64, Mark)]) {
    let mut strings: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, what) in marks {
        if let Mark::Word(word) = what {
            strings.entry(word).or_default();
        }
    }
    out.push(tag::WORDS);
    put(out, strings.len() as u64);
    for (nth, (word, number)) in strings.iter_mut().enumerate() {
        *number = nth as u64;
        put(out, word.len() as u64);
        out.extend_from_slice(word.as_bytes());
    }
    put(out, marks.len() as u64);
    let mut last = 0_i64;
    for (at, what) in marks {
        put_signed(out, at.wrapping_sub(last));
        last = *at;
        put(
            out,
            match what {
                Mark::Gone => 0,
                Mark::Bad(absence) => 1 + u64::from(hot::number_of(*absence)),
                Mark::Word(word) => FIRST_STRING + strings.get(&**word).copied().unwrap_or_default(),
            },
        );
    }
}

fn decode_words(mut input: Input<'_>) -> Decoded<Vec<(i64, Mark)>> {
    let mut strings: Vec<Arc<str>> = Vec::new();
    for _ in 0..input.count()? {
        let length = input.number()?;
        strings.push(std::str::from_utf8(input.bytes(length)?).map_err(|_| "not UTF-8")?.into());
    }
    let mut marks = Vec::new();
    let mut at = 0_i64;
    for _ in 0..input.count()? {
        at = at.wrapping_add(input.signed()?);
        let what = match input.number()? {
            0 => Mark::Gone,
            n @ 1..FIRST_STRING => Mark::Bad(hot::absence(n - 1)?),
            n => {
                let nth = usize::try_from(n - FIRST_STRING).map_err(|_| "string number out of range")?;
                Mark::Word(strings.get(nth).cloned().ok_or("string number out of range")?)
            }
        };
        marks.push((at, what));
    }
    if input.is_empty() { Ok(marks) } else { Err("bytes left over") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn absence() -> impl Strategy<Value = Absence> {
        (0..Absence::ALL.len()).prop_map(|at| Absence::ALL[at])
    }

    /// Polls, and what a series of this kind brought in some of them.
    fn column(kind: SeriesKind) -> impl Strategy<Value = (Polls, Column)> {
        let outcome = prop_oneof![4 => Just(Ok(())), 1 => absence().prop_map(Err)];
        let point = move || match kind {
            SeriesKind::Counter => any::<u64>().prop_map(Point::Counter).boxed(),
            SeriesKind::State => "[a-c]".prop_map(|word| Point::Word(word.into())).boxed(),
            _ => (-500..500_i32).prop_map(|x| Point::Number(f64::from(x) * 0.1)).boxed(),
        };
        let any_point =
            prop_oneof![5 => point(), 1 => absence().prop_map(Point::Bad), 1 => Just(Point::Gone)];
        let step = prop_oneof![9 => 59_000..61_000_i64, 1 => -90_000_000..90_000_000_i64];
        prop::collection::vec((step, outcome, prop::option::weighted(0.9, any_point)), 0..200).prop_map(
            move |steps| {
                let (mut polls, mut column, mut at) = (Polls::default(), kind.column(), 1_795_000_000_000);
                for (step, outcome, point) in steps {
                    at += step;
                    let position = polls.push(at, outcome);
                    if let (Ok(()), Some(point)) = (outcome, point) {
                        column.push(position, at, point);
                    }
                }
                (polls, column)
            },
        )
    }

    fn any_column() -> impl Strategy<Value = (Polls, Column)> {
        prop_oneof![column(SeriesKind::Number), column(SeriesKind::Counter), column(SeriesKind::State)]
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out((polls, column) in any_column()) {
            prop_assert_eq!(decode_polls(&encode_polls(&polls)), Ok(polls));
            prop_assert_eq!(Column::decode(&column.encode()), Ok(column));
        }

        #[test]
        fn damage_is_an_error_or_other_data_but_never_a_panic(
            (polls, column) in any_column(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            for mut blob in [encode_polls(&polls), column.encode()] {
                let at = at.index(blob.len());
                blob[at] = byte;
                let _ = decode_polls(&blob);
                let _ = Column::decode(&blob);
                let _ = Column::decode(&blob[..at]);
            }
        }
    }
}
