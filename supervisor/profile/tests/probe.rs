//! The profile `roundsman-probe` against the board's register map, which both ends must agree on: every address, type,
//! scale, unit, sentinel, range, word and written value.

use roundsman_registers::{
    Channel, MAKER, MAP_CURRENT, MAP_MIN, PRODUCT, Point, Quality, ResetCause, Space, Type, command, compat,
    point,
};
use roundsman_registers::{POINTS, VALUE};
use std::collections::BTreeSet;
use toml::{Table, Value};

/// Which point of the map each metric is.
#[rustfmt::skip]
const METRICS: [(&str, &str); 73] = [
    ("temperature.value", "temperature-1"), ("temperature.outlet", "temperature-2"),
    ("humidity.value", "humidity-1"), ("humidity.outlet", "humidity-2"),
    ("dust.pm2-5", "pm2.5"), ("dust.pm10", "pm10"),
    ("power.dc-12", "supply-12"), ("power.dc-48", "supply-48"), ("power.current", "current"),
    ("fan.speed-1", "fan-1"), ("fan.speed-2", "fan-2"), ("fan.speed-3", "fan-3"), ("fan.speed-4", "fan-4"),
    ("airflow.value", "airflow"),
    ("sensor.temperature-1", "temperature-1-quality"), ("sensor.temperature-2", "temperature-2-quality"),
    ("sensor.humidity-1", "humidity-1-quality"), ("sensor.humidity-2", "humidity-2-quality"),
    ("sensor.pm2-5", "pm2.5-quality"), ("sensor.pm10", "pm10-quality"),
    ("sensor.supply-12", "supply-12-quality"), ("sensor.supply-48", "supply-48-quality"),
    ("sensor.current", "current-quality"),
    ("sensor.fan-1", "fan-1-quality"), ("sensor.fan-2", "fan-2-quality"),
    ("sensor.fan-3", "fan-3-quality"), ("sensor.fan-4", "fan-4-quality"), ("sensor.airflow", "airflow-quality"),
    ("mains.state", "mains"), ("leak.state", "leak"), ("door.state", "door"), ("annunciator.button", "button"),
    ("contact.input-1", "input-1"), ("contact.input-2", "input-2"), ("contact.input-3", "input-3"),
    ("contact.input-4", "input-4"), ("contact.input-5", "input-5"), ("contact.input-6", "input-6"),
    ("contact.input-7", "input-7"), ("contact.input-8", "input-8"),
    ("alarms.state", "alarm"), ("heartbeat.state", "heartbeat-lost"), ("sensor.state", "sensor-lost"),
    ("config.state", "config-fault"),
    ("relay.channel-1", "relay-1"), ("relay.channel-2", "relay-2"), ("relay.channel-3", "relay-3"),
    ("relay.channel-4", "relay-4"), ("annunciator.buzzer", "buzzer"), ("annunciator.lamp", "lamp"),
    ("system.uptime", "uptime"), ("system.reset-cause", "reset-cause"), ("system.board", "board"),
    ("system.serial", "serial"), ("system.firmware-major", "firmware"), ("system.firmware-minor", "firmware"),
    ("system.firmware-patch", "firmware-patch"),
    ("map.magic", "magic"), ("map.version", "map-version"), ("map.version-min", "map-version-min"),
    ("watchdog.state", "watchdog"), ("watchdog.sampling", "watchdog"),
    ("heartbeat.age", "heartbeat-age"), ("heartbeat.echo", "heartbeat-echo"),
    ("config.generation", "config-generation"),
    ("modbus.frames", "frames"), ("modbus.damaged", "frames-damaged"), ("modbus.exceptions", "exceptions"),
    ("modbus.foreign", "frames-foreign"), ("modbus.broadcasts", "broadcasts"),
    ("sensor.errors", "sensor-errors"), ("config.writes", "config-writes"), ("config.failures", "config-failures"),
];

/// Points that are not read by their name: alarms are judged by the profile's rules and come as the discrete inputs;
/// these two registers are the mirrors that bits are read of.
const UNREAD: [&str; 5] = ["alarm-low", "alarm-high", "alarm-other", "discretes", "coils"];

