//! A simulated site and simulated time over the fault engine: whatever happens, the laws hold.
//!
//! [`site`] is a random network, [`world`] what is alive in it, [`fate`] what happens, [`shell`] the box around the engine
//! with its [`store`], [`laws`] what must hold at every step, [`counts`] what happened.
//!
//! A seed that fails is printed; `ROUNDSMAN_SEED=… cargo test -p roundsman-core --test simulation one_seed -- --nocapture`
//! lives it alone and tells what happens in it.

#![expect(clippy::print_stdout, reason = "what happened, for whoever asks for it")]

mod counts;
#[path = "../../supervisor/core/tests/figures/dice.rs"]
mod dice;
mod fate;
mod laws;
#[cfg(feature = "mutations")]
mod mutations;
mod shell;
mod site;
mod store;
mod twins;
mod world;

use counts::Counts;
use laws::Broken;
use shell::{Life, Options};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const SEEDS: u64 = 200;
const USUAL: Options = Options { days: 50, clock_steps: true, restarts: true, told: false };
const ALONE: &str = "cargo test -p roundsman-core --test simulation one_seed -- --nocapture";
/// Seeds that once failed, lived first.
const KEPT: &[u64] = &[];

fn live(seed: u64, options: Options) -> Result<Counts, String> {
    let mut life = Life::new(seed, options);
    match life.live() {
        Ok(()) => Ok(life.counts),
        Err(Broken { law, what }) => {
            Err(format!("seed {seed}, {law:?}: {what}\nROUNDSMAN_SEED={seed} {ALONE}"))
        }
    }
}

/// Lives many seeds on all cores; the sum of what happened in them.
fn live_all(seeds: &[u64], options: Options) -> Counts {
    let (next, sum, failed) = (AtomicU64::new(0), Mutex::new(Counts::default()), Mutex::new(Vec::new()));
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    match live(seed, options) {
                        Ok(counts) => sum.lock().expect("no panic").add(counts),
                        Err(what) => failed.lock().expect("no panic").push(what),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no panic");
    assert!(
        failed.is_empty(),
        "{} of {} seeds failed\n{}",
        failed.len(),
        seeds.len(),
        failed[..failed.len().min(20)].join("\n\n")
    );
    sum.into_inner().expect("no panic")
}

#[test]
fn the_laws_hold() {
    let seeds: Vec<u64> = KEPT.iter().copied().chain(1..=SEEDS).collect();
    let counts = live_all(&seeds, USUAL);
    println!("{counts}");
    assert_eq!(counts.rare(), Vec::<&str>::new(), "kinds of transitions that hardly happened");
    assert!(counts.events >= 200 * counts.days, "{} events in {} days", counts.events, counts.days);
}

/// A seed by itself, named by the environment.
#[test]
fn one_seed() {
    let Some(seed) = std::env::var("ROUNDSMAN_SEED").ok().and_then(|seed| seed.parse().ok()) else { return };
    if let Err(what) = live(seed, Options { told: true, ..USUAL }) {
        panic!("{what}");
    }
}
