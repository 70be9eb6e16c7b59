use super::*;
use crate::scene::{Scene, mix};
use crate::tree::Entry;

/// Monday, 2026-11-16, 00:00 in China.
const MONDAY: f64 = 1_794_758_400.0;

/// Between two looks at a device. It divides neither an hour nor the unrest's periods.
const STEP_S: f64 = 701.0;

/// What a healthy device may measure: column or scalar, lowest, highest. The limits are those at which the rules of
/// device-profiles/ call a fault cleared, so that none is raised and none that the story raised stays.
const LIMITS: &[(&str, f64, f64)] = &[
    ("1.3.6.1.2.1.99.1.1.1.4", 200.0, 599.0), // temperature-high clears below 60.0
    ("1.3.6.1.4.1.2011.5.25.31.1.1.1.1.5", 0.0, 69.0), // cpu-high
    ("1.3.6.1.4.1.2011.5.25.31.1.1.1.1.7", 1.0, 79.0), // memory-high
    ("1.3.6.1.4.1.2011.5.25.31.1.1.1.1.11", 20.0, 59.0), // board-hot: 8 below the limit of 68
    ("1.3.6.1.4.1.2011.5.25.31.1.1.3.1.5", 15.0, 60.0), // no rule; a transceiver's usual range
    ("1.3.6.1.4.1.2011.5.25.31.1.1.10.1.5", 10.0, 80.0), // no rule; a fan that is heard past it
    ("1.3.6.1.4.1.25506.2.6.1.1.1.1.6", 0.0, 69.0), // cpu-high
    ("1.3.6.1.4.1.25506.2.6.1.1.1.1.8", 1.0, 79.0), // memory-high
    ("1.3.6.1.4.1.25506.2.6.1.1.1.1.12", 20.0, 55.0), // board-hot
    ("1.3.6.1.4.1.25506.2.70.1.1.1.15", 15.0, 60.0), // no rule
    ("1.3.6.1.2.1.25.1.5", 0.0, 10.0),        // no rule: users
    ("1.3.6.1.2.1.25.1.6", 100.0, 500.0),     // no rule: processes
    ("1.3.6.1.2.1.25.3.3.1.2", 0.0, 79.0),    // a processor
    ("1.3.6.1.4.1.2021.10.1.5", 0.0, 799.0),  // load-high: 2 for each of 4 processors
    ("1.3.6.1.4.1.2021.4.4", 3_400_000.0, 8_388_604.0), // swap-full: 60 % of 8 GiB used
    ("1.3.6.1.4.1.2021.4.6", 2_500_000.0, 16_318_412.0), // memory-full: see the test of memory
    ("1.3.6.1.4.1.2021.4.14", 0.0, 1_000_000.0), // buffers
    ("1.3.6.1.4.1.2021.4.15", 3_000_000.0, 6_000_000.0), // cache
    ("1.3.6.1.2.1.25.2.3.1.6", 0.0, 0.81 * 235_929_600.0), // storage-full, of the largest; each by the test of storage
    ("1.3.6.1.2.1.33.1.2.1", 2.0, 2.0),                    // battery-low
    ("1.3.6.1.2.1.33.1.2.2", 0.0, 0.0),                    // seconds on battery
    ("1.3.6.1.2.1.33.1.2.3", 1.0, 60.0),                   // no rule: minutes
    ("1.3.6.1.2.1.33.1.2.4", 91.0, 100.0),                 // charge-low
    ("1.3.6.1.2.1.33.1.2.5", 2_000.0, 3_000.0),            // no rule
    ("1.3.6.1.2.1.33.1.2.7", 18.0, 31.0),                  // battery-hot
    ("1.3.6.1.2.1.33.1.3.3.1.2", 490.0, 510.0),            // no rule
    ("1.3.6.1.2.1.33.1.3.3.1.3", 190.0, 250.0),            // input-voltage with its dead band
    ("1.3.6.1.2.1.33.1.3.3.1.4", 1.0, 300.0),              // no rule
    ("1.3.6.1.2.1.33.1.4.1", 3.0, 3.0),                    // on-battery, output-off, on-bypass
    ("1.3.6.1.2.1.33.1.4.4.1.3", 1.0, 300.0),              // no rule
    ("1.3.6.1.2.1.33.1.4.4.1.4", 100.0, 4_800.0),          // no rule
    ("1.3.6.1.2.1.33.1.4.4.1.5", 1.0, 79.0),               // overload
    ("1.3.6.1.2.1.33.1.5.3.1.2", 190.0, 250.0),            // no rule
    ("1.3.6.1.2.1.33.1.6.1", 0.0, 0.0),                    // alarms
    ("1.3.6.1.2.1.43.8.2.1.10", 55.0, 550.0),              // paper: above a tenth of a tray
    ("1.3.6.1.2.1.43.11.1.1.9", 0.2 * 15_000.0, 24_000.0), // toner: above a fifth
    ("1.3.6.1.2.1.25.3.5.1.2", 0.0, 0.0),                  // the printer's errors
];

