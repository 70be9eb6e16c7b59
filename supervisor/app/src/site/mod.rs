//! The site file: read, checked whole, references resolved.
//!
//! [`load`] reaches for nothing but files: no network, no device. Everything that is wrong is found at once, with
//! file, line and a hint.

mod bus;
mod camera;
mod credentials;
mod device;
mod holidays;
mod hours;
mod limits;
mod read;
pub(crate) mod sla;
mod values;

pub(crate) use bus::BusEntry;
pub(crate) use camera::Fingerprint;
pub(crate) use limits::Limits;

use jiff::tz::TimeZone;
use roundsman_core::device::{Device, DeviceIx, Grid};
use roundsman_core::sla::policy::Policy;
use roundsman_core::text::Language;
use roundsman_driver::onvif::camera::Target as Camera;
use roundsman_driver::reach::Reach;
use roundsman_profile::catalogue::Catalogue;
use roundsman_profile::diagnostic::{Diagnostic, Rejected, Source};
use roundsman_profile::schema::Profile;
use roundsman_store::Retention;
use roundsman_wire::bus::plan::Target as Units;
use roundsman_wire::snmp;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest site file in bytes: 10,000 devices with all their keys stay below half of it.
const MOST_BYTES: u64 = 8 << 20;

/// Most devices of one site. Above it several boxes share the work.
pub(crate) const MOST_DEVICES: usize = 10_000;

/// A checked site.
#[derive(Debug)]
pub(crate) struct Site {
    /// Name shown to people.
    pub name: Arc<str>,
    /// Zone of every time shown.
    pub zone: TimeZone,
    /// Language where a visitor asks for none.
    pub language: Language,
    /// When the box's wall clock is believed.
    pub clock: ClockSource,
    /// The device that the box plugs into; without it nothing is ever hidden.
    pub attached_to: Option<DeviceIx>,
    /// The folder of the store.
    pub store: PathBuf,
    /// How long history is kept.
    pub keep: Retention,
    /// Where the panel listens; loopback.
    pub listen: SocketAddr,
    /// All profiles.
    pub catalogue: Arc<Catalogue>,
    /// Devices in the order of the file.
    pub devices: Vec<SiteEntry>,
    /// The buses that devices hang on.
    pub buses: Vec<BusEntry>,
    /// Limits that the site changes.
    pub limits: Limits,
    /// What the contract promises; the first that is for a fault holds, for none it is nothing.
    pub sla: Vec<Arc<Policy>>,
    /// What is allowed but not good.
    pub warnings: Vec<Diagnostic>,
}

/// When the box's wall clock is believed: what is recorded under a clock that is not has no date and is in no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockSource {
    /// Once the kernel says that it was set from the network since the boot.
    Network,
    /// Always: the box has a clock with a battery, and somebody looks after it. For a box that never hears of the time.
    Trusted,
}

/// A device of the site and how it is asked.
#[derive(Clone, Debug)]
pub(crate) struct SiteEntry {
    /// The device as the domain knows it.
    pub device: Device,
    /// Its profile, the site's limits applied. For `profile = "auto"` the generic one until the device has said
    /// what it is.
    pub profile: Arc<Profile>,
    /// Whether the profile is to be found by the device's sysObjectID.
    pub auto: bool,
    /// Its address; units of a bus have none.
    pub address: Option<IpAddr>,
    /// How it is asked.
    pub asked: Asked,
    /// Its SNMP agent as whoever may write there; `None`: it is only read.
    pub writer: Option<Arc<snmp::session::Target>>,
    /// Name of its `[credentials.…]`.
    pub credentials: Arc<str>,
    /// The line towards its uplink, where the site says how fast it is.
    pub line: Option<Line>,
    /// How it is reached; `None` where the site leaves that to the box.
    pub reach: Option<Reach>,
}

/// How a device is asked. Closed: a new protocol is a new variant here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    /// Its SNMP agent.
    Snmp(Arc<snmp::session::Target>),
    /// Units of a bus.
    Bus {
        /// Id of the [`BusEntry`].
        bus: Arc<str>,
        /// The units.
        target: Arc<Units>,
        /// How they are placed, where the device is more than one.
        grid: Option<Grid>,
        /// What each of them is called in readings; a device that is one unit has one empty name.
        labels: Arc<[Arc<str>]>,
    },
    /// A camera or recorder.
    Onvif(Arc<Camera>),
}

impl Asked {
    /// How its SNMP agent is asked, if it is.
    pub(crate) fn snmp(&self) -> Option<&Arc<snmp::session::Target>> {
        match self {
            Asked::Snmp(target) => Some(target),
            Asked::Bus { .. } | Asked::Onvif(_) => None,
        }
    }

    /// Whether answers come from the same place: what is remembered of them holds.
    pub(crate) fn is_same_place(&self, other: &Asked) -> bool {
        match (self, other) {
            (Asked::Snmp(one), Asked::Snmp(other)) => one.address == other.address,
            (Asked::Onvif(one), Asked::Onvif(other)) => one.address == other.address,
            (one, other) => one == other,
        }
    }
}

/// The line that a device hangs on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// Its speed as written, such as `100M`.
    pub text: Arc<str>,
    /// The same in bit/s.
    pub speed: f64,
}

/// Reads and checks a site file.
pub(crate) fn load(path: &Path) -> Result<Site, Rejected> {
    let text = read_text(path).map_err(|why| *why)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    read::site(&Source::new(path.display().to_string(), text), folder)
}

fn read_text(path: &Path) -> Result<String, Box<Diagnostic>> {
    let unreadable = |why: String| {
        let what = format!("the site file {} cannot be read: {why}", path.display());
        Box::new(Diagnostic::unreadable(what).hint("name the site file after --config, such as site.toml"))
    };
    let size = std::fs::metadata(path).map_err(|e| unreadable(e.to_string()))?.len();
    if size > MOST_BYTES {
        return Err(unreadable(format!("it has {size} bytes, at most {MOST_BYTES} are read")));
    }
    let bytes = std::fs::read(path).map_err(|e| unreadable(e.to_string()))?;
    String::from_utf8(bytes).map_err(|error| {
        // What comes before the first bad byte is the same in the text that is shown.
        let bad = error.utf8_error().valid_up_to();
        let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let at = Source::new(path.display().to_string(), shown).at(bad..bad + 1);
        let hint = "save the file as UTF-8; GB18030 and GBK are not read";
        Box::new(Diagnostic::new(&at, "this is not UTF-8").hint(hint))
    })
}
