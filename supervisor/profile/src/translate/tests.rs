use super::Translator;
use crate::diagnostic::{Findings, Source};
use crate::document;
use crate::schema::{self, Profile};
use crate::snmprec::{NewValue, Walk};
use proptest::prelude::*;
use roundsman_core::model::InstanceIx;
use roundsman_core::reading::{Absence, Readings, Sample, Value};
use roundsman_core::time::Now;
use roundsman_wire::snmp::answer::{Answer, Cell, Raw};
use roundsman_wire::snmp::plan::Plan;

const PROFILE: &str = r#"
schema = 1
id     = "test"
class  = "switch"
name   = { zh = "测试", en = "Test" }

[[metric]]
name    = "chassis.temperature"
oid     = ["1.3.6.1.4.1.9.1.0", "1.3.6.1.4.1.9.2.0"]
kind    = "gauge"
scale   = 0.1
invalid = [65535, -1]
range   = [-40, 125]

[[metric]]
name = "chassis.mac"
oid  = "1.3.6.1.4.1.9.3.0"
kind = "text"
format = "mac"

[[metric]]
name = "chassis.power"
oid  = "1.3.6.1.4.1.9.4.0"
kind = "state"
enum = { 1 = "on", 2 = "off" }

[[table]]
group  = "port"
index  = ["port"]
label  = ["1.3.6.1.4.1.9.5.1", "1.3.6.1.4.1.9.5.2"]
keep   = { oid = "1.3.6.1.4.1.9.5.3", in = [6, 161] }
metric = [
  { name = "status", oid = "1.3.6.1.4.1.9.5.4", kind = "state", enum = { 1 = "up", 2 = "down" } },
  { name = "octets", oid = ["1.3.6.1.4.1.9.5.6", "1.3.6.1.4.1.9.5.5"], kind = "counter" },
]
"#;

fn profile(text: &str) -> Profile {
    let mut found = Findings::default();
    let node = document::parse(&Source::new("test.toml", text), &mut found);
    let profile = node.and_then(|node| schema::read(&node, &mut found));
    profile.unwrap_or_else(|| panic!("{}", found.into_rejected().unwrap().render(false)))
}

/// Four rows: two ports of one name, one without a name, one that is not kept.
fn walk() -> Walk {
    Walk::parse(
        "1.3.6.1.4.1.9.2.0|2|305\n1.3.6.1.4.1.9.3.0|4x|001a2bff4d5e\n1.3.6.1.4.1.9.4.0|2|1\n\
         1.3.6.1.4.1.9.5.1.1|4|ge1\n1.3.6.1.4.1.9.5.1.2|4|lag\n1.3.6.1.4.1.9.5.1.3|4|lag\n1.3.6.1.4.1.9.5.1.4|4|\n1.3.6.1.4.1.9.5.1.5|4|lo\n\
         1.3.6.1.4.1.9.5.3.1|2|6\n1.3.6.1.4.1.9.5.3.2|2|161\n1.3.6.1.4.1.9.5.3.3|2|161\n1.3.6.1.4.1.9.5.3.4|2|6\n1.3.6.1.4.1.9.5.3.5|2|24\n\
         1.3.6.1.4.1.9.5.4.1|2|1\n1.3.6.1.4.1.9.5.4.2|2|2\n1.3.6.1.4.1.9.5.4.3|2|9\n1.3.6.1.4.1.9.5.4.4|2|1\n1.3.6.1.4.1.9.5.4.5|2|1\n\
         1.3.6.1.4.1.9.5.5.1|65|11\n1.3.6.1.4.1.9.5.5.2|65|12\n1.3.6.1.4.1.9.5.5.3|65|13\n1.3.6.1.4.1.9.5.5.4|65|14\n1.3.6.1.4.1.9.5.5.5|65|15\n",
    )
    .unwrap()
}

/// A column as people would write it: label, value or the reason why there is none.
fn column(
    profile: &Profile,
    translator: &Translator,
    readings: &Readings,
    metric: &str,
) -> Vec<(String, String)> {
    let metric = profile.model.metric(metric).unwrap();
    let mut rows: Vec<(String, String)> = readings
        .of(metric)
        .iter()
        .map(|reading| (translator.labels().name(reading.instance).to_string(), shown(&reading.sample)))
        .collect();
    rows.sort();
    rows
}

