//! Made-up pasts: a town's network over five weeks, always the same. The panel's sample site shows them as well.
#![allow(dead_code, unreachable_pub, missing_docs)]

use roundsman_core::device::{Class, Network, Tier};
use roundsman_core::fault::{Acknowledgement, Condition, Ending, Fault, FaultId, FaultKey, FaultNumber};
use roundsman_core::figures::account::Stretch;
use roundsman_core::figures::availability::DeviceLife;
use roundsman_core::figures::faults::FaultLife;
use roundsman_core::figures::groups::Place;
use roundsman_core::figures::watch::{Moment, Watch, WatchNumber, Watches};
use roundsman_core::record::{Content, Field, Record, RecordNumber};
use roundsman_core::rule::Severity;
use roundsman_core::text::Bilingual;
use roundsman_core::time::Wall;
use roundsman_report::{Named, Past};

pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
pub const WEEK: i64 = 7 * DAY;

/// A past under construction. Moments are wall times; the watch that holds them is found when it is built.
#[derive(Default)]
pub struct Made {
    watches: Vec<Watch>,
    past: Past,
}

/// What a fault says, in both languages, and what to do.
#[derive(Clone, Copy)]
pub struct Said(pub &'static str, pub &'static str, pub &'static str, pub &'static str, pub &'static str);

pub const SILENT: Said = Said(
    "unreachable",
    "设备无应答：ICMP 与 SNMP 均超时",
    "No answer: ICMP and SNMP both time out",
    "先确认供电，再联系线路运营商",
    "Check power at the site, then call the carrier",
);
pub const HOT: Said = Said(
    "board-hot",
    "板卡温度 78 ℃，上限 75 ℃",
    "Board at 78 °C, limit 75 °C",
    "检查风扇与滤网，确认机房空调",
    "Check fans and filter, then the room's air conditioning",
);
pub const FULL: Said = Said(
    "uplink-busy",
    "出口带宽占用 94%",
    "Uplink 94 % used",
    "查看占用最高的终端，必要时限速",
    "Find the busiest hosts; limit them if needed",
);
pub const FLAPS: Said = Said(
    "port-flaps",
    "接口 GE1/0/7 频繁通断",
    "Port GE1/0/7 goes up and down",
    "更换跳线与光模块，核对对端",
    "Change patch cord and module; check the other end",
);
pub const DISK: Said = Said(
    "disk-full",
    "磁盘 /var 占用 93%",
    "Disk /var 93 % full",
    "清理日志或扩容",
    "Clean up logs, or add space",
);

impl Made {
    /// The box watched from one moment to another.
    pub fn watch(&mut self, from: i64, to: i64) {
        let before = self.watches.last().map(|watch| watch.from.0 + watch.length_ms as i64);
        self.watches.push(Watch {
            number: WatchNumber(self.watches.len() as u64 + 1),
            from: Wall(from),
            length_ms: (to - from) as u64,
            after_ms: before.map(|before| (from - before) as u64),
            dated: true,
        });
    }

    fn moment(&self, at: i64) -> Moment {
        let held = self.watches.iter().rev().find(|watch| watch.from.0 <= at);
        Moment::new(held.or(self.watches.first()).map_or(1, |watch| watch.number.0), at)
    }

    pub fn device(
        &mut self,
        id: &str,
        name: &str,
        location: &str,
        place: (Class, Tier, Network),
        since: i64,
    ) {
        let (class, tier, network) = place;
        let life = DeviceLife {
            id: id.into(),
            place: Place { class, tier, network },
            present: vec![Stretch::since(self.moment(since))],
            unwatched: vec![],
            excluded: vec![],
            hidden: vec![],
            down: vec![],
        };
        self.past.devices.push(life);
        self.past.names.insert(id.into(), Named { name: name.into(), location: location.into() });
    }

    fn life(&mut self, id: &str) -> &mut DeviceLife {
        self.past.devices.iter_mut().find(|life| &*life.id == id).expect("a device of the past")
    }

    /// A device that need not run from one moment to another.
    pub fn excluded(&mut self, id: &str, from: i64, to: i64) {
        self.life(id).excluded.push(Stretch::Agreed { from: Wall(from), to: Wall(to) });
    }

    /// A device of which nothing was known.
    pub fn unwatched(&mut self, id: &str, from: i64, to: i64) {
        let stretch = Stretch::lived(self.moment(from), self.moment(to));
        self.life(id).unwatched.push(stretch);
    }

    /// A fault from its first bad evidence; `lasted` in ms, none while it is open; acknowledged after so many ms.
    pub fn fault(
        &mut self,
        device: &str,
        severity: Severity,
        said: Said,
        at: i64,
        lasted: Option<i64>,
        acknowledged: Option<i64>,
    ) -> FaultId {
        let Said(rule, zh, en, advice_zh, advice_en) = said;
        let id = FaultId(self.past.faults.len() as u64 + 1);
        let number = FaultNumber { year: 2026, sequence: 100 + id.0 as u32 };
        let key = FaultKey { device: device.into(), rule: rule.into(), instance: "".into() };
        let over = lasted.map(|lasted| self.moment(at + lasted));
        let acknowledged = acknowledged.map(|after| at + 40_000 + after);
        self.past.faults.push(FaultLife {
            id,
            number,
            key: key.clone(),
            severity,
            first_bad: self.moment(at),
            raised: self.moment(at + 40_000),
            acknowledged: acknowledged.map(|at| self.moment(at)),
            cleared: over,
            ended: over.map(|over| (over, Ending::Cleared)),
            behind: None,
        });
        if rule == "unreachable" {
            let stretch = Stretch::Lived { from: self.moment(at), to: over };
            self.life(device).down.push(stretch);
        }
        self.past.details.insert(
            id,
            Fault {
                id,
                number,
                key,
                severity,
                condition: if over.is_some() { Condition::Cleared } else { Condition::Active },
                acknowledged: acknowledged.map(|at| Acknowledgement { by: "panel".into(), at: Wall(at) }),
                stale: false,
                first_bad: Wall(at),
                confirmed: Wall(at + 40_000),
                cleared: over.map(|over| over.wall),
                ending: over.map(|_| Ending::Cleared),
                closed_by: None,
                value: None,
                cause: "communicationsSubsystemFailure".into(),
                summary: Bilingual::new(zh, en),
                advice: Bilingual::new(advice_zh, advice_en),
                previous: None,
                hidden_by: None,
                assigned: None,
                arrived: None,
                shelf: None,
                service: None,
            },
        );
        id
    }

    /// A fault of a device that stood behind another one all the time.
    pub fn behind(&mut self, root: FaultId, device: &str) {
        let life = self.past.faults.iter().find(|fault| fault.id == root).expect("a root").clone();
        let lasted = life.cleared.map(|over| over.wall.0 - life.first_bad.wall.0 - 60_000);
        let id = self.fault(device, Severity::Minor, SILENT, life.first_bad.wall.0 + 30_000, lasted, None);
        self.past
            .faults
            .iter_mut()
            .filter(|fault| fault.id == id)
            .for_each(|fault| fault.behind = Some(root));
        let stretch = Stretch::Lived { from: life.first_bad, to: life.cleared };
        self.life(device).hidden.push(stretch);
    }

    /// A maintenance record about a device and a fault.
    pub fn record(&mut self, device: &str, fault: Option<FaultId>, at: i64, words: [(Field, &str); 4]) {
        let name = self.past.name(device);
        let number = |id: FaultId| format!("{}\t2026\t{}", id.0, 100 + id.0);
        let mut fields = vec![
            (Field::Kind, if fault.is_some() { "corrective" } else { "preventive" }.to_owned()),
            (Field::Devices, format!("{device}\t{name}\t\t")),
            (Field::Reported, at.to_string()),
            (Field::Restored, (at + HOUR).to_string()),
            (Field::Symptom, "见故障记录".to_owned()),
        ];
        fields.extend(fault.map(|id| (Field::Faults, number(id))));
        fields.extend(words.map(|(field, text)| (field, text.to_owned())));
        let original =
            Content::read(fields.iter().map(|(field, text)| (*field, &**text))).expect("a whole record");
        let sequence = self.past.records.len() as u32 + 38;
        let number = RecordNumber { year: 2026, sequence };
        self.past.records.push(Record {
            number,
            at: Wall(at),
            by: "panel".into(),
            original,
            amendments: vec![],
        });
    }

    pub fn build(mut self) -> Past {
        self.past.watches = Watches::new(self.watches);
        self.past
    }
}

/// Numbers that look random and are always the same.
struct Lottery(u64);

impl Lottery {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64) % n
    }
}

