//! Cameras that nobody here wrote, ipycam and the mock device of oxvif: read whole, then broken on purpose.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const PASSWORD: &str = "se\"cret <&>";

/// The camera; it ends with the test.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The Python that has ipycam; `None` where it is missing and may be.
fn python() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(repository().join("target"), PathBuf::from);
    let python = target.join("peers-venv/bin/python");
    let has_ipycam =
        Command::new(&python).args(["-c", "import ipycam"]).output().is_ok_and(|o| o.status.success());
    let has_ffmpeg = Command::new("ffmpeg").arg("-version").output().is_ok();
    if has_ipycam && has_ffmpeg {
        return Some(python);
    }
    let may_skip =
        std::env::var("ALLOW_SKIP").is_ok_and(|names| names.split(',').any(|name| name.trim() == "ipycam"));
    assert!(
        may_skip,
        "ffmpeg, or ipycam in {}, is missing: run tests/run, or name ipycam in ALLOW_SKIP",
        python.display()
    );
    None
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn device(id: &str, profile: &str, (http, rtsp): (u16, u16), credentials: &str, rest: &str) -> String {
    format!(
        "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"{profile}\"\ntier = \"city\"\nnetwork = \"lan\"\n\
         address = \"127.0.0.1:{http}\"\nrtsp_port = {rtsp}\ncredentials = \"{credentials}\"\n{rest}\n"
    )
}

