//! Buses against peers that nobody here wrote: the simulator of pymodbus as RTU slave behind a pseudo-terminal pair of
//! socat, as RTU over TCP and as Modbus TCP; polls and commands through the binary, with and without a running service.

use serde_json::Value;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a peer or the service may take to get ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(command: &mut Command) -> Running {
    let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Running(started.unwrap_or_else(|error| panic!("{command:?} does not start: {error}")))
}

#[expect(clippy::disallowed_methods, reason = "waits in real time for real processes")]
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Whether the peers are there; where not, the test fails unless ALLOW_SKIP names pymodbus.
fn pymodbus() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(repository().join("target"), PathBuf::from);
    let simulator = target.join("peers-venv/bin/pymodbus.simulator");
    let has_socat = Command::new("socat").arg("-V").output().is_ok();
    if simulator.exists() && has_socat {
        return Some(simulator);
    }
    let may_skip =
        std::env::var("ALLOW_SKIP").is_ok_and(|names| names.split(',').any(|name| name.trim() == "pymodbus"));
    assert!(
        may_skip,
        "socat or {} is missing: run tests/run, or name pymodbus in ALLOW_SKIP",
        simulator.display()
    );
    None
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// The site, its peers and its files.
struct Bench {
    folder: tempfile::TempDir,
    peers: [Running; 3],
    socat: Running,
    panel: u16,
    tcp: u16,
}

impl Bench {
    fn new(simulator: &Path) -> Bench {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let (tcp, server, panel) = (free_port(), free_port(), free_port());
        let socat = pty_pair(folder.path());
        let text =
            std::fs::read_to_string(repository().join("tests/peers/pymodbus.json")).expect("the peer's file");
        let text = text.replace("@PTY@", &path("slave").display().to_string());
        let text = text.replace("\"@TCP@\"", &tcp.to_string()).replace("\"@SERVER@\"", &server.to_string());
        std::fs::write(path("pymodbus.json"), text).expect("the peer's file");
        let peers = ["rtu", "tcp", "rtu-over-tcp"].map(|name| peer(simulator, folder.path(), name));
        let mut site = format!(
            "[site]\nname = \"Bench\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n\
             [panel]\nlisten = \"127.0.0.1:{panel}\"\n\
             [[bus]]\nid = \"line\"\nport = \"{}\"\nbaud = \"none\"\n\
             [[bus]]\nid = \"server\"\nport = \"tcp://127.0.0.1:{server}\"\n",
            path("master").display()
        );
        for (id, profile, place) in [
            ("sensor", "xy-md02", "bus = \"line\"\nunit = 1".to_owned()),
            ("relay", "relay-board", "bus = \"line\"\nunit = 2".to_owned()),
            ("sensor-server", "xy-md02", "bus = \"server\"".to_owned()),
            (
                "relay-tcp",
                "relay-board",
                format!("address = \"127.0.0.1:{tcp}\"\nunit = 3\nreach = \"tcp:{tcp}\""),
            ),
        ] {
            site += &format!(
                "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"{profile}\"\ntier = \"city\"\n\
                 network = \"lan\"\ninterval = \"1s\"\n{place}\n"
            );
        }
        std::fs::write(path("site.toml"), site).expect("the site file");
        let bench = Bench { folder, peers, socat, panel, tcp };
        for device in ["sensor", "sensor-server", "relay-tcp"] {
            wait_for("the peer's first answer", || {
                let output = bench.run(&["poll", "--config", "site.toml", device, "--json"]);
                // A peer that is not there yet and a site that is broken look alike but for this.
                eprintln!("{device}: {}", String::from_utf8_lossy(&output.stderr));
                output.status.success().then_some(())
            });
        }
        bench
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_roundsman"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("RUST_LOG")
            .output()
            .expect("the binary starts")
    }

    /// What libmodbus reads at unit 1, on the line and by TCP: a second master, never while we are one.
    fn mbpoll(&self) -> [Vec<String>; 2] {
        let line = self.folder.path().join("master").display().to_string();
        let (tcp, registers) =
            (self.tcp.to_string(), ["-0", "-a", "1", "-t", "3", "-r", "1", "-c", "2", "-1", "-q"]);
        let read = |way: &[&str], place: &str| {
            let output = Command::new("mbpoll").args(way).args(registers).arg(place).output();
            let output = output.expect("mbpoll starts");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let value = |line: &str| Some(line.strip_prefix('[')?.split_once("]:")?.1.trim().to_owned());
            text.lines().filter_map(value).collect()
        };
        [
            read(&["-m", "rtu", "-b", "9600", "-P", "none"], &line),
            read(&["-m", "tcp", "-p", &tcp], "127.0.0.1"),
        ]
    }

