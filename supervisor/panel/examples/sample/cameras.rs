//! Cameras of the sample site: one that is well, one whose stream is gone, one that nobody reaches, and the recorder.

use super::{SampleSite, T0, device, fault};
use roundsman_core::device::{Class, Tier};
use roundsman_core::fault::Change;
use roundsman_core::model::Kind;
use roundsman_core::reading::{Absence, Sample, Value};
use roundsman_core::rule::Severity;
use roundsman_core::text::Bilingual;
use roundsman_core::time::Wall;
use roundsman_panel::{DeviceState, SiteDevice, SiteReading};

impl SampleSite {
    /// The small site with three cameras and their recorder.
    pub fn with_cameras() -> SampleSite {
        let site = SampleSite::small();
        let rows = [
            ("cam-01", "正门", Class::Camera, DeviceState::Ok),
            ("cam-02", "三楼走廊东", Class::Camera, DeviceState::Major),
            ("cam-03", "停车场入口", Class::Camera, DeviceState::NoData),
            ("nvr-1f", "网络硬盘录像机", Class::Recorder, DeviceState::Ok),
        ];
        for (id, name, class, state) in rows {
            let mut camera = device(id, name, Tier::City, "sw-1f");
            (camera.class, camera.state) = (class, state);
            camera.location = "1F 大厅".into();
            if state == DeviceState::NoData {
                camera.last_poll = Some(Wall(T0 - 600_000));
            }
            site.state.lock().unwrap().devices.push(camera);
        }
        let mut down = fault(7, "cam-02", Severity::Major);
        down.key.rule = "stream-down".into();
        down.summary = Bilingual::new("视频流中断：无数据", "No stream: silent");
        site.change(Change::Raised, down);
        let mut wrong = fault(8, "cam-02", Severity::Warning);
        wrong.key.rule = "clock-wrong".into();
        wrong.summary = Bilingual::new("时钟不准：慢 45 秒", "Clock 45 s slow");
        site.change(Change::Raised, wrong);
        site
    }
}

fn reading(metric: &str, title: (&str, &str), unit: &str, sample: Sample) -> SiteReading {
    SiteReading {
        metric: metric.into(),
        title: Bilingual::new(title.0, title.1),
        kind: if unit.is_empty() { Kind::State } else { Kind::Gauge },
        limits: [].into(),
        instance: "".into(),
        unit: unit.into(),
        sample,
        taken_at: Wall(T0 - 12_000),
    }
}

/// What a camera or the recorder says.
pub fn readings(of: &SiteDevice) -> Vec<SiteReading> {
    let word = |word: &str| Ok(Value::State(word.into()));
    let text = |text: &str| Ok(Value::Text(text.into()));
    let number = |x| Ok(Value::Number(x));
    let is_down = of.state == DeviceState::Major;
    let or = |is: Sample, bad: Sample| if is_down { bad } else { is };
    let common = [
        reading("login.state", ("登录", "Login"), "", word("ok")),
        reading("clock.skew", ("时钟偏差", "Clock error"), "s", or(number(0.4), number(-45.0))),
        reading("clock.source", ("校时方式", "Clock set by"), "", or(word("ntp"), word("manual"))),
        reading("system.maker", ("厂商", "Maker"), "", text("HIKVISION")),
        reading("system.model", ("型号", "Model"), "", text("DS-2CD2T47")),
        reading("system.firmware", ("固件版本", "Firmware"), "", text("V5.7.15")),
        reading("events.state", ("事件订阅", "Events"), "", or(word("ok"), word("missing"))),
    ];
    let own = match of.class {
        Class::Recorder => vec![
            reading("recording.kept", ("录像保存", "Recordings kept"), "d", number(33.9)),
            reading("recording.age", ("最新录像距今", "Newest picture"), "s", number(12.3)),
            reading("recording.count", ("录像通道", "Recordings"), "1", number(25.0)),
        ],
        _ => {
            let gone = || Err(Absence::Unsupported);
            vec![
                reading("stream.state", ("视频流", "Stream"), "", or(word("ok"), word("silent"))),
                reading("stream.codec", ("编码", "Codec"), "", or(text("h265"), gone())),
                reading(
                    "stream.frame-rate",
                    ("实测帧率", "Frames delivered"),
                    "/s",
                    or(number(24.9), gone()),
                ),
                reading("stream.bit-rate", ("实测码率", "Bit rate"), "bit/s", or(number(3.9e6), gone())),
                reading("settings.state", ("编码设置", "Settings"), "", or(word("ok"), word("differs"))),
                reading(
                    "settings.differences",
                    ("与预期不符", "Differences"),
                    "",
                    or(text(""), text("codec h264 ≠ h265")),
                ),
                reading("snapshot.state", ("抓图", "Snapshot"), "", word("ok")),
            ]
        }
    };
    let silent = of.state == DeviceState::NoData;
    let all = own.into_iter().chain(common);
    all.map(|r| if silent { SiteReading { sample: Err(Absence::Timeout), ..r } } else { r }).collect()
}
