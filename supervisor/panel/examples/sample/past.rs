//! A made-up past of the sample site's series, by formula.

use roundsman_core::reading::Absence;
use roundsman_core::time::Wall;
use roundsman_store::{Band, History, HistoryColumn, Run, RunState, SeriesName, Span};

const HOUR_MS: i64 = 3_600_000;

/// What a number was at a time: a day's swing, an hour's, and a ripple.
fn value(metric: &str, at_ms: i64) -> f64 {
    let (base, swing) = match metric {
        "interface.in-rate" => (42e6, 30e6),
        "board.temperature" => (58.0, 9.0),
        _ => (45.0, 20.0),
    };
    let turn = |period_ms: i64| {
        (at_ms.rem_euclid(period_ms) as f64 / period_ms as f64 * std::f64::consts::TAU).sin()
    };
    base + swing * (0.6 * turn(24 * HOUR_MS) + 0.25 * turn(HOUR_MS) + 0.1 * turn(7 * 60_000))
}

/// Nothing was polled for the fifth part of each span that begins at its half.
fn is_silent(at_ms: i64, span: Span) -> bool {
    let share = (at_ms - span.from.0) as f64 / (span.to.0 - span.from.0) as f64;
    (0.5..0.7).contains(&share)
}

/// The past of a series; of `memory.used` there is none yet.
pub(super) fn of(series: &SeriesName, span: Span, now: Wall) -> Option<History> {
    match &*series.metric {
        "interface.oper-status" => {
            let third = (span.to.0 - span.from.0) / 3;
            let run = |from, to, state| Run { from: Wall(from), to: Wall(to), state };
            let word = |word: &str| RunState::Word(word.into());
            Some(History::Words {
                runs: vec![
                    run(span.from.0, span.from.0 + third, word("up")),
                    run(span.from.0 + third + 60_000, span.from.0 + third + 600_000, word("down")),
                    run(
                        span.from.0 + third + 660_000,
                        span.from.0 + third + 900_000,
                        RunState::Bad(Absence::Timeout),
                    ),
                    run(span.from.0 + third + 960_000, now.0.min(span.to.0), word("up")),
                ],
                truncated: false,
            })
        }
        "cpu.load" | "interface.in-rate" | "board.temperature" => {
            let width_ms = (span.to.0 - span.from.0).div_euclid(span.points as i64).max(1);
            let column = |from: i64| {
                let x = value(&series.metric, from);
                HistoryColumn {
                    from: Wall(from),
                    band: Some(Band { first: x, min: x * 0.94, max: x * 1.07, last: x, mean: x }),
                    count: 1,
                    bad: 0,
                    failed: 0,
                    broken: is_silent(from - width_ms, span),
                }
            };
            let times = (0..span.points as i64).map(|at| span.from.0 + at * width_ms);
            let polled = times.filter(|at| !is_silent(*at, span) && *at <= now.0);
            Some(History::Numbers { width_ms, columns: polled.map(column).collect() })
        }
        _ => None,
    }
}
