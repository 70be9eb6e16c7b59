//! What the page of a camera or recorder says first: stream, recordings, clock, events, settings, login, identity, a card
//! each with the one figure or state that it is there for.

use super::readings::figure;
use super::sight::Sight;
use crate::figure::{Figure, number};
use crate::router::Panel;
use crate::site::{DeviceState, SiteDevice, SiteReading};
use crate::voice::Voice;
use askama::Template;
use roundsman_core::device::Class;
use roundsman_core::reading::{Absence, Value};

/// One card.
struct Card {
    title: String,
    figure: Figure,
    /// There is no value; the figure says why.
    absent: bool,
    /// The severity of the worst fault that is about it.
    state: Option<&'static str>,
    /// That fault in a few words.
    trouble: Option<String>,
    /// What else is known: name and value.
    lines: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "page/device-camera.html")]
pub(super) struct Cards<'a> {
    v: &'a Voice,
    cards: Vec<Card>,
    age: String,
    /// Older than it should be.
    old: bool,
}

/// A card as it is laid out: key of its title, the metric that it is there for, those below it, the rules about it.
struct Layout {
    title: &'static str,
    main: &'static str,
    below: &'static [&'static str],
    rules: &'static [&'static str],
}

const STREAM: Layout = Layout {
    title: "camera.stream",
    main: "stream.frame-rate",
    below: &[
        "stream.codec",
        "stream.bit-rate",
        "stream.first-packet",
        "stream.first-key-frame",
        "stream.lost",
    ],
    rules: &["stream-down", "stream-undecodable", "video-lost"],
};
const CLOCK: Layout = Layout {
    title: "camera.clock",
    main: "clock.skew",
    below: &["clock.source", "clock.zone"],
    rules: &["clock-wrong"],
};
const EVENTS: Layout = Layout {
    title: "camera.events",
    main: "events.state",
    below: &[],
    rules: &["tampered", "scene-changed", "picture-poor", "storage-failed", "input-active"],
};
const SETTINGS: Layout = Layout {
    title: "camera.settings",
    main: "settings.state",
    below: &["settings.differences"],
    rules: &["settings-differ"],
};
const LOGIN: Layout = Layout {
    title: "camera.login",
    main: "login.state",
    below: &["snapshot.state"],
    rules: &["login-refused", "login-locked"],
};
const IDENTITY: Layout = Layout {
    title: "camera.identity",
    main: "system.model",
    below: &["system.maker", "system.firmware", "system.serial", "system.name", "system.mac"],
    rules: &["firmware-changed", "camera-replaced"],
};
const RECORDING: Layout = Layout {
    title: "camera.recording",
    main: "recording.kept",
    below: &["recording.age", "recording.count"],
    rules: &["recording-stopped", "recording-short", "channel-stopped"],
};

/// What a switch says of the port that feeds it.
const PORT_STATE: &str = "interface.oper-status";
const PORT_RATE: &str = "interface.in-rate";

const CAMERA: &[Layout] = &[STREAM, CLOCK, EVENTS, SETTINGS, LOGIN, IDENTITY];
const RECORDER: &[Layout] = &[RECORDING, CLOCK, EVENTS, LOGIN, IDENTITY];

fn find<'a>(readings: &'a [SiteReading], metric: &str) -> Option<&'a SiteReading> {
    readings.iter().find(|reading| &*reading.metric == metric && reading.instance.is_empty())
}

/// The word of a state.
fn word<'a>(readings: &'a [SiteReading], metric: &str) -> Option<&'a str> {
    find(readings, metric)?.sample.as_ref().ok()?.word().map(|word| &**word)
}

/// A reading as these cards write it: frames a second in words, a clock's error with its sign.
fn shown(reading: &SiteReading, v: &Voice) -> Figure {
    match (&*reading.metric, reading.sample.as_ref().ok().and_then(Value::number)) {
        ("stream.frame-rate", Some(rate)) => {
            Figure { text: number(rate, "1").text, unit: v.t("camera.frames-per-second").into_owned() }
        }
        ("recording.kept", Some(days)) => {
            Figure { text: number(days, "1").text, unit: v.t("camera.days").into_owned() }
        }
        ("clock.skew", Some(skew)) => {
            let size = figure(&SiteReading { sample: Ok(Value::Number(skew.abs())), ..reading.clone() }, v);
            let sign = if size.text == "0" {
                ""
            } else if skew < 0.0 {
                "−"
            } else {
                "+"
            };
            Figure { text: format!("{sign}{}", size.text), unit: size.unit }
        }
        _ => figure(reading, v),
    }
}

