//! Every drawing in every state, with made-up content.

use crate::drawing::{
    Camera, Cameras, Chart, InterfaceStrip, LineState, Mosaic, Node, Port, PortState, Run, RunStrip, Spread,
    Threshold, TierLine, Tiers, Wall, WallPanel, cameras, chart, interface_strip, mosaic, run_strip, tiers,
    wall,
};
use crate::site::{DeviceState, Limit};
use crate::voice::Voice;
use jiff::tz::TimeZone;
use roundsman_core::rule::Severity;
use roundsman_core::time::Wall as At;

/// 2026-11-18 20:00 in China: specimens do not depend on the day they are looked at.
pub(super) const NOW: i64 = 1_794_996_000_000;

/// One drawing with what it is to show.
pub(super) struct Specimen {
    /// Component and state in kebab case; names its golden.
    pub(super) name: String,
    /// What to look for.
    pub(super) note: String,
    /// The drawing.
    pub(super) svg: String,
}

fn specimen(name: impl Into<String>, note: &str, svg: String) -> Specimen {
    Specimen { name: name.into(), note: note.to_owned(), svg }
}

/// A curve that looks measured and is the same every time.
fn curve(count: usize, step_s: i64, base: f64, swing: f64) -> Vec<(At, Option<f64>)> {
    (0..count)
        .map(|i| {
            let t = i as f64;
            let noise = ((t * 12.9898).sin() * 43_758.545).fract();
            let value = base + swing * ((t / 9.0).sin() * 0.6 + (t / 3.1).sin() * 0.2 + noise * 0.2);
            (At(NOW - (count - 1 - i) as i64 * step_s * 1_000), Some(value))
        })
        .collect()
}

fn without(points: &[(At, Option<f64>)], missing: std::ops::Range<usize>) -> Vec<(At, Option<f64>)> {
    points.iter().enumerate().map(|(i, p)| (p.0, if missing.contains(&i) { None } else { p.1 })).collect()
}

/// Runs of a state.
pub(super) fn runs(voice: &Voice, width: f64) -> Vec<Specimen> {
    let run = |from_min: i64, to_min: i64, word: &str, usual, absent| Run {
        span: (At(NOW + from_min * 60_000), At(NOW + to_min * 60_000)),
        word: word.to_owned(),
        usual,
        absent,
    };
    let (up, down) = (voice.say("启用", "up"), voice.say("中断", "down"));
    let silent = voice.say("超时", "timeout");
    let flapping: Vec<Run> = (0..20)
        .map(|i| run(-60 + i * 3, -58 + i * 3, if i % 2 == 0 { up } else { down }, i % 2 == 0, false))
        .collect();
    let draw = |runs: &[Run]| {
        run_strip(&RunStrip {
            label: voice.say("接口状态，最近一小时", "Interface state, last hour"),
            span: (At(NOW - 3_600_000), At(NOW)),
            interval_s: 60,
            runs,
            zone: &TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC),
            width,
            height: 76.0,
        })
    };
    vec![
        specimen(
            "runs-plain",
            voice.say("一直正常", "Always the same"),
            draw(&[run(-60, 0, up, true, false)]),
        ),
        specimen(
            "runs-changed",
            voice.say("中断后恢复，其间无应答", "Down and up again, no answer between"),
            draw(&[
                run(-60, -42, up, true, false),
                run(-41, -30, down, false, false),
                run(-29, -21, silent, false, true),
                run(-20, 0, up, true, false),
            ]),
        ),
        specimen(
            "runs-gap",
            voice.say("缺数", "Polls missing"),
            draw(&[run(-60, -40, up, true, false), run(-15, -1, up, true, false)]),
        ),
        specimen("runs-flapping", voice.say("频繁变化", "Flapping"), draw(&flapping)),
        specimen("runs-none", voice.say("无数据", "No data"), draw(&[])),
    ]
}

