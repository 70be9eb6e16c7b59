use super::*;
use crate::model::{Derive, Kind, Metric, Record, Table};
use crate::text::Bilingual;
use crate::time::Now;

const UPTIME: MetricIx = MetricIx(0);
const OCTETS: MetricIx = MetricIx(1);
const MARK: MetricIx = MetricIx(2);
const USED: MetricIx = MetricIx(3);
const RATE: MetricIx = MetricIx(4);
const SUM: MetricIx = MetricIx(5);
const RESTARTED: MetricIx = MetricIx(6);
const SHARE: MetricIx = MetricIx(7);

fn model() -> Model {
    let metric = |name: &str, kind, table| Metric {
        name: name.into(),
        title: Bilingual::default(),
        kind,
        unit: "".into(),
        record: Record::Every,
        table,
    };
    let row = Some(TableIx(0));
    let bits = Expression::Binary(
        Operator::Multiply,
        Box::new(Expression::Rate(OCTETS)),
        Box::new(Expression::Number(8.0)),
    );
    let share = Expression::Binary(
        Operator::Divide,
        Box::new(Expression::Metric(USED)),
        Box::new(Expression::Min(vec![Expression::Metric(UPTIME), Expression::Number(50.0)])),
    );
    Model {
        metrics: vec![
            metric("system.uptime", Kind::Gauge, None),
            metric("interface.in-octets", Kind::Counter, row),
            metric("interface.counter-discontinuity", Kind::Gauge, row),
            metric("interface.used", Kind::Gauge, row),
            metric("interface.in-rate", Kind::Gauge, row),
            metric("interface.used-total", Kind::Gauge, None),
            metric("system.restarted", Kind::Gauge, None),
            metric("interface.share", Kind::Gauge, row),
        ],
        tables: vec![Table { group: "interface".into(), discontinuity: Some(MARK), speed: None }],
        derives: vec![
            Derive { metric: RATE, calc: bits },
            Derive { metric: SUM, calc: Expression::SumOf(USED) },
            Derive { metric: RESTARTED, calc: Expression::Restarted(UPTIME) },
            Derive { metric: SHARE, calc: share },
        ],
        rules: vec![],
        uptime: Some(UPTIME),
        line: vec![],
    }
}

struct Poll {
    at_s: u64,
    uptime: f64,
    octets: Sample,
    mark: f64,
    used: Vec<Sample>,
    complete: bool,
}

impl Poll {
    fn at(at_s: u64, octets: u64) -> Poll {
        let octets = Ok(Value::Counter64(octets));
        Poll {
            at_s,
            uptime: 1e6 + at_s as f64,
            octets,
            mark: 0.0,
            used: vec![Ok(Value::Number(10.0))],
            complete: true,
        }
    }

    fn take(self, derivation: &mut Derivation) -> Readings {
        let mut readings = Readings::new(Now::at(self.at_s * 1000, 0), true);
        let one = InstanceIx(1);
        readings.add(UPTIME, [(InstanceIx::SCALAR, Ok(Value::Number(self.uptime)))]);
        readings.add(OCTETS, [(one, self.octets)]);
        readings.add(MARK, [(one, Ok(Value::Number(self.mark)))]);
        readings.add(USED, self.used.into_iter().enumerate().map(|(at, s)| (InstanceIx(at as u32 + 1), s)));
        if self.complete {
            readings.mark_complete(TableIx(0));
        }
        derivation.apply(&model(), &mut readings, Uplink::default());
        readings
    }
}

fn number(readings: &Readings, metric: MetricIx, row: u32) -> Result<f64, Absence> {
    let sample = readings.get(metric, InstanceIx(row)).cloned().unwrap_or(Err(Absence::NotJudged));
    sample.map(|value| value.number().unwrap_or(f64::NAN))
}

#[test]
fn rates_over_time() {
    let mut d = Derivation::default();
    let table = [
        ("first poll", Poll::at(0, 1_000), Err(Absence::FirstSample)),
        ("second", Poll::at(60, 61_000), Ok(8_000.0)),
        (
            "a poll without it",
            Poll { octets: Err(Absence::Timeout), ..Poll::at(120, 0) },
            Err(Absence::Timeout),
        ),
        ("over the gap", Poll::at(180, 181_000), Ok(8_000.0)),
        ("decrease: restart of the counter", Poll::at(240, 5), Err(Absence::FirstSample)),
        ("and on", Poll::at(300, 605), Ok(80.0)),
        ("discontinuity marked", Poll { mark: 7.0, ..Poll::at(360, 90_000) }, Err(Absence::FirstSample)),
        ("and on", Poll { mark: 7.0, ..Poll::at(420, 90_600) }, Ok(80.0)),
        ("reboot", Poll { mark: 7.0, uptime: 20.0, ..Poll::at(480, 99_000) }, Err(Absence::FirstSample)),
        ("and on", Poll { mark: 7.0, uptime: 80.0, ..Poll::at(540, 99_600) }, Ok(80.0)),
    ];
    for (name, poll, expected) in table {
        let readings = poll.take(&mut d);
        assert_eq!(number(&readings, RATE, 1), expected, "{name}");
    }
}