fn shown(sample: &Sample) -> String {
    match sample {
        Ok(Value::State(word) | Value::Text(word)) => word.to_string(),
        Ok(value) => value.number().unwrap().to_string(),
        Err(absence) => format!("({})", absence.word()),
    }
}

fn rows(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
}

struct Bench {
    profile: Profile,
    walk: Walk,
    translator: Translator,
}

impl Bench {
    fn new() -> Bench {
        Bench { profile: profile(PROFILE), walk: walk(), translator: Translator::default() }
    }

    fn set(&mut self, oid: &str, value: impl Into<NewValueOf>) {
        self.walk.set(&oid.parse().unwrap(), &value.into().0).unwrap();
    }

    fn poll(&mut self) -> Readings {
        let answer = self.walk.answer(&self.profile.plan);
        self.tell(&answer)
    }

    fn tell(&mut self, answer: &Answer) -> Readings {
        self.translator.translate(&self.profile, answer, Now::at(0, 0))
    }

    fn column(&self, readings: &Readings, metric: &str) -> Vec<(String, String)> {
        column(&self.profile, &self.translator, readings, metric)
    }

    fn is_complete(&self, readings: &Readings) -> bool {
        readings.is_complete(self.profile.recipes.tables[0].table)
    }
}

struct NewValueOf(NewValue);

impl From<i64> for NewValueOf {
    fn from(number: i64) -> NewValueOf {
        NewValueOf(NewValue::Number(number))
    }
}

impl From<&str> for NewValueOf {
    fn from(text: &str) -> NewValueOf {
        NewValueOf(NewValue::Text(text.to_owned()))
    }
}

#[test]
fn scalars_are_scaled_named_and_refused() {
    let mut bench = Bench::new();
    let readings = bench.poll();
    assert_eq!(bench.column(&readings, "chassis.temperature"), rows(&[("", "30.5")]));
    assert_eq!(bench.column(&readings, "chassis.mac"), rows(&[("", "00:1a:2b:ff:4d:5e")]));
    assert_eq!(bench.column(&readings, "chassis.power"), rows(&[("", "on")]));
    for (oid, value, metric, expected) in [
        ("1.3.6.1.4.1.9.2.0", 65535, "chassis.temperature", "(invalid)"),
        ("1.3.6.1.4.1.9.2.0", -1, "chassis.temperature", "(invalid)"),
        ("1.3.6.1.4.1.9.2.0", 1260, "chassis.temperature", "(invalid)"),
        ("1.3.6.1.4.1.9.2.0", -55, "chassis.temperature", "-5.5"),
        ("1.3.6.1.4.1.9.4.0", 3, "chassis.power", "(invalid)"),
        ("1.3.6.1.4.1.9.4.0", 2, "chassis.power", "off"),
        // The first of the two identifiers wins as soon as it is there.
        ("1.3.6.1.4.1.9.1.0", 210, "chassis.temperature", "21"),
    ] {
        bench.set(oid, value);
        let readings = bench.poll();
        assert_eq!(bench.column(&readings, metric), rows(&[("", expected)]), "{oid} = {value}");
    }
    bench.walk.remove(&"1.3.6.1.4.1.9.4".parse().unwrap());
    let readings = bench.poll();
    assert_eq!(bench.column(&readings, "chassis.power"), rows(&[("", "(unsupported)")]));
}

#[test]
fn rows_are_kept_labelled_and_told_apart() {
    let mut bench = Bench::new();
    let readings = bench.poll();
    let status = [("4", "up"), ("ge1", "up"), ("lag#2", "down"), ("lag#3", "(invalid)")];
    assert_eq!(bench.column(&readings, "port.status"), rows(&status));
    let octets = [("4", "14"), ("ge1", "11"), ("lag#2", "12"), ("lag#3", "13")];
    assert_eq!(bench.column(&readings, "port.octets"), rows(&octets));
    assert!(bench.is_complete(&readings));
    assert_eq!(bench.poll(), readings, "the second poll takes the short way and says the same");
}