/// Charts.
pub(super) fn charts(voice: &Voice, width: f64) -> Vec<Specimen> {
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    let spread = |points: &[(At, Option<f64>)], room: f64| -> Vec<(At, Option<Spread>)> {
        let around = |v: f64| Spread { low: (v - room).max(0.0), mean: v, high: v + room * 1.6 };
        points.iter().map(|p| (p.0, p.1.map(around))).collect()
    };
    let draw = |points: &[(At, Option<Spread>)], interval_s: u32, unit, limits: &[Threshold<'_>]| {
        let length_ms = points.len().max(60) as i64 * i64::from(interval_s) * 1_000;
        chart(&Chart {
            label: voice.say("最近读数的曲线", "Latest readings over time"),
            span: (At(NOW - length_ms), At(NOW)),
            interval_s,
            points,
            unit,
            limits,
            zone: &zone,
            width,
            height: 240.0,
        })
    };
    let limit = |severity, at, label| Threshold { limit: Limit { severity, at, above: true }, label };
    let board = curve(120, 60, 44.0, 8.0);
    let hot: Vec<_> = board
        .iter()
        .enumerate()
        .map(|(i, p)| (p.0, p.1.map(|v| v + if i > 70 { (i - 70) as f64 * 0.7 } else { 0.0 })))
        .collect();
    let limits = [
        limit(Severity::Critical, 75.0, voice.say("紧急 75 °C", "Critical 75 °C")),
        limit(Severity::Major, 65.0, voice.say("重要 65 °C", "Major 65 °C")),
    ];
    let far = [limit(Severity::Critical, 950e6, voice.say("紧急 950 Mbit/s", "Critical 950 Mbit/s"))];
    let rate: Vec<_> = curve(144, 600, 26e6, 24e6);
    let share = curve(120, 60, 38.0, 30.0);
    let percent = [limit(Severity::Warning, 80.0, voice.say("提示 80 %", "Warning 80 %"))];
    vec![
        specimen(
            "chart-limits",
            voice.say("带限值，越限", "Limits, one crossed"),
            draw(&spread(&hot, 0.0), 60, "Cel", &limits),
        ),
        specimen(
            "chart-band",
            voice.say("一天：最小—最大带与均值，限值在图外", "A day: band and mean, limit out of view"),
            draw(&spread(&rate, 4e6), 600, "bit/s", &far),
        ),
        specimen(
            "chart-gap",
            voice.say("缺数不连线", "Missing values stay missing"),
            draw(&spread(&without(&share, 40..67), 0.0), 60, "%", &percent),
        ),
        specimen(
            "chart-ended",
            voice.say("数据中断", "Values stopped"),
            draw(&spread(&without(&board, 90..120), 0.0), 60, "Cel", &[]),
        ),
        specimen(
            "chart-one",
            voice.say("刚开始", "Just begun"),
            draw(&spread(&board[119..], 0.0), 60, "Cel", &limits),
        ),
        specimen("chart-none", voice.say("无数据", "No data"), draw(&[], 60, "%", &[])),
    ]
}

/// Mosaics.
pub(super) fn mosaics(voice: &Voice) -> Vec<Specimen> {
    let mut found: Vec<Specimen> = DeviceState::ALL
        .into_iter()
        .map(|state| {
            let mut stations = [DeviceState::Ok; 24];
            stations[5] = state;
            stations[14] = state;
            let label = voice.text(&state.name());
            specimen(
                format!("mosaic-{}", state.word()),
                &label,
                mosaic(&Mosaic { label: &label, stations: &stations, columns: 8, cell: 12.0 }),
            )
        })
        .collect();
    let all: Vec<DeviceState> = (0..72).map(|i| DeviceState::ALL[i % 9]).collect();
    for (cell, count, columns) in [(8.0, 72, 18), (10.0, 72, 18), (16.0, 27, 9), (24.0, 27, 9)] {
        let label = voice.say("全部状态", "All states");
        let name = format!("mosaic-all-{cell}");
        let stations = &all[..count];
        found.push(specimen(name, label, mosaic(&Mosaic { label, stations, columns, cell })));
    }
    found
}

fn ports(voice: &Voice, count: usize) -> Vec<(String, String, PortState, Option<f64>)> {
    (1..=count)
        .map(|i| {
            let state = match i % 17 {
                3 => PortState::Down,
                6..=8 => PortState::Off,
                12 => PortState::Unknown,
                _ => PortState::Up,
            };
            let word = match state {
                PortState::Up => voice.say("正常", "up"),
                PortState::Down => voice.say("断开", "down"),
                PortState::Off => voice.say("关闭", "off"),
                PortState::Unknown => voice.say("未知", "unknown"),
            };
            let load = (state == PortState::Up).then_some((i * 37 % 100) as f64 / 100.0);
            let name = format!("GigabitEthernet0/0/{i}");
            let title = format!("{name} · {word}");
            (name, title, state, load)
        })
        .collect()
}