#[test]
fn octets_need_their_line_and_a_moved_row_begins_anew() {
    const SPEED: MetricIx = USED;
    let mut model = model();
    model.metrics[OCTETS.at()].unit = "By".into();
    model.metrics[SPEED.at()].unit = "bit/s".into();
    model.tables[0].speed = Some(SPEED);
    let narrow = |x| Ok(Value::Counter32(x));
    let mut d = Derivation::default();
    let line = |bits: f64| Ok(Value::Number(bits));
    let table = [
        ("first poll", 0, narrow(1_000), line(1e8), false, Err(Absence::FirstSample)),
        ("100 Mb/s", 60, narrow(61_000), line(1e8), false, Ok(8_000.0)),
        ("the port runs at 1 Gb/s", 120, narrow(62_000), line(1e9), false, Err(Absence::NotJudged)),
        (
            "its speed is not known",
            180,
            narrow(63_000),
            Err(Absence::Timeout),
            false,
            Err(Absence::NotJudged),
        ),
        ("64 bits from now on", 240, Ok(Value::Counter64(5)), line(1e9), false, Err(Absence::FirstSample)),
        ("64 bits at 1 Gb/s", 300, Ok(Value::Counter64(7_500_000_005)), line(1e9), false, Ok(1e9)),
        (
            "another row of this name",
            360,
            Ok(Value::Counter64(9_000_000_000)),
            line(1e9),
            true,
            Err(Absence::FirstSample),
        ),
        ("and on", 420, Ok(Value::Counter64(9_000_000_060)), line(1e9), false, Ok(8.0)),
    ];
    for (case, at_s, octets, speed, moved, expected) in table {
        let mut readings = Readings::new(Now::at(at_s * 1000, 0), true);
        readings.add(UPTIME, [(InstanceIx::SCALAR, Ok(Value::Number(1e6 + at_s as f64)))]);
        readings.add(OCTETS, [(InstanceIx(1), octets)]);
        readings.add(SPEED, [(InstanceIx(1), speed)]);
        if moved {
            readings.mark_moved(TableIx(0), InstanceIx(1));
        }
        d.apply(&model, &mut readings, Uplink::default());
        assert_eq!(number(&readings, RATE, 1), expected, "{case}");
    }
}

#[test]
fn a_restart_is_a_reading() {
    let mut d = Derivation::default();
    let table = [
        (0, 1e6, Err(Absence::FirstSample)),
        (60, 1e6 + 60.0, Ok(0.0)),
        (120, 5.0, Ok(1.0)),
        (180, 65.0, Ok(0.0)),
    ];
    for (at_s, uptime, expected) in table {
        let readings = Poll { uptime, ..Poll::at(at_s, 0) }.take(&mut d);
        assert_eq!(number(&readings, RESTARTED, 0), expected, "at {at_s} s");
    }
}

#[test]
fn a_restart_without_an_uptime_is_as_absent_as_the_uptime() {
    let mut d = Derivation::default();
    let mut readings = Readings::new(Now::at(0, 0), false);
    readings.add(UPTIME, [(InstanceIx::SCALAR, Err(Absence::Timeout))]);
    d.apply(&model(), &mut readings, Uplink::default());
    assert_eq!(number(&readings, RESTARTED, 0), Err(Absence::Timeout));
}

#[test]
fn sums_need_the_whole_table_and_scalars_mix_with_columns() {
    let n = |x: f64| Ok(Value::Number(x));
    let take = |used: Vec<Sample>, complete| {
        Poll { used, complete, ..Poll::at(0, 0) }.take(&mut Derivation::default())
    };
    let whole = take(vec![n(10.0), n(32.0)], true);
    assert_eq!(number(&whole, SUM, 0), Ok(42.0));
    assert_eq!(number(&whole, SHARE, 2), Ok(32.0 / 50.0));
    let cut = take(vec![n(10.0), Err(Absence::Timeout)], false);
    assert_eq!(number(&cut, SUM, 0), Err(Absence::Timeout));
    assert_eq!(number(&cut, SHARE, 2), Err(Absence::Timeout));
    assert_eq!(number(&take(vec![n(10.0)], false), SUM, 0), Err(Absence::NotJudged));
}

