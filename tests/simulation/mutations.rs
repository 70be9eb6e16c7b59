//! The laws are worth what they notice: each mistake that the engine can be made to make breaks one.

use crate::shell::{Life, Options};
use roundsman_core::fault::mutation::{Mutation, switch_on};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const SEEDS: u64 = 120;
const SOME: Options = Options { days: 20, clock_steps: true, restarts: true, told: false };

/// The first seed that shows the mistake, and what it shows.
fn caught(mutation: Mutation) -> Option<String> {
    switch_on(Some(mutation));
    let broken = (1..=SEEDS).find_map(|seed| {
        let broken = Life::new(seed, SOME).live().err()?;
        Some(format!("{mutation:?} breaks {:?} with seed {seed}", broken.law))
    });
    switch_on(None);
    broken
}

#[test]
fn every_mutation_is_caught() {
    let (next, escaped) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(&mutation) = Mutation::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match caught(mutation) {
                        Some(told) => println!("{told}"),
                        None => escaped.lock().expect("no panic").push(mutation),
                    }
                }
            });
        }
    });
    assert_eq!(escaped.into_inner().expect("no panic"), [], "no law notices these");
}
