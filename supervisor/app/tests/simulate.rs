//! `roundsman simulate` as a program: ready line, faults from the start, directions on standard input.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ADDRESS: &str = "127.99.0.1";

/// A site of one device: its file, and where it echoes.
fn site(folder: &Path) -> (std::path::PathBuf, u16) {
    let free = || UdpSocket::bind((ADDRESS, 0)).unwrap();
    let (snmp, echo) = (free(), free());
    let port = |socket: &UdpSocket| socket.local_addr().unwrap().port();
    let text = format!(
        "[site]\nname = \"One\"\ntimezone = \"Asia/Shanghai\"\n[credentials.mine]\n\
         snmp = {{ version = \"2c\", community_file = \"community\" }}\n[[device]]\nid = \"rt-1\"\nname = \"Router\"\n\
         profile = \"snmp-generic\"\ntier = \"county\"\nnetwork = \"business\"\naddress = \"{ADDRESS}:{}\"\n\
         credentials = \"mine\"\nreach = \"echo:{}\"\n",
        port(&snmp),
        port(&echo)
    );
    let path = folder.join("site.toml");
    fs::write(&path, text).unwrap();
    fs::write(folder.join("community"), "demo\n").unwrap();
    (path, port(&echo))
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_says_ready_and_takes_directions() {
    let folder = tempfile::tempdir().unwrap();
    let (path, echo) = site(folder.path());
    let mut child = Command::new(env!("CARGO_BIN_EXE_roundsman"))
        .args(["simulate", "--fault", "rt-1=silent", "--site"])
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut directions = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let _running = Running(child);
    let mut next = || lines.next().unwrap().unwrap();
    let echoes = |wait: Duration| {
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(wait)).unwrap();
        client.send_to(b"there?", (ADDRESS, echo)).unwrap();
        client.recv(&mut [0; 16]).is_ok()
    };
    assert_eq!(next(), "ready 1 devices");
    assert!(!echoes(Duration::from_millis(400)), "silent from the start");
    for (line, answer) in [
        ("rt-1=ok", "done rt-1=ok"),
        ("rt-1=slient", "error: `slient` is no fault; expected one of silent, "),
        ("rt-2=silent", "error: no device of the virtual site has the id `rt-2`"),
        ("rt-1", "error: `rt-1` is no assignment"),
    ] {
        writeln!(directions, "{line}").unwrap();
        let said = next();
        assert!(said.starts_with(answer), "{line}: {said}");
    }
    assert!(echoes(Duration::from_secs(5)), "it is back");
    drop(directions);
    assert!(echoes(Duration::from_secs(5)), "it goes on without directions");
}

/// The profiles that the virtual site plays, and `auto` with ids that say what to play.
const PLAYED: [(&str, &str, &str); 8] = [
    ("generic", "snmp-generic", "snmp-generic"),
    ("vrp", "huawei-vrp", "huawei-vrp"),
    ("comware", "h3c-comware", "h3c-comware"),
    ("linux", "linux-net-snmp", "linux-net-snmp"),
    ("power", "ups-mib", "ups-mib"),
    ("paper", "printer-mib", "printer-mib"),
    ("rt-auto", "auto", "huawei-vrp"),
    ("sw-auto", "auto", "h3c-comware"),
];

#[test]
fn every_metric_of_every_profile_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "[site]\nname = \"All\"\ntimezone = \"Asia/Shanghai\"\n[credentials.mine]\n\
                    snmp = { version = \"2c\", community_file = \"community\" }\n"
        .to_owned();
    for (at, (id, profile, _)) in PLAYED.iter().enumerate() {
        // Each has an address of its own and a use for its first port, so that optics are shown.
        let ip = format!("127.99.1.{}", at + 1);
        let port = UdpSocket::bind((ip.as_str(), 0)).unwrap().local_addr().unwrap().port();
        text += &format!(
            "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"{profile}\"\ntier = \"city\"\n\
             network = \"lan\"\naddress = \"{ip}:{port}\"\ncredentials = \"mine\"\nreach = \"snmp\"\n\
             tag = {{ \"Trunk1\" = \"uplink\" }}\n"
        );
    }
    let path = folder.path().join("site.toml");
    fs::write(&path, text).unwrap();
    fs::write(folder.path().join("community"), "demo\n").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_roundsman"))
        .args(["simulate", "--site"])
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let _running = Running(child);
    assert_eq!(lines.next().unwrap().unwrap(), "ready 8 devices");
    let polls = PLAYED.map(|(id, _, resolved)| {
        let poll = Command::new(env!("CARGO_BIN_EXE_roundsman"))
            .args(["poll", "--json", id, "--config"])
            .arg(&path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        (id, resolved, poll)
    });
    for (id, resolved, poll) in polls {
        let output = poll.wait_with_output().unwrap();
        assert!(output.status.success(), "{id}: {}", output.status);
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["profile"], resolved, "{id}");
        let readings = answer["readings"].as_array().unwrap();
        assert!(readings.len() > 50, "{id}: {} readings", readings.len());
        let bad: Vec<_> = readings.iter().filter(|reading| reading["quality"] != "good").collect();
        assert!(bad.is_empty(), "{id}: {bad:#?}");
    }
}

