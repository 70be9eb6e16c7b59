//! Recorded agents: the snmprec format, and an agent made of it that answers a plan.
//!
//! **Duty.** [`Walk::parse`] reads `OID|tag|value` lines (tags are BER type numbers; `x` behind one means
//! hexadecimal), [`Walk::answer`] answers a [`Plan`] as an agent would: scalars by GET, columns by walking.
//!
//! **Place in the flow.** In the place of `driver` and device, for fixtures and tests.
//!
//! **Refuses.** The variation modules of the simulator the format comes from (`4:numeric` and the like): a fixture
//! changes only by its steps.

use roundsman_core::reading::Absence;
use roundsman_wire::snmp::answer::{Answer, Cell, Raw};
use roundsman_wire::snmp::oid::Oid;
use roundsman_wire::snmp::plan::{Object, Plan};
use std::collections::BTreeMap;
use std::ops::Bound;

/// Largest recording in bytes; recorded routers stay below 3 MB.
pub const MOST_BYTES: usize = 8 << 20;

/// Most variables of a recording.
pub const MOST_VARIABLES: usize = 200_000;

/// Most problems of one recording that are kept.
const MOST_PROBLEMS: usize = 20;

/// Variables that go on by themselves, in their ticks per second: sysUpTime, hrSystemUptime, snmpEngineTime.
const CLOCKS: [(&[u32], u64); 3] = [
    (&[1, 3, 6, 1, 2, 1, 1, 3, 0], 100),
    (&[1, 3, 6, 1, 2, 1, 25, 1, 1, 0], 100),
    (&[1, 3, 6, 1, 6, 3, 10, 2, 1, 3, 0], 1),
];

/// A recorded value.
#[derive(Clone, Debug, PartialEq)]
enum Recorded {
    Integer(i64),
    Counter32(u32),
    Gauge32(u32),
    TimeTicks(u32),
    Counter64(u64),
    Octets(Vec<u8>),
    Oid(Vec<u32>),
    Address([u8; 4]),
    Null,
}

/// A value given by a step of a fixture; its type is that of the value it replaces.
#[derive(Clone, Debug, PartialEq)]
pub enum NewValue {
    /// A number.
    Number(i64),
    /// Text.
    Text(String),
}

/// What is wrong with a line of a recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// Why a step cannot set a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The number does not fit the type recorded there.
    #[error("{0} does not fit the type that is recorded there")]
    Range(i64),
    /// The recorded value is of another sort.
    #[error("what is recorded there is {0}")]
    Type(&'static str),
}

/// A recorded agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walk {
    variables: BTreeMap<Box<[u32]>, Recorded>,
    /// Virtual ms that passed.
    elapsed_ms: u64,
    /// Variables that go on by themselves.
    moving: BTreeMap<Box<[u32]>, Motion>,
}

/// How a variable goes on: from the value it holds, since a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Motion {
    per_s: u64,
    since_ms: u64,
}

impl Walk {
    /// Reads a recording. Blank lines and `#` comments are skipped; of duplicate identifiers the first counts, as in
    /// an agent. All problems are given, up to a limit.
    pub fn parse(text: &str) -> Result<Walk, Vec<Problem>> {
        let mut walk = Walk::default();
        let mut problems = Vec::new();
        if text.len() > MOST_BYTES {
            let what = format!("the recording has more than {MOST_BYTES} bytes");
            return Err(vec![Problem { line: 1, what }]);
        }
        for (at, line) in text.lines().enumerate() {
            let line = line.trim_end_matches('\r');
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let full = walk.variables.len() >= MOST_VARIABLES;
            let parsed =
                if full { Err(format!("more than {MOST_VARIABLES} variables")) } else { parse_line(line) };
            match parsed {
                Ok((oid, value)) => {
                    walk.variables.entry(oid.arcs().into()).or_insert(value);
                }
                Err(what) => problems.push(Problem { line: at + 1, what }),
            }
            if full || problems.len() >= MOST_PROBLEMS {
                break;
            }
        }
        for (clock, per_s) in CLOCKS {
            if walk.variables.contains_key(clock) {
                walk.moving.insert(clock.into(), Motion { per_s, since_ms: 0 });
            }
        }
        if problems.is_empty() { Ok(walk) } else { Err(problems) }
    }

