//! A site in memory: for looking at the page, and for the panel's tests.
#![allow(missing_docs, unreachable_pub, dead_code)]

#[path = "../../../report/tests/weekly/made.rs"]
mod made;

use jiff::tz::TimeZone;
use roundsman_core::device::{Class, Grid, Tier};
use roundsman_core::fault::{
    Acknowledgement, Act, Assignment, Change, Condition, Ending, Fault, FaultId, Refusal, Shelf, Transition,
};
use roundsman_core::model::Kind;
use roundsman_core::reading::{Absence, Value};
use roundsman_core::record::{
    Amendment, Content, Correction, Field, Record, RecordNumber, Refusal as NoRecord,
};
use roundsman_core::rule::Severity;
use roundsman_core::tally::{Cost, DeviceTally, Driver, Polled, Summary};
use roundsman_core::text::{Bilingual, Language};
use roundsman_core::time::Wall;
use roundsman_panel::{
    About, ActionError, Charted, CommandError, CommandReport, CommandWanted, Commands, DeviceDetail,
    DeviceState, DriverNumbers, FaultStory, Feed, Kept, Latencies, Later, Limit, Numbers, RecordError,
    RecordQuery, Site, SiteDevice, SiteReading, Storage, Told, Unavailable, Which,
};
use roundsman_report::Past;
use roundsman_store::{History, SeriesName, Span};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

#[path = "cameras.rs"]
mod cameras;
#[path = "commands.rs"]
pub mod commands;
#[path = "past.rs"]
mod past;
#[path = "things.rs"]
mod things;
#[path = "whole.rs"]
mod whole;

use things::panels;
pub use things::{device, fault, record};

/// 2026-11-18 14:03:22 in Shanghai.
pub const T0: i64 = 1_794_981_802_000;
/// Midnight before Monday of that week.
const MONDAY: i64 = 1_794_758_400_000;

#[derive(Default)]
pub struct State {
    pub devices: Vec<SiteDevice>,
    pub faults: BTreeMap<u64, Fault>,
    pub transitions: Vec<Transition>,
    pub kept: HashMap<String, Kept>,
    pub records: Vec<Record>,
    pub record_keys: HashMap<String, RecordNumber>,
    pub told: Vec<Told>,
    /// Commands wait for this before they are over.
    pub held: Option<Arc<tokio::sync::Semaphore>>,
}

#[derive(Default)]
pub struct SampleSite {
    pub state: Mutex<State>,
    pub feed: Feed,
    pub now: AtomicI64,
    pub store_down: AtomicBool,
    pub storage: Mutex<Storage>,
    /// What the latest poll of every device said beside the answer.
    pub remark: Mutex<Option<Bilingual>>,
}

/// So many polls that took 1 ms, 2 ms … and were started 1 ms late, every tenth of them unanswered.
pub fn polled(polls: u64) -> Summary {
    let mut tally = DeviceTally::default();
    for at in 1..=polls {
        let cost = Cost { requests: 4, retries: 1, octets_out: 300, octets_in: 5_000, ..Cost::default() };
        tally.add(&Polled { answered: at % 10 != 0, took_ms: at, late_ms: Some(1), cost });
    }
    tally.summary()
}

fn latencies() -> Latencies {
    Latencies { buckets: vec![(0.1, 7), (1.0, 2)], sum_s: 1.5, count: 10 }
}

impl SampleSite {
    pub fn empty() -> SampleSite {
        SampleSite { now: AtomicI64::new(T0), ..SampleSite::default() }
    }

