//! Streams of an RTSP server that nobody here wrote: GStreamer's, with Digest (`tests/peers/rtsp_server.py`).

use roundsman_driver::onvif::stream::Streamed;
use roundsman_driver::onvif::{Credentials, Device, Failure, Http};
use roundsman_wire::onvif::address::Base;
use roundsman_wire::onvif::login::{Door, Kept};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const USER: &str = "patrol";
const PASSWORD: &str = "se\"cret %40 密";

/// The server; it ends with the test.
struct Server {
    child: Child,
    base: Base,
}

impl Server {
    /// `None` where it is missing and may be.
    fn start() -> Option<Server> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/peers/rtsp_server.py");
        // Debian's own Python: its packages are not seen by another.
        let started =
            Command::new("/usr/bin/python3").args([script, USER, PASSWORD]).stdout(Stdio::piped()).spawn();
        let mut line = String::new();
        let server = started.ok().and_then(|mut child| {
            BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
            let base = Base { scheme: "rtsp", host: "127.0.0.1".into(), port: line.trim().parse().ok()? };
            Some(Server { child, base })
        });
        let names = std::env::var("ALLOW_SKIP").unwrap_or_default();
        let may_skip = names.split(',').any(|name| name.trim() == "gstreamer");
        assert!(
            server.is_some() || may_skip,
            "GStreamer's RTSP server does not start: run tests/run, or name gstreamer in ALLOW_SKIP"
        );
        server
    }

    fn device(&self, password: &str) -> Device {
        let credentials = Credentials { user: USER.into(), password: password.into() };
        Device::new(Http::new().unwrap(), self.base.clone(), Some(credentials), 1_000, Kept::default())
    }

    async fn stream(&self, device: &Device, path: &str) -> Result<Streamed, Failure> {
        device.stream(&self.base, path).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stream that is well.
fn is_well(streamed: &Streamed, codec: &str) {
    assert_eq!(&*streamed.codec, codec);
    assert!(streamed.first_packet_ms.is_some() && streamed.first_key_frame_ms.is_some(), "{streamed:?}");
    let rate = streamed.frame_rate.unwrap_or_else(|| panic!("no rate: {streamed:?}"));
    assert!((12.0..=40.0).contains(&rate), "25 frames a second are sent: {streamed:?}");
    assert!(streamed.bit_rate.is_some_and(|rate| rate > 10_000.0), "{streamed:?}");
    assert_eq!(streamed.lost, 0);
}

#[tokio::test]
async fn streams_of_three_codecs_come_and_what_is_wrong_is_told_apart() {
    let Some(server) = Server::start() else { return };
    let device = server.device(PASSWORD);
    for (path, codec) in [("/live", "h264"), ("/live265", "h265"), ("/jpeg", "jpeg")] {
        let streamed = server.stream(&device, path).await;
        is_well(&streamed.unwrap_or_else(|error| panic!("{path}: {error}")), codec);
    }
    assert_eq!(server.stream(&device, "/none").await, Err(Failure::Missing));
    // It is let in all the while.
    assert_eq!(device.kept(), Kept::default());
    is_well(&server.stream(&device, "/live").await.unwrap(), "h264");
    let silent = server.stream(&device, "/silent").await;
    assert!(matches!(silent, Err(Failure::Silent { .. })), "its pipeline never begins: {silent:?}");
}

#[tokio::test]
async fn a_wrong_password_is_shown_twice() {
    let Some(server) = Server::start() else { return };
    let device = server.device("wrong");
    assert_eq!(server.stream(&device, "/live").await, Err(Failure::Refused));
    assert_eq!(device.kept().own, [0, 0, 1]);
    assert_eq!(server.stream(&device, "/live").await, Err(Failure::Refused));
    assert!(device.is_stopped(Door::Rtsp) && device.is_stopped(Door::Onvif), "all doors of it");
    assert_eq!(server.stream(&device, "/live").await, Err(Failure::Stopped));
}

#[tokio::test]
async fn a_server_that_is_gone_refuses() {
    let Some(server) = Server::start() else { return };
    let (base, device) = (server.base.clone(), server.device(PASSWORD));
    drop(server);
    let gone = device.stream(&base, "/live").await;
    assert!(matches!(gone, Err(Failure::Unreachable(_))), "{gone:?}");
}
