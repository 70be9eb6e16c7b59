//! Figures of a week through the whole way: a world in which things happen, the real fault engine that watches it, a
//! real store that is closed and opened again, and what is reckoned from it.
//!
//! [`world`] is what happens and [`log`] the world's own record of it, from which `tests/simulation/figures.py` reckons;
//! neither sees the engine or the store. [`product`] is the supervisor without sockets: engine, who is hidden, store.
//! [`seeds`] has them agree for random worlds, [`weeks`] for a table of known ones.

#[path = "../../../core/tests/figures/dice.rs"]
mod dice;
mod log;
mod product;
#[path = "../../../core/tests/figures/python.rs"]
mod python;
mod seeds;
mod weeks;
mod world;
