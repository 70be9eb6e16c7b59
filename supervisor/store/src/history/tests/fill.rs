//! A past that comes as roll-ups: it is found as if it had been polled, beside what was.

use super::super::fill::{self, DeviceDay, PastBucket, PastDay, SeriesDay};
use super::*;

const FIVE: i64 = 5 * MINUTE;

/// A day of device `a` whose value at each 5 minutes is their number in the day; between 8:00 and 9:00 nobody polled,
/// between 10:00 and 11:00 nobody answered.
fn day(from: i64) -> PastDay {
    let bucket = |at: i64, good: bool, values| PastBucket {
        at: Wall(at),
        values: if good { values } else { None },
        count: if good { 30 } else { 0 },
        bad: if good { 0 } else { 30 },
    };
    let times = (0..288_i64).filter(|n| !(96..108).contains(n));
    let is_good = |n: i64| !(120..132).contains(&n);
    let polls = times.clone().map(|n| bucket(from + n * FIVE, is_good(n), None)).collect();
    let values = times.filter(|n| is_good(*n)).map(|n| {
        let x = n as f64;
        bucket(from + n * FIVE, true, Some((x - 1.0, x, x + 2.0)))
    });
    let series =
        vec![SeriesDay { metric: METRICS[0].into(), instance: "".into(), buckets: values.collect() }];
    PastDay { from: Wall(from), devices: vec![DeviceDay { device: "a".into(), polls, series }] }
}

#[test]
fn a_filled_day_is_found_by_5_minutes_and_by_the_hour() {
    let mut bench = Bench::new(Budget::default());
    for back in [1, 2, 3] {
        fill::store(bench.conn(), &day(T0 - back * 24 * HOUR), Wall(T0)).unwrap();
    }
    // What is polled afterwards goes on in the same series.
    bench.pass(10 * MINUTE);
    bench.record(vec![poll("a", bench.now.mono, load(0))]);
    let name = SeriesName { device: "a".into(), metric: METRICS[0].into(), instance: "".into() };
    let ask = |bench: &Bench, from: i64, to: i64, points| {
        let span = Span { from: Wall(from), to: Wall(to), points, interval_ms: 10_000 };
        match history(bench.conn(), &name, span, true) {
            Ok(Some(History::Numbers { columns, .. })) => columns,
            other => panic!("{other:?}"),
        }
    };
    let fine = ask(&bench, T0 - 24 * HOUR, T0, 288);
    assert_eq!(fine.len(), 276, "an hour is missing");
    let eleventh = fine.iter().find(|column| column.from.0 == T0 - 24 * HOUR + 11 * FIVE).unwrap();
    let band = eleventh.band.unwrap();
    assert_eq!((band.min, band.mean, band.max, eleventh.count), (10.0, 11.0, 13.0, 30));
    let silent = fine.iter().find(|column| column.from.0 == T0 - 24 * HOUR + 125 * FIVE).unwrap();
    assert_eq!((silent.band, silent.failed), (None, 30));

    let coarse = ask(&bench, T0 - 72 * HOUR, T0, 36);
    let first = coarse[0].band.unwrap();
    assert_eq!((first.min, first.mean, first.max, coarse[0].count), (-1.0, 11.5, 25.0, 24 * 30));
    let all: u32 = coarse.iter().map(|column| column.count).sum();
    assert_eq!(all, 3 * (276 - 12) * 30);
    assert!(!ask(&bench, T0, T0 + HOUR, 10).is_empty(), "what was polled");
}

#[test]
fn a_day_that_history_has_or_that_does_not_fit_is_refused() {
    let bench = Bench::new(Budget::default());
    let good = day(T0 - 24 * HOUR);
    fill::store(bench.conn(), &good, Wall(T0)).unwrap();
    let mut late = day(T0 - 48 * HOUR);
    late.devices[0].series[0].buckets[0].at = Wall(T0);
    let mut upside_down = day(T0 - 48 * HOUR);
    upside_down.devices[0].series[0].buckets[0].values = Some((2.0, 1.0, 3.0));
    let mut twice = day(T0 - 48 * HOUR);
    twice.devices[0].polls[1] = twice.devices[0].polls[0];
    let noon = PastDay { from: Wall(T0 - 36 * HOUR), ..day(T0 - 48 * HOUR) };
    for wrong in [good, late, upside_down, twice, noon] {
        let refused = fill::store(bench.conn(), &wrong, Wall(T0));
        assert!(matches!(refused, Err(crate::StoreError::Contradiction { .. })), "{refused:?}");
    }
    fill::store(bench.conn(), &PastDay { from: Wall(T0), devices: Vec::new() }, Wall(T0)).unwrap();
}
