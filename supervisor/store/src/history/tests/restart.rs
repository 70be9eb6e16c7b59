//! The latest readings after a restart.

use super::*;
use std::sync::Arc;

/// The latest readings of a store that is opened anew.
fn latest(dir: &Path) -> Vec<LatestDevice> {
    let conn = schema::open_writer(dir).unwrap();
    let mut latest = crate::history::latest_readings(&conn).unwrap();
    for device in &mut latest {
        device.readings.sort_by(|a, b| a.metric.cmp(&b.metric));
    }
    latest
}

#[test]
fn the_latest_readings_come_back_after_a_restart() {
    let mut bench = Bench::new(Budget::default());
    let mut last = None;
    for n in 0..500_i64 {
        bench.pass(MINUTE);
        let state = if n < 130 { "up" } else { "down" };
        let mut readings = vec![
            reading(METRICS[0], Ok(Value::Number(n as f64))),
            reading(METRICS[2], Ok(Value::State(state.into()))),
            reading(METRICS[3], Ok(Value::Text("核心".into()))),
        ];
        if n >= 200 {
            readings.pop();
        }
        let at = Mono(bench.now.mono.0 - 5_000);
        let mut polls = vec![poll("a", at, Ok(readings.clone()))];
        // As the shell says it.
        let mut said = (*polls[0].readings).clone();
        said.taken_at.wall = Wall(bench.now.wall.0 - 5_000);
        polls[0].readings = Arc::new(said);
        if n < 300 {
            let mut other = polls[0].clone();
            other.device = "b".into();
            polls.push(other);
        }
        bench.record(polls);
        bench.settle();
        if n == 299 || n % 97 == 0 || n == 499 {
            let found = latest(bench.dir.path());
            let expected = LatestDevice {
                device: "a".into(),
                profile: "p".into(),
                taken_at: Wall(bench.now.wall.0 - 5_000),
                answered: true,
                readings,
            };
            assert_eq!(found[0], expected, "cycle {n}");
            if n <= 299 {
                last = Some(LatestDevice { device: "b".into(), ..expected });
            }
            assert_eq!(found[1].device, "b".into());
            assert!(n > 299 || Some(&found[1]) == last.as_ref(), "cycle {n}");
        }
    }
    // Silent for more than three hours: no older than the last time it was written in whole.
    let found = &latest(bench.dir.path())[1];
    let late = last.unwrap().taken_at.0 - found.taken_at.0;
    assert!((0..HOUR).contains(&late), "{} minutes late", late / MINUTE);
    bench.pass(MINUTE);
    bench.record(vec![poll("a", bench.now.mono, Err(Absence::Refused))]);
    let found = &latest(bench.dir.path())[0];
    assert!(!found.answered && found.readings.iter().all(|reading| reading.sample == Err(Absence::Refused)));
    assert_eq!(found.taken_at, bench.now.wall);
}