/// Which point each command writes.
#[rustfmt::skip]
const COMMANDS: [(&str, &str); 11] = [
    ("relay-1", "relay-1"), ("relay-2", "relay-2"), ("relay-3", "relay-3"), ("relay-4", "relay-4"),
    ("pulse-1", "pulse-1"), ("pulse-2", "pulse-2"), ("pulse-3", "pulse-3"), ("pulse-4", "pulse-4"),
    ("buzzer-off", "buzzer"), ("lamp", "lamp"), ("save", "command"),
];

fn profile() -> Table {
    let text = std::fs::read_to_string("../../device-profiles/environment/roundsman-probe.toml").unwrap();
    text.parse().unwrap()
}

fn list<'a>(profile: &'a Table, name: &str) -> Vec<&'a Table> {
    profile[name].as_array().unwrap().iter().map(|item| item.as_table().unwrap()).collect()
}

fn text<'a>(table: &'a Table, key: &str) -> &'a str {
    table.get(key).and_then(Value::as_str).unwrap_or("")
}

fn number(value: &Value) -> f64 {
    value.as_float().or_else(|| value.as_integer().map(|n| n as f64)).unwrap()
}

fn named(name: &str) -> &'static Point {
    POINTS.iter().find(|point| point.name == name).unwrap_or_else(|| panic!("the map has no {name}"))
}

#[test]
fn the_board_is_recognised_by_what_it_says_of_itself() {
    let profile = profile();
    let by = profile["match"]["modbus"].as_table().unwrap();
    assert_eq!((text(by, "maker"), text(by, "product")), (MAKER, PRODUCT));
}

/// `input:20` as a table and an address.
fn place(register: &str) -> (Space, u16) {
    let (table, address) = register.split_once(':').unwrap();
    let space = match table {
        "input" => Space::Input,
        "holding" => Space::Holding,
        "coil" => Space::Coil,
        "discrete" => Space::Discrete,
        other => panic!("{other}"),
    };
    (space, address.parse().unwrap())
}

/// The words that the map's own text gives to numbers, in kebab case: `0 ok, 1 lost`.
fn words(point: &Point) -> Vec<(i64, String)> {
    let Some((_, said)) = point.en.split_once(": ") else { return Vec::new() };
    let pair = |part: &str| {
        let (number, word) = part.split_once(' ')?;
        Some((number.parse().ok()?, word.to_lowercase().replace(' ', "-")))
    };
    said.split(", ").filter_map(pair).collect()
}

/// The `enum` of a metric by number.
fn states(metric: &Table) -> Vec<(i64, String)> {
    match &metric["enum"] {
        Value::Array(words) => (0..).zip(words.iter().map(|w| w.as_str().unwrap().to_owned())).collect(),
        Value::Table(words) => {
            words.iter().map(|(n, w)| (n.parse().unwrap(), w.as_str().unwrap().to_owned())).collect()
        }
        other => panic!("{other}"),
    }
}

#[test]
fn every_metric_is_its_point() {
    let profile = profile();
    let metrics = list(&profile, "metric");
    let names: BTreeSet<&str> = metrics.iter().map(|metric| text(metric, "name")).collect();
    let expected: BTreeSet<&str> = METRICS.iter().map(|(metric, _)| *metric).collect();
    assert_eq!(names, expected);
    for metric in metrics {
        let name = text(metric, "name");
        let point = named(METRICS.iter().find(|(known, _)| *known == name).unwrap().1);
        let (space, address) = place(text(metric, "reg"));
        assert_eq!(space, Space::Input, "{name}: one read takes input registers alone");
        let bits = metric.get("bits").and_then(Value::as_integer);
        let mirror = |mirror: &str| {
            assert_eq!(address, named(mirror).address, "{name}");
            assert_eq!(bits, Some(point.address.into()), "{name}: its bit of {mirror}");
            assert_eq!(states(metric).len(), 2, "{name}");
        };
        match point.space {
            Space::Discrete => mirror("discretes"),
            Space::Coil => mirror("coils"),
            _ => register(name, metric, point, address),
        }
    }
}

