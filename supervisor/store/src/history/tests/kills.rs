//! Two days of a site, killed between any two steps; a transaction that is taken back.

use super::*;

/// Two days of a small site, one cycle in ten minutes.
fn two_days(bench: &mut Bench) {
    for n in 0..2 * 144_i64 {
        bench.pass(10 * MINUTE);
        let at = Mono(bench.now.mono.0 - 10_000);
        let state = if n % 50 < 40 { "up" } else { "down" };
        let readings = vec![
            reading(METRICS[0], Ok(Value::Number(n as f64 / 10.0))),
            reading(METRICS[1], Ok(Value::Counter64((n * n) as u64))),
            reading(METRICS[2], Ok(Value::State(state.into()))),
        ];
        let other = if n % 17 == 0 { Err(Absence::Timeout) } else { Ok(readings[..2].to_vec()) };
        bench.record(vec![poll("a", at, Ok(readings)), poll("b", at, other)]);
    }
    bench.pass(30 * HOUR);
}

#[test]
fn a_kill_between_any_two_steps_changes_nothing() {
    let budget = Budget { chunks: 2, samples: 100_000 };
    let mut whole = Bench::new(budget);
    two_days(&mut whole);
    whole.settle();
    let steps = whole.steps;
    assert!(steps > 100, "{steps} steps are too few to be cut");
    let count =
        |bench: &Bench, sql: &str| -> i64 { bench.conn().query_row(sql, [], |row| row.get(0)).unwrap() };
    for kill_after in (1..steps).step_by(7) {
        let mut bench = Bench::new(budget);
        two_days(&mut bench);
        for _ in 0..kill_after {
            bench.step();
        }
        bench.kill();
        bench.check().unwrap();
        bench.settle();
        bench.check().unwrap();
        bench.check_roll_ups().unwrap();
        for sql in [
            "SELECT count(*) FROM chunk",
            "SELECT count(*) FROM segment",
            "SELECT count(*) FROM segment WHERE state = 1 AND merged = 1",
            "SELECT count(*) FROM hot",
            "SELECT sum(length(body)) FROM chunk",
        ] {
            assert_eq!(count(&bench, sql), count(&whole, sql), "{sql} after a kill behind step {kill_after}");
        }
    }
}

#[test]
fn a_transaction_that_is_taken_back_leaves_no_trace() {
    let mut bench = Bench::new(Budget::default());
    let say = |bench: &mut Bench, word: &str| {
        bench.pass(MINUTE);
        let at = bench.now.mono;
        vec![poll("a", at, Ok(vec![reading(METRICS[2], Ok(Value::State(word.into())))]))]
    };
    let polls = say(&mut bench, "up");
    bench.record(polls);
    let polls = say(&mut bench, "down");
    let mark = bench.mark();
    let tx = bench.conn.as_ref().unwrap().unchecked_transaction().unwrap();
    bench.keeper.as_mut().unwrap().append(&tx, &mark, &mut polls.iter().cloned()).unwrap();
    drop(tx);
    bench.keeper.as_mut().unwrap().doubt();
    let polls = say(&mut bench, "down");
    bench.record(polls);
    bench.check().unwrap();
}
