//! The demo from end to end, as a newcomer starts it: page, polls, all eight scenes of the story with the faults they
//! raise (lost packets are a lossy line, never a dead device), the first two cleared, an acknowledgement, an orderly end, and a second
//! start on the same data. Takes about two and a half minutes, since the story does.

use roundsman_driver::clock::Clock;
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(200);

struct Demo {
    child: Child,
    address: SocketAddr,
    token: String,
    clock: Clock,
    started_us: u64,
    /// Id of the newest fault of the past.
    past: u64,
    /// What it printed after its first line.
    printed: Arc<Mutex<Vec<String>>>,
}

impl Demo {
    async fn start(data: &Path) -> Demo {
        // The port is free now; whoever takes it in between makes the demo say so and the test fail.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let clock = Clock::new();
        let started_us = clock.micros();
        let mut child = Command::new(env!("CARGO_BIN_EXE_roundsman"))
            .args(["demo", "--listen", &address.to_string(), "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().expect("the demo ended; its message stands above");
        let token = first
            .strip_prefix(&format!("Panel: http://{address}/#token="))
            .unwrap_or_else(|| panic!("unexpected first line: {first}"))
            .to_owned();
        let printed = Arc::new(Mutex::new(Vec::new()));
        let printing = printed.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                eprintln!("{line}");
                printing.lock().unwrap().push(line);
            }
        });
        Demo { child, address, token, clock, started_us, past: 0, printed }
    }

    fn seconds(&self) -> f64 {
        (self.clock.micros() - self.started_us) as f64 / 1_000_000.0
    }

    /// One HTTP request: status and body.
    async fn http(&self, method: &str, path: &str) -> std::io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(self.address).await?;
        let token = &self.token;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        Ok((status, body.to_owned()))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.http("GET", path).await.unwrap();
        assert_eq!(status, 200, "GET {path}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|why| panic!("GET {path}: {why}: {body}"))
    }

    /// The device of the first line of the story that has this `=fault`.
    fn player(&self, fault: &str) -> Option<String> {
        let printed = self.printed.lock().unwrap();
        let told = printed.iter().filter_map(|line| line.strip_prefix("story: ")?.split(' ').nth(1));
        told.filter_map(|assignment| assignment.split_once('='))
            .find(|(_, what)| what.split(':').next() == Some(fault))
            .map(|(device, _)| device.to_owned())
    }

    /// Whether the story has said that nothing is wrong with a device any more.
    fn is_over(&self, device: &str) -> bool {
        let over = format!(" {device}=ok ");
        self.printed.lock().unwrap().iter().any(|line| line.starts_with("story: ") && line.contains(&over))
    }

    /// Waits for a scene, then for the fault it raises, by rule.
    async fn scene(&self, fault: &str, rule: &str) -> (String, Value) {
        let device = self.until(&format!("the scene {fault}"), 120, async || self.player(fault)).await;
        let what = format!("{device}: {rule}");
        let raised =
            self.until(&what, 75, async || of_rule(&self.faults().await, &device, rule).cloned()).await;
        (device, raised)
    }

    async fn devices(&self) -> Vec<Value> {
        self.get("/api/v1/devices").await["devices"].as_array().unwrap().clone()
    }

    /// The faults since the start, and those of the past that the demo begins with.
    async fn faults(&self) -> Vec<Value> {
        let all = self.get("/api/v1/faults?state=all").await["faults"].as_array().unwrap().clone();
        all.into_iter().filter(|fault| fault["id"].as_u64().is_some_and(|id| id > self.past)).collect()
    }

    /// Takes what there is now as the past.
    async fn begin(&mut self) -> Vec<Value> {
        let past = self.faults().await;
        self.past = past.iter().filter_map(|fault| fault["id"].as_u64()).max().unwrap_or(0);
        past
    }

    /// Looks until `condition` gives something, at most `limit_s`; prints when that was.
    async fn until<T>(&self, what: &str, limit_s: u64, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
        let looking = async {
            loop {
                if let Some(found) = condition().await {
                    return found;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(limit_s), looking).await {
            Ok(found) => {
                eprintln!("{:6.1} s after the start: {what}", self.seconds());
                found
            }
            Err(_) => panic!("{what}: not within {limit_s} s; faults: {:#?}", self.faults().await),
        }
    }

    async fn end(mut self) {
        let pid = rustix::process::Pid::from_raw(self.child.id().unwrap() as i32).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await;
        let status = ended.expect("the demo did not end within 20 s of SIGTERM").unwrap();
        assert!(status.success(), "{status}");
    }
}

fn of_rule<'a>(faults: &'a [Value], device: &str, rule: &str) -> Option<&'a Value> {
    faults.iter().find(|fault| fault["device"] == device && fault["rule"] == rule)
}

fn numbers(faults: &[Value]) -> Vec<(String, String)> {
    let mut numbers: Vec<_> = faults
        .iter()
        .map(|fault| (fault["number"].to_string(), format!("{} {}", fault["device"], fault["rule"])))
        .collect();
    numbers.sort();
    numbers
}