/// Profiles of devices on buses, how they are placed on them, and how many readings they give.
const ON_BUSES: [(&str, &str, &str, usize); 10] = [
    ("wall", "samsung-mdc", "bus = \"wall\"\ngrid = { rows = 2, columns = 3, first_unit = 1 }", 60),
    ("sensor", "xy-md02", "bus = \"rtu\"\nunit = 1", 2),
    ("meter", "pzem-004t", "bus = \"rtu\"\nunit = 2", 7),
    ("relays", "relay-board", "bus = \"rtu\"\nunit = 3", 8),
    ("host", "modbus-generic", "bus = \"rtu\"\nunit = 4", 11),
    ("probe", "roundsman-probe", "bus = \"rtu\"\nunit = 5", 77),
    ("served", "xy-md02", "bus = \"server\"\nunit = 1", 2),
    ("behind", "pzem-004t", "bus = \"gateway\"\nunit = 7", 7),
    ("projector", "pjlink-class-1", "address = \"PROJECTOR\"\ncredentials = \"mine\"", 14),
    ("alone", "relay-board", "address = \"ALONE\"", 8),
];

#[test]
fn every_metric_of_every_device_on_a_bus_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display();
    let ports: Vec<String> = (1..=4)
        .map(|at| TcpListener::bind((format!("127.99.2.{at}"), 0)).unwrap().local_addr().unwrap().to_string())
        .collect();
    let mut text = format!(
        "[site]\nname = \"All\"\ntimezone = \"Asia/Shanghai\"\n[credentials.mine]\n\
         login = {{ password_file = \"password\" }}\n\
         [[bus]]\nid = \"wall\"\nport = \"{here}/wall\"\n[[bus]]\nid = \"rtu\"\nport = \"{here}/rtu\"\n\
         [[bus]]\nid = \"server\"\nport = \"tcp://{}\"\n\
         [[bus]]\nid = \"gateway\"\nport = \"modbus-tcp://{}\"\n",
        ports[0], ports[1]
    );
    for (id, profile, place, _) in ON_BUSES {
        let place = place.replace("PROJECTOR", &ports[2]).replace("ALONE", &ports[3]);
        text += &format!(
            "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"{profile}\"\ntier = \"city\"\n\
             network = \"lan\"\n{place}\n"
        );
    }
    let path = folder.path().join("site.toml");
    fs::write(&path, text).unwrap();
    fs::write(folder.path().join("password"), "JBMIAProjectorLink\n").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_roundsman"))
        .args(["simulate", "--site"])
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut directions = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let _running = Running(child);
    assert_eq!(lines.next().unwrap().unwrap(), "ready 10 devices");
    let poll = |id: &str| -> Vec<serde_json::Value> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_roundsman"));
        let output = command.args(["poll", "--json", id, "--config"]).arg(&path).output().unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        answer["readings"].as_array().unwrap().clone()
    };
    let is_bad = |reading: &&serde_json::Value| reading["quality"] != "good";
    for (id, _, _, count) in ON_BUSES {
        let readings = poll(id);
        assert_eq!(readings.len(), count, "{id}: {readings:#?}");
        let bad: Vec<_> = readings.iter().filter(is_bad).collect();
        assert!(bad.is_empty(), "{id}: {bad:#?}");
    }
    let mut direct = |line: &str| {
        writeln!(directions, "{line}").unwrap();
        lines.next().unwrap().unwrap()
    };
    assert_eq!(direct("wall=dead-unit:5"), "done wall=dead-unit:5");
    let silent = |reading: &&serde_json::Value| is_bad(reading) || reading["value"] == "silent";
    let dead: Vec<_> = poll("wall").into_iter().filter(|reading| silent(&reading)).collect();
    assert!(dead.len() == 10 && dead.iter().all(|reading| reading["instance"] == "r2c2"), "{dead:#?}");
    assert_eq!(direct("wall=ok"), "done wall=ok");
    for (line, part) in [
        ("wall=dead-unit:7", "has no unit 7; it has 1, 2, 3, 4, 5, 6"),
        ("wall=half-open", "is no TCP port"),
        ("meter=hot:50", "is on a bus, where there is no `hot:50`"),
    ] {
        assert!(direct(line).contains(part), "{line}");
    }
}

#[test]
fn wrong_use_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = site(folder.path());
    let path = path.to_str().unwrap();
    for (arguments, code, part) in [
        (&["simulate"][..], 2, "--site"),
        (&["simulate", "--site", path, "--fault", "rt-1=hot"], 2, "such as `hot:78`"),
        (&["simulate", "--site", path, "--fault", "rt-9=silent"], 1, "rt-9"),
        (&["simulate", "--site", path, "--fault", "rt-1=disk:full"], 2, "such as `disk:94`"),
        (&["simulate", "--site", path, "--fault", "rt-1=on-battery"], 1, "the device rt-1 has no battery"),
        (&["simulate", "--site", path, "--fault", "rt-1=flapping:Gi9"], 1, "it has GigabitEthernet0/0/0"),
        (&["simulate", "--site", path, "--story"], 1, "the story needs"),
        (&["simulate", "--site", "nowhere.toml"], 2, "nowhere.toml"),
        (&["simulate", "--bare", "5", "--listen", "192.0.2.1:16161"], 1, "127.0.0.0/8"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_roundsman"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(part), "{arguments:?}: {error}");
    }
}