/// Interface strips.
pub(super) fn strips(voice: &Voice, width: f64) -> Vec<Specimen> {
    let draw = |count: usize| {
        let content = ports(voice, count);
        let ports: Vec<Port<'_>> = content
            .iter()
            .enumerate()
            .map(|(i, (name, title, state, load))| Port {
                name,
                title,
                state: *state,
                uplink: i == 0 || i + 1 == count,
                load: *load,
            })
            .collect();
        interface_strip(&InterfaceStrip { label: voice.say("端口面板", "Ports"), ports: &ports, width })
    };
    [0, 4, 12, 28, 52, 90]
        .into_iter()
        .map(|count| {
            specimen(
                format!("ports-{count}"),
                &format!("{count} {}", voice.say("个端口", "ports")),
                draw(count),
            )
        })
        .collect()
}

/// Walls.
pub(super) fn walls(voice: &Voice, width: f64) -> Vec<Specimen> {
    let panel = |state: DeviceState, word, input, signal, lit| WallPanel { state, word, input, signal, lit };
    let well = |input| panel(DeviceState::Ok, "", input, "1920×1080 60 Hz", true);
    let no_signal = voice.say("无信号", "No signal");
    let words: Vec<String> = DeviceState::ALL.iter().map(|s| voice.text(&s.name())).collect();
    let mixed = [
        well("HDMI 1"),
        panel(DeviceState::Major, voice.say("温度 68 °C", "68 °C"), "HDMI 1", "1920×1080 60 Hz", true),
        well("HDMI 1"),
        panel(DeviceState::Warning, no_signal, "DVI", no_signal, false),
        panel(DeviceState::Critical, voice.say("不应答", "Silent"), "", "", false),
        well("DP"),
        panel(DeviceState::OutOfService, voice.say("已关机", "Switched off"), "", "", false),
        panel(DeviceState::NoData, voice.say("无数据", "No data"), "", "", false),
        well("HDMI 1"),
    ];
    let every: Vec<WallPanel<'_>> = DeviceState::ALL
        .iter()
        .zip(&words)
        .map(|(s, word)| panel(*s, word, "HDMI 1", "4K 60 Hz", *s == DeviceState::Ok))
        .collect();
    let draw = |rows, columns, panels: &[WallPanel<'_>], width| {
        wall(&Wall {
            label: voice.say("10 楼会议室大屏", "Video wall, 10th floor"),
            rows,
            columns,
            panels,
            width,
        })
    };
    vec![
        specimen("wall-well", voice.say("正常", "Well"), draw(3, 3, &[well("HDMI 1"); 9], width)),
        specimen("wall-mixed", voice.say("有故障", "With faults"), draw(3, 3, &mixed, width)),
        specimen("wall-states", voice.say("全部状态", "All states"), draw(3, 3, &every, width)),
        specimen("wall-2x5", "2 × 5", draw(2, 5, &mixed, width)),
        specimen("wall-tile", voice.say("小图", "As a tile"), draw(3, 3, &mixed, 160.0)),
    ]
}

/// Camera grids.
pub(super) fn camera_grids(voice: &Voice, width: f64, across: usize) -> Vec<Specimen> {
    let names = ["一楼大厅", "一楼走廊西", "二楼走廊东", "机房门口", "地下车库入口 2"];
    let english = ["Lobby", "1F west", "2F east", "Machine room", "Garage entry 2"];
    let words: Vec<String> = DeviceState::ALL.iter().map(|s| voice.text(&s.name())).collect();
    let all: Vec<Camera<'_>> = (0..27)
        .map(|i| {
            let (state, word) = match i {
                3 => (DeviceState::NoData, 4),
                7 => (DeviceState::Major, 1),
                11 => (DeviceState::Hidden, 5),
                16 => (DeviceState::Warning, 3),
                20 => (DeviceState::Critical, 0),
                _ => (DeviceState::Ok, 8),
            };
            let seen = !matches!(state, DeviceState::NoData | DeviceState::Hidden | DeviceState::Critical);
            Camera {
                name: voice.say(names[i % 5], english[i % 5]),
                state,
                word: &words[word],
                age: if seen { voice.say("12 秒前", "12 s ago") } else { "" },
                still: seen.then_some("/styleguide/still.svg"),
            }
        })
        .collect();
    let draw = |count: usize, columns| {
        cameras(&Cameras { label: voice.say("摄像机", "Cameras"), columns, cameras: &all[..count], width })
    };
    vec![
        specimen("cameras-grid", voice.say("25 台", "25 cameras"), draw(25, across)),
        specimen("cameras-flat", "9 × 3", draw(27, 9)),
    ]
}

