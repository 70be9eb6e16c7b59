//! The seam: everything the panel knows of the system comes through [`Site`].

mod command;

pub use command::{
    Choice, CommandArgument, CommandError, CommandWanted, Commands, DeviceCommand, Forbidden, Told,
};

use crate::command::CommandReport;
use crate::feed::Feed;
use jiff::tz::TimeZone;
use roundsman_core::device::{Class, Grid, Network, Tier};
use roundsman_core::fault::{Act, Fault, FaultId, Refusal, Transition};
use roundsman_core::model::Kind;
use roundsman_core::reading::Sample;
use roundsman_core::record::{self, Content, Correction, Record, RecordNumber};
use roundsman_core::rule::Severity;
use roundsman_core::tally::{Counts, Driver, Spread, Summary};
use roundsman_core::text::{Bilingual, Language};
use roundsman_core::time::Wall;
use roundsman_report::Past;
use roundsman_store::{History, SeriesName, Span};
use std::pin::Pin;
use std::sync::Arc;

/// An answer that waits for the store.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A fault with its transitions, oldest first.
pub type FaultStory = (Fault, Vec<Transition>);

/// The running system as the panel sees it. Plain methods answer from memory and must not block; the others wait
/// for the store or for a commit.
pub trait Site: Send + Sync + 'static {
    /// Name, language, time zone.
    fn about(&self) -> About;
    /// The wall clock.
    fn now(&self) -> Wall;
    /// All devices in the order of the site file.
    fn devices(&self) -> Vec<SiteDevice>;
    /// One device.
    fn device(&self, id: &str) -> Option<SiteDevice> {
        self.devices().into_iter().find(|device| &*device.id == id)
    }
    /// The latest readings of one device; `None` if there is no such device.
    fn readings(&self, device: &str) -> Option<Vec<SiteReading>>;
    /// What only the page of one device shows; `None` if there is no such device.
    fn detail(&self, device: &str) -> Option<DeviceDetail>;
    /// What the rule of a fault watches on this device, if that is a number; `None` where rule or device are gone.
    fn watched(&self, device: &str, rule: &str, instance: &str) -> Option<Charted>;
    /// The open faults, in any order.
    fn open_faults(&self) -> Vec<Fault>;
    /// Milliseconds since the newest good answer of any device; `None` before the first one.
    fn data_age_ms(&self) -> Option<u64>;
    /// Id of the newest published transition, 0 before the first.
    fn last_transition(&self) -> u64;
    /// How the polls of every device go, by what carries them out, in the order of the site file.
    fn polling(&self) -> Vec<(Arc<str>, Driver, Summary)>;
    /// What is known of the service as a whole.
    fn numbers(&self) -> Numbers;
    /// How much room the store has, and when it was last backed up.
    fn storage(&self) -> Storage;
    /// Where transitions and changes of device states are published; the site publishes, the panel listens.
    fn feed(&self) -> &Feed;

    /// The past of a series; `None` if history has no such series.
    fn history(&self, series: SeriesName, span: Span) -> Later<'_, Result<Option<History>, Unavailable>>;
    /// Faults, newest first, at most `limit`, with ids below `before`; of one device if it is named.
    fn faults(
        &self,
        which: Which,
        device: Option<Arc<str>>,
        limit: usize,
        before: Option<FaultId>,
    ) -> Later<'_, Result<Vec<Fault>, Unavailable>>;
    /// One fault and what happened to it.
    fn fault(&self, id: FaultId) -> Later<'_, Result<Option<FaultStory>, Unavailable>>;
    /// Faults that were confirmed from one moment to another, the first first, at most `limit`.
    fn faults_between(
        &self,
        from: Wall,
        to: Wall,
        limit: usize,
    ) -> Later<'_, Result<Vec<Fault>, Unavailable>>;
    /// The devices that a fault hides, or hid until it ended.
    fn hides(&self, id: FaultId) -> Later<'_, Result<Vec<Arc<str>>, Unavailable>>;
    /// The transitions after number `id` in order, at most `limit`.
    fn transitions_after(&self, id: u64, limit: usize) -> Later<'_, Result<Vec<Transition>, Unavailable>>;
    /// Does something to a fault; answers with the fault after the commit.
    fn act(&self, id: FaultId, by: Arc<str>, act: Act) -> Later<'_, Result<Fault, ActionError>>;
    /// What a device can be told; `None` if there is no such device.
    fn commands(&self, device: &str) -> Option<Commands>;
    /// What a device was told, newest first, at most `limit`, with numbers below `before`.
    fn told(
        &self,
        device: Arc<str>,
        limit: usize,
        before: Option<i64>,
    ) -> Later<'_, Result<Vec<Told>, Unavailable>>;
    /// Tells a device to do something; answers when it was read back, which takes as long as the device does.
    fn command(&self, wanted: CommandWanted) -> Later<'_, Result<CommandReport, CommandError>>;
    /// Maintenance records, the latest written first, at most `limit`, written before `before`.
    fn records(
        &self,
        query: RecordQuery,
        limit: usize,
        before: Option<RecordNumber>,
    ) -> Later<'_, Result<Vec<Record>, Unavailable>>;
    /// What happened between two wall times, at most five weeks, with the maintenance records of that time and of
    /// the weeks after it.
    fn past(&self, from: Wall, to: Wall) -> Later<'_, Result<Past, Unavailable>>;
    /// One maintenance record.
    fn record(&self, number: RecordNumber) -> Later<'_, Result<Option<Record>, Unavailable>>;
    /// Writes a maintenance record; answers after the commit. The same `key` writes once.
    fn add_record(
        &self,
        content: Content,
        by: Arc<str>,
        key: Option<String>,
    ) -> Later<'_, Result<Record, RecordError>>;
    /// Writes an amendment; answers with the record after the commit. The same `key` writes once.
    fn amend_record(
        &self,
        number: RecordNumber,
        correction: Correction,
        by: Arc<str>,
        key: Option<String>,
    ) -> Later<'_, Result<Record, RecordError>>;
    /// The answer kept under an Idempotency-Key within the last 24 hours.
    fn recall(&self, key: String) -> Later<'_, Result<Option<Kept>, Unavailable>>;
    /// Keeps an answer under an Idempotency-Key.
    fn remember(&self, key: String, answer: Kept) -> Later<'_, Result<(), Unavailable>>;
}

