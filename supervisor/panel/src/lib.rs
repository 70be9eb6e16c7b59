//! The panel: JSON API, live events, metrics, and one page.
//!
//! **Duty.** Shows what the running system knows to people and programs, and carries an operator's acknowledgement,
//! closing or maintenance record to it.
//!
//! **Place in the flow.** The last step: it reads snapshots and listens to the [`Feed`] after the commit. It reaches
//! the system only through the trait [`Site`], which the binary implements.
//!
//! **Refuses.** It keeps no state of the site, judges nothing, opens no device and no database, keeps no cookie but the
//! visitor's language, theme and sizes, and lets no watcher hold memory of its own. Names come from the network and are text, never markup.

pub mod drawing;

rust_i18n::i18n!("locales", fallback = "zh-CN");

mod actions;
mod api;
mod command;
mod damaged;
mod events;
mod feed;
mod figure;
mod history;
mod metrics;
mod page;
mod problem;
mod record;
mod report;
mod router;
mod serve;
mod site;
mod stall;
mod view;
mod viewer;
mod voice;

pub use command::CommandReport;
pub use damaged::{Damage, RestoreRequest, serve_damaged};
pub use feed::{Feed, RING};
pub use router::Door;
pub use serve::{Listener, serve};
pub use site::{
    About, ActionError, Charted, Choice, CommandArgument, CommandError, CommandWanted, Commands,
    DeviceCommand, DeviceDetail, DeviceState, DriverNumbers, FaultStory, Forbidden, Headlines, Kept,
    Latencies, Later, Limit, Numbers, RecordError, RecordQuery, Site, SiteDevice, SiteReading, Storage, Told,
    Trunk, Unavailable, Which,
};