fn dotted(arcs: &[u32]) -> String {
    arcs.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}

fn device(model: Model, seed: u64) -> (Vec<Port>, Tree, Scene) {
    let port = |(at, name): (usize, String)| Port {
        name,
        alias: if at < 4 { "上联".to_owned() } else { String::new() },
        mbit: [50, 100, 1_000][at % 3],
    };
    let ports: Vec<_> = model.port_names().enumerate().take(14).map(port).collect();
    let outline = Outline {
        model,
        description: model.description(),
        location: "here",
        address: Ipv4Addr::LOCALHOST,
        ports: &ports,
        seed,
    };
    let tree = tree(&outline);
    let scene = Scene::new(seed, ports.len(), MONDAY);
    (ports, tree, scene)
}

fn entries(tree: &Tree) -> impl Iterator<Item = &Entry> {
    (0..).map_while(|place| tree.at(place))
}

/// The number that an object shows.
fn value(entry: &Entry, scene: &Scene, at: f64) -> f64 {
    let mut out = Vec::new();
    entry.object.put(&mut out, "device", scene, at);
    let octets = &out[2..];
    let negative = out[0] == ber::INTEGER && octets[0] & 0x80 != 0;
    let whole =
        octets.iter().fold(if negative { -1_i64 } else { 0 }, |sum, &octet| (sum << 8) | i64::from(octet));
    whole as f64
}

/// The number under a branch and what stands below it.
fn number(tree: &Tree, scene: &Scene, branch: &[u32], rest: &[u32], at: f64) -> f64 {
    let arcs = below(branch, rest);
    let entry = tree.get(&arcs).unwrap_or_else(|| panic!("{} is not there", dotted(&arcs)));
    value(entry, scene, at)
}

#[test]
fn nothing_that_a_healthy_device_measures_raises_a_fault_at_any_time_of_the_week() {
    for model in Model::ALL {
        for seed in 0..6 {
            let (_, tree, scene) = device(model, mix(seed, 9));
            let mut at = MONDAY;
            while at < MONDAY + 7.0 * 86_400.0 {
                for entry in entries(&tree) {
                    if !matches!(entry.object, Object::Measured { .. } | Object::Bits(_)) {
                        continue;
                    }
                    let object = dotted(&entry.arcs[..entry.object_len]);
                    let (_, low, high) = LIMITS
                        .iter()
                        .find(|(name, ..)| *name == object)
                        .unwrap_or_else(|| panic!("{model:?}: {object} has no limits"));
                    let value = value(entry, &scene, at);
                    assert!(
                        (*low..=*high).contains(&value),
                        "{model:?} {seed}, {} h into the week: {} is {value}",
                        (at - MONDAY) / 3_600.0,
                        dotted(&entry.arcs)
                    );
                }
                at += STEP_S;
            }
        }
    }
}