    /// How many variables it holds.
    pub fn len(&self) -> usize {
        self.variables.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// Lets virtual time pass: the agent's clocks go on.
    pub fn pass_ms(&mut self, ms: u64) {
        self.elapsed_ms = self.elapsed_ms.saturating_add(ms);
    }

    /// Sets a value. One that is not recorded is made: an integer or an octet string.
    pub fn set(&mut self, oid: &Oid, value: &NewValue) -> Result<(), SetError> {
        let new = match self.variables.get(oid.arcs()) {
            Some(known) => known.replaced(value)?,
            None => match value {
                NewValue::Number(number) => Recorded::Integer(*number),
                NewValue::Text(text) => Recorded::Octets(text.as_bytes().to_vec()),
            },
        };
        self.variables.insert(oid.arcs().into(), new);
        if let Some(motion) = self.moving.get_mut(oid.arcs()) {
            motion.since_ms = self.elapsed_ms;
        }
        Ok(())
    }

    /// Lets a counter (or another number) grow by `per_s` every second from now on; 0 stops it.
    pub fn grow(&mut self, oid: &Oid, per_s: u64) -> Result<(), SetError> {
        let Some(value) = self.variables.get(oid.arcs()) else {
            return Err(SetError::Type("nothing"));
        };
        let now = match value {
            Recorded::Integer(x) => Recorded::Integer(self.moved(oid.arcs(), *x as u64) as i64),
            Recorded::Counter32(x) => Recorded::Counter32(self.moved(oid.arcs(), u64::from(*x)) as u32),
            Recorded::Gauge32(x) => Recorded::Gauge32(self.moved(oid.arcs(), u64::from(*x)) as u32),
            Recorded::TimeTicks(x) => Recorded::TimeTicks(self.moved(oid.arcs(), u64::from(*x)) as u32),
            Recorded::Counter64(x) => Recorded::Counter64(self.moved(oid.arcs(), *x)),
            _ => return Err(SetError::Type("no number")),
        };
        self.variables.insert(oid.arcs().into(), now);
        let since_ms = self.elapsed_ms;
        self.moving.insert(oid.arcs().into(), Motion { per_s, since_ms });
        Ok(())
    }

    /// Takes out a variable and everything below it; says whether there was any.
    pub fn remove(&mut self, oid: &Oid) -> bool {
        let before = self.variables.len();
        self.variables.retain(|arcs, _| !arcs.starts_with(oid.arcs()));
        self.variables.len() < before
    }

    /// The answer of this agent to a plan.
    pub fn answer(&self, plan: &Plan) -> Answer {
        let mut answer = Answer::unanswered(plan);
        answer.answered = true;
        for (at, object) in plan.scalars.iter().enumerate() {
            let value = object.oids.iter().find_map(|oid| self.variables.get_key_value(oid.arcs()));
            answer.scalars[at] = match value {
                Some((arcs, value)) => self.raw(arcs, value, &mut answer),
                None => Err(Absence::Unsupported),
            };
        }
        for (at, table) in plan.tables.iter().enumerate() {
            for (column, object) in table.columns.iter().enumerate() {
                self.walk_column(object, at, column, &mut answer);
            }
        }
        answer
    }

    /// Fills a column from the first of its identifiers under which there is anything.
    fn walk_column(&self, object: &Object, table: usize, column: usize, answer: &mut Answer) {
        let below = |oid: &Oid| self.below(oid).next().is_some();
        let Some(alternative) = object.oids.iter().position(below) else {
            answer.tables[table].columns[column].end = Err(Absence::Unsupported);
            return;
        };
        let oid = &object.oids[alternative];
        let mut cells = Vec::new();
        let mut end = Ok(());
        for (arcs, value) in self.below(oid) {
            if cells.len() >= Answer::MOST_CELLS {
                end = Err(Absence::Malformed);
                break;
            }
            let index = answer.keep_arcs(&arcs[oid.arcs().len()..]);
            match self.raw(arcs, value, answer) {
                Ok(raw) => cells.push(Cell { index, raw }),
                Err(absence) => end = Err(absence),
            }
        }
        let column = &mut answer.tables[table].columns[column];
        column.cells = cells;
        column.end = end;
        column.alternative = alternative as u8;
    }

    fn below<'a>(&'a self, oid: &'a Oid) -> impl Iterator<Item = (&'a [u32], &'a Recorded)> {
        let from: (Bound<&[u32]>, Bound<&[u32]>) = (Bound::Excluded(oid.arcs()), Bound::Unbounded);
        self.variables
            .range::<[u32], _>(from)
            .map(|(arcs, value)| (&**arcs, value))
            .take_while(|(arcs, _)| oid.is_above(arcs))
    }