#[test]
fn each_identifier_of_a_column_may_have_its_scale() {
    let text = PROFILE.replace(
        "{ name = \"octets\",",
        "{ name = \"speed\", oid = [\"1.3.6.1.4.1.9.5.7\", \"1.3.6.1.4.1.9.5.8\"], kind = \"gauge\", scale = [1000000, 1] },
  { name = \"octets\",",
    );
    for (column, value) in [(7, 100), (8, 100_000_000)] {
        let mut bench = Bench::new();
        bench.profile = profile(&text);
        let speed = format!(
            "1.3.6.1.4.1.9.5.3.1|2|6\n1.3.6.1.4.1.9.5.1.1|4|ge1\n1.3.6.1.4.1.9.5.{column}.1|66|{value}\n"
        );
        bench.walk = Walk::parse(&speed).unwrap();
        let readings = bench.poll();
        assert_eq!(bench.column(&readings, "port.speed"), rows(&[("ge1", "100000000")]), "column {column}");
    }
}

#[test]
fn labels_stay_with_their_instance() {
    let mut bench = Bench::new();
    bench.poll();
    let ge1 = bench.translator.labels().find("ge1").unwrap();
    // After a restart the agent numbers its ports anew.
    bench.set("1.3.6.1.4.1.9.5.1.1", "lag-a");
    bench.set("1.3.6.1.4.1.9.5.1.4", "ge1");
    let readings = bench.poll();
    let table = bench.profile.recipes.tables[0].table;
    assert_eq!(readings.moved(), [(table, ge1)], "lag-a is new, ge1 has another index");
    assert_eq!(bench.poll().moved(), [], "it has it still");
    let status = [("ge1", "up"), ("lag#2", "down"), ("lag#3", "(invalid)"), ("lag-a", "up")];
    assert_eq!(bench.column(&readings, "port.status"), rows(&status));
    let metric = bench.profile.model.metric("port.octets").unwrap();
    assert_eq!(readings.get(metric, ge1), Some(&Ok(Value::Counter32(14))));
    // A row that goes is gone; the name of the other one is its own then.
    for column in 1..=5 {
        bench.walk.remove(&format!("1.3.6.1.4.1.9.5.{column}.3").parse().unwrap());
    }
    let readings = bench.poll();
    let status = [("ge1", "up"), ("lag", "down"), ("lag-a", "up")];
    assert_eq!(bench.column(&readings, "port.status"), rows(&status));
}

#[test]
fn a_row_called_as_another_by_its_number_is_numbered_too() {
    let mut bench = Bench::new();
    bench.set("1.3.6.1.4.1.9.5.1.4", "lag#2");
    let readings = bench.poll();
    let octets = [("ge1", "11"), ("lag#2", "12"), ("lag#2#4", "14"), ("lag#3", "13")];
    assert_eq!(bench.column(&readings, "port.octets"), rows(&octets));
}

#[test]
fn without_labels_the_index_names_the_row_and_without_the_keep_column_none_is_kept() {
    let mut bench = Bench::new();
    bench.walk.remove(&"1.3.6.1.4.1.9.5.1".parse().unwrap());
    let readings = bench.poll();
    let status = [("1", "up"), ("2", "down"), ("3", "(invalid)"), ("4", "up")];
    assert_eq!(bench.column(&readings, "port.status"), rows(&status));
    assert!(bench.is_complete(&readings), "a label column that the agent does not have is no gap");
    bench.walk.remove(&"1.3.6.1.4.1.9.5.3".parse().unwrap());
    let readings = bench.poll();
    assert_eq!(bench.column(&readings, "port.status"), []);
}

#[test]
fn a_walk_that_breaks_off_removes_nothing() {
    let mut bench = Bench::new();
    bench.poll();
    let mut answer = bench.walk.answer(&bench.profile.plan);
    for column in &mut answer.tables[0].columns {
        column.cells.truncate(1);
        column.end = Err(Absence::Timeout);
    }
    let readings = bench.tell(&answer);
    let status = [("4", "(timeout)"), ("ge1", "up"), ("lag#2", "(timeout)"), ("lag#3", "(timeout)")];
    assert_eq!(bench.column(&readings, "port.status"), rows(&status));
    assert!(!bench.is_complete(&readings));
    let silent = bench.tell(&Answer::unanswered(&bench.profile.plan));
    let lost = [("4", "(timeout)"), ("ge1", "(timeout)"), ("lag#2", "(timeout)"), ("lag#3", "(timeout)")];
    assert_eq!(bench.column(&silent, "port.status"), rows(&lost));
    assert!(!silent.answered && !bench.is_complete(&silent) && silent.good() == 0);
}

#[test]
fn a_first_walk_that_breaks_off_says_that_there_is_more() {
    let mut bench = Bench::new();
    let mut answer = bench.walk.answer(&bench.profile.plan);
    for column in &mut answer.tables[0].columns {
        column.cells.truncate(1);
        column.end = Err(Absence::Malformed);
    }
    let readings = bench.tell(&answer);
    let status = bench.column(&readings, "port.status");
    assert_eq!(status, rows(&[("", "(malformed)"), ("ge1", "up")]), "nothing is known of the other rows");
    assert!(!bench.is_complete(&readings));
}

#[test]
fn one_lost_column_is_no_complete_walk() {
    for lost in 0..4 {
        let mut bench = Bench::new();
        let mut answer = bench.walk.answer(&bench.profile.plan);
        answer.tables[0].columns[lost].end = Err(Absence::Timeout);
        let readings = bench.tell(&answer);
        assert!(!bench.is_complete(&readings), "column {lost}");
    }
}

#[test]
fn a_column_that_is_not_there_says_so_once() {
    let mut bench = Bench::new();
    bench.walk.remove(&"1.3.6.1.4.1.9.5.5".parse().unwrap());
    let readings = bench.poll();
    assert_eq!(bench.column(&readings, "port.octets"), rows(&[("", "(unsupported)")]));
    assert_eq!(bench.column(&readings, "port.status").len(), 4);
    assert!(bench.is_complete(&readings));
    let nothing = Bench::new().tell(&Answer::unanswered(&bench.profile.plan));
    let metric = bench.profile.model.metric("port.octets").unwrap();
    assert_eq!(nothing.get(metric, InstanceIx::SCALAR), Some(&Err(Absence::Timeout)));
}

#[test]
fn an_index_of_nothing_is_no_row() {
    let profile = profile(PROFILE);
    // Label, mark, status: the walk of the third broke off.
    let cell = |value| vec![(Vec::new(), Anything::Number(value))];
    let columns = vec![(Vec::new(), None), (cell(161), None), (cell(0), Some(Absence::FirstSample))];
    let readings =
        Translator::default().translate(&profile, &build(&profile.plan, &[], &columns), Now::at(0, 0));
    let status = profile.model.metric("port.status").unwrap();
    let said: Vec<_> = readings.iter().filter(|reading| reading.metric == status).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!((said[0].instance, &said[0].sample), (InstanceIx::SCALAR, &Err(Absence::FirstSample)));
}

#[test]
fn identifiers_mark_rows_as_well() {
    let text = PROFILE.replace("in = [6, 161]", "in = [\"1.3.6.1.4.1.9.9\"]");
    let mut bench = Bench::new();
    bench.profile = profile(&text);
    bench.walk.remove(&"1.3.6.1.4.1.9.5.3".parse().unwrap());
    let marked = Walk::parse(
        "1.3.6.1.4.1.9.5.1.1|4|a\n1.3.6.1.4.1.9.5.1.2|4|b\n1.3.6.1.4.1.9.5.3.1|6|1.3.6.1.4.1.9.9\n1.3.6.1.4.1.9.5.3.2|6|1.3.6.1.4.1.9.8\n1.3.6.1.4.1.9.5.4.1|2|1\n1.3.6.1.4.1.9.5.4.2|2|1\n",
    );
    bench.walk = marked.unwrap();
    for _ in 0..2 {
        let readings = bench.poll();
        assert_eq!(bench.column(&readings, "port.status"), rows(&[("a", "up")]));
    }
}

#[derive(Clone, Debug)]
enum Anything {
    Number(i64),
    Counter(u64),
    Ticks(u32),
    Octets(Vec<u8>),
    Oid(Vec<u32>),
    Null,
}

fn anything() -> impl Strategy<Value = Anything> {
    prop_oneof![
        any::<i64>().prop_map(Anything::Number),
        (0..200_i64).prop_map(Anything::Number),
        any::<u64>().prop_map(Anything::Counter),
        any::<u32>().prop_map(Anything::Ticks),
        proptest::collection::vec(any::<u8>(), 0..24).prop_map(Anything::Octets),
        proptest::collection::vec(any::<u32>(), 0..6).prop_map(Anything::Oid),
        Just(Anything::Null),
    ]
}

fn absence() -> impl Strategy<Value = Option<Absence>> {
    prop_oneof![3 => Just(None), 1 => proptest::sample::select(Absence::ALL.to_vec()).prop_map(Some)]
}

fn raw(value: &Anything, answer: &mut Answer) -> Raw {
    match value {
        Anything::Number(x) => Raw::Integer(*x),
        Anything::Counter(x) => Raw::Counter64(*x),
        Anything::Ticks(x) => Raw::TimeTicks(*x),
        Anything::Octets(x) => answer.keep_octets(x).map_or(Raw::Null, Raw::Octets),
        Anything::Oid(x) => Raw::Oid(answer.keep_arcs(x)),
        Anything::Null => Raw::Null,
    }
}

type Columns = Vec<(Vec<(Vec<u32>, Anything)>, Option<Absence>)>;

/// An answer of any content and almost any shape.
fn answers() -> impl Strategy<Value = (Vec<Anything>, Columns)> {
    let index = proptest::collection::vec(0..4_u32, 0..3);
    let cells = proptest::collection::vec((index, anything()), 0..8);
    (proptest::collection::vec(anything(), 0..5), proptest::collection::vec((cells, absence()), 0..6))
}

fn build(plan: &Plan, scalars: &[Anything], columns: &Columns) -> Answer {
    let mut answer = Answer::unanswered(plan);
    answer.answered = true;
    answer.scalars = scalars.iter().map(|value| Ok(raw(value, &mut answer))).collect();
    let built = columns.iter().map(|(cells, end)| {
        let cells = cells
            .iter()
            .map(|(index, value)| Cell { index: answer.keep_arcs(index), raw: raw(value, &mut answer) });
        roundsman_wire::snmp::answer::Column {
            cells: cells.collect(),
            end: end.map_or(Ok(()), Err),
            alternative: 0,
        }
    });
    let built = built.collect();
    answer.tables[0].columns = built;
    answer
}

proptest! {
    /// Whatever an agent says: no panic, every point at most once, no value that is no number, texts bounded.
    #[test]
    fn no_answer_panics(polls in proptest::collection::vec(answers(), 1..4)) {
        let profile = profile(PROFILE);
        let mut translator = Translator::default();
        for (scalars, columns) in &polls {
            let answer = build(&profile.plan, scalars, columns);
            let readings = translator.translate(&profile, &answer, Now::at(0, 0));
            let mut points: Vec<_> = readings.iter().map(|r| (r.metric, r.instance)).collect();
            let all = points.len();
            points.sort();
            points.dedup();
            prop_assert_eq!(points.len(), all);
            for reading in readings.iter() {
                match &reading.sample {
                    Ok(Value::Number(number)) => prop_assert!(number.is_finite()),
                    Ok(Value::Text(text)) => prop_assert!(text.chars().count() <= 1_024),
                    _ => {}
                }
            }
        }
    }

    /// Whatever stands in a file: no panic, and every error has a place in it.
    #[test]
    fn no_file_panics(at in 0..PROFILE.len(), noise in "[\\PC\\n]{0,12}", cut in 0..12_usize) {
        let boundary = (0..=at).rev().find(|at| PROFILE.is_char_boundary(*at)).unwrap();
        let rest = PROFILE[boundary..].char_indices().nth(cut).map_or(PROFILE.len(), |(at, _)| boundary + at);
        let text = format!("{}{noise}{}", &PROFILE[..boundary], &PROFILE[rest..]);
        let mut found = Findings::default();
        let source = Source::new("test.toml", text);
        let node = document::parse(&source, &mut found);
        let profile = node.and_then(|node| schema::read(&node, &mut found));
        match found.into_rejected() {
            Some(rejected) => prop_assert!(!rejected.render(false).is_empty()),
            None => prop_assert!(profile.is_some()),
        }
    }

    #[test]
    fn no_recording_panics(text in "([0-9.|x:a-f]{0,24}\\n){0,6}") {
        let _ = Walk::parse(&text);
    }
}