#[test]
fn no_line_is_busy_and_hardly_a_packet_is_lost_at_any_time_of_the_week() {
    const IF_TABLE: &[u32] = &[1, 3, 6, 1, 2, 1, 2, 2, 1];
    const IF_X_TABLE: &[u32] = &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1];
    for model in Model::ALL {
        let (ports, tree, scene) = device(model, mix(4, model as u64));
        // How much a counter grows in the ten seconds between two polls.
        let grown = |branch: &[u32], rest: &[u32], at: f64| {
            number(&tree, &scene, branch, rest, at + 10.0) - number(&tree, &scene, branch, rest, at)
        };
        let mut at = MONDAY;
        while at < MONDAY + 7.0 * 86_400.0 {
            for (place, port) in ports.iter().enumerate() {
                let row = place as u32 + 1;
                for column in [6, 10] {
                    let share =
                        grown(IF_X_TABLE, &[column, row], at) * 8.0 / (10.0 * f64::from(port.mbit) * 1e6);
                    // interface-busy clears below 70 %.
                    assert!((0.0..0.68).contains(&share), "{model:?} {}: {share} at {at}", port.name);
                }
                for column in [13, 14, 19, 20] {
                    let errors = grown(IF_TABLE, &[column, row], at);
                    // interface-errors clears at 0.1 a second; one in ten seconds is no trend.
                    assert!((0.0..=1.0).contains(&errors), "{model:?} {}: {errors} at {at}", port.name);
                }
            }
            for scalar in [4, 5, 8, 11, 12] {
                let errors = grown(IP, &[scalar, 0], at);
                assert!((0.0..20.0).contains(&errors), "{model:?}: ip.{scalar} {errors} at {at}");
            }
            at += STEP_S;
        }
    }
}

#[test]
fn a_server_is_never_short_of_processors_memory_or_disk() {
    const UCD: &[u32] = &[1, 3, 6, 1, 4, 1, 2021];
    const STORAGE: &[u32] = &[1, 3, 6, 1, 2, 1, 25, 2, 3, 1];
    const TICKS: [u32; 8] = [50, 51, 52, 53, 54, 56, 61, 64];
    for seed in 0..6 {
        let (_, tree, scene) = device(Model::Linux, seed);
        let ticks = |at: f64| TICKS.map(|last| number(&tree, &scene, UCD, &[11, last, 0], at));
        let (mut least, mut most) = (100.0_f64, 0.0_f64);
        let mut at = MONDAY;
        let mut before = ticks(at);
        while at < MONDAY + 7.0 * 86_400.0 {
            at += STEP_S;
            let now = ticks(at);
            // A Counter32 of ticks wraps every 124 days of four processors.
            let grown: Vec<f64> = now
                .iter()
                .zip(before)
                .map(|(now, before)| (now - before).rem_euclid(4_294_967_296.0))
                .collect();
            let whole: f64 = grown.iter().sum();
            assert!((whole / STEP_S - 400.0).abs() < 0.1, "four processors: {whole} ticks in {STEP_S} s");
            let (idle, waiting) = (grown[3] / whole, grown[4] / whole);
            (least, most) = (least.min(100.0 - 100.0 * idle), most.max(100.0 - 100.0 * idle));
            assert!(waiting < 0.05, "waiting for disks");
            let memory = |last: u32| number(&tree, &scene, UCD, &[4, last, 0], at);
            let used = 1.0 - (memory(6) + memory(14) + memory(15)) / memory(5);
            assert!((0.2..0.6).contains(&used), "memory {used}");
            for index in [31, 36, 37] {
                let storage = |column: u32| number(&tree, &scene, STORAGE, &[column, index], at);
                let used = storage(6) / storage(5);
                assert!((0.3..0.8).contains(&used), "disk {index}: {used}");
            }
            before = now;
        }
        assert!(least < 8.0 && (30.0..60.0).contains(&most), "CPU from {least} to {most} %");
    }
}