    /// A command's report.
    fn command(&self, device: &str, command: &str, argument: &str) -> (Option<i32>, Value) {
        let output =
            self.run(&["command", "--config", "site.toml", device, command, argument, "--yes", "--json"]);
        (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    /// Rows of the store, as SQLite gives them to Python, which nobody here wrote either.
    fn rows(&self, sql: &str) -> Value {
        let script = "import json, sqlite3, sys; db = sqlite3.connect('file:store/roundsman.db?mode=ro', uri=True); \
                      print(json.dumps(db.execute(sys.argv[1]).fetchall()))";
        let output = Command::new("python3")
            .args(["-c", script, sql])
            .current_dir(self.folder.path())
            .output()
            .expect("python3 starts");
        serde_json::from_slice(&output.stdout).expect("rows")
    }

    /// What the running service says of a device.
    fn asked(&self, device: &str, of: &str) -> Option<Value> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.panel)).ok()?;
        write!(
            stream,
            "GET /api/v1/devices/{device}/{of} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n\r\n",
            self.panel
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// A reading that the running service shows.
    fn shown(&self, device: &str, metric: &str) -> Option<Value> {
        let body = self.asked(device, "readings")?;
        let readings = body["readings"].as_array()?;
        Some(readings.iter().find(|reading| reading["metric"] == metric)?.clone())
    }
}

/// One of the simulator's servers.
fn peer(simulator: &Path, folder: &Path, name: &str) -> Running {
    start(
        Command::new(simulator)
            .args(["--modbus_server", name, "--modbus_device", "device", "--json_file", "pymodbus.json"])
            .args(["--http_host", "127.0.0.1", "--http_port", &free_port().to_string()])
            .args(["--log_file", &format!("{name}.log")])
            .current_dir(folder),
    )
}

fn pty_pair(folder: &Path) -> Running {
    let end = |name: &str| format!("pty,raw,echo=0,link={}", folder.join(name).display());
    let socat = start(Command::new("socat").args([end("master"), end("slave")]));
    wait_for("the pair of pseudo-terminals", || {
        ["master", "slave"].iter().all(|name| folder.join(name).exists()).then_some(())
    });
    socat
}

#[test]
fn what_a_foreign_slave_says_is_read_and_commands_are_proven() {
    let Some(simulator) = pymodbus() else { return };
    let mut bench = Bench::new(&simulator);
    assert_eq!(bench.mbpoll(), [["305", "546"], ["305", "546"]], "as another master reads it before");
    for device in ["sensor", "sensor-server"] {
        let output = bench.run(&["poll", "--config", "site.toml", device, "--json"]);
        let polled: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let values: Vec<&Value> = polled["readings"]
            .as_array()
            .expect("readings")
            .iter()
            .map(|reading| &reading["value"])
            .collect();
        assert_eq!(values, [30.5, 54.6], "{device}: {polled}");
    }

    // Without a service, by itself.
    let (code, report) = bench.command("relay", "channel-2", "state=on");
    assert_eq!(
        (code, &report["verified"], &report["good"]),
        (Some(0), &"yes".into(), &true.into()),
        "{report}"
    );
    assert_eq!(report["sent"], "02 05 00 01 FF 00 DD C9");
    let (code, report) = bench.command("relay-tcp", "channel-4", "state=on");
    assert_eq!((code, &report["verdict"]), (Some(0), &"acknowledged".into()), "{report}");
    for wrong in ["state=maybe", "level=3"] {
        assert_eq!(bench.command("relay", "channel-2", wrong).0, Some(2), "{wrong}");
    }
    let unsaid = bench.run(&["command", "--config", "site.toml", "relay", "channel-2", "state=off"]);
    assert_eq!(unsaid.status.code(), Some(2), "without --yes nothing is sent");

    // With a service, through it.
    let service = start(
        Command::new(env!("CARGO_BIN_EXE_roundsman"))
            .args(["run", "--config", "site.toml"])
            .current_dir(bench.folder.path()),
    );
    let is = |bench: &Bench, device: &str, metric: &str, value: Value| {
        wait_for("a reading", || {
            bench
                .shown(device, metric)
                .filter(|reading| reading["value"] == value && reading["quality"] == "good")
        });
    };
    is(&bench, "relay", "relay.channel-2", "on".into());
    is(&bench, "sensor-server", "humidity.value", 54.6.into());
    let (code, report) = bench.command("relay", "channel-2", "state=off");
    assert_eq!((code, &report["verified"]), (Some(0), &"yes".into()), "{report}");
    is(&bench, "relay", "relay.channel-2", "off".into());
    let commands = bench.asked("relay", "commands").expect("the list of commands");
    let given: Vec<_> = commands["given"].as_array().expect("what was given").iter().collect();
    let words = |given: &Value| (given["arguments"]["state"].clone(), given["report"]["verified"].clone());
    assert_eq!(
        given.iter().map(|given| words(given)).collect::<Vec<_>>(),
        [("off".into(), "yes".into()), ("on".into(), "yes".into())]
    );
    assert_eq!(commands["commands"].as_array().map(Vec::len), Some(8), "one for each relay: {commands}");
    assert_eq!(commands["commands"][0]["arguments"][0]["words"], serde_json::json!(["on", "off"]));

    // The adapter is pulled out and put in again: polls fail, and go on by themselves.
    drop(std::mem::replace(&mut bench.socat, start(&mut Command::new("true"))));
    wait_for("the loss of the port", || {
        bench.shown("sensor", "temperature.value").filter(|reading| reading["quality"] == "unreachable")
    });
    bench.socat = pty_pair(bench.folder.path());
    // The simulator does not find its end again by itself.
    bench.peers[0] = start(&mut Command::new("true"));
    bench.peers[0] = peer(&simulator, bench.folder.path(), "rtu");
    is(&bench, "sensor", "temperature.value", 30.5.into());

    drop(service);
    assert_eq!(bench.mbpoll(), [["305", "546"], ["305", "546"]], "and after");

    let given = bench.rows(
        "SELECT d.id, c.command, c.arguments, o.good FROM command c JOIN device d ON d.row = c.device \
         LEFT JOIN command_outcome o ON o.command = c.id ORDER BY c.id",
    );
    let expected = serde_json::json!([
        ["relay", "channel-2", "{\"state\":\"on\"}", 1],
        ["relay-tcp", "channel-4", "{\"state\":\"on\"}", 1],
        ["relay", "channel-2", "{\"state\":\"off\"}", 1],
    ]);
    assert_eq!(given, expected, "what was sent stands in the store, what was refused does not");
}
