//! The real supervisor on the emulated probe board: QEMU runs the ELF that `boards/build` makes, socat joins its UART to
//! a pseudo-terminal, `roundsman run` polls it there. The board's sensors are steered on its second UART.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// The channels as the board starts, in the order of the map, and what else it says then.
const START: [(&str, f64); 14] = [
    ("temperature.value", 23.1),
    ("temperature.outlet", 30.5),
    ("humidity.value", 45.6),
    ("humidity.outlet", 38.0),
    ("dust.pm2-5", 12.0),
    ("dust.pm10", 20.0),
    ("power.dc-12", 12.03),
    ("power.dc-48", 48.12),
    ("power.current", 0.35),
    ("fan.speed-1", 2_400.0),
    ("fan.speed-2", 2_410.0),
    ("fan.speed-3", 2_390.0),
    ("fan.speed-4", 2_405.0),
    ("airflow.value", 1.8),
];
const STATES: [(&str, &str); 14] = [
    ("sensor.temperature-1", "ok"),
    ("sensor.airflow", "ok"),
    ("sensor.state", "ok"),
    ("mains.state", "supplying"),
    ("leak.state", "dry"),
    ("door.state", "closed"),
    ("contact.input-8", "contact-open"),
    ("relay.channel-1", "off"),
    ("annunciator.buzzer", "off"),
    ("alarms.state", "active"),
    ("system.board", "emulated"),
    ("system.reset-cause", "power-on"),
    ("watchdog.state", "armed"),
    ("watchdog.sampling", "running"),
];