/// Who the site is.
#[derive(Clone, Debug)]
pub struct About {
    /// Name shown to people.
    pub name: Arc<str>,
    /// Language where a visitor asks for none.
    pub language: Language,
    /// Zone of every time shown.
    pub zone: TimeZone,
    /// The program's version.
    pub version: Arc<str>,
}

/// State of a device: its worst open fault, or why there is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceState {
    /// Worst open fault is critical.
    Critical,
    /// Major.
    Major,
    /// Minor.
    Minor,
    /// Warning.
    Warning,
    /// Reachable, but no metric is good.
    NoData,
    /// Behind a failed device.
    Hidden,
    /// Not polled yet.
    Pending,
    /// Taken out of service.
    OutOfService,
    /// Polled and well.
    Ok,
}

impl DeviceState {
    /// All of them, worst first.
    pub const ALL: [DeviceState; 9] = [
        DeviceState::Critical,
        DeviceState::Major,
        DeviceState::Minor,
        DeviceState::Warning,
        DeviceState::NoData,
        DeviceState::Hidden,
        DeviceState::Pending,
        DeviceState::OutOfService,
        DeviceState::Ok,
    ];

    /// The state that a fault of this severity gives.
    pub fn of(severity: Severity) -> DeviceState {
        match severity {
            Severity::Critical => DeviceState::Critical,
            Severity::Major => DeviceState::Major,
            Severity::Minor => DeviceState::Minor,
            Severity::Warning | Severity::Indeterminate => DeviceState::Warning,
        }
    }

    /// The word used in the API.
    pub fn word(self) -> &'static str {
        match self {
            DeviceState::Critical => "critical",
            DeviceState::Major => "major",
            DeviceState::Minor => "minor",
            DeviceState::Warning => "warning",
            DeviceState::NoData => "no-data",
            DeviceState::Hidden => "hidden",
            DeviceState::Pending => "pending",
            DeviceState::OutOfService => "out-of-service",
            DeviceState::Ok => "ok",
        }
    }

    /// The word shown to people.
    pub fn name(self) -> Bilingual {
        match self {
            DeviceState::Critical => Bilingual::new("紧急", "Critical"),
            DeviceState::Major => Bilingual::new("重要", "Major"),
            DeviceState::Minor => Bilingual::new("次要", "Minor"),
            DeviceState::Warning => Bilingual::new("提示", "Warning"),
            DeviceState::NoData => Bilingual::new("无数据", "No data"),
            DeviceState::Hidden => Bilingual::new("受影响", "Affected"),
            DeviceState::Pending => Bilingual::new("待首检", "Pending"),
            DeviceState::OutOfService => Bilingual::new("停用", "Out of service"),
            DeviceState::Ok => Bilingual::new("正常", "OK"),
        }
    }
}

