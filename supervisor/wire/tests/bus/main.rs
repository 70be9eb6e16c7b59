//! The bus on virtual time: against a simulated line with real slaves and every fault, and rule by rule.

mod hundred_thousand;
mod rules;
mod silent_units;
mod world;