/// Ended with the test.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Running {
        let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Running(started.unwrap_or_else(|error| panic!("{command:?} does not start: {error}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "waits in real time for real processes")]
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            eprintln!("shown after {:.1} s: {what}", began.elapsed().as_secs_f64());
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The board's ELF; where it or a program is missing the test fails unless ALLOW_SKIP names boards.
fn board() -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(repository.join("target"), PathBuf::from);
    let target = std::env::var_os("BOARDS_TARGET").map_or(target.join("boards"), PathBuf::from);
    let elf = target.join("thumbv7em-none-eabihf/release/mps2-an386");
    let runs = |program: &str, argument: &str| Command::new(program).arg(argument).output().is_ok();
    let is_whole =
        elf.exists() && runs("qemu-system-arm", "--version") && runs("socat", "-V") && runs("mbpoll", "-V");
    let may_skip =
        std::env::var("ALLOW_SKIP").is_ok_and(|names| names.split(',').any(|name| name.trim() == "boards"));
    assert!(
        is_whole || may_skip,
        "qemu-system-arm, socat, mbpoll or {} is missing: run boards/build, or name boards in ALLOW_SKIP",
        elf.display()
    );
    is_whole.then_some(elf)
}

/// A board that has power, its plug in the line, and the wire that steers its sensors.
struct Board {
    qemu: Running,
    bench: UnixStream,
    _plug: Running,
}

impl Board {
    fn start(elf: &Path, folder: &Path) -> Board {
        for name in ["uart", "bench"] {
            let _ = std::fs::remove_file(folder.join(name));
        }
        let qemu = Running::start(
            Command::new("qemu-system-arm")
                .args(["-M", "mps2-an386", "-display", "none", "-monitor", "none"])
                .args(["-serial", "unix:uart,server=on,wait=off", "-serial", "unix:bench,server=on,wait=off"])
                .arg("-kernel")
                .arg(elf)
                .current_dir(folder),
        );
        let bench = wait_for("the board's second UART", || UnixStream::connect(folder.join("bench")).ok());
        bench.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        wait_for("the board's first UART", || folder.join("uart").exists().then_some(()));
        let plug = Running::start(
            Command::new("socat").args(["./board,rawer", "UNIX-CONNECT:uart"]).current_dir(folder),
        );
        Board { qemu, bench, _plug: plug }
    }

    /// One line of text, and the lines before the `ok` that comes back.
    fn steer(&mut self, order: &str) -> String {
        self.bench.write_all(format!("{order}\n").as_bytes()).expect("the bench takes it");
        let mut said = String::new();
        while !said.ends_with("ok\n") {
            let mut octet = [0];
            self.bench
                .read_exact(&mut octet)
                .unwrap_or_else(|error| panic!("{order}: {error} behind {said:?}"));
            said.push(char::from(octet[0]));
        }
        said
    }
}

/// The site: its folder, the cable that its line is, where its panel listens.
struct Site {
    folder: tempfile::TempDir,
    _cable: Running,
    panel: u16,
}

impl Site {
    fn new() -> Site {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let panel = listener.local_addr().expect("its address").port();
        let ends = ["PTY,link=tty,rawer", "PTY,link=board,rawer"];
        let cable = Running::start(Command::new("socat").args(ends).current_dir(folder.path()));
        wait_for("the cable", || {
            ["tty", "board"].iter().all(|name| folder.path().join(name).exists()).then_some(())
        });
        // As on a site, but in seconds; without a speed, since QEMU's answers come faster than 9600 Bd can bring them,
        // which the supervisor takes for octets from before its request.
        let site = format!(
            "[site]\nname = \"Bench\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n\
             [panel]\nlisten = \"127.0.0.1:{panel}\"\n[[bus]]\nid = \"line\"\nport = \"{}\"\nbaud = \"none\"\n\
             [[device]]\nid = \"probe\"\nname = \"Probe\"\nprofile = \"roundsman-probe\"\ntier = \"city\"\n\
             network = \"lan\"\ninterval = \"1s\"\nbus = \"line\"\nunit = 1\n\
             rule.hot.minor.for = \"2s\"\nrule.hot.minor.clear_for = \"1s\"\n\
             rule.humidity-1-lost.minor.for = \"2s\"\nrule.humidity-1-lost.minor.clear_for = \"1s\"\n\
             rule.config-unsaved.warning.for = \"1s\"\nrule.config-unsaved.warning.clear_for = \"1s\"\n",
            folder.path().join("tty").display()
        );
        std::fs::write(folder.path().join("site.toml"), site).expect("the site file");
        Site { folder, _cable: cable, panel }
    }

    fn roundsman(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let output = Command::new(env!("CARGO_BIN_EXE_roundsman"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("RUST_LOG")
            .output()
            .expect("the binary starts");
        let json = serde_json::from_slice(&output.stdout);
        (output.status.code(), json.unwrap_or_else(|_| String::from_utf8_lossy(&output.stderr).into()))
    }

    /// A command through the running service, read back.
    fn command(&self, words: &[&str]) {
        let (code, report) = self.roundsman(
            &[&["command", "--config", "site.toml", "probe"], words, &["--yes", "--json"]].concat(),
        );
        assert_eq!((code, &report["verified"]), (Some(0), &"yes".into()), "{words:?}: {report}");
        eprintln!("shown: command {words:?}, sent {}, read back {}", report["sent"], report["verified"]);
    }

    fn get(&self, path: &str) -> Option<Value> {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.panel)).ok()?;
        let host = self.panel;
        write!(stream, "GET /api/v1/{path} HTTP/1.1\r\nhost: 127.0.0.1:{host}\r\nconnection: close\r\n\r\n")
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// The value of a reading where it is good, else its quality.
    fn shown(&self, metric: &str) -> Option<Value> {
        let body = self.get("devices/probe/readings")?;
        let reading =
            body["readings"].as_array()?.iter().find(|reading| reading["metric"] == metric)?.clone();
        Some(if reading["quality"] == "good" { reading["value"].clone() } else { reading["quality"].clone() })
    }

    fn wait_for_reading(&self, metric: &str, value: impl Into<Value>) {
        let value = value.into();
        wait_for(&format!("{metric} is {value}"), || self.shown(metric).filter(|shown| *shown == value));
    }

    /// The rule's open fault.
    fn open(&self, rule: &str) -> Option<Value> {
        let body = self.get("faults")?;
        body["faults"].as_array()?.iter().find(|fault| fault["rule"] == rule).cloned()
    }

    fn wait_for_fault(&self, rule: &str, severity: &str) {
        let fault = wait_for(&format!("the fault {rule}"), || {
            // What was seen in one poll alone, as a restart, is clearing at once.
            self.open(rule).filter(|fault| fault["condition"] == "active" || fault["condition"] == "clearing")
        });
        assert_eq!(fault["severity"], severity, "{fault}");
    }

    fn wait_for_end(&self, rule: &str) {
        wait_for(&format!("the end of the fault {rule}"), || {
            let body = self.get("faults?state=all")?;
            let fault = body["faults"].as_array()?.iter().find(|fault| fault["rule"] == rule)?.clone();
            fault["cleared"].is_string().then_some(())
        });
    }

    /// The registers that a second master says, by these arguments. Never while the service runs.
    fn mbpoll(&self, arguments: &str) -> Vec<i64> {
        let output = Command::new("mbpoll")
            .args("-m rtu -b 9600 -P none -a 1 -0 -1".split(' '))
            .args(arguments.split(' '))
            .current_dir(self.folder.path())
            .output()
            .expect("mbpoll starts");
        let said = String::from_utf8_lossy(&output.stdout);
        let value =
            |line: &str| line.strip_prefix('[')?.split_once("]:")?.1.split_whitespace().next()?.parse().ok();
        said.lines().filter_map(value).collect()
    }
}

#[test]
fn the_supervisor_watches_the_emulated_board() {
    let Some(elf) = board() else { return };
    let site = Site::new();
    let mut board = Board::start(&elf, site.folder.path());

    // By itself: two polls, since whether it restarted is seen over two; each reads everything at once and writes the
    // heartbeat.
    let polled = wait_for("a poll", || {
        let (code, polled) = site.roundsman(&["poll", "--config", "site.toml", "probe", "--json"]);
        (code == Some(0)).then_some(polled)
    });
    assert_eq!(polled["requests"], 4, "{polled}");
    eprintln!(
        "shown: two polls 2 s apart take {} requests and {} ms",
        polled["requests"], polled["elapsed_ms"]
    );

    let service = Running::start(
        Command::new(env!("CARGO_BIN_EXE_roundsman"))
            .args(["run", "--config", "site.toml"])
            .current_dir(site.folder.path()),
    );
    // The board warms up for five seconds, and its mean settles.
    for (metric, value) in START {
        wait_for(&format!("{metric} is {value}"), || site.shown(metric).filter(|shown| *shown == value));
    }
    for (metric, word) in STATES {
        site.wait_for_reading(metric, word);
    }
    let dew_point = site.shown("dew-point.value").and_then(|value| value.as_f64()).expect("a dew point");
    assert!((10.6..10.9).contains(&dew_point), "23.1 Cel, 45.6 %: {dew_point}");

    // Its settings were never saved, until somebody does it.
    site.wait_for_fault("config-unsaved", "warning");
    site.command(&["save"]);
    site.wait_for_end("config-unsaved");

    too_warm(&site, &mut board);
    sensor_lost(&site, &mut board);
    relays(&site, &mut board);
    killed(&site, &mut board, &elf);

    drop(service);
    second_master(&site);
}

/// mbpoll reads the same, and takes a channel out: what is not fitted the device does not have.
fn second_master(site: &Site) {
    const STEPS: [f64; 14] =
        [10.0, 10.0, 10.0, 10.0, 1.0, 1.0, 100.0, 100.0, 1_000.0, 1.0, 1.0, 1.0, 1.0, 100.0];
    let steps: Vec<i64> =
        START.iter().zip(STEPS).map(|((_, value), of)| (value * of).round() as i64).collect();
    wait_for("mbpoll, a second master, reads the same", || {
        (site.mbpoll("-t 3 -r 20 -c 14 tty") == steps).then_some(())
    });
    let fitted = 0x3fff & !(1 << 5);
    site.mbpoll(&format!("-t 4 -r 36 tty {fitted}"));
    let (_, polled) = site.roundsman(&["poll", "--config", "site.toml", "probe", "--json"]);
    let readings = polled["readings"].as_array().expect("readings");
    let quality = |metric: &str| {
        readings.iter().find(|reading| reading["metric"] == metric).map(|reading| reading["quality"].clone())
    };
    assert_eq!(quality("dust.pm10"), Some("unsupported".into()));
    assert_eq!(quality("dust.pm2-5"), Some("good".into()));
    eprintln!("shown: a channel that is not fitted is unsupported");
}

/// A limit crossed and back; the board's own alarm is silenced from here.
fn too_warm(site: &Site, board: &mut Board) {
    board.steer("value 0 300");
    site.wait_for_fault("hot", "minor");
    site.wait_for_reading("annunciator.buzzer", "on");
    site.command(&["buzzer-off"]);
    site.wait_for_reading("annunciator.lamp", "on");
    board.steer("value 0 231");
    site.wait_for_end("hot");
    site.wait_for_reading("temperature.value", 23.1);
}

fn sensor_lost(site: &Site, board: &mut Board) {
    board.steer("lost 2");
    site.wait_for_fault("humidity-1-lost", "minor");
    assert_eq!(site.shown("humidity.value"), Some("invalid".into()));
    assert_eq!(site.shown("sensor.humidity-1"), Some("lost".into()));
    assert_eq!(site.shown("dew-point.value"), Some("invalid".into()));
    board.steer("value 2 456");
    site.wait_for_end("humidity-1-lost");
    site.wait_for_reading("humidity.value", 45.6);
}

fn relays(site: &Site, board: &mut Board) {
    site.command(&["relay-1", "state=on"]);
    assert!(board.steer("outputs").starts_with("01 "), "the pin follows");
    site.wait_for_reading("relay.channel-1", "on");
    site.command(&["pulse-2", "time=5s"]);
    wait_for("the end of the pulse", || board.steer("outputs").starts_with("01 ").then_some(()));
    site.wait_for_reading("relay.channel-2", "off");
    site.command(&["lamp", "state=on"]);
    assert!(board.steer("outputs").starts_with("01 0 1"), "relay, no buzzer, lamp");
}

/// Without power, and with it again.
fn killed(site: &Site, board: &mut Board, elf: &Path) {
    let before = site.shown("system.uptime").and_then(|value| value.as_f64()).expect("an uptime");
    board.qemu.0.kill().expect("QEMU is ended");
    site.wait_for_fault("no-data", "major");
    wait_for("the state no-data", || {
        let device = site.get("devices/probe")?;
        (device["state"] == "no-data").then_some(())
    });
    *board = Board::start(elf, site.folder.path());
    site.wait_for_end("no-data");
    for (metric, value) in START {
        wait_for(&format!("{metric} is {value} again"), || {
            site.shown(metric).filter(|shown| *shown == value)
        });
    }
    site.wait_for_reading("system.reset-cause", "power-on");
    site.wait_for_fault("restarted", "warning");
    let after = site.shown("system.uptime").and_then(|value| value.as_f64()).expect("an uptime");
    assert!(after < before, "{before} s before, {after} s after");
    eprintln!("shown: uptime {before} s before, {after} s after the restart");
    site.wait_for_reading("relay.channel-1", "off");
}