/// The folder of a site with these devices and credentials.
fn site(user: &str, password: &str, devices: &[String]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = format!(
        "[site]\nname = \"Bench\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n[panel]\n\
         listen = \"127.0.0.1:8080\"\n[credentials.right]\nlogin = {{ user = \"{user}\", password_file = \"right\" }}\n\
         [credentials.wrong]\nlogin = {{ user = \"{user}\", password_file = \"wrong\" }}\n{}",
        devices.concat()
    );
    for (name, text) in [("site.toml", site.as_str()), ("right", password), ("wrong", "wrong")] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

/// The site's folder, and the camera.
struct Bench {
    folder: tempfile::TempDir,
    peer: Peer,
}

impl Bench {
    fn new(python: &Path) -> Bench {
        let (http, rtsp) = (free_port(), free_port());
        let mut peer = Command::new(python)
            .arg(repository().join("tests/peers/ipycam_peer.py"))
            .args([&http.to_string(), &rtsp.to_string(), "patrol", PASSWORD])
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("ipycam starts");
        let said = BufReader::new(peer.stdout.take().expect("its output")).lines();
        let peer = Peer(peer);
        assert!(said.map_while(Result::ok).any(|line| line == "ready"), "ipycam ended");
        let expected = "expect = { codec = \"h264\", width = 640, height = 360, fps = 15 }";
        let devices = [
            device("cam", "onvif-generic", (http, rtsp), "right", expected),
            device(
                "other",
                "onvif-generic",
                (http, free_port()),
                "right",
                "expect = { codec = \"h265\", fps = 25 }",
            ),
            device("stranger", "onvif-generic", (http, rtsp), "wrong", ""),
        ];
        let folder = site("patrol", PASSWORD, &devices);
        Bench { folder, peer }
    }

    /// oxvif's, whose user and password are its own.
    fn of_oxvif(binary: &Path) -> Bench {
        let mut peer =
            Command::new(binary).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("oxvif starts");
        let mut line = String::new();
        BufReader::new(peer.stdout.take().expect("its output")).read_line(&mut line).expect("its port");
        let peer = Peer(peer);
        let http: u16 = line.trim().parse().expect("a port");
        let ports = (http, free_port());
        let devices = [
            device("cam", "onvif-generic", ports, "right", "expect = { codec = \"h264\" }"),
            device("nvr", "nvr-onvif-generic", ports, "right", ""),
            device("stranger", "onvif-generic", ports, "wrong", ""),
        ];
        Bench { folder: site("admin", "admin", &devices), peer }
    }

    fn poll(&self, device: &str) -> (Output, impl Fn(&str) -> (Value, String) + use<>) {
        let output = Command::new(env!("CARGO_BIN_EXE_roundsman"))
            .args(["poll", "--config", "site.toml", device, "--json"])
            .current_dir(self.folder.path())
            .output()
            .expect("the binary starts");
        let polled: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let read = move |metric: &str| {
            let readings = polled["readings"].as_array().expect("readings");
            let reading = readings.iter().find(|reading| reading["metric"] == metric);
            let reading = reading.unwrap_or_else(|| panic!("no {metric}: {polled}"));
            (reading["value"].clone(), reading["quality"].as_str().unwrap_or("").to_owned())
        };
        (output, read)
    }
}

#[test]
fn a_foreign_camera_is_read_whole_and_what_is_broken_is_told() {
    let Some(python) = python() else { return };
    let mut bench = Bench::new(&python);
    let (output, read) = bench.poll("cam");
    assert!(output.status.success());
    for (metric, word) in [
        ("login.state", "ok"),
        ("system.maker", "PythonCam"),
        ("settings.state", "ok"),
        ("stream.state", "ok"),
        ("stream.codec", "h264"),
        ("snapshot.state", "ok"),
        ("video.codec", "H264"),
    ] {
        assert_eq!(read(metric).0, word, "{metric}");
    }
    let rate = read("stream.frame-rate").0.as_f64().expect("a rate");
    assert!((5.0..=40.0).contains(&rate), "15 frames a second are sent: {rate}");
    assert!(read("clock.skew").0.as_f64().is_some_and(|skew| skew.abs() < 5.0), "its time needs a login");
    assert_eq!(read("system.name").1, "unsupported", "it knows no GetHostname");

    // Another RTSP port, another expectation; another password; gone.
    let (_, read) = bench.poll("other");
    assert_eq!((read("stream.state").0, read("settings.state").0), ("refused".into(), "differs".into()));
    assert_eq!(read("settings.differences").0, "codec h264 ≠ h265, fps 15 ≠ 25");
    let (_, read) = bench.poll("stranger");
    // Its time needs a login as well, so that nothing at all can be had.
    assert_eq!(read("stream.state").1, "denied");
    assert_eq!(read("clock.skew").1, "denied");
    let _ = bench.peer.0.kill();
    let _ = bench.peer.0.wait();
    let (output, read) = bench.poll("cam");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(read("login.state").1, "refused", "nobody listens any more");
}

/// The binary of oxvif's mock device; `None` where it is missing and may be.
fn oxvif() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(repository().join("target"), PathBuf::from);
    let binary = target.join("peers-oxvif/debug/oxvif-peer");
    if binary.exists() {
        return Some(binary);
    }
    let may_skip =
        std::env::var("ALLOW_SKIP").is_ok_and(|names| names.split(',').any(|name| name.trim() == "oxvif"));
    assert!(may_skip, "{} is missing: run tests/run, or name oxvif in ALLOW_SKIP", binary.display());
    None
}

#[test]
fn the_mock_device_of_another_client_is_read_and_refuses_a_wrong_password() {
    let Some(binary) = oxvif() else { return };
    let mut bench = Bench::of_oxvif(&binary);
    let (output, read) = bench.poll("cam");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (metric, word) in [("login.state", "ok"), ("settings.state", "ok"), ("video.codec", "H264")] {
        assert_eq!(read(metric).0, word, "{metric}");
    }
    for metric in ["system.maker", "system.model", "system.serial", "system.name", "system.mac", "clock.skew"]
    {
        assert_eq!(read(metric).1, "good", "{metric}");
    }
    assert_eq!(read("stream.state").0, "refused", "it has no streams");
    let (_, read) = bench.poll("nvr");
    assert_eq!(read("recording.age").1, "unsupported", "it knows no GetRecordingSummary");
    for metric in ["channel.state", "channel.recording-age", "channel.kept"] {
        assert_eq!(read(metric).1, "good", "{metric}");
    }
    let (_, read) = bench.poll("stranger");
    assert_eq!(read("login.state").0, "refused");
    assert_eq!(read("video.codec").1, "denied");
    let _ = bench.peer.0.kill();
    let _ = bench.peer.0.wait();
    assert_eq!(bench.poll("cam").0.status.code(), Some(1));
}
