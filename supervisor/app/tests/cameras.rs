//! Cameras through the binary: the virtual site with everything that real ones do wrong at once, each on a camera of its
//! own, and the service that watches them; restarts, a wrong password, commands, discovery.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long something may take to show.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is wrong with a camera, and the faults that it must have: no more and no less.
const TABLE: [(&str, &[&str]); 27] = [
    ("ok", &[]),
    ("silent", &["unreachable"]),
    ("wrong-xaddr", &[]),
    ("clock-skew:45", &["clock-wrong"]),
    ("clock-skew:-28800", &["clock-wrong"]),
    ("time-needs-login", &[]),
    ("locked", &["login-locked"]),
    ("wrong-password", &["login-refused"]),
    ("fault-200", &[]),
    ("closes", &[]),
    ("http-1.0", &[]),
    ("bad-utf8", &[]),
    ("no-events", &[]),
    ("subscription-limit", &[]),
    ("dead-subscription", &[]),
    ("stream-silent", &["stream-down"]),
    ("stream-refused", &["stream-down"]),
    ("stream-missing", &["stream-down"]),
    ("huge", &["no-data"]),
    ("endless", &["no-data"]),
    ("hangs", &["no-data"]),
    ("settings-changed", &["settings-differ"]),
    ("tamper", &["tampered"]),
    ("video-loss", &["video-lost"]),
    ("scene-change", &["scene-changed"]),
    ("storage-failure", &["storage-failed"]),
    ("digital-input", &["input-active"]),
];

struct Running(Child);

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
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// The site, the virtual cameras, the service.
struct Bench {
    folder: tempfile::TempDir,
    panel: u16,
    /// What the virtual site says of wrong logins.
    said: Arc<Mutex<Vec<String>>>,
    directions: ChildStdin,
    /// Ended with the bench.
    _virtual_site: Running,
    service: Option<Running>,
}

