//! Devices on buses, from a profile to readings, events and commands.

use roundsman_core::model::InstanceIx;
use roundsman_core::reading::{Absence, Readings, Value};
use roundsman_core::time::{Mono, Now};
use roundsman_profile::bus::{BadUnit, Way};
use roundsman_profile::catalogue::Catalogue;
use roundsman_profile::command::{Course, Next, Report, Told, Verified, find, order};
use roundsman_profile::overlay::with_grid;
use roundsman_profile::proof;
use roundsman_profile::schema::{Mark, Profile};
use roundsman_profile::translate::Translator;
use roundsman_wire::bus::answer::{Answer, Cost, Said};
use roundsman_wire::bus::order::{Say, Verdict};
use roundsman_wire::bus::{Recovery, Unit};
use roundsman_wire::field::Raw;
use std::path::Path;
use std::sync::Arc;

fn catalogue(path: &str) -> Catalogue {
    Catalogue::with_folder(Path::new(path)).unwrap_or_else(|rejected| panic!("{}", rejected.render(false)))
}

fn profile(id: &str) -> Arc<Profile> {
    Catalogue::embedded().unwrap().get(id).unwrap().clone()
}

#[test]
fn the_designs_examples_are_read_and_proven() {
    let catalogue = catalogue("tests/contract");
    for id in ["samsung-mdc", "xy-md02"] {
        let proof = proof::prove(catalogue.item(id).unwrap());
        let proof = proof.unwrap_or_else(|rejected| panic!("{}", rejected.render(false)));
        assert!(proof.metrics > 0, "{id}");
    }
}

/// Logins, answers of several lines, frames that silence ends, events and their instances, arguments that are numbers.
#[test]
fn conference_hosts_are_described_as_data() {
    let catalogue = catalogue("tests/buses");
    for id in ["conference-ccu", "conference-pushes"] {
        proof::prove(catalogue.item(id).unwrap())
            .unwrap_or_else(|rejected| panic!("{}", rejected.render(false)));
    }
    let marks = &catalogue.get("conference-ccu").unwrap().marks;
    assert_eq!(*marks, [Mark::Banner(Arc::from("CCU"))]);
}

#[test]
fn a_device_on_a_bus_is_known_by_what_it_says() {
    let catalogue = catalogue("tests/buses");
    let found = |objects: &[(u8, &str)], banner: &str| {
        catalogue.resolve_mark(objects, banner).map(|profile| profile.id.to_string())
    };
    assert_eq!(found(&[], "CCU 1.0").as_deref(), Some("conference-ccu"));
    assert_eq!(found(&[(0, "Acme"), (1, "P-7/2"), (2, "V1")], "").as_deref(), Some("conference-pushes"));
    assert_eq!(found(&[(0, "Acme"), (1, "Q-7")], ""), None);
    assert_eq!(found(&[], "PJLINK 0"), None);
}

/// `forbid_when` is asked of the readings that are there; without them nobody knows.
#[test]
fn a_command_is_forbidden_while_its_guard_holds() {
    let wall = profile("samsung-mdc");
    let guard = find(&wall, "input").unwrap().forbidden.as_ref().unwrap();
    let device = roundsman_core::device::Device {
        id: Arc::from("wall"),
        name: Arc::from("wall"),
        class: wall.class,
        profile: wall.id.clone(),
        tier: roundsman_core::device::Tier::City,
        network: roundsman_core::device::Network::Lan,
        location: Arc::from(""),
        address: Arc::from(""),
        uplinks: Vec::new(),
        interval_s: 60,
        line: roundsman_core::line::Line::default(),
        tags: Vec::new(),
    };
    let labels = roundsman_core::model::Labels::default();
    let is = |readings: &Readings| {
        let scalar = InstanceIx::SCALAR;
        roundsman_core::fault::holds(guard, scalar, &device, &wall.model, readings, &labels)
    };
    assert_eq!(is(&readings(&wall, "panel.power", "off")), Some(true));
    assert_eq!(is(&readings(&wall, "panel.power", "on")), Some(false));
    assert_eq!(is(&Readings::new(Now::at(0, 0), true)), None);
}

