//! Two boxes live through the same time, and only one of them has a clock that is set again and again.

use crate::laws::{Broken, Law};
use crate::shell::{Life, Options, Told};

const SEEDS: u64 = 12;
const DAYS: u64 = 15;

fn told(seed: u64, clock_steps: bool) -> Result<Vec<Told>, Broken> {
    let mut life = Life::new(seed, Options { days: DAYS, clock_steps, restarts: false, told: false });
    life.live()?;
    Ok(life.told)
}

fn compare(seed: u64) -> Result<usize, Broken> {
    let (steps, none) = (told(seed, true)?, told(seed, false)?);
    let differs = steps.iter().zip(&none).position(|(one, other)| one != other);
    let differs = differs.or((steps.len() != none.len()).then_some(steps.len().min(none.len())));
    match differs {
        Some(at) => Law::ClockSteps.broken(format!("{:?}, without steps {:?}", steps.get(at), none.get(at))),
        None => Ok(steps.len()),
    }
}

/// Apart from wall times and the years in numbers all is the same. A restart goes by the wall clock: there is none here.
#[test]
fn a_step_of_the_clock_raises_and_ends_nothing() {
    let mut transitions = 0;
    for seed in 1..=SEEDS {
        match compare(seed) {
            Ok(count) => transitions += count,
            Err(Broken { law, what }) => panic!("seed {seed}, {law:?}: {what}"),
        }
    }
    assert!(transitions > 10_000, "{transitions} are few");
}
