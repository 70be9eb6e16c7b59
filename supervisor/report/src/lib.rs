//! Reports for managers: the weekly equipment health summary (设备健康周报).
//!
//! **Duty.** From what happened ([`Past`]) to a page that is signed: which week ([`week`]), every figure that is printed
//! ([`weekly`]), what they mean in one sentence ([`conclusion`]), and how it is said ([`html`], [`json`]).
//!
//! **Place in the flow.** The store hands the past in through the panel or the command line; what comes out is text.
//! The figures themselves are [`roundsman_core::figures`]; nothing is computed here that is not printed.
//!
//! **Refuses.** No clock, no store, no network: now, the zone and the past are passed in. Nothing is printed that the
//! past does not hold: a section without a source is absent, time nobody watched is no data and never normal, and an
//! open fault is on the page until it ends. Text of devices and people is escaped.

mod chart;
pub mod conclusion;
pub mod html;
pub mod json;
pub mod moment;
mod past;
mod voice;
pub mod week;
pub mod weekly;

pub use past::{About, Named, Past};
pub use week::{Week, WeekError};
pub use weekly::{Brief, Weekly, brief, weekly};