fn id(at: usize) -> String {
    format!("cam-{at:02}")
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (panel, http, rtsp) = (free_port(), free_port(), free_port());
        let mut site = format!(
            "[site]\nname = \"Bench\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n\
             [panel]\nlisten = \"127.0.0.1:{panel}\"\n\
             [credentials.cameras]\nlogin = {{ user = \"patrol\", password_file = \"password\" }}\n\
             [[override]]\nclass = \"camera\"\nrule.clock-wrong.warning.for = \"1s\"\nrule.clock-wrong.minor.for = \"1s\"\n\
             rule.settings-differ.warning.for = \"1s\"\n"
        );
        for at in 0..TABLE.len() {
            site += &format!(
                "[[device]]\nid = \"{}\"\nname = \"{}\"\nprofile = \"onvif-generic\"\ntier = \"city\"\nnetwork = \"lan\"\n\
                 address = \"127.21.1.{}:{http}\"\nrtsp_port = {rtsp}\ncredentials = \"cameras\"\nreach = \"echo:{rtsp}\"\n\
                 interval = \"2s\"\nexpect = {{ codec = \"h264\", width = 1920, height = 1080, fps = 25 }}\n",
                id(at),
                id(at),
                at + 1
            );
        }
        site += &format!(
            "[[device]]\nid = \"nvr\"\nname = \"nvr\"\nprofile = \"nvr-onvif-generic\"\ntier = \"city\"\nnetwork = \"lan\"\n\
             address = \"127.21.1.100:{http}\"\nrtsp_port = {rtsp}\ncredentials = \"cameras\"\nreach = \"echo:{rtsp}\"\n\
             interval = \"2s\"\nrule.recording-stopped.critical.for = \"1s\"\n"
        );
        std::fs::write(folder.path().join("site.toml"), site).expect("the site file");
        std::fs::write(folder.path().join("password"), "se\"cret <&> 密\n").expect("the password");
        let mut virtual_site = Command::new(env!("CARGO_BIN_EXE_roundsman"))
            .args(["simulate", "--site", "site.toml"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the virtual site starts");
        let directions = virtual_site.stdin.take().expect("its input");
        let mut stdout = BufReader::new(virtual_site.stdout.take().expect("its output"));
        let stderr = BufReader::new(virtual_site.stderr.take().expect("its log"));
        let said = Arc::new(Mutex::new(Vec::new()));
        let noted = said.clone();
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| noted.lock().expect("the lines").push(line));
        });
        let mut ready = String::new();
        stdout.read_line(&mut ready).expect("its first line");
        assert!(ready.starts_with("ready"), "{ready}{:?}", said.lock().expect("the lines"));
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        Bench { folder, panel, said, directions, _virtual_site: Running(virtual_site), service: None }
    }

    fn direct(&mut self, device: &str, fault: &str) {
        writeln!(self.directions, "{device}={fault}").expect("the virtual site listens");
    }

    fn start(&mut self) {
        let service = Command::new(env!("CARGO_BIN_EXE_roundsman"))
            .args(["run", "--config", "site.toml"])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.service = Some(Running(service.expect("the service starts")));
        wait_for("the service", || self.get("devices"));
    }

    /// Ends the service as a power cut does.
    fn kill(&mut self) {
        self.service = None;
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_roundsman"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("RUST_LOG")
            .output()
            .expect("the binary starts")
    }

    fn get(&self, of: &str) -> Option<Value> {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.panel)).ok()?;
        write!(
            stream,
            "GET /api/v1/{of} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n\r\n",
            self.panel
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// The open faults of all devices.
    fn faults(&self) -> Option<BTreeMap<String, BTreeSet<String>>> {
        let body = self.get("faults?state=open")?;
        let mut faults: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for fault in body["faults"].as_array()? {
            let word = |key: &str| fault[key].as_str().map(str::to_owned);
            faults.entry(word("device")?).or_default().insert(word("rule")?);
        }
        Some(faults)
    }

    /// A reading that the service shows.
    fn shown(&self, device: &str, metric: &str) -> Option<Value> {
        let body = self.get(&format!("devices/{device}/readings"))?;
        let readings = body["readings"].as_array()?;
        Some(readings.iter().find(|reading| reading["metric"] == metric)?["value"].clone())
    }

    /// When each device was polled last.
    fn polled(&self) -> BTreeMap<String, Value> {
        let body = self.get("devices").expect("the devices");
        let devices = body["devices"].as_array().expect("a list").iter();
        devices
            .map(|device| (device["id"].as_str().expect("an id").to_owned(), device["last_poll"].clone()))
            .collect()
    }

    /// Waits until every device was polled anew so many times.
    fn polls(&self, times: usize) {
        for _ in 0..times {
            let before = self.polled();
            wait_for("another poll of all", || {
                self.polled().iter().all(|(id, at)| before[id] != *at).then_some(())
            });
        }
    }

    /// Wrong logins that a camera saw.
    fn wrong(&self, device: &str) -> usize {
        let said = self.said.lock().expect("the lines");
        let of = |line: &&String| line.contains("a wrong login") && line.contains(device);
        said.iter().filter(of).count()
    }

    fn command(&self, device: &str, command: &str) -> (Option<i32>, Value) {
        let output = self.run(&["command", "--config", "site.toml", device, command, "--yes", "--json"]);
        (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
    }
}

/// The faults of the table.
fn expected() -> BTreeMap<String, BTreeSet<String>> {
    let rows = TABLE.iter().enumerate().filter(|(_, (_, faults))| !faults.is_empty());
    rows.map(|(at, (_, faults))| (id(at), faults.iter().map(ToString::to_string).collect())).collect()
}

fn at(quirk: &str) -> String {
    id(TABLE.iter().position(|(known, _)| *known == quirk).expect("a quirk of the table"))
}

#[test]
fn each_camera_has_the_fault_that_it_deserves_and_the_others_have_none() {
    let mut bench = Bench::new();
    for (at, (quirk, _)) in TABLE.iter().enumerate() {
        bench.direct(&id(at), quirk);
    }
    bench.start();
    let mut last = None;
    wait_for("the faults of the table", || {
        last = bench.faults();
        let is_right = last.as_ref() == Some(&expected());
        is_right.then_some(()).or_else(|| {
            // What is wrong is said where the wait gives up.
            eprintln!("{last:?}");
            None
        })
    });
    bench.polls(3);
    assert_eq!(bench.faults(), Some(expected()), "and so it stays");
    for (quirk, metric, word) in [
        ("ok", "stream.state", "ok"),
        ("ok", "events.state", "ok"),
        ("wrong-xaddr", "stream.state", "ok"),
        ("wrong-xaddr", "snapshot.state", "ok"),
        ("fault-200", "stream.state", "ok"),
        ("http-1.0", "snapshot.state", "ok"),
        ("no-events", "events.state", "missing"),
        ("subscription-limit", "events.state", "failed"),
        ("dead-subscription", "events.state", "ok"),
        ("stream-silent", "stream.state", "silent"),
        ("stream-missing", "stream.state", "missing"),
        ("wrong-password", "login.state", "stopped"),
        ("locked", "login.state", "locked"),
        ("clock-skew:-28800", "clock.source", "manual"),
    ] {
        wait_for(&format!("{quirk}: {metric} = {word}"), || {
            (bench.shown(&at(quirk), metric)? == word).then_some(())
        });
    }
    let model = bench.shown(&at("bad-utf8"), "system.model").expect("a model");
    assert!(model.as_str().is_some_and(|model| model.ends_with("AD")), "{model}");

    // A power cut: the wrong password is not shown again, and the fault stands as it stood.
    let wrong = at("wrong-password");
    assert_eq!(bench.wrong(&wrong), 2);
    bench.kill();
    bench.start();
    bench.polls(2);
    assert_eq!(bench.wrong(&wrong), 2, "not after a restart either");
    wait_for("the same faults", || (bench.faults()? == expected()).then_some(()));

    // Somebody asks: shown anew, and still wrong.
    let (code, report) = bench.command(&wrong, "log-in-again");
    assert_eq!((code, &report["verified"]), (Some(1), &"no".into()), "{report}");
    assert!((3..=4).contains(&bench.wrong(&wrong)), "{}", bench.wrong(&wrong));
    bench.direct(&wrong, "ok");
    let (code, report) = bench.command(&wrong, "log-in-again");
    assert_eq!((code, &report["verified"]), (Some(0), &"yes".into()), "{report}");
    // A lock that is over.
    let locked = at("locked");
    bench.direct(&locked, "ok");
    assert_eq!(bench.command(&locked, "log-in-again").0, Some(0));
    wait_for("both faults to end", || {
        let faults = bench.faults()?;
        (!faults.contains_key(&wrong) && !faults.contains_key(&locked)).then_some(())
    });

    // A restart of the camera, proven by its coming back; what it tells of afterwards is heard again.
    let restarted = at("ok");
    let (code, report) = bench.command(&restarted, "reboot");
    assert_eq!((code, &report["verified"]), (Some(0), &"yes".into()), "{report}");
    assert_eq!(report["sent"], "device.SystemReboot");
    assert!(report["took_ms"].as_u64().is_some_and(|ms| ms > 4_000), "it was away: {report}");
    wait_for("its subscription", || (bench.shown(&restarted, "events.state")? == "ok").then_some(()));
    bench.direct(&restarted, "tamper");
    wait_for("its event", || bench.faults()?.get(&restarted)?.contains("tampered").then_some(()));
    bench.direct(&restarted, "ok");
    wait_for("its end", || (!bench.faults()?.contains_key(&restarted)).then_some(()));

    // The recorder.
    assert_eq!(bench.shown("nvr", "recording.count"), Some((TABLE.len() as f64).into()));
    bench.direct("nvr", "no-recording");
    wait_for("recordings that stopped", || {
        bench.faults()?.get("nvr")?.contains("recording-stopped").then_some(())
    });
}

#[test]
fn one_camera_is_polled_without_a_service() {
    let bench = Bench::new();
    let output = bench.run(&["poll", "--config", "site.toml", "cam-00", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let polled: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let readings = polled["readings"].as_array().expect("readings");
    let value = |metric: &str| {
        let reading = readings.iter().find(|reading| reading["metric"] == metric);
        reading.unwrap_or_else(|| panic!("no {metric}: {polled}"))["value"].clone()
    };
    assert_eq!((value("login.state"), value("stream.state")), ("ok".into(), "ok".into()));
    assert_eq!((value("settings.state"), value("video.width")), ("ok".into(), 1_920.into()));
}

/// Cameras are found by asking them, and no password is shown to them for it.
#[test]
fn cameras_are_found_and_printed_as_the_site_file_wants_them() {
    let bench = Bench::new();
    let site = std::fs::read_to_string(bench.folder.path().join("site.toml")).expect("the site file");
    let port: u16 = site
        .split("127.21.1.1:")
        .nth(1)
        .and_then(|rest| rest.split('"').next()?.parse().ok())
        .expect("a port");
    let places: Vec<String> = (1..=3).map(|at| format!("127.21.1.{at}:{port}")).collect();
    let mut arguments = vec!["discover", "--config", "site.toml", "--onvif", "--json"];
    places.iter().for_each(|place| arguments.extend(["--at", place]));
    let output = bench.run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let found = found["devices"].as_array().expect("a list");
    let said: Vec<(&str, &str, &str)> = found
        .iter()
        .map(|device| {
            let word = |key: &str| device[key].as_str().unwrap_or("");
            (word("known"), word("model"), word("profile"))
        })
        .collect();
    let expected = [
        ("cam-00", "DS-2CD2T47", "hikvision"),
        ("cam-01", "IPC-HFW2431", "dahua"),
        ("cam-02", "IPC2322", "uniview"),
    ];
    assert_eq!(said, expected);
    // To another site they are new: what is printed is what its file wants.
    let other = site.split("[[device]]").next().expect("its head");
    std::fs::write(bench.folder.path().join("other.toml"), other).expect("another site file");
    let output = bench.run(&["discover", "--config", "other.toml", "--onvif", "--at", &places[0]]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    std::fs::write(bench.folder.path().join("other.toml"), format!("{other}\n{text}")).expect("its file");
    let output = bench.run(&["check", "--config", "other.toml"]);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!((0..3).all(|at| bench.wrong(&id(at)) == 0), "nothing was shown to them");
}