    fn raw(&self, arcs: &[u32], value: &Recorded, answer: &mut Answer) -> Result<Raw, Absence> {
        Ok(match value {
            Recorded::Integer(x) => Raw::Integer(self.moved(arcs, *x as u64) as i64),
            // Counters and time ticks wrap at 32 bits.
            Recorded::Counter32(x) => Raw::Counter32(self.moved(arcs, u64::from(*x)) as u32),
            Recorded::Gauge32(x) => Raw::Gauge32(self.moved(arcs, u64::from(*x)) as u32),
            Recorded::TimeTicks(x) => Raw::TimeTicks(self.moved(arcs, u64::from(*x)) as u32),
            Recorded::Counter64(x) => Raw::Counter64(self.moved(arcs, *x)),
            Recorded::Octets(octets) => Raw::Octets(answer.keep_octets(octets).ok_or(Absence::Malformed)?),
            Recorded::Oid(oid) => Raw::Oid(answer.keep_arcs(oid)),
            Recorded::Address(address) => Raw::Address(*address),
            Recorded::Null => Raw::Null,
        })
    }

    /// The value now of a variable that held `value` when it was set.
    fn moved(&self, arcs: &[u32], value: u64) -> u64 {
        match self.moving.get(arcs) {
            Some(Motion { per_s, since_ms }) => {
                let passed_ms = u128::from(self.elapsed_ms - since_ms);
                value.wrapping_add((passed_ms * u128::from(*per_s) / 1_000) as u64)
            }
            None => value,
        }
    }
}

impl Recorded {
    fn replaced(&self, value: &NewValue) -> Result<Recorded, SetError> {
        let number = match (self, value) {
            (Recorded::Octets(_), NewValue::Text(text)) => {
                return Ok(Recorded::Octets(text.as_bytes().to_vec()));
            }
            (Recorded::Octets(_), NewValue::Number(_)) => return Err(SetError::Type("a string")),
            (Recorded::Oid(_), NewValue::Text(text)) => {
                let oid: Oid = text.parse().map_err(|_| SetError::Type("an object identifier"))?;
                return Ok(Recorded::Oid(oid.arcs().to_vec()));
            }
            (Recorded::Oid(_), _) => return Err(SetError::Type("an object identifier")),
            (Recorded::Address(_), NewValue::Text(text)) => {
                let address: std::net::Ipv4Addr = text.parse().map_err(|_| SetError::Type("an address"))?;
                return Ok(Recorded::Address(address.octets()));
            }
            (Recorded::Address(_), _) => return Err(SetError::Type("an address")),
            (Recorded::Null, _) => return Err(SetError::Type("nothing")),
            (_, NewValue::Text(_)) => return Err(SetError::Type("a number")),
            (_, NewValue::Number(number)) => *number,
        };
        let range = |_| SetError::Range(number);
        Ok(match self {
            Recorded::Counter32(_) => Recorded::Counter32(u32::try_from(number).map_err(range)?),
            Recorded::Gauge32(_) => Recorded::Gauge32(u32::try_from(number).map_err(range)?),
            Recorded::TimeTicks(_) => Recorded::TimeTicks(u32::try_from(number).map_err(range)?),
            Recorded::Counter64(_) => Recorded::Counter64(u64::try_from(number).map_err(range)?),
            _ => Recorded::Integer(number),
        })
    }
}

