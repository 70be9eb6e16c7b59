//! Device profiles: what a model of equipment is asked, what its answers mean, when they mean a fault.
//!
//! **Duty.** Reads `device-profiles/*.toml`, checks them whole with errors that point at the place
//! ([`schema`], [`diagnostic`]), keeps them by id and finds the one for a device ([`catalogue`]), turns raw answers
//! into readings ([`translate`]), and proves every profile with its recorded fixtures through the real engine
//! ([`proof`]).
//!
//! **Place in the flow.** `driver` asks what [`schema::Profile::plan`] says and hands the answer to a
//! [`translate::Translator`]; the readings go on to `core`'s derivation and fault engine. Fixtures take the very same
//! way.
//!
//! **Refuses.** No network, no clock, no judgement: a reading is a value or the reason why there is none, and only
//! the engine decides what that means. Files and answers never panic it and never grow it without bound.

pub mod bus;
pub mod catalogue;
pub mod command;
pub mod diagnostic;
pub mod document;
pub mod overlay;
pub mod proof;
pub mod schema;
pub mod snmprec;
pub mod translate;
