//! Service levels: what the contract promises for a fault, and how much of that time has passed.
//!
//! **Duty.** [`calendar`]: which wall time counts as service time. [`policy`]: limits for a kind of fault, and which
//! policy a fault falls under. [`clock`]: the clock of one fault, with its warnings and breaches.
//!
//! **Place in the flow.** The site file hands in policies, the fault engine keeps a clock for each fault, the store
//! keeps what the clock says it must, pages and reports read it.
//!
//! **Refuses.** No clock and no zones: moments come in as [`Now`](crate::time::Now), the site's offset from UTC as
//! seconds, so that whoever knows the zone's rules (summer time) hands in the offset of the moment. No pause: shelving
//! a fault changes nothing here.

pub mod calendar;
pub mod clock;
pub mod policy;
