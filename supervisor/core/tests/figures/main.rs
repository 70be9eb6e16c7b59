//! The figures of a period: known weeks, laws that hold for any past, and a second computation in Python.

mod compared;
mod dice;
mod laws;
mod lives;
mod outages;
mod python;
mod random;
mod second_opinion;
mod weeks;