const BUSINESS: Network = Network::Business;

/// The devices of a town: 5 in the city, 8 counties, 16 stations. The names of some are hostile.
pub fn town(made: &mut Made, since: i64) {
    let room = "1F 机房 / A1";
    let city = |class, network| (class, Tier::City, network);
    made.device("rt-core", "市局核心路由器", room, city(Class::Router, BUSINESS), since);
    made.device("rt-inet", "互联网出口路由器", "1F 机房 / A2", city(Class::Router, Network::Internet), since);
    made.device("sw-lan", "机关局域网核心交换机", "1F 机房 / A2", city(Class::Switch, Network::Lan), since);
    made.device("srv-app", "业务应用服务器", "1F 机房 / B1", city(Class::Server, BUSINESS), since);
    made.device("ups-1", "机房 UPS", "1F 机房 / B3", city(Class::Ups, Network::Lan), since);
    for (n, name) in
        ["尧都区局", "侯马市局", "霍州市局", "曲沃县局", "翼城县局", "襄汾县局", "洪洞县局", "古县局"]
            .into_iter()
            .enumerate()
    {
        made.device(&format!("rt-county-{n}"), name, "", (Class::Router, Tier::County, BUSINESS), since);
        for (at, part) in ["城关", "城东"].into_iter().enumerate() {
            let (id, name) = (format!("rt-station-{n}-{at}"), format!("{}{part}所", &name[..6]));
            made.device(&id, &name, "", (Class::Router, Tier::Station, BUSINESS), since);
        }
    }
}