/// Utilisation against what the site says of the line, on its interfaces alone; the port may be ten times as fast, or
/// not know its speed.
#[test]
fn the_sites_line_goes_before_the_ports_speed() {
    let (speed, rate, used) = (MetricIx(0), MetricIx(1), MetricIx(2));
    let metric = |name: &str| Metric {
        name: name.into(),
        title: Bilingual::default(),
        kind: Kind::Gauge,
        unit: "bit/s".into(),
        record: Record::Every,
        table: Some(TableIx(0)),
    };
    let share = Expression::Binary(
        Operator::Divide,
        Box::new(Expression::Metric(rate)),
        Box::new(Expression::LineSpeed(speed)),
    );
    let model = Model {
        metrics: vec![
            metric("interface.speed"),
            metric("interface.in-rate"),
            metric("interface.utilisation"),
        ],
        tables: vec![Table { group: "interface".into(), discontinuity: None, speed: Some(speed) }],
        derives: vec![Derive { metric: used, calc: share }],
        ..Model::default()
    };
    let gigabit = Ok(Value::Number(1e9));
    for (line, uplinks, expected) in [
        (Some(1e8), &[1, 3][..], [Ok(0.5), Ok(0.05), Ok(0.5)]),
        (Some(1e8), &[], [Ok(0.05), Ok(0.05), Err(Absence::Invalid)]),
        (None, &[1, 3], [Ok(0.05), Ok(0.05), Err(Absence::Invalid)]),
    ] {
        let mut readings = Readings::new(Now::at(1_000, 0), true);
        let rows = |samples: [Sample; 3]| {
            samples.into_iter().zip(1..).map(|(sample, row)| (InstanceIx(row), sample))
        };
        readings.add(speed, rows([gigabit.clone(), gigabit.clone(), Err(Absence::Invalid)]));
        readings.add(rate, rows([const { Ok(Value::Number(5e7)) }; 3]));
        let interfaces: Vec<InstanceIx> = uplinks.iter().map(|row| InstanceIx(*row)).collect();
        let uplink = Uplink { speed: line, interfaces: &interfaces };
        Derivation::default().apply(&model, &mut readings, uplink);
        assert_eq!([1, 2, 3].map(|row| number(&readings, used, row)), expected, "{line:?} {uplinks:?}");
    }
}

/// The dew point, and by how much a temperature changed in the last hour; without a value neither has one.
#[test]
fn air_is_judged_by_its_dew_point_and_its_change() {
    let (temperature, humidity, dew_point, change) = (MetricIx(0), MetricIx(1), MetricIx(2), MetricIx(3));
    let metric = |name: &str| Metric {
        name: name.into(),
        title: Bilingual::default(),
        kind: Kind::Gauge,
        unit: "".into(),
        record: Record::Every,
        table: None,
    };
    let both = |left, right| (Box::new(Expression::Metric(left)), Box::new(Expression::Metric(right)));
    let (left, right) = both(temperature, humidity);
    let model = Model {
        metrics: ["temperature.value", "humidity.value", "dew-point.value", "temperature.change"]
            .map(metric)
            .into(),
        derives: vec![
            Derive { metric: dew_point, calc: Expression::DewPoint(left, right) },
            Derive { metric: change, calc: Expression::HourlyChange(temperature) },
        ],
        ..Model::default()
    };
    let mut d = Derivation::default();
    let lost = Err(Absence::Invalid);
    let table = [
        ("first poll", 0, Ok(20.0), Ok(100.0), Ok(20.0), Err(Absence::FirstSample)),
        ("half an hour later", 30, Ok(26.0), Ok(100.0), Ok(26.0), Ok(6.0)),
        ("the sensor is lost", 31, lost, Ok(50.0), lost, lost),
        ("its humidity is none", 59, Ok(27.0), Ok(0.0), lost, Ok(7.0)),
        ("the first value is too long ago", 61, Ok(25.0), Ok(100.0), Ok(25.0), Ok(-1.0)),
        ("after a gap", 200, Ok(40.0), Ok(100.0), Ok(40.0), Err(Absence::FirstSample)),
    ];
    for (case, minute, cel, percent, expected_point, expected_change) in table {
        let mut readings = Readings::new(Now::at(minute * 60_000, 0), true);
        readings.add(temperature, [(InstanceIx::SCALAR, cel.map(Value::Number))]);
        readings.add(humidity, [(InstanceIx::SCALAR, percent.map(Value::Number))]);
        d.apply(&model, &mut readings, Uplink::default());
        let found = number(&readings, dew_point, 0).map(|value| (value * 1e6).round() / 1e6);
        assert_eq!(found, expected_point, "{case}");
        assert_eq!(number(&readings, change, 0), expected_change, "{case}");
    }
}
