//! The things that the sample site is made of: devices, faults, a wall's panels, a record.

use super::T0;
use roundsman_core::device::{Class, Network, Tier};
use roundsman_core::fault::{Condition, Fault, FaultId, FaultKey, FaultNumber, Service, ServiceTarget};
use roundsman_core::model::Kind;
use roundsman_core::reading::{Absence, Value};
use roundsman_core::record::{Amendment, Content, Correction, Field, Record, RecordNumber};
use roundsman_core::rule::Severity;
use roundsman_core::sla::clock::{Kept, Standing};
use roundsman_core::text::Bilingual;
use roundsman_core::time::Wall;
use roundsman_panel::{DeviceState, Headlines, Limit, SiteDevice, SiteReading};
use std::sync::Arc;

/// A wall of two by two: the second is hot, the third asleep, the fourth silent.
pub fn panels() -> Vec<SiteReading> {
    let hot: Arc<[Limit]> = [Limit { severity: Severity::Warning, at: 55.0, above: true }].into();
    let state = |word: &str| Ok(Value::State(word.into()));
    let number = |x| Ok(Value::Number(x));
    let silent = || Err(Absence::Timeout);
    let rows = [
        ("panel.link", "屏体通信", "", ["ok", "ok", "ok", "silent"].map(state)),
        ("panel.power", "电源", "", [state("on"), state("on"), state("off"), silent()]),
        ("panel.input", "信号源", "", [state("hdmi-1"), state("dvi"), Err(Absence::Unsupported), silent()]),
        ("panel.signal", "信号同步", "", [state("ok"), state("ok"), state("no-signal"), silent()]),
        ("temperature.value", "屏内温度", "Cel", [number(35.0), number(58.0), number(24.0), silent()]),
    ];
    let mut readings = Vec::new();
    for (metric, title, unit, samples) in rows {
        for (at, sample) in samples.into_iter().enumerate() {
            readings.push(SiteReading {
                metric: metric.into(),
                title: Bilingual::new(title, metric),
                kind: if unit.is_empty() { Kind::State } else { Kind::Gauge },
                limits: if unit.is_empty() { [].into() } else { hot.clone() },
                instance: format!("r{}c{}", at / 2 + 1, at % 2 + 1).into(),
                unit: unit.into(),
                sample,
                taken_at: Wall(T0 - 12_000),
            });
        }
    }
    readings
}

pub fn device(id: &str, name: &str, tier: Tier, uplink: &str) -> SiteDevice {
    SiteDevice {
        id: id.into(),
        name: name.into(),
        class: Class::Router,
        profile: "huawei-vrp".into(),
        profile_name: Bilingual::new("华为 VRP 路由器", "Huawei VRP router"),
        tier,
        network: Network::Business,
        location: "".into(),
        state: DeviceState::Ok,
        faults: 0,
        last_poll: Some(Wall(T0 - 12_000)),
        address: "192.0.2.1".into(),
        reach: "icmp".into(),
        uplinks: if uplink.is_empty() { vec![] } else { vec![(uplink.into(), None)] },
        interval_s: 60,
        behind: None,
        line: "".into(),
        headlines: Headlines::default(),
    }
}

pub fn fault(id: u64, device: &str, severity: Severity) -> Fault {
    Fault {
        id: FaultId(id),
        number: FaultNumber { year: 2026, sequence: 120 + id as u32 },
        key: FaultKey { device: device.into(), rule: "unreachable".into(), instance: "".into() },
        severity,
        condition: Condition::Active,
        acknowledged: None,
        stale: false,
        first_bad: Wall(T0 - 754_000),
        confirmed: Wall(T0 - 740_000),
        cleared: None,
        ending: None,
        closed_by: None,
        value: None,
        cause: "communicationsSubsystemFailure".into(),
        summary: Bilingual::new("设备无应答：ICMP 与 SNMP 均超时", "No answer: ICMP and SNMP both time out"),
        advice: Bilingual::new(
            "先确认该所供电，再联系线路运营商；请对方重启光猫后观察 2 分钟",
            "Check power at the site, then call the carrier; have the modem restarted and watch for 2 minutes",
        ),
        previous: None,
        hidden_by: None,
        assigned: None,
        arrived: None,
        shelf: None,
        service: None,
    }
}

/// A service level of which the answer was in time, the arrival is near its limit and the repair is overdue.
pub fn service() -> Service {
    let target = |standing, limit_min: u64, elapsed_min: u64, limit_at: Option<i64>| {
        let (limit_ms, elapsed_ms) = (Some(limit_min * 60_000), elapsed_min * 60_000);
        Some(ServiceTarget { standing, limit_ms, elapsed_ms, limit_at: limit_at.map(Wall) })
    };
    Service {
        policy: "severe".into(),
        name: "重大故障".into(),
        kept: Kept::default(),
        targets: [
            target(Standing::Met, 30, 8, None),
            target(Standing::Running, 60, 50, Some(T0 + 10 * 60_000)),
            target(Standing::Breached { at_ms: 240 * 60_000 }, 240, 250, None),
        ],
    }
}

/// A repair of the router `rt-city-core`, with one amendment.
pub fn record() -> Record {
    let at = |minutes: i64| (T0 - 7_200_000 + minutes * 60_000).to_string();
    let fields = [
        (Field::Kind, "corrective".to_owned()),
        (Field::Devices, "rt-city-core\t市局核心路由器\t华为 VRP 路由器\t1F 机房 / A1".to_owned()),
        (Field::Serial, "2102350DLR10E4000123".to_owned()),
        (Field::Warranty, "out".to_owned()),
        (Field::Faults, "1\t2026\t121".to_owned()),
        (Field::Level, "major".to_owned()),
        (Field::Reporter, "值班员 赵敏".to_owned()),
        (Field::Reported, at(0)),
        (Field::Responded, at(6)),
        (Field::Arrived, at(31)),
        (Field::Restored, at(74)),
        (Field::Symptom, "主控板温度升至 68.5 ℃，风扇 2 异响。".to_owned()),
        (Field::Cause, "风扇轴承磨损。".to_owned()),
        (Field::Process, "1. 更换风扇 2。\n2. 清洁滤网，观察 30 分钟。".to_owned()),
        (Field::Parts, "风扇模块\tFAN-0231\tFAN-0788".to_owned()),
        (Field::Result, "温度 46 ℃，转速正常，告警恢复。".to_owned()),
        (Field::Remaining, "备用风扇余 1 只，需补货。".to_owned()),
        (Field::Cost, "860.00".to_owned()),
        (Field::Engineer, "王建国".to_owned()),
        (Field::Satisfaction, "satisfied".to_owned()),
    ];
    let original = Content::read(fields.iter().map(|(field, text)| (*field, &**text))).unwrap();
    let change = Correction::new(Field::Cost, "1280.00", "漏记滤网费用", "李红").unwrap();
    Record {
        number: RecordNumber { year: 2026, sequence: 1 },
        at: Wall(T0 - 1_800_000),
        by: "panel".into(),
        original,
        amendments: vec![Amendment { at: Wall(T0 - 600_000), by: "panel".into(), change }],
    }
}