/// A metric that is a register of its own, or a part of one.
fn register(name: &str, metric: &Table, point: &Point, address: u16) {
    assert_eq!((Space::Input, address), (point.space, point.address), "{name}");
    let kind = match text(metric, "type") {
        "" | "u16" => Type::U16,
        "i16" => Type::I16,
        "u32" => Type::U32,
        other => panic!("{name}: {other}"),
    };
    assert_eq!(kind, point.kind, "{name}");
    let scale = metric.get("scale").map_or(1.0, number);
    assert!((scale * f64::from(point.divisor) - 1.0).abs() < 1e-9, "{name}: {scale}");
    let unit = text(metric, "unit");
    assert_eq!(if unit == "1" { "" } else { unit }, point.unit, "{name}");
    let invalid = metric.get("invalid").map(|list| number(&list[0]));
    let sentinel =
        point.sentinel.map(|raw| if kind == Type::I16 { f64::from(raw as i16) } else { f64::from(raw) });
    assert_eq!(invalid, sentinel, "{name}");
    if text(metric, "kind") == "state" && metric.get("bits").is_none() {
        let (ours, theirs) = (states(metric), words(point));
        assert_eq!(ours.len(), theirs.len(), "{name}: {theirs:?}");
        for ((our_number, ours), (number, theirs)) in ours.iter().zip(&theirs) {
            assert!(our_number == number && ours.contains(theirs.as_str()), "{name}: {ours}, {theirs}");
        }
    }
}

#[test]
fn every_point_has_its_metric() {
    let known = |name: &str| METRICS.iter().any(|(_, point)| *point == name) || UNREAD.contains(&name);
    let without: Vec<&str> =
        POINTS.iter().filter(|p| p.space != Space::Holding && !known(p.name)).map(|p| p.name).collect();
    assert!(without.is_empty(), "the profile reads none of {without:?}");
    // The parts of one register that the profile takes apart.
    let profile = profile();
    let bits = |name: &str| {
        list(&profile, "metric").into_iter().find(|m| text(m, "name") == name).map(|m| m["bits"].to_string())
    };
    assert_eq!(bits("system.firmware-major").as_deref(), Some("[8, 15]"));
    assert_eq!(bits("system.firmware-minor").as_deref(), Some("[0, 7]"));
    assert_eq!(bits("watchdog.state").as_deref(), Some("0"));
    assert_eq!(bits("watchdog.sampling").as_deref(), Some("1"));
    assert!(named("watchdog").en.contains("bit 0 armed, 1 sampling alive"));
}

#[test]
fn every_channel_has_its_range_and_its_quality() {
    let profile = profile();
    let metrics = list(&profile, "metric");
    for channel in Channel::ALL {
        let point = point(Space::Input, VALUE + channel.index() as u16).unwrap();
        let (name, _) = METRICS.iter().find(|(_, known)| *known == point.name).unwrap();
        let metric = metrics.iter().find(|metric| text(metric, "name") == *name).unwrap();
        let (least, most) = channel.range();
        let range: Vec<f64> = metric["range"].as_array().unwrap().iter().map(number).collect();
        let steps = |steps: i32| f64::from(steps) / f64::from(point.divisor);
        assert_eq!(range, [steps(least), steps(most)], "{name}");
        let quality = metric["quality"].as_table().unwrap();
        let of = METRICS.iter().find(|(known, _)| *known == text(quality, "metric")).unwrap().1;
        assert_eq!(of, format!("{}-quality", point.name), "{name}");
        let sensor = metrics.iter().find(|metric| text(metric, "name") == text(quality, "metric")).unwrap();
        let word = |quality: Quality| states(sensor)[quality as usize].1.clone();
        assert_eq!(quality["unsupported"], Value::from(vec![word(Quality::NotFitted)]), "{name}");
        assert_eq!(quality["not-judged"], Value::from(vec![word(Quality::WarmingUp)]), "{name}");
        // A lost sensor is a fault of its own.
        let lost =
            list(&profile, "rule").into_iter().find(|rule| text(rule, "on") == text(quality, "metric"));
        let expect = lost.unwrap()["minor"]["expect"].as_array().unwrap().clone();
        for (quality, is_fault) in [
            (Quality::Ok, false),
            (Quality::Lost, true),
            (Quality::OutOfRange, true),
            (Quality::WarmingUp, false),
            (Quality::NotFitted, false),
        ] {
            assert_eq!(!expect.contains(&word(quality).into()), is_fault, "{name}: {quality:?}");
        }
    }
}