#[test]
fn units_that_mean_everybody_are_refused() {
    let (wall, meter) = (profile("samsung-mdc"), profile("pzem-004t"));
    let (wall, meter) = (wall.bus.as_ref().unwrap(), meter.bus.as_ref().unwrap());
    assert_eq!(wall.member(Unit(1), Some(254)), Err(BadUnit::Broadcast(254)));
    assert_eq!(wall.member(Unit(1), Some(256)), Err(BadUnit::Range(256)));
    assert_eq!(meter.member(Unit(1), Some(0)), Err(BadUnit::Broadcast(0)));
    assert_eq!(meter.member(Unit(1), Some(248)), Err(BadUnit::Range(248)));
    let member = meter.member(Unit(1), None).unwrap();
    assert_eq!(member.params.get("address"), Some(&[1][..]));
    assert_eq!(meter.member(Unit(9), Some(247)).unwrap().params.get("address"), Some(&[247][..]));
}

#[test]
fn lines_are_as_the_profile_needs_them() {
    let wall = profile("samsung-mdc");
    let wall = wall.bus.as_ref().unwrap();
    let line = wall.line(Way::Port(9_600));
    assert_eq!((line.gap_ms, line.octet_us, line.recovery), (100, 1_145, Recovery::HoldUnit));
    assert_eq!(wall.line(Way::Server).octet_us, 0);
    assert_eq!(wall.line(Way::Tcp).recovery, Recovery::Reopen);
    let projector = profile("pjlink-class-1");
    let projector = projector.bus.as_ref().unwrap();
    assert_eq!(projector.line(Way::Server).recovery, Recovery::HoldLine, "its answers name nobody");
    assert!(projector.opening(None, Some("secret")).is_some());
    assert!(wall.opening(None, None).is_none());
}

fn said(values: Vec<Result<Raw, Absence>>) -> Said {
    Said { answered: values.iter().any(Result::is_ok), values }
}

/// Three panels: one well, one silent, one that says too little.
#[test]
fn a_grid_has_a_row_for_each_panel() {
    let single = profile("samsung-mdc");
    let wall = with_grid(&single, 1, 3);
    let points = single.bus.as_ref().unwrap().plan.points();
    let good = (0..points).map(|_| Ok(Raw::Unsigned(1))).collect();
    let silent = vec![Err(Absence::Timeout); points];
    let units = vec![said(good), said(silent), said(vec![Ok(Raw::Unsigned(0))])];
    let answer = Answer { units, cost: Cost::default() };
    let mut translator = Translator::default();
    let readings = translator.translate(&wall, &answer, Now::at(1, 1));
    let metric = |name: &str| wall.model.metric(name).unwrap();
    let at = |name: &str, label: &str| {
        readings.get(metric(name), translator.labels().find(label).unwrap()).unwrap().clone()
    };
    let state = |word: &str| Ok(Value::State(Arc::from(word)));
    assert_eq!(at("panel.power", "r1c1"), state("on"));
    assert_eq!(at("panel.power", "r1c2"), Err(Absence::Timeout));
    assert_eq!(at("panel.power", "r1c3"), state("off"));
    assert_eq!(at("temperature.value", "r1c3"), Err(Absence::Timeout));
    assert_eq!(at("panel.link", "r1c2"), state("silent"));
    assert_eq!(at("panel.link", "r1c3"), state("ok"));
    let table = wall.model.metrics[metric("panel.power").at()].table.unwrap();
    assert!(readings.answered && readings.is_complete(table));
    // Nobody answers: that is the line's fault, no panel is called silent.
    let nobody = Answer::without(3, points, Absence::Unreachable);
    let readings = translator.translate(&wall, &nobody, Now::at(2, 2));
    assert!(!readings.answered && !readings.is_complete(table));
    assert_eq!(readings.get(metric("panel.link"), InstanceIx(1)), Some(&Err(Absence::Timeout)));
    // The same profile for one panel has scalars.
    let one = Answer::without(1, points, Absence::Timeout);
    let readings = translator.translate(&single, &one, Now::at(3, 3));
    assert_eq!(readings.get(metric("panel.power"), InstanceIx::SCALAR), Some(&Err(Absence::Timeout)));
}