/// What a tile says of a camera or recorder that is well: frames a second, or for how long it keeps its recordings.
pub(super) fn telling(readings: &[SiteReading], v: &Voice) -> Option<Figure> {
    let reading = find(readings, "stream.frame-rate").or_else(|| find(readings, "recording.kept"))?;
    reading.sample.is_ok().then(|| shown(reading, v))
}

/// How the first profile is set: its name, and codec, size and pace.
fn encoder(readings: &[SiteReading], v: &Voice) -> Option<(String, String)> {
    let codec =
        readings.iter().find(|reading| &*reading.metric == "video.codec" && reading.sample.is_ok())?;
    let number = |metric: &str| {
        let of_it = |r: &&SiteReading| &*r.metric == metric && r.instance == codec.instance;
        readings.iter().find(of_it)?.sample.as_ref().ok()?.number()
    };
    let mut said = vec![figure(codec, v).text];
    said.extend(
        number("video.width").zip(number("video.height")).map(|(width, height)| format!("{width}×{height}")),
    );
    said.extend(number("video.frame-rate").map(|rate| format!("{rate} {}", v.t("camera.frames-per-second"))));
    Some((codec.instance.to_string(), said.join(" · ")))
}

fn card(
    layout: &Layout,
    device: &SiteDevice,
    readings: &[SiteReading],
    sight: &Sight,
    v: &Voice,
) -> Option<Card> {
    let main = find(readings, layout.main)?;
    // A stream that does not come has no figure: its state is what the card is there for.
    let state = word(readings, "stream.state").filter(|state| layout.main == STREAM.main && *state != "ok");
    let (figure, absent) = match state {
        Some(word) => (Figure { text: v.word(word), unit: String::new() }, false),
        None => (shown(main, v), main.sample.is_err()),
    };
    let faults = sight.faults().iter().filter(|fault| fault.key.device == device.id);
    let about = faults.filter(|fault| layout.rules.contains(&&*fault.key.rule));
    let worst = about.min_by_key(|fault| DeviceState::of(fault.severity));
    let below = layout.below.iter().filter_map(|metric| find(readings, metric));
    let line = |reading: &SiteReading| {
        let value = shown(reading, v).line();
        let is_said = reading.sample.is_ok() || reading.sample != Err(Absence::Unsupported);
        (is_said && !value.is_empty()).then(|| (super::readings::title(reading, v), value))
    };
    let encoder = (layout.main == SETTINGS.main).then(|| encoder(readings, v)).flatten();
    Some(Card {
        title: v.t(layout.title).into_owned(),
        figure,
        absent,
        state: worst.map(|fault| DeviceState::of(fault.severity).word()),
        trouble: worst.map(|fault| v.text(&fault.summary)),
        lines: below.filter_map(line).chain(encoder).collect(),
    })
}

/// The port of the switch that feeds it, as the switch tells.
fn port(device: &SiteDevice, panel: &Panel, sight: &Sight, v: &Voice) -> Option<Card> {
    let (switch, port) = device.uplinks.iter().find_map(|(id, port)| Some((id, port.as_ref()?)))?;
    let readings = panel.site.readings(switch)?;
    let of_port = |metric: &str| {
        let is_it = |r: &&SiteReading| &*r.metric == metric && r.instance == *port;
        readings.iter().find(is_it)
    };
    let state = of_port(PORT_STATE)?;
    let name = sight.device(switch).map_or_else(|| switch.to_string(), |switch| switch.name.to_string());
    let rate = of_port(PORT_RATE).filter(|rate| rate.sample.is_ok());
    let mut lines = vec![
        (v.t("camera.switch").into_owned(), name),
        (v.t("camera.port-name").into_owned(), port.to_string()),
    ];
    lines.extend(rate.map(|rate| (super::readings::title(rate, v), shown(rate, v).line())));
    Some(Card {
        title: v.t("camera.port").into_owned(),
        figure: figure(state, v),
        absent: state.sample.is_err(),
        state: None,
        trouble: None,
        lines,
    })
}

/// The cards of a device; `None` for what is neither camera nor recorder, or said nothing yet.
pub(super) fn cards<'a>(
    device: &SiteDevice,
    readings: &[SiteReading],
    panel: &Panel,
    sight: &Sight,
    v: &'a Voice,
) -> Option<Cards<'a>> {
    let layouts = match device.class {
        Class::Camera => CAMERA,
        Class::Recorder => RECORDER,
        _ => return None,
    };
    let cards = layouts.iter().filter_map(|layout| card(layout, device, readings, sight, v));
    let cards: Vec<Card> = cards.chain(port(device, panel, sight, v)).collect();
    (!cards.is_empty()).then(|| Cards {
        v,
        cards,
        age: device.last_poll.map(|at| v.n("device.as-of", v.clock(at))).unwrap_or_default(),
        old: super::rows::overdue_ms(device, sight.now).is_some(),
    })
}