#[test]
fn what_the_faults_break_is_what_the_rules_look_at() {
    use crate::scene::Trouble;
    let after = |model: Model, trouble: Trouble| {
        let (_, tree, mut scene) = device(model, 3);
        scene.set_trouble(trouble, MONDAY);
        move |branch: &[u32], rest: &[u32]| number(&tree, &scene, branch, rest, MONDAY + 60.0)
    };
    const STORAGE: &[u32] = &[1, 3, 6, 1, 2, 1, 25, 2, 3, 1];
    let disk = after(Model::Linux, Trouble { disk: Some(94.0), ..Trouble::default() });
    let used = |index: u32| disk(STORAGE, &[6, index]) / disk(STORAGE, &[5, index]);
    assert!((used(37) - 0.94).abs() < 1e-6, "/data");
    assert!(used(31) < 0.5 && used(36) < 0.6, "the others stay as they are");
    const UPS: &[u32] = &[1, 3, 6, 1, 2, 1, 33, 1];
    let ups = after(Model::Ups, Trouble { on_battery: true, ..Trouble::default() });
    for (rest, value) in [
        (&[4, 1, 0][..], 5.0),
        (&[2, 2, 0], 60.0),
        (&[2, 4, 0], 88.0),
        (&[3, 3, 1, 3, 2], 0.0),
        (&[6, 1, 0], 1.0),
    ] {
        assert_eq!(ups(UPS, rest), value, "{rest:?}");
    }
    const LEVEL: &[u32] = &[1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 9];
    const ERRORS: &[u32] = &[1, 3, 6, 1, 2, 1, 25, 3, 5, 1, 2];
    let printer = after(Model::Printer, Trouble { toner: Some(4.0), ..Trouble::default() });
    assert_eq!((printer(LEVEL, &[1, 1]), printer(ERRORS, &[1])), (960.0, f64::from(0x2000)), "lowToner");
    let empty = after(Model::Printer, Trouble { toner: Some(0.0), ..Trouble::default() });
    assert_eq!((empty(LEVEL, &[1, 1]), empty(ERRORS, &[1])), (0.0, f64::from(0x1000)), "noToner");
    const SENSOR: &[u32] = &[1, 3, 6, 1, 2, 1, 99, 1, 1, 1, 4];
    for model in [Model::Generic, Model::Vrp, Model::Comware] {
        let hot = after(model, Trouble { heat: Some(78.0), ..Trouble::default() });
        assert_eq!(hot(SENSOR, &[2]), 780.0, "{model:?}");
    }
}

#[test]
fn hostile_names_stand_wherever_a_device_names_itself() {
    use crate::scene::Trouble;
    let (_, tree, mut scene) = device(Model::Comware, 3);
    let shown = |scene: &Scene, name: &str| {
        let entry = entries(&tree).find(|entry| dotted(&entry.arcs) == name).unwrap();
        let mut out = Vec::new();
        entry.object.put(&mut out, "sw-1", scene, MONDAY);
        out
    };
    const NAMES: [&str; 4] =
        ["1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.1.6.0", "1.3.6.1.2.1.31.1.1.1.1.1", "1.3.6.1.2.1.31.1.1.1.18.1"];
    let before = NAMES.map(|name| shown(&scene, name));
    scene.set_trouble(Trouble { hostile: true, ..Trouble::default() }, MONDAY);
    let hostile = NAMES.map(|name| shown(&scene, name));
    for (at, name) in NAMES.iter().enumerate() {
        assert_ne!(before[at], hostile[at], "{name}");
    }
    let distinct: std::collections::BTreeSet<_> = hostile.iter().collect();
    assert_eq!(distinct.len(), NAMES.len());
    scene.set_trouble(Trouble::default(), MONDAY);
    assert_eq!(NAMES.map(|name| shown(&scene, name)), before);
}

#[test]
fn ports_speak_of_their_speed() {
    let (ports, tree, scene) = device(Model::Vrp, 3);
    for (at, port) in ports.iter().enumerate() {
        let row = at as u32 + 1;
        let high = number(&tree, &scene, &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15], &[row], MONDAY);
        let low = number(&tree, &scene, &[1, 3, 6, 1, 2, 1, 2, 2, 1, 5], &[row], MONDAY);
        assert_eq!((high, low), (f64::from(port.mbit), f64::from(port.mbit) * 1e6));
    }
}