    /// One router and one fault.
    pub fn small() -> SampleSite {
        let site = SampleSite::empty();
        let mut router = device("rt-city-core", "市局核心路由器", Tier::City, "rt-province");
        router.state = DeviceState::Major;
        router.faults = 1;
        router.location = "1F 机房 / A1".into();
        router.uplinks = vec![("rt-province".into(), Some("GigabitEthernet0/0/1".into()))];
        let mut upper = device("rt-province", "省局骨干", Tier::Province, "");
        upper.state = DeviceState::Pending;
        upper.last_poll = None;
        site.state.lock().unwrap().devices = vec![upper, router];
        let mut hot = fault(1, "rt-city-core", Severity::Minor);
        hot.key.rule = "board-hot".into();
        hot.key.instance = "MPU Board 0".into();
        hot.value = Some(Value::Number(61.0));
        hot.summary = Bilingual::new("板卡温度 61 ℃", "Board at 61 °C");
        hot.advice = Bilingual::new(
            "检查风扇与滤网，确认机房空调",
            "Check fans and filter, then the air conditioning",
        );
        site.change(Change::Raised, hot.clone());
        hot.severity = Severity::Major;
        hot.value = Some(Value::Number(68.5));
        hot.summary = Bilingual::new("板卡温度 68.5 ℃", "Board at 68.5 °C");
        site.change(Change::Severity { from: Severity::Minor }, hot);
        site.state.lock().unwrap().records.push(record());
        site
    }

    /// The small site, and a wall with a hot panel, one asleep and a silent one.
    pub fn with_wall() -> SampleSite {
        let site = SampleSite::small();
        let mut wall = device("wall-10f", "10 楼会议室大屏", Tier::City, "");
        (wall.class, wall.state, wall.faults) = (Class::VideoWall, DeviceState::Major, 2);
        site.state.lock().unwrap().devices.push(wall);
        for (id, rule, instance, severity) in
            [(7, "temperature-high", "r1c2", Severity::Warning), (8, "panel-silent", "r2c2", Severity::Major)]
        {
            let mut open = fault(id, "wall-10f", severity);
            open.key.rule = rule.into();
            open.key.instance = instance.into();
            site.change(Change::Raised, open);
        }
        site
    }

    /// Stores and publishes a transition, as the supervise loop does.
    pub fn change(&self, change: Change, fault: Fault) -> Transition {
        let mut state = self.state.lock().unwrap();
        let id = state.transitions.len() as u64 + 1;
        let at = Wall(self.now.load(Ordering::Relaxed));
        let transition = Transition { id, at, change, fault: fault.clone() };
        state.faults.insert(fault.id.0, fault);
        state.transitions.push(transition.clone());
        self.feed.transition(&transition);
        transition
    }

    fn answer<T: Send + 'static>(&self, answer: T) -> Later<'_, Result<T, Unavailable>> {
        let down = self.store_down.load(Ordering::Relaxed);
        Box::pin(async move { if down { Err(Unavailable("disk full".to_owned())) } else { Ok(answer) } })
    }

    fn done(&self, id: FaultId, by: Arc<str>, act: Act) -> Result<Fault, ActionError> {
        if self.store_down.load(Ordering::Relaxed) {
            return Err(ActionError::Unavailable(Unavailable("disk full".to_owned())));
        }
        let known = self.state.lock().unwrap().faults.get(&id.0).filter(|f| f.is_open()).cloned();
        let mut f = known.ok_or(ActionError::Refused(Refusal::NoSuchFault))?;
        let at = self.now();
        let note = Acknowledgement { by: by.clone(), at };
        let change = match act {
            Act::Acknowledge if f.acknowledged.is_some() => Err(Refusal::AlreadyAcknowledged),
            Act::Acknowledge => {
                f.acknowledged = Some(note);
                Ok(Change::Acknowledged)
            }
            Act::Assign { to } => {
                f.assigned = Some(Assignment { to, by, at });
                Ok(Change::Assigned)
            }
            Act::Arrive => {
                f.arrived = Some(note);
                Ok(Change::Arrived)
            }
            Act::Shelve { for_ms, reason } => {
                let until = Wall(at.0.saturating_add_unsigned(for_ms));
                f.shelf = Some(Shelf { by, at, until, reason });
                Ok(Change::Shelved)
            }
            Act::Unshelve if f.shelf.is_none() => Err(Refusal::NotShelved),
            Act::Unshelve => {
                f.shelf = None;
                Ok(Change::Unshelved)
            }
            Act::Close if f.condition != Condition::Cleared => Err(Refusal::NotClosable),
            Act::Close => {
                (f.ending, f.cleared, f.closed_by) = (Some(Ending::Closed), Some(at), Some(by));
                Ok(Change::Ended)
            }
        };
        let change = change.map_err(ActionError::Refused)?;
        Ok(self.change(change, f).fault)
    }
}

