//! The figures of a period: known weeks, laws that hold for any past, and a second computation in Python.

mod compared;
mod known;
mod laws;
mod lives;
mod random;
mod second_opinion;