/// A device and how it stands.
#[derive(Clone, Debug)]
pub struct SiteDevice {
    /// Id of the site file.
    pub id: Arc<str>,
    /// Name shown to people.
    pub name: Arc<str>,
    /// Class.
    pub class: Class,
    /// Id of the resolved profile.
    pub profile: Arc<str>,
    /// Name of the profile for people.
    pub profile_name: Bilingual,
    /// Tier.
    pub tier: Tier,
    /// Network.
    pub network: Network,
    /// Where it stands; may be empty.
    pub location: Arc<str>,
    /// State.
    pub state: DeviceState,
    /// Number of open faults.
    pub faults: u32,
    /// When the latest poll ended, good or not.
    pub last_poll: Option<Wall>,
    /// Address as configured.
    pub address: Arc<str>,
    /// How it is reached: `icmp-unprivileged`, `icmp-raw`, `tcp:22`, `echo:7`, `snmp`; `icmp` where the box may not.
    pub reach: Arc<str>,
    /// What it hangs on: device id, and the port there where it is known.
    pub uplinks: Vec<(Arc<str>, Option<Arc<str>>)>,
    /// Seconds between two polls.
    pub interval_s: u32,
    /// The failed device that hides it: every path from where the box stands to it crosses that one. Its state is
    /// then [`DeviceState::Hidden`] and its faults are consequences.
    pub behind: Option<Arc<str>>,
    /// Speed of its line as configured, such as `100M`; may be empty.
    pub line: Arc<str>,
    /// The figures it is judged by at a glance.
    pub headlines: Headlines,
}

/// The figures of a device that lists show; `None` where the profile or the device has none, or the latest poll
/// brought no value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Headlines {
    /// `cpu.load`, %; of several processors the busiest.
    pub cpu_load: Option<f64>,
    /// `memory.used`, %.
    pub memory_used: Option<f64>,
    /// `temperature.value`, Cel; of several sensors the hottest.
    pub temperature: Option<f64>,
    /// `humidity.value`, %.
    pub humidity: Option<f64>,
    /// `line.loss`, %: what reach probes lose on the way.
    pub line_loss: Option<f64>,
    /// The line towards the upper tier: the interface tagged `uplink`; of several the first one that is up.
    pub trunk: Option<Trunk>,
}

/// A line to the upper tier as its lower end sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trunk {
    /// Operational; `None` while nobody knows.
    pub up: Option<bool>,
    /// Towards the lower end, bit/s.
    pub in_rate: Option<f64>,
    /// Towards the upper end, bit/s.
    pub out_rate: Option<f64>,
    /// The configured speed, else the interface's own, bit/s.
    pub speed: Option<f64>,
}

/// What only the page of one device shows.
#[derive(Clone, Debug, Default)]
pub struct DeviceDetail {
    /// What it is asked in: `SNMP v2c`.
    pub protocol: Arc<str>,
    /// Name of its credentials in the site file; never their content.
    pub credentials: Arc<str>,
    /// Instances with a tag, and the tag.
    pub tags: Vec<(Arc<str>, Arc<str>)>,
    /// Seconds between two probes of its line; `None` where nobody looks at it.
    pub line_probe_s: Option<u32>,
    /// How its polls go, by what carries them out; those that have polled it only.
    pub polling: Vec<(Driver, Summary)>,
    /// What its latest poll said beside the answer, for people: why the device refused.
    pub remarks: Vec<Bilingual>,
    /// Its headline figures, of which the page shows the past; at most 8.
    pub figures: Vec<Charted>,
    /// How many commands it takes.
    pub commands: usize,
    /// How its units are placed, where it has several of the same kind.
    pub grid: Option<Grid>,
}

/// A series of numbers that pages chart.
#[derive(Clone, Debug)]
pub struct Charted {
    /// Metric name.
    pub metric: Arc<str>,
    /// Its name for people; may be empty.
    pub title: Bilingual,
    /// Instance label; empty for a scalar.
    pub instance: Arc<str>,
    /// UCUM unit; empty where there is none.
    pub unit: Arc<str>,
    /// What the latest poll brought.
    pub now: Option<f64>,
    /// Where its rules draw the line, worst first.
    pub limits: Arc<[Limit]>,
}

