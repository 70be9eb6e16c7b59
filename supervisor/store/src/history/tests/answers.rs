//! What a question gets: tiers by age, gaps and failures, renamed instances.

use super::*;

#[test]
fn what_is_too_old_goes_by_tiers() {
    let mut bench = Bench::new(Budget::default());
    let keep = Retention { raw_ms: 48 * HOUR, five_minutes_ms: 96 * HOUR, hours_ms: 240 * HOUR };
    bench.keeper.as_mut().unwrap().keep(keep);
    for n in 0..20 * 48 {
        bench.pass(30 * MINUTE);
        bench.record(vec![poll("a", bench.now.mono, load(n))]);
        bench.settle();
    }
    let mut select = bench
        .conn()
        .prepare("SELECT tier, count(*), min(t0) FROM segment WHERE state = 1 AND merged = 1 GROUP BY tier")
        .unwrap();
    let tiers: Vec<(i64, i64, i64)> = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let days: Vec<i64> = tiers.iter().map(|(_, n, _)| *n).collect();
    assert_eq!(days, [3, 5, 11]);
    let orphans: i64 = bench
        .conn()
        .query_row("SELECT count(*) FROM chunk WHERE id >> 32 NOT IN (SELECT id FROM segment)", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(orphans, 0);
    // The oldest times are answered by the hour, the newest by every sample.
    let History::Numbers { columns, .. } = bench.ask("a", METRICS[0], 1_920, 30 * MINUTE as u64) else {
        panic!("a number")
    };
    let count: u32 = columns.iter().map(|column| column.count).sum();
    assert!((11 * 48..=12 * 48 + 48).contains(&count), "{count}");
}

#[test]
fn silence_is_a_gap_and_failure_is_not_silence() {
    let mut bench = Bench::new(Budget::default());
    for n in 0..60_i64 {
        bench.pass(MINUTE);
        let readings = match n {
            20..30 => continue,
            40..50 => Err(Absence::Timeout),
            50..52 => Ok(vec![
                reading(METRICS[0], Err(Absence::Invalid)),
                reading(METRICS[2], Err(Absence::Invalid)),
            ]),
            _ => Ok(vec![
                reading(METRICS[0], Ok(Value::Number(n as f64))),
                reading(METRICS[2], Ok(Value::State(if n < 10 { "up" } else { "down" }.into()))),
            ]),
        };
        bench.record(vec![poll("a", bench.now.mono, readings)]);
    }
    bench.check().unwrap();
    let span = Span { from: Wall(T0), to: Wall(T0 + HOUR), points: 6, interval_ms: 60_000 };
    let ask = |metric| history(bench.conn(), &Bench::name("a", metric), span, false).unwrap().unwrap();
    let History::Numbers { width_ms, columns } = ask(METRICS[0]) else { panic!("a number") };
    assert_eq!(width_ms, 600_000);
    let short: Vec<_> =
        columns.iter().map(|c| ((c.from.0 - T0) / MINUTE, c.count, c.bad, c.failed, c.broken)).collect();
    // Minute n+1 has sample n: the silence is at 21 to 30, the failures at 41 to 50, the bad ones at 51 and 52.
    assert_eq!(
        short,
        [
            (0, 9, 0, 0, false),
            (10, 10, 0, 0, false),
            (20, 1, 0, 0, false),
            (30, 9, 0, 0, true),
            (40, 1, 0, 9, false),
            (50, 7, 2, 1, true),
        ]
    );
    let band = columns[1].band.unwrap();
    assert_eq!((band.first, band.min, band.max, band.last, band.mean), (9.0, 9.0, 18.0, 18.0, 13.5));
    let History::Words { runs, .. } = ask(METRICS[2]) else { panic!("a word") };
    let run = |from: i64, to: i64, state: Result<&str, Absence>| Run {
        from: Wall(T0 + from * MINUTE),
        to: Wall(T0 + to * MINUTE),
        state: state.map_or_else(RunState::Bad, |word| RunState::Word(word.into())),
    };
    assert_eq!(
        runs,
        [
            run(1, 10, Ok("up")),
            run(11, 20, Ok("down")),
            run(31, 40, Ok("down")),
            run(41, 50, Err(Absence::Timeout)),
            run(51, 52, Err(Absence::Invalid)),
            run(53, 59, Ok("down")),
        ]
    );
}

#[test]
fn a_renamed_instance_goes_on() {
    let mut bench = Bench::new(Budget::default());
    let say = |bench: &mut Bench, instance: &str, n: f64| {
        bench.pass(MINUTE);
        let mut one = reading(METRICS[0], Ok(Value::Number(n)));
        one.instance = instance.into();
        bench.record(vec![poll("a", bench.now.mono, Ok(vec![one]))]);
    };
    say(&mut bench, "eth0", 1.0);
    let device = crate::records::device_row(bench.conn(), "a").unwrap();
    crate::history::rename(bench.conn(), device, "eth0", "wan").unwrap();
    bench.kill();
    say(&mut bench, "wan", 2.0);
    let name = |instance: &str| SeriesName { instance: instance.into(), ..Bench::name("a", METRICS[0]) };
    let values = |instance| samples(bench.conn(), &name(instance)).unwrap().into_iter().map(|(_, what)| what);
    assert!(values("wan").eq([What::Value(1.0), What::Value(2.0)]));
    assert!(values("eth0").eq([What::Value(1.0)]));
    crate::history::rename(bench.conn(), device, "wan", "eth0").unwrap();
    assert!(values("wan").eq([What::Value(1.0), What::Value(2.0)]), "no circle");
    assert_eq!(
        history(
            bench.conn(),
            &name("lo"),
            Span { from: Wall(0), to: Wall(1), points: 1, interval_ms: 1 },
            true
        ),
        Ok(None)
    );
}

#[test]
fn a_device_that_thinks_up_names_has_a_bounded_number_of_series() {
    use super::super::recorder::MOST_SERIES;
    let mut bench = Bench::new(Budget::default());
    let series = |bench: &Bench| -> i64 {
        bench.conn().query_row("SELECT count(*) FROM series", [], |row| row.get(0)).unwrap()
    };
    for n in 0..20 {
        bench.pass(MINUTE);
        let named = |i: usize| LatestReading {
            instance: format!("if{}", n * 5 + i).into(),
            ..reading(METRICS[0], Ok(Value::Number(1.0)))
        };
        let mut readings = vec![reading(METRICS[1], Ok(Value::Number(f64::from(n as u32))))];
        readings.extend((0..5).map(named));
        bench.record(vec![poll("a", bench.now.mono, Ok(readings))]);
    }
    assert_eq!(series(&bench), MOST_SERIES as i64 + 1, "and the polls themselves");
    // What was there before goes on.
    let known = SeriesName { device: "a".into(), metric: METRICS[1].into(), instance: "".into() };
    assert_eq!(samples(bench.conn(), &known).unwrap().len(), 20);
}
