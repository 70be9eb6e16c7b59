//! Whole polls and commands through a session, on virtual time, against peers that answer as the manuals say.

mod bench;
mod frames;
mod grid;
mod registers;
mod texts;