/// One line: `OID|tag|value`. The value may hold further bars.
fn parse_line(line: &str) -> Result<(Oid, Recorded), String> {
    let mut parts = line.splitn(3, '|');
    let (Some(oid), Some(tag), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("`OID|tag|value` is expected".into());
    };
    let oid: Oid = oid.trim().parse().map_err(|error| format!("{error}"))?;
    let (tag, octets) = match tag.strip_suffix('x') {
        Some(tag) => (tag, Some(hex(value)?)),
        None => (tag, None),
    };
    let text = value.trim();
    let no_number = || format!("`{}` is no value of type {tag}", text.chars().take(40).collect::<String>());
    let number = || text.parse::<i64>().map_err(|_| no_number());
    let unsigned = || text.parse::<u32>().map_err(|_| no_number());
    let recorded = match tag {
        "2" => Recorded::Integer(number()?),
        "4" | "68" => Recorded::Octets(octets.unwrap_or_else(|| value.as_bytes().to_vec())),
        "5" => Recorded::Null,
        "6" => Recorded::Oid(text.parse::<Oid>().map(|oid| oid.arcs().to_vec()).map_err(|e| e.to_string())?),
        "64" => Recorded::Address(match octets {
            Some(octets) => octets.try_into().map_err(|_| no_number())?,
            None => text.parse::<std::net::Ipv4Addr>().map_err(|_| no_number())?.octets(),
        }),
        "65" => Recorded::Counter32(unsigned()?),
        "66" => Recorded::Gauge32(unsigned()?),
        "67" => Recorded::TimeTicks(unsigned()?),
        "70" => Recorded::Counter64(text.parse().map_err(|_| no_number())?),
        _ => {
            return Err(format!(
                "the type `{}` is not known: 2 integer, 4 string, 4x hexadecimal, 5 null, 6 object identifier, 64 address, \
                 65 counter, 66 gauge, 67 time ticks, 70 64-bit counter",
                tag.chars().take(20).collect::<String>()
            ));
        }
    };
    Ok((oid, recorded))
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.trim().as_bytes();
    let digit = |b: u8| (b as char).to_digit(16);
    if !digits.len().is_multiple_of(2) {
        return Err("an even number of hexadecimal digits is expected".into());
    }
    let pair = |pair: &[u8]| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8);
    let octets: Option<Vec<u8>> = digits.chunks_exact(2).map(pair).collect();
    octets.ok_or_else(|| "hexadecimal digits are expected".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(text: &str) -> Oid {
        text.parse().unwrap()
    }

    #[test]
    fn every_type_is_read_and_duplicates_are_tolerated() {
        let walk = Walk::parse(
            "# comment\n1.3.6.1.1.0|2|-5\n1.3.6.1.2.0|4|a|b\n1.3.6.1.3.0|4x|00fF\n1.3.6.1.4.0|5|\n\
             1.3.6.1.5.0|6|1.3.6.1\n1.3.6.1.6.0|64|192.0.2.1\n1.3.6.1.6.1|64x|c0000202\n1.3.6.1.7.0|65|4294967295\n\
             1.3.6.1.8.0|66|1\n1.3.6.1.9.0|67|100\r\n1.3.6.1.10.0|70|18446744073709551615\n1.3.6.1.1.0|2|7\n\n",
        )
        .unwrap();
        assert_eq!(walk.len(), 11);
        assert_eq!(walk.variables[oid("1.3.6.1.1.0").arcs()], Recorded::Integer(-5));
        assert_eq!(walk.variables[oid("1.3.6.1.2.0").arcs()], Recorded::Octets(b"a|b".to_vec()));
        assert_eq!(walk.variables[oid("1.3.6.1.3.0").arcs()], Recorded::Octets(vec![0, 255]));
        assert_eq!(walk.variables[oid("1.3.6.1.6.1").arcs()], Recorded::Address([192, 0, 2, 2]));
    }

    #[test]
    fn problems_name_their_line() {
        let problems =
            Walk::parse("1.3.6|2|1\n1.3.x|2|1\n1.3.7|65|-1\n1.3.8|4x|abc\n1.3.9|4:numeric|x\nnonsense\n");
        let lines: Vec<usize> = problems.unwrap_err().iter().map(|p| p.line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6]);
        assert_eq!(Walk::parse(&"?\n".repeat(1_000)).unwrap_err().len(), MOST_PROBLEMS);
    }

    #[test]
    fn answers_as_an_agent_would() {
        let walk = Walk::parse("1.3.6.1.1.0|2|5\n1.3.6.1.5.2|65|20\n1.3.6.1.5.10|65|100\n1.3.6.1.50.1|2|1\n")
            .unwrap();
        let object = |oids: &[&str]| Object { oids: oids.iter().map(|text| oid(text)).collect() };
        let plan = Plan {
            scalars: vec![object(&["1.3.6.1.9.0", "1.3.6.1.1.0"]), object(&["1.3.6.1.1.1"])],
            tables: vec![roundsman_wire::snmp::plan::Table {
                columns: vec![object(&["1.3.6.1.4", "1.3.6.1.5"]), object(&["1.3.6.1.6"])],
                ..Default::default()
            }],
            ..Plan::default()
        };
        let answer = walk.answer(&plan);
        assert_eq!(answer.scalars, [Ok(Raw::Integer(5)), Err(Absence::Unsupported)]);
        let column = &answer.tables[0].columns[0];
        assert_eq!((column.alternative, column.end), (1, Ok(())));
        let indices: Vec<&[u32]> = column.cells.iter().map(|cell| answer.arcs(cell.index)).collect();
        assert_eq!(indices, [&[2][..], &[10]]);
        assert_eq!(answer.tables[0].columns[1].end, Err(Absence::Unsupported));
    }

    #[test]
    fn numbers_grow_and_wrap() {
        let mut walk = Walk::parse("1.3.6.1.5.1|65|4294967290\n1.3.6.1.5.2|4|x\n").unwrap();
        let plan = Plan { scalars: vec![Object { oids: vec![oid("1.3.6.1.5.1")] }], ..Plan::default() };
        walk.grow(&oid("1.3.6.1.5.1"), 2).unwrap();
        walk.pass_ms(5_500);
        assert_eq!(walk.answer(&plan).scalars[0], Ok(Raw::Counter32(5)));
        walk.grow(&oid("1.3.6.1.5.1"), 0).unwrap();
        walk.pass_ms(60_000);
        assert_eq!(walk.answer(&plan).scalars[0], Ok(Raw::Counter32(5)));
        assert!(walk.grow(&oid("1.3.6.1.5.2"), 2).is_err());
        assert!(walk.grow(&oid("1.3.6.1.5.3"), 2).is_err());
    }

    #[test]
    fn clocks_go_on_and_start_again_when_set() {
        let mut walk = Walk::parse("1.3.6.1.2.1.1.3.0|67|500\n").unwrap();
        let plan = Plan { scalars: vec![Object { oids: vec![oid("1.3.6.1.2.1.1.3.0")] }], ..Plan::default() };
        walk.pass_ms(60_000);
        assert_eq!(walk.answer(&plan).scalars[0], Ok(Raw::TimeTicks(6_500)));
        walk.set(&oid("1.3.6.1.2.1.1.3.0"), &NewValue::Number(0)).unwrap();
        walk.pass_ms(1_000);
        assert_eq!(walk.answer(&plan).scalars[0], Ok(Raw::TimeTicks(100)));
    }
}