impl Site for SampleSite {
    fn about(&self) -> About {
        About {
            name: "临汾市市场监督管理局".into(),
            language: Language::Chinese,
            zone: TimeZone::get("Asia/Shanghai").unwrap(),
            version: "0.1.0".into(),
        }
    }
    fn storage(&self) -> Storage {
        self.storage.lock().unwrap().clone()
    }
    fn now(&self) -> Wall {
        Wall(self.now.load(Ordering::Relaxed))
    }
    fn devices(&self) -> Vec<SiteDevice> {
        self.state.lock().unwrap().devices.clone()
    }
    fn readings(&self, device: &str) -> Option<Vec<SiteReading>> {
        if self.device(device)?.class == Class::VideoWall {
            return Some(panels());
        }
        if matches!(self.device(device)?.class, Class::Camera | Class::Recorder) {
            return Some(cameras::readings(&self.device(device)?));
        }
        let reading = |metric: &str, instance: &str, unit: &str, sample| SiteReading {
            metric: metric.into(),
            title: Bilingual::default(),
            kind: Kind::Gauge,
            limits: [].into(),
            instance: instance.into(),
            unit: unit.into(),
            sample,
            taken_at: Wall(T0 - 12_000),
        };
        Some(vec![
            reading("cpu.load", "", "%", Ok(Value::Number(38.5))),
            reading("interface.in-octets", "GE1/0/1", "By", Ok(Value::Counter64(u64::MAX))),
            reading("interface.in-rate", "GE1/0/1", "bit/s", Err(Absence::FirstSample)),
            reading("interface.oper-status", "GE1/0/1", "", Ok(Value::State("up".into()))),
        ])
    }
    fn detail(&self, device: &str) -> Option<DeviceDetail> {
        self.device(device)?;
        let figure = |metric: &str, title, instance: &str, unit: &str, now| Charted {
            metric: metric.into(),
            title,
            instance: instance.into(),
            unit: unit.into(),
            now,
            limits: [].into(),
        };
        let figures = vec![
            figure("cpu.load", Bilingual::new("CPU 负载", "CPU load"), "", "%", Some(38.5)),
            figure("interface.in-rate", Bilingual::new("入向速率", "In"), "GE1/0/1", "bit/s", None),
            figure("memory.used", Bilingual::new("内存使用率", "Memory used"), "", "%", Some(61.0)),
        ];
        let polling = vec![(Driver::Snmp, polled(200)), (Driver::Reach, polled(3))];
        let remarks = match &*self.remark.lock().unwrap() {
            Some(remark) => vec![remark.clone()],
            None => vec![],
        };
        let class = self.device(device)?.class;
        let grid = (class == Class::VideoWall).then_some(Grid { rows: 2, columns: 2 });
        let commands = commands::of(class).commands.len();
        Some(DeviceDetail { grid, figures, polling, remarks, commands, ..DeviceDetail::default() })
    }
    fn polling(&self) -> Vec<(Arc<str>, Driver, Summary)> {
        let devices = self.devices().into_iter();
        let of = |device: SiteDevice| {
            [(device.id.clone(), Driver::Snmp, polled(200)), (device.id, Driver::Reach, polled(3))]
        };
        devices.flat_map(of).collect()
    }
    fn watched(&self, _device: &str, rule: &str, instance: &str) -> Option<Charted> {
        (rule == "board-hot").then(|| Charted {
            metric: "board.temperature".into(),
            title: Bilingual::new("板卡温度", "Board temperature"),
            instance: instance.into(),
            unit: "Cel".into(),
            now: Some(68.5),
            limits: [Limit { severity: Severity::Major, at: 65.0, above: true }].into(),
        })
    }
    fn open_faults(&self) -> Vec<Fault> {
        self.state.lock().unwrap().faults.values().filter(|f| f.is_open()).cloned().collect()
    }
    fn data_age_ms(&self) -> Option<u64> {
        (!self.devices().is_empty()).then_some(12_000)
    }
    fn last_transition(&self) -> u64 {
        self.state.lock().unwrap().transitions.len() as u64
    }
    fn numbers(&self) -> Numbers {
        Numbers {
            drivers: vec![
                DriverNumbers { driver: Driver::Snmp, summary: polled(1_234), latency: latencies() },
                DriverNumbers { driver: Driver::Reach, summary: polled(12), latency: latencies() },
            ],
            loop_lateness: polled(1_024).lateness,
            wakeups: vec![("loop", 9_000), ("snmp", 12_000)],
            uptime_s: 3_600,
            queues: vec![("store", 3), ("events", 0)],
            cpu_s: 12.5,
            resident_bytes: 16 * 1_024 * 1_024,
            ..Numbers::default()
        }
    }
    fn feed(&self) -> &Feed {
        &self.feed
    }
    fn history(&self, series: SeriesName, span: Span) -> Later<'_, Result<Option<History>, Unavailable>> {
        self.answer(past::of(&series, span, self.now()))
    }
    fn faults(
        &self,
        which: Which,
        device: Option<Arc<str>>,
        limit: usize,
        before: Option<FaultId>,
    ) -> Later<'_, Result<Vec<Fault>, Unavailable>> {
        let state = self.state.lock().unwrap();
        let wanted = |f: &&Fault| match which {
            Which::Open => f.is_open(),
            Which::Closed => !f.is_open(),
            Which::All => true,
        };
        let of_device = |f: &&Fault| device.as_ref().is_none_or(|device| f.key.device == *device);
        let found = state
            .faults
            .values()
            .rev()
            .filter(wanted)
            .filter(of_device)
            .filter(|f| before.is_none_or(|b| f.id < b));
        self.answer(found.take(limit).cloned().collect())
    }
    fn fault(&self, id: FaultId) -> Later<'_, Result<Option<FaultStory>, Unavailable>> {
        let state = self.state.lock().unwrap();
        let history = state.transitions.iter().filter(|t| t.fault.id == id).cloned().collect();
        self.answer(state.faults.get(&id.0).cloned().map(|f| (f, history)))
    }
    fn faults_between(
        &self,
        from: Wall,
        to: Wall,
        limit: usize,
    ) -> Later<'_, Result<Vec<Fault>, Unavailable>> {
        let state = self.state.lock().unwrap();
        let mut found: Vec<Fault> =
            state.faults.values().filter(|f| (from..=to).contains(&f.confirmed)).cloned().collect();
        found.sort_by_key(|fault| (fault.confirmed, fault.id));
        found.truncate(limit);
        self.answer(found)
    }
    fn hides(&self, id: FaultId) -> Later<'_, Result<Vec<Arc<str>>, Unavailable>> {
        let root = self.state.lock().unwrap().faults.get(&id.0).map(|fault| fault.key.device.clone());
        let behind = |device: &SiteDevice| device.behind.is_some() && device.behind == root;
        let hidden = self.devices().into_iter().filter(behind).map(|device| device.id);
        self.answer(hidden.collect())
    }
    fn transitions_after(&self, id: u64, limit: usize) -> Later<'_, Result<Vec<Transition>, Unavailable>> {
        let state = self.state.lock().unwrap();
        self.answer(state.transitions.iter().filter(|t| t.id > id).take(limit).cloned().collect())
    }
    fn commands(&self, device: &str) -> Option<Commands> {
        Some(commands::of(self.device(device)?.class))
    }
    fn told(
        &self,
        device: Arc<str>,
        limit: usize,
        before: Option<i64>,
    ) -> Later<'_, Result<Vec<Told>, Unavailable>> {
        let of_wall = self.commands(&device).is_some_and(|known| !known.commands.is_empty());
        let state = self.state.lock().unwrap();
        let told = state.told.iter().rev().filter(|told| of_wall && before.is_none_or(|b| told.id < b));
        self.answer(told.take(limit).cloned().collect())
    }
    fn command(&self, wanted: CommandWanted) -> Later<'_, Result<CommandReport, CommandError>> {
        let result = match self.commands(&wanted.device) {
            None => Err(CommandError::NoSuchDevice),
            Some(known) if known.commands.iter().any(|command| *command.id == *wanted.command) => {
                let mut state = self.state.lock().unwrap();
                let told = commands::obeyed(state.told.len() as i64 + 1, self.now(), &wanted);
                state.told.push(told.clone());
                told.outcome.map(|(_, report)| report).ok_or(CommandError::NoSuchDevice)
            }
            Some(_) => Err(CommandError::Refused(format!("no command is called `{}`", wanted.command))),
        };
        let held = self.state.lock().unwrap().held.clone();
        Box::pin(async move {
            if let Some(held) = held {
                let _turn = held.acquire().await;
            }
            result
        })
    }
    fn act(&self, id: FaultId, by: Arc<str>, act: Act) -> Later<'_, Result<Fault, ActionError>> {
        let result = self.done(id, by, act);
        Box::pin(async move { result })
    }
    fn records(
        &self,
        query: RecordQuery,
        limit: usize,
        before: Option<RecordNumber>,
    ) -> Later<'_, Result<Vec<Record>, Unavailable>> {
        let state = self.state.lock().unwrap();
        let text =
            |c: &Content| Field::of_record().map(|f| c.text(f) + "\n").collect::<String>().to_lowercase();
        let fits = |record: &&Record| {
            let now = record.current();
            let happened = record.happened(&now);
            query.device.as_ref().is_none_or(|id| now.devices.iter().any(|d| d.id == *id))
                && query.fault.is_none_or(|id| now.faults.iter().any(|f| f.id == id))
                && query.kind.is_none_or(|kind| now.kind == Some(kind))
                && query.from.is_none_or(|from| happened >= from)
                && query.to.is_none_or(|to| happened < to)
                && query.text.to_lowercase().split_whitespace().all(|word| text(&now).contains(word))
                && before.is_none_or(|before| record.number < before)
        };
        self.answer(state.records.iter().rev().filter(fits).take(limit).cloned().collect())
    }
    fn past(&self, _from: Wall, _to: Wall) -> Later<'_, Result<Past, Unavailable>> {
        let state = self.state.lock().unwrap();
        // Nothing was watched where there is no device.
        let mut past = match state.devices.is_empty() {
            true => Past::default(),
            false => made::five_weeks(MONDAY + made::WEEK, self.now().0),
        };
        past.records.extend(state.records.iter().cloned());
        self.answer(past)
    }
    fn record(&self, number: RecordNumber) -> Later<'_, Result<Option<Record>, Unavailable>> {
        self.answer(self.state.lock().unwrap().records.iter().find(|r| r.number == number).cloned())
    }
    fn add_record(
        &self,
        content: Content,
        by: Arc<str>,
        key: Option<String>,
    ) -> Later<'_, Result<Record, RecordError>> {
        let mut state = self.state.lock().unwrap();
        let known = key.as_ref().and_then(|key| state.record_keys.get(key)).copied();
        let known = known.and_then(|number| state.records.iter().find(|r| r.number == number)).cloned();
        let result = match known {
            _ if self.store_down.load(Ordering::Relaxed) => {
                Err(RecordError::Unavailable(Unavailable("disk full".to_owned())))
            }
            Some(known) if known.original == content => Ok(known),
            Some(_) => Err(RecordError::Refused(NoRecord::KeyReused)),
            None => {
                let sequence = state.records.len() as u32 + 1;
                let number = RecordNumber { year: 2026, sequence };
                let record = Record { number, at: self.now(), by, original: content, amendments: Vec::new() };
                state.record_keys.extend(key.map(|key| (key, number)));
                state.records.push(record.clone());
                Ok(record)
            }
        };
        Box::pin(async move { result })
    }
    fn amend_record(
        &self,
        number: RecordNumber,
        correction: Correction,
        by: Arc<str>,
        _key: Option<String>,
    ) -> Later<'_, Result<Record, RecordError>> {
        let mut state = self.state.lock().unwrap();
        let known = state.records.iter_mut().find(|r| r.number == number);
        let result = known.ok_or(NoRecord::NoSuchRecord).and_then(|record| {
            record.amended(&correction)?;
            record.amendments.push(Amendment { at: self.now(), by, change: correction });
            Ok(record.clone())
        });
        Box::pin(async move { result.map_err(RecordError::Refused) })
    }
    fn recall(&self, key: String) -> Later<'_, Result<Option<Kept>, Unavailable>> {
        let kept = self.state.lock().unwrap().kept.get(&key).cloned();
        self.answer(kept)
    }
    fn remember(&self, key: String, answer: Kept) -> Later<'_, Result<(), Unavailable>> {
        self.state.lock().unwrap().kept.insert(key, answer);
        self.answer(())
    }
}
