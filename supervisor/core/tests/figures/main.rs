//! The figures of a period: known weeks, laws that hold for any past, and a second computation in Python.

mod compared;
mod laws;
mod lives;
mod outages;
mod random;
mod second_opinion;
mod weeks;