/// A limit of a rule, in the unit of its metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// What crossing it raises.
    pub severity: Severity,
    /// The value.
    pub at: f64,
    /// Bad above it (or below it).
    pub above: bool,
}

/// One latest reading.
#[derive(Clone, Debug)]
pub struct SiteReading {
    /// Metric name.
    pub metric: Arc<str>,
    /// Its name for people; may be empty.
    pub title: Bilingual,
    /// Kind.
    pub kind: Kind,
    /// Instance label; empty for a scalar.
    pub instance: Arc<str>,
    /// UCUM unit; empty where there is none.
    pub unit: Arc<str>,
    /// What came back.
    pub sample: Sample,
    /// When.
    pub taken_at: Wall,
    /// Where its rules draw the line, worst first.
    pub limits: Arc<[Limit]>,
}

/// Which faults are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Not ended.
    Open,
    /// Ended.
    Closed,
    /// Both.
    All,
}

/// The store could not answer, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable(pub String);

/// Why an operator's action did not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionError {
    /// The fault engine said no.
    Refused(Refusal),
    /// It could not be made durable.
    Unavailable(Unavailable),
}

/// Which maintenance records; what is not set does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordQuery {
    /// Of this device.
    pub device: Option<Arc<str>>,
    /// Of this fault.
    pub fault: Option<FaultId>,
    /// Of this kind.
    pub kind: Option<record::Kind>,
    /// Happened at this moment or later.
    pub from: Option<Wall>,
    /// Happened before this moment.
    pub to: Option<Wall>,
    /// Words that all stand somewhere in the record.
    pub text: String,
}

/// Why a maintenance record or an amendment was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// It does not fit.
    Refused(record::Refusal),
    /// It could not be made durable.
    Unavailable(Unavailable),
}

/// An answer kept for a repeated request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: String,
}

/// The disk under the store, and the backups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// The store's folder, for people who free space there.
    pub folder: Arc<str>,
    /// Bytes left on its file system, where that says so.
    pub free_bytes: Option<u64>,
    /// Polls are not recorded: room is short.
    pub history_paused: bool,
    /// Not even faults and records find room.
    pub writes_refused: bool,
    /// Days of a past that are being taken over: how many are there, and how many it will be.
    pub filling: Option<(u32, u32)>,
    /// The newest nightly backup: when it was made, and its bytes.
    pub backup: Option<(Wall, u64)>,
}

/// A distribution of durations for the metrics page.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// Upper bounds in seconds, rising, with the number of durations in that bucket alone (not cumulative).
    pub buckets: Vec<(f64, u64)>,
    /// Sum of all durations, seconds.
    pub sum_s: f64,
    /// How many.
    pub count: u64,
}

/// How the polls of all devices by one driver go.
#[derive(Clone, Debug)]
pub struct DriverNumbers {
    /// What carries them out.
    pub driver: Driver,
    /// How they go; its strays, duplicates and rejected are all that came to its sockets, whoever sent it.
    pub summary: Summary,
    /// Durations of all polls since the start of the process.
    pub latency: Latencies,
}

/// The service as a whole. Counters run from the start of the process.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    /// By driver, also those that have polled nothing.
    pub drivers: Vec<DriverNumbers>,
    /// Datagrams the kernel dropped because the receive buffer was full.
    pub overflows: u64,
    /// Duration of store commits, from the call to the answer.
    pub commit_latency: Latencies,
    /// From when something was due to when the loop came to it, the latest 1,024 times.
    pub loop_lateness: Option<Spread>,
    /// Times a task woke up, by task.
    pub wakeups: Vec<(&'static str, u64)>,
    /// Things waiting, by queue.
    pub queues: Vec<(&'static str, u64)>,
    /// CPU time of the process, seconds.
    pub cpu_s: f64,
    /// Resident memory of the process, bytes.
    pub resident_bytes: u64,
    /// Since the process started, seconds.
    pub uptime_s: u64,
    /// The store's files, bytes.
    pub store_bytes: u64,
}

impl Numbers {
    /// Counters of all polls; reach probes are no polls.
    pub fn polls(&self) -> Counts {
        let polling = self.drivers.iter().filter(|of| of.driver != Driver::Reach);
        polling.fold(Counts::default(), |sum, of| sum + of.summary.counts)
    }
}