#[test]
fn the_demo_tells_its_story() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let data = tempfile::tempdir().unwrap();
        let mut demo = Demo::start(data.path()).await;
        demo.until("the page is up", 5, async || {
            let (status, body) = demo.http("GET", "/").await.ok()?;
            (status == 200 && body.contains("临汾市")).then_some(())
        })
        .await;
        assert_eq!(demo.devices().await.len(), 126);
        demo.until("the 25 cameras and their recorder are judged, and well", 90, async || {
            let devices = demo.devices().await;
            let filmed =
                devices.iter().filter(|device| device["class"] == "camera" || device["class"] == "recorder");
            (filmed.filter(|device| device["state"] == "ok").count() == 26).then_some(())
        })
        .await;
        demo.until("every device was polled", 60, async || {
            demo.devices().await.iter().all(|device| device["state"] != "pending").then_some(())
        })
        .await;
        let past = demo.begin().await;
        assert!((30..200).contains(&past.len()), "{} faults in the weeks before", past.len());
        let is_over = |fault: &Value| fault["condition"] == "cleared" && fault["cleared"].is_string();
        assert!(past.iter().all(is_over), "a site that is well");
        let records = demo.get("/api/v1/records").await["records"].as_array().unwrap().len();
        assert!((10..100).contains(&records), "{records} maintenance records");
        demo.until("its history is there", 60, async || {
            demo.printed.lock().unwrap().iter().any(|line| line.starts_with("past: all ")).then_some(())
        })
        .await;
        let week =
            demo.get("/api/v1/devices/srv-platform/history?metric=cpu.load&from=2020-01-01T00:00:00Z").await;
        let samples: u64 =
            week["columns"].as_array().unwrap().iter().filter_map(|column| column["count"].as_u64()).sum();
        // Four weeks and more of polls every 10 s, without the hours in which the box was off.
        assert!(samples > 27 * 8_640, "{samples}");

        let (trunk, silent) = demo.scene("branch-silent", "unreachable").await;
        assert_eq!(silent["severity"], "critical", "{silent:#}");
        assert!(silent["advice"].as_str().is_some_and(|advice| !advice.is_empty()));
        let id = silent["id"].to_string();
        let (status, body) = demo.http("POST", &format!("/api/v1/faults/{id}/acknowledge")).await.unwrap();
        assert_eq!(status, 200, "{body}");
        let (wall, dead) = demo.scene("dead-unit", "panel-silent").await;
        assert_eq!(dead["severity"], "major", "{dead:#}");
        let (hot, _) = demo.scene("hot", "temperature-high").await;
        let (server, full) = demo.scene("disk", "storage-full").await;
        assert_eq!((&full["severity"], &full["instance"]), (&"major".into(), &"/data".into()), "{full:#}");
        for (device, rule) in [(&trunk, "unreachable"), (&wall, "panel-silent"), (&hot, "temperature-high")] {
            demo.until(&format!("{device}: {rule} is over"), 90, async || {
                let faults = demo.faults().await;
                let cleared =
                    of_rule(&faults, device, rule).is_some_and(|fault| fault["condition"] == "cleared");
                cleared.then_some(())
            })
            .await;
        }
        let (ups, _) = demo.scene("on-battery", "on-battery").await;
        let (switch, _) = demo.scene("flapping", "uplink-down").await;
        let (station, lossy) = demo.scene("lossy", "line-lossy").await;
        assert_eq!(lossy["severity"], "major", "{lossy:#}");
        demo.until("the station lost packets for its 80 s", 60, async || {
            demo.is_over(&station).then_some(())
        })
        .await;
        let probe = "env-machine-room";
        let warm = |faults: &[Value], condition: &str| {
            of_rule(faults, probe, "hot").is_some_and(|fault| fault["condition"] == condition)
        };
        demo.until("the machine room is too warm", 75, async || {
            warm(&demo.faults().await, "active").then_some(())
        })
        .await;
        demo.until("the machine room is as before", 90, async || {
            warm(&demo.faults().await, "cleared").then_some(())
        })
        .await;

        let faults = demo.faults().await;
        let below = format!("{trunk}-");
        for fault in &faults {
            let device = fault["device"].as_str().unwrap();
            let rule = match device {
                _ if device == trunk || device.starts_with(&below) => "unreachable",
                _ if device == wall => "panel-silent",
                _ if device == hot => "temperature-high",
                _ if device == server => "storage-full",
                _ if device == ups => "on-battery",
                _ if device == probe => "hot",
                _ if device == switch => "uplink-down",
                // Not `unreachable`, however many polls it lost.
                _ if device == station => "line-lossy",
                _ => panic!("nothing was done to {device}: {fault:#}"),
            };
            assert_eq!(fault["rule"], rule, "{fault:#}");
        }
        assert_eq!(of_rule(&faults, &trunk, "unreachable").unwrap()["operator"], "acknowledged");
        let (kept, demo_past) = (numbers(&faults), demo.past);
        demo.end().await;

        let mut again = Demo::start(data.path()).await;
        again.past = demo_past;
        again
            .until("the page is up again", 5, async || {
                again.http("GET", "/").await.ok().filter(|(status, _)| *status == 200)
            })
            .await;
        let faults = again.faults().await;
        assert_eq!(numbers(&faults), kept);
        assert_eq!(of_rule(&faults, &trunk, "unreachable").unwrap()["operator"], "acknowledged");
        again.end().await;
    });
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_roundsman"))
        .args(["demo", "--listen", &address, "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains(&address) && error.contains("--listen"), "{error}");
}