const COUNTIES: [(&str, &str); 17] = [
    ("尧都", "Yaodu"),
    ("曲沃", "Quwo"),
    ("翼城", "Yicheng"),
    ("襄汾", "Xiangfen"),
    ("洪洞", "Hongtong"),
    ("古县", "Guxian"),
    ("安泽", "Anze"),
    ("浮山", "Fushan"),
    ("吉县", "Jixian"),
    ("乡宁", "Xiangning"),
    ("大宁", "Daning"),
    ("隰县", "Xixian"),
    ("永和", "Yonghe"),
    ("蒲县", "Puxian"),
    ("汾西", "Fenxi"),
    ("侯马", "Houma"),
    ("霍州", "Huozhou"),
];

/// The whole network.
pub(super) fn pictures(voice: &Voice, size: (f64, f64), stations: usize) -> Vec<Specimen> {
    let up = |load| TierLine { state: LineState::Up, load: Some(load) };
    let fault = |n: usize| format!("{} {n}", voice.say("故障", "Faults"));
    let draw = |bad: bool, name: &str, note: &str| {
        let children: Vec<Vec<DeviceState>> = (0..17)
            .map(|county| {
                let count = stations / 17 + usize::from(county < stations % 17);
                (0..count)
                    .map(|i| match (county * 31 + i * 7) % 97 {
                        3 if bad => DeviceState::Major,
                        14 if bad => DeviceState::Minor,
                        25 | 26 if bad => DeviceState::Warning,
                        40 if bad => DeviceState::NoData,
                        _ => DeviceState::Ok,
                    })
                    .collect()
            })
            .collect();
        let notes = [
            fault(1),
            fault(2),
            format!("{} {}", voice.say("受影响", "Affected"), children[4].len()),
            voice.n("trunk.lossy", "12%"),
        ];
        let counties: Vec<Node<'_>> = (0..17)
            .map(|i| {
                let (state, note, line, collapsed) = match i {
                    4 if bad => (
                        DeviceState::Critical,
                        &*notes[0],
                        TierLine { state: LineState::Down, load: None },
                        Some(&*notes[2]),
                    ),
                    7 if bad => (
                        DeviceState::Major,
                        &*notes[3],
                        TierLine { state: LineState::Lossy, load: Some(0.6) },
                        None,
                    ),
                    9 if bad => (DeviceState::Minor, &*notes[1], up(0.95), None),
                    12 if bad => {
                        (DeviceState::NoData, "", TierLine { state: LineState::Unknown, load: None }, None)
                    }
                    _ => (DeviceState::Ok, "", up(0.1 + 0.05 * i as f64), None),
                };
                Node {
                    name: voice.say(COUNTIES[i].0, COUNTIES[i].1),
                    state,
                    note,
                    children: &children[i],
                    collapsed,
                    line,
                }
            })
            .collect();
        let head = |name, load| Node {
            name,
            state: DeviceState::Ok,
            note: "",
            children: &[],
            collapsed: None,
            line: up(load),
        };
        let floor = [DeviceState::Ok; 14];
        let networks = [
            Node { children: &floor, ..head(voice.say("办公网", "Office"), 0.3) },
            Node { children: &floor[..4], ..head(voice.say("互联网", "Internet"), 0.7) },
            Node { children: &floor[..3], ..head(voice.say("政务网", "Government"), 0.1) },
        ];
        let svg = tiers(&Tiers {
            label: voice.say("全市网络", "The whole network"),
            province: Some(head(voice.say("省局", "Province"), 0.4)),
            core: head(voice.say("市局核心", "City core"), 0.0),
            networks: &networks,
            counties: &counties,
            width: size.0,
            height: size.1,
        });
        specimen(format!("tiers-{name}-{}x{}", size.0, size.1), note, svg)
    };
    vec![
        draw(false, "well", voice.say("正常", "Well")),
        draw(true, "faults", voice.say("有故障", "With faults")),
    ]
}