/// Four ordinary weeks and one with a story, the last ending at `end`: midnight after its Sunday. What happens after
/// `now` has not happened.
pub fn five_weeks(end: i64, now: i64) -> Past {
    let start = end - 5 * WEEK;
    let mut made = Made::default();
    // A short power cut in the second week; else the box watched all the time.
    made.watch(start, start + 9 * DAY + 3 * HOUR);
    made.watch(start + 9 * DAY + 3 * HOUR + 25 * MINUTE, now);
    town(&mut made, start);
    let mut lottery = Lottery(47);
    for week in 0..4 {
        for _ in 0..4 + lottery.below(4) {
            let at = start + week * WEEK + lottery.below(WEEK - DAY);
            let station = format!("rt-station-{}-{}", lottery.below(8), lottery.below(2));
            let (lasted, noted) =
                (12 * MINUTE + lottery.below(3 * HOUR), 2 * MINUTE + lottery.below(20 * MINUTE));
            made.fault(&station, Severity::Minor, SILENT, at, Some(lasted), Some(noted));
        }
        let at = start + week * WEEK + lottery.below(5 * DAY);
        made.fault("rt-inet", Severity::Warning, FULL, at, Some(20 * MINUTE + lottery.below(HOUR)), None);
    }
    story(&mut made, end - WEEK, now);
    made.build()
}

/// The week that is told: `at` its Monday.
fn story(made: &mut Made, at: i64, now: i64) {
    let moment = |day: i64, hour: i64, minute: i64| at + day * DAY + hour * HOUR + minute * MINUTE;
    let begun = |from: i64| from + HOUR < now;
    let lasts = |from: i64, minutes: i64| Some(minutes * MINUTE).filter(|lasted| from + lasted < now);
    let disk = made.fault("srv-app", Severity::Major, DISK, at - 2 * DAY - 5 * HOUR, None, Some(3 * HOUR));
    let trunk_at = moment(1, 9, 12);
    if begun(trunk_at) {
        let lasted = lasts(trunk_at, 47);
        let trunk = made.fault("rt-county-6", Severity::Critical, SILENT, trunk_at, lasted, Some(4 * MINUTE));
        made.behind(trunk, "rt-station-6-0");
        made.behind(trunk, "rt-station-6-1");
        let words = [
            (Field::Level, "critical"),
            (Field::Process, "运营商更换光猫电源，链路恢复。\n观察 30 分钟无丢包。"),
            (Field::Parts, "光猫电源\tPW-0231\tPW-0788"),
            (Field::Engineer, "王建国"),
        ];
        made.record("rt-county-6", Some(trunk), trunk_at + 10 * MINUTE, words);
    }
    let hot_at = moment(2, 13, 5);
    if begun(hot_at) {
        let hot = made.fault("rt-core", Severity::Major, HOT, hot_at, lasts(hot_at, 96), Some(9 * MINUTE));
        let words = [
            (Field::Level, "major"),
            (Field::Process, "清洁滤网，更换风扇 2；温度回落至 46 ℃。"),
            (Field::Remaining, "备用风扇余 1 只，需补货。"),
            (Field::Engineer, "李红"),
        ];
        made.record("rt-core", Some(hot), hot_at + 20 * MINUTE, words);
    }
    for (day, hour, minutes) in [(0, 8, 14), (2, 17, 22), (3, 8, 9), (4, 11, 31)] {
        let from = moment(day, hour, 20);
        if begun(from) {
            let noted = (day % 2 == 0).then_some(6 * MINUTE);
            made.fault("rt-station-2-1", Severity::Minor, SILENT, from, lasts(from, minutes), noted);
        }
    }
    let flaps_at = moment(3, 15, 40);
    if begun(flaps_at) {
        made.fault("sw-lan", Severity::Minor, FLAPS, flaps_at, None, None);
        let from = moment(4, 10, 5);
        made.fault("rt-inet", Severity::Warning, FULL, from, lasts(from, 55), None);
        let words = [
            (Field::Serial, "UPS-0007"),
            (Field::Process, "季度保养：除尘、紧固端子，放电试验 20 分钟，电池正常。"),
            (Field::Result, "后备时间 42 分钟。"),
            (Field::Engineer, "王建国"),
        ];
        made.record("ups-1", None, moment(3, 10, 0), words);
        made.excluded("ups-1", moment(3, 10, 0), moment(3, 11, 0));
    }
    let _ = disk;
}
