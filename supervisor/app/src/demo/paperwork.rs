//! What people of the demo's site wrote down: who took note, and the maintenance records of the past.

use super::incidents::{Incident, Kind, chance};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use roundsman_core::device::Device;
use roundsman_core::fault::Fault;
use roundsman_core::record::{Content, Field};
use roundsman_core::time::Wall;
use roundsman_store::NewRecord;

const ENGINEERS: [&str; 3] = ["王建国", "李红", "赵敏"];

/// Cause, what was done, result, what is left.
type Story = (&'static str, &'static str, &'static str, &'static str);

const SILENT: [Story; 4] = [
    (
        "所内停电，UPS 放电完毕。",
        "1. 电话联系所内人员，确认片区停电。\n2. 来电后设备自启，核对配置与上联。",
        "上联恢复，业务登录正常。",
        "建议为该所更换 UPS 电池。",
    ),
    (
        "运营商光猫死机。",
        "1. 请所内人员重启光猫。\n2. 观察 10 分钟，ping 网关无丢包。",
        "上联恢复，时延 8 ms，丢包 0。",
        "",
    ),
    (
        "运营商接入线路割接，未提前通知。",
        "1. 向运营商报障。\n2. 割接结束后核对路由与丢包。",
        "线路恢复，连续 30 分钟无丢包。",
        "已要求运营商割接前书面通知。",
    ),
    ("设备电源插头松动。", "1. 到场检查供电。\n2. 重新插接并固定电源线。", "设备启动正常，告警恢复。", ""),
];

const BRANCH: [Story; 2] = [
    (
        "县区专线光缆被市政施工挖断。",
        "1. 向运营商报障并跟踪抢修。\n2. 光缆熔接后核对县局与各所上联。",
        "县局及下属各所全部恢复，收光 -8.2 dBm。",
        "请运营商核查该段光缆走向。",
    ),
    (
        "县局机房空开跳闸。",
        "1. 联系县局值班人员恢复供电。\n2. 检查负载分配，更换老化插排。",
        "供电正常，县局及下属各所恢复。",
        "县局机房需增配 UPS。",
    ),
];

const HOT: [Story; 1] = [(
    "机房空调滤网积尘，送风量下降。",
    "1. 清洗空调滤网与设备防尘网。\n2. 调整出风口方向，观察 30 分钟。",
    "单板温度降至 42 ℃，告警恢复。",
    "",
)];

const DISK: [Story; 1] = [(
    "夜间备份未按策略清理旧副本。",
    "1. 核对保留策略，删除 14 天前的备份副本。\n2. 修正清理脚本的计划任务。",
    "/data 使用率降至 63 %。",
    "下周复核清理任务执行情况。",
)];

const BUSY: [Story; 1] = [(
    "多台终端同时下载系统更新。",
    "1. 定位流量最大的终端。\n2. 将更新下载调整到 18:00 以后，并限速。",
    "出口利用率降至 40 % 以下。",
    "",
)];

fn stories(kind: Kind) -> &'static [Story] {
    match kind {
        Kind::Silent => &SILENT,
        Kind::Branch => &BRANCH,
        Kind::Hot => &HOT,
        Kind::Disk => &DISK,
        Kind::Busy => &BUSY,
    }
}

/// Who looked after it.
pub(super) fn engineer(incident: &Incident) -> &'static str {
    ENGINEERS[(incident.chance % ENGINEERS.len() as u64) as usize]
}

/// How long after the recovery it is written down, ms.
pub(super) fn delay_ms(incident: &Incident) -> i64 {
    const MINUTE_MS: i64 = 60_000;
    10 * MINUTE_MS + (chance(incident.chance, 1) % 20).cast_signed() * MINUTE_MS
}

/// The record of an incident; `None` where it does not fit the form.
pub(super) fn record(
    incident: &Incident,
    device: &Device,
    model: &str,
    fault: &Fault,
    at: Wall,
    zone: &TimeZone,
) -> Option<NewRecord> {
    let stories = stories(incident.kind);
    let (cause, process, result, remaining) =
        stories[(chance(incident.chance, 2) % stories.len() as u64) as usize];
    let engineer = engineer(incident);
    let responded = incident.noticed.unwrap_or(fault.confirmed);
    let time = |at: Wall| at.0.to_string();
    let year = Timestamp::from_millisecond(at.0).ok()?.to_zoned(zone.clone()).year();
    let fields = [
        (Field::Kind, "corrective".to_owned()),
        (Field::Level, fault.severity.word().to_owned()),
        (Field::Devices, format!("{}\t{}\t{model}\t{}", device.id, device.name, device.location)),
        (Field::Faults, format!("{}\t{}\t{}", fault.id.0, fault.number.year, fault.number.sequence)),
        (Field::Reporter, "值班员".to_owned()),
        (Field::Reported, time(fault.confirmed)),
        (Field::Responded, time(responded)),
        (Field::Restored, time(fault.cleared.unwrap_or(incident.to))),
        (Field::Symptom, fault.summary.zh.to_string()),
        (Field::Cause, cause.to_owned()),
        (Field::Process, process.to_owned()),
        (Field::Result, result.to_owned()),
        (Field::Remaining, remaining.to_owned()),
        (Field::Engineer, engineer.to_owned()),
        (Field::Satisfaction, "satisfied".to_owned()),
    ];
    let filled = fields.iter().filter(|(_, text)| !text.is_empty());
    let content = Content::read(filled.map(|(field, text)| (*field, &**text))).ok()?;
    Some(NewRecord { at, year: u16::try_from(year).ok()?, by: engineer.into(), content, key: None })
}
