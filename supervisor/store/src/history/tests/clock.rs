//! Boots without the time, and a clock that is wrong for a while.

use super::*;

#[test]
fn a_boot_that_never_hears_of_the_time_is_kept_without_a_date() {
    let mut bench = Bench::new(Budget::default());
    bench.now.wall = Wall(0);
    bench.reboot(false);
    for n in 0..200 {
        bench.pass(MINUTE);
        bench.record(vec![poll("a", bench.now.mono, load(n))]);
        bench.settle();
    }
    let segments = |bench: &Bench, what: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM segment WHERE state = 1 AND {what}");
        bench.conn().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(segments(&bench, "true"), 0, "it waits for the time");
    // Its clock began in 1970, and so does whoever looks at it now.
    let span = Span { from: Wall(0), to: Wall(300 * HOUR), points: 1, interval_ms: 60_000 };
    let now = history(bench.conn(), &Bench::name("a", METRICS[0]), span, true).unwrap().unwrap();
    let History::Numbers { columns, .. } = now else { panic!("a number") };
    assert_eq!(columns[0].count, 200);
    bench.reboot(true);
    bench.now.wall = Wall(T0 + HOUR);
    bench.pass(MINUTE);
    bench.record(vec![poll("a", bench.now.mono, load(7))]);
    bench.settle();
    assert_eq!((segments(&bench, "stretch IS NOT NULL"), segments(&bench, "stretch IS NULL")), (2, 0));
    bench.check().unwrap();
    assert_eq!(bench.found("a", METRICS[0]).len(), 1);
}

#[test]
fn a_boot_without_time_for_more_than_a_day_is_compacted_and_placed_later() {
    let mut bench = Bench::new(Budget::default());
    bench.reboot(false);
    for n in 0..30 * 6 {
        bench.pass(10 * MINUTE);
        bench.record(vec![poll("a", bench.now.mono, load(n))]);
        bench.settle();
    }
    assert!(bench.found("a", METRICS[0]).is_empty());
    let undated: i64 = bench
        .conn()
        .query_row("SELECT count(*) FROM segment WHERE state = 1 AND stretch IS NOT NULL", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert!(undated > 0, "rows older than a day were compacted");
    bench.synchronise(T0 + 72 * HOUR);
    bench.pass(MINUTE);
    bench.record(vec![poll("a", bench.now.mono, load(-1))]);
    bench.check().unwrap();
    assert_eq!(bench.found("a", METRICS[0]).len(), 181);
    bench.pass(40 * HOUR);
    bench.settle();
    bench.check().unwrap();
    bench.check_roll_ups().unwrap();
}

#[test]
fn a_clock_that_is_years_ahead_for_a_while_destroys_little() {
    let mut bench = Bench::new(Budget::default());
    let cycle = |bench: &mut Bench, n: i64| {
        bench.pass(10 * MINUTE);
        bench.record(vec![poll("a", bench.now.mono, load(n))]);
        bench.settle();
    };
    for n in 0..12 * 144 {
        cycle(&mut bench, n);
    }
    bench.check().unwrap();
    let days = |bench: &Bench| -> i64 {
        let sql = "SELECT count(*) FROM segment WHERE state = 1 AND tier = 0 AND merged = 1";
        bench.conn().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let before = days(&bench);
    bench.now.wall.0 += 20 * 366 * 24 * HOUR;
    for n in 0..18 {
        cycle(&mut bench, n);
    }
    bench.now.wall.0 -= 20 * 366 * 24 * HOUR;
    cycle(&mut bench, 0);
    assert!(days(&bench) >= before - 4, "{before} days became {}", days(&bench));
}