fn readings(profile: &Profile, metric: &str, word: &str) -> Readings {
    let mut readings = Readings::new(Now::at(0, 0), true);
    let metric = profile.model.metric(metric).unwrap();
    readings.add(metric, [(InstanceIx::SCALAR, Ok(Value::State(Arc::from(word))))]);
    readings
}

fn course(profile: &Profile, command: &str, given: &[(&str, &str)]) -> Course {
    let member = profile.bus.as_ref().unwrap().member(Unit(1), None).unwrap();
    let command = find(profile, command).unwrap();
    Course::new(profile, command, Some(&member), InstanceIx::SCALAR, given).unwrap()
}

fn told(verdict: Verdict) -> Told {
    Told { sent: "01".to_owned(), answered: None, verdict }
}

fn done(course: &mut Course) -> Report {
    match course.next(Mono(0)) {
        Next::Done(report) => *report,
        other => panic!("{other:?}"),
    }
}

/// Sent, acknowledged, left alone while it starts, looked at until it says so.
#[test]
fn a_command_is_believed_when_it_is_read_back() {
    let wall = profile("samsung-mdc");
    let mut course = course(&wall, "power", &[("state", "on")]);
    assert!(matches!(course.next(Mono(1_000)), Next::Tell(_)));
    assert_eq!(course.next(Mono(1_001)), Next::Wait);
    course.told(told(Verdict::Acknowledged));
    let Next::Look(points, at) = course.next(Mono(1_200)) else { panic!() };
    assert_eq!((points.len(), at), (1, Mono(16_000)), "the panel rests for 15 s");
    assert_eq!(course.next(Mono(1_300)), Next::Wait);
    course.looked(&readings(&wall, "panel.power", "off"), Mono(16_100));
    let Next::Look(_, at) = course.next(Mono(16_100)) else { panic!() };
    assert_eq!(at, Mono(17_100));
    course.looked(&readings(&wall, "panel.power", "on"), Mono(17_200));
    assert_eq!(done(&mut course).verified, Verified::Yes(16_200));
}

#[test]
fn a_command_that_does_not_show_is_not_verified() {
    let wall = profile("samsung-mdc");
    let mut off = course(&wall, "power", &[("state", "off")]);
    off.next(Mono(0));
    off.told(told(Verdict::Failed(Absence::Timeout)));
    assert!(matches!(off.next(Mono(1_000)), Next::Look(..)), "an answer may be lost on its way");
    off.looked(&readings(&wall, "panel.power", "on"), Mono(50_000));
    assert_eq!(done(&mut off).verified, Verified::No(Some(Arc::from("on"))));
    let mut refused = course(&wall, "power", &[("state", "off")]);
    refused.next(Mono(0));
    refused.told(told(Verdict::Refused(Absence::Unsupported)));
    assert_eq!(done(&mut refused).verified, Verified::Pointless);
    let host = profile("modbus-generic");
    let mut blind = course(&host, "microphones-off", &[]);
    blind.next(Mono(0));
    blind.told(told(Verdict::Unproven));
    assert_eq!(done(&mut blind).verified, Verified::Unknown);
}

