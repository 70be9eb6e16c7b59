//! Random lives of a site: whatever happens, every sample with a date comes back.

use super::*;

/// What one poll of a device brings.
#[derive(Clone, Debug)]
enum Brings {
    Nothing,
    Failure(Absence),
    Answer { load: Option<Sample>, octets: Option<u64>, state: Option<Result<u8, Absence>>, name: Option<u8> },
}

fn brings() -> impl Strategy<Value = Brings> {
    let absence = || (0..Absence::ALL.len()).prop_map(|at| Absence::ALL[at]);
    let load = prop_oneof![
        4 => (0..1_000_i32).prop_map(|x| Ok(Value::Number(f64::from(x) / 10.0))),
        6 => (0..2_i32).prop_map(|x| Ok(Value::Number(f64::from(x)))),
        2 => (-1e12..1e12_f64).prop_map(|x| Ok(Value::Number(x))),
        1 => absence().prop_map(Err),
    ];
    let state = prop_oneof![5 => (0..3_u8).prop_map(Ok), 1 => absence().prop_map(Err)];
    let answer = (
        prop::option::weighted(0.9, load),
        prop::option::weighted(0.9, prop_oneof![any::<u64>(), Just(1 << 20)]),
        prop::option::weighted(0.9, state),
        prop::option::weighted(0.9, 0..2_u8),
    )
        .prop_map(|(load, octets, state, name)| Brings::Answer { load, octets, state, name });
    prop_oneof![1 => Just(Brings::Nothing), 1 => absence().prop_map(Brings::Failure), 8 => answer]
}

/// What happens at a site.
#[derive(Clone, Debug)]
enum Happens {
    Cycle { after_ms: i64, polls: [Brings; 2], steps: u8 },
    Silence { ms: i64 },
    Step { ms: i64 },
    Reboot { off_ms: i64, synchronised: bool },
    Synchronise { to_ms: i64 },
    Kill,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        30 => (5 * MINUTE..40 * MINUTE, brings(), brings(), 0..6_u8)
            .prop_map(|(after_ms, a, b, steps)| Happens::Cycle { after_ms, polls: [a, b], steps }),
        1 => (0..30 * HOUR).prop_map(|ms| Happens::Silence { ms }),
        1 => prop_oneof![-2_000..2_000_i64, -40 * HOUR..40 * HOUR].prop_map(|ms| Happens::Step { ms }),
        1 => (0..10 * HOUR, any::<bool>())
            .prop_map(|(off_ms, synchronised)| Happens::Reboot { off_ms, synchronised }),
        1 => (-HOUR..20 * HOUR).prop_map(|to_ms| Happens::Synchronise { to_ms }),
        1 => Just(Happens::Kill),
    ]
}

impl Brings {
    fn poll(&self, device: &str, taken_at: Mono) -> Option<Poll> {
        let readings = match self {
            Brings::Nothing => return None,
            Brings::Failure(absence) => Err(*absence),
            Brings::Answer { load, octets, state, name } => Ok([
                load.clone().map(|sample| reading(METRICS[0], sample)),
                octets.map(|n| reading(METRICS[1], Ok(Value::Counter64(n >> 12)))),
                state.map(|s| {
                    let word = |n: u8| Value::State(["up", "down", "测试"][usize::from(n)].into());
                    reading(METRICS[2], s.map(word))
                }),
                name.map(|n| reading(METRICS[3], Ok(Value::Text(format!("核心 {n}").into())))),
            ]
            .into_iter()
            .flatten()
            .collect()),
        };
        Some(poll(device, taken_at, readings))
    }
}

fn live(bench: &mut Bench, what: &[Happens]) {
    for happens in what {
        match happens {
            Happens::Cycle { after_ms, polls, steps } => {
                bench.pass(*after_ms);
                let taken = |n: u64| Mono(bench.now.mono.0 - 15_000 - 7 * n);
                // Far apart: two parts.
                let devices = ["a", "b"];
                let polls: Vec<Poll> = polls
                    .iter()
                    .zip(devices)
                    .enumerate()
                    .filter_map(|(n, (brings, device))| brings.poll(device, taken(n as u64)))
                    .collect();
                bench.record(polls);
                for _ in 0..*steps {
                    bench.step();
                }
            }
            Happens::Silence { ms } => bench.pass(*ms),
            Happens::Step { ms } => bench.now.wall.0 += ms,
            Happens::Reboot { off_ms, synchronised } => {
                bench.now.wall.0 = if *synchronised { bench.now.wall.0 + off_ms } else { 0 };
                if *synchronised && bench.now.wall.0 < T0 {
                    bench.now.wall.0 = T0 + off_ms;
                }
                bench.reboot(*synchronised);
            }
            Happens::Synchronise { to_ms } if !bench.synchronised => {
                bench.synchronise(T0 + 40 * HOUR + to_ms)
            }
            Happens::Synchronise { .. } => {}
            Happens::Kill => bench.kill(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever happens, every sample with a date comes back as it was polled: from the rows, from the windows, from
    /// the days; and the roll-ups agree with them.
    #[test]
    fn every_sample_comes_back(what in prop::collection::vec(happens(), 20..260), small in any::<bool>()) {
        let budget = if small { Budget { chunks: 1, samples: 1 } } else { Budget::default() };
        let mut bench = Bench::new(budget);
        let (first, second) = what.split_at(what.len() / 2);
        live(&mut bench, first);
        bench.check()?;
        live(&mut bench, second);
        bench.settle();
        bench.check()?;
        bench.check_roll_ups()?;
        bench.pass(30 * HOUR);
        bench.settle();
        bench.check()?;
        bench.check_roll_ups()?;
        bench.kill();
        bench.check()?;
    }
}