#[test]
fn what_is_written_is_writable() {
    let profile = profile();
    let beat = named("heartbeat");
    assert_eq!(place(text(profile["modbus"].as_table().unwrap(), "heartbeat")), (beat.space, beat.address));
    let commands = list(&profile, "command");
    assert_eq!(commands.len(), COMMANDS.len());
    for command in commands {
        let id = text(command, "id");
        let point = named(COMMANDS.iter().find(|(known, _)| *known == id).unwrap().1);
        let write = command["write"].as_table().unwrap();
        assert_eq!(place(text(write, "reg")), (point.space, point.address), "{id}");
        let (least, most) = point.writable.unwrap_or_else(|| panic!("{id} writes what is read only"));
        for (word, steps) in written(command, &write["value"]) {
            assert!((i64::from(least)..=i64::from(most)).contains(&steps), "{id}: {steps}");
            if let Some(seconds) = word.strip_suffix('s') {
                assert_eq!(seconds.parse::<i64>().unwrap() * i64::from(point.divisor), steps, "{id}: {word}");
            }
        }
        if id == "save" {
            assert_eq!(write["value"], Value::from(i64::from(command::SAVE)));
        }
    }
}

/// The words of a command's argument with what is written for each, or the one value that it writes.
fn written(command: &Table, value: &Value) -> Vec<(String, i64)> {
    if let Some(number) = value.as_integer() {
        return vec![(String::new(), number)];
    }
    let arguments = command["arg"].as_table().unwrap();
    assert_eq!(arguments.len(), 1);
    let (name, words) = arguments.iter().next().unwrap();
    assert_eq!(value.as_str().unwrap(), format!("{{{name}}}"));
    let words = words.as_table().unwrap().iter();
    words.map(|(word, steps)| (word.clone(), steps.as_str().unwrap().parse().unwrap())).collect()
}

#[test]
fn a_board_with_another_map_is_said() {
    let profile = profile();
    let rules = list(&profile, "rule");
    let rule = |id: &str| *rules.iter().find(|rule| text(rule, "id") == id).unwrap();
    let newer = rule("map-newer");
    assert_eq!(text(newer, "on"), "map.version-min");
    assert_eq!(newer["major"]["above"], Value::from(i64::from(MAP_CURRENT)));
    assert_eq!(
        MAP_MIN, MAP_CURRENT,
        "with a second version, say in a rule what an older board does not have"
    );
    // What that rule is on can be read of every board.
    let fit = compat::compat(roundsman_registers::MAGIC, 9, 9);
    assert!(fit.can_read(named("map-version-min")) && !fit.can_read(named("temperature-1")));
    // A reset by a fault is one, by a person or by power is none.
    let expect = rule("bad-reset")["minor"]["expect"].as_array().unwrap().clone();
    let metrics = list(&profile, "metric");
    let causes = states(metrics.iter().find(|metric| text(metric, "name") == "system.reset-cause").unwrap());
    for (cause, is_fault) in [
        (ResetCause::Unknown, false),
        (ResetCause::PowerOn, false),
        (ResetCause::Watchdog, true),
        (ResetCause::Software, false),
        (ResetCause::Pin, false),
        (ResetCause::BrownOut, true),
    ] {
        assert_eq!(!expect.contains(&causes[cause as usize].1.clone().into()), is_fault, "{cause:?}");
    }
}