#[test]
fn arguments_that_do_not_fit_are_refused() {
    let wall = profile("samsung-mdc");
    let bus = wall.bus.as_ref().unwrap();
    let member = bus.member(Unit(1), None).unwrap();
    let power = find(&wall, "power").unwrap();
    let refuse = |given: &[(&str, &str)]| order(bus, power, &member, given).unwrap_err().to_string();
    assert_eq!(refuse(&[]), "argument `state`: is missing; possible: on, off");
    assert_eq!(refuse(&[("state", "up")]), "argument `state`: is never `up`; possible: on, off");
    assert_eq!(
        refuse(&[("state", "on"), ("stat", "on")]),
        "argument `stat`: there is no such argument; there are: state"
    );
    assert_eq!(
        find(&wall, "powr").unwrap_err().to_string(),
        "profile `samsung-mdc` has no command `powr`; it has: power, input, reboot"
    );
    let ccu = catalogue("tests/buses");
    let ccu = ccu.get("conference-ccu").unwrap();
    let bus = ccu.bus.as_ref().unwrap();
    let member = bus.member(Unit(1), None).unwrap();
    let microphone = find(ccu, "microphone").unwrap();
    let refuse = |seat: &str| {
        order(bus, microphone, &member, &[("seat", seat), ("state", "on")]).unwrap_err().to_string()
    };
    assert_eq!(refuse("1000"), "argument `seat`: `1000` is no number from 1 to 999");
    assert_eq!(refuse("7\rmic_off 1"), "argument `seat`: `7\rmic_off 1` is no number from 1 to 999");
}

/// Every type that can be written, by the function that fits it.
#[test]
fn registers_are_written() {
    let text = |write: &str| {
        format!(
            "schema = 1\nid = \"acme\"\nclass = \"power\"\nname = {{ zh = \"测\", en = \"T\" }}\n\
             modbus = {{ word_order = \"little\" }}\n\
             metric = [{{ name = \"a.b\", reg = \"holding:0\", kind = \"gauge\" }}]\n\
             command = [{{ id = \"set\", name = {{ zh = \"设\", en = \"S\" }}, arg.x = {{ min = -70000, max = 70000 }}, write = {{ {write}, value = \"{{x}}\" }} }}]\n"
        )
    };
    let folder = std::env::temp_dir().join(format!("roundsman-writes-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (write, x, pdu) in [
        (r#"reg = "holding:5""#, "7", Some("06 00 05 00 07")),
        (r#"reg = "holding:5", multiple = true"#, "7", Some("10 00 05 00 01 02 00 07")),
        (r#"reg = "holding:5", type = "i16""#, "-2", Some("06 00 05 FF FE")),
        (r#"reg = "holding:5", type = "u32""#, "65537", Some("10 00 05 00 02 04 00 01 00 01")),
        (r#"reg = "holding:5", type = "i32""#, "-2", Some("10 00 05 00 02 04 FF FE FF FF")),
        (
            r#"reg = "holding:5", type = "f32", word_order = "big""#,
            "1",
            Some("10 00 05 00 02 04 3F 80 00 00"),
        ),
        (r#"reg = "coil:3""#, "1", Some("05 00 03 FF 00")),
        (r#"reg = "coil:3", multiple = true"#, "0", Some("0F 00 03 00 01 01 00")),
        (r#"reg = "holding:5""#, "65536", None),
        (r#"reg = "holding:5""#, "-1", None),
        (r#"reg = "holding:5", type = "i16""#, "40000", None),
    ] {
        let path = folder.join("acme.toml");
        std::fs::write(&path, text(write)).unwrap();
        let catalogue = catalogue(path.to_str().unwrap());
        let profile = catalogue.get("acme").unwrap();
        let bus = profile.bus.as_ref().unwrap();
        let member = bus.member(Unit(1), None).unwrap();
        let order = order(bus, find(profile, "set").unwrap(), &member, &[("x", x)]);
        let shown = order.ok().map(|order| match order.say {
            Say::Modbus { pdu, .. } => {
                pdu.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(" ")
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(shown.as_deref(), pdu, "{write} {x}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
