//! Lines that a conference host says of its own accord become faults, seen on the API at once and cleared by its next.

use crate::daemon::Daemon;
use crate::until;
use std::path::Path;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// The documented dialogue of such a host (the profile beside it has it as its fixture): a login, an answer, and
/// whatever comes from `says` in between.
async fn host(listener: TcpListener, mut says: mpsc::Receiver<String>) {
    let (stream, _) = listener.accept().await.expect("the service connects");
    let (reads, mut writes) = stream.into_split();
    writes.write_all(b"CCU 1.0\r\nlogin: ").await.expect("a banner");
    // It is spoken to in lines that end in a carriage return.
    let mut lines = BufReader::new(reads).split(b'\r');
    loop {
        let answer = tokio::select! {
            line = lines.next_segment() => match line.expect("readable") {
                None => return,
                Some(line) => match &line[..] {
                    b"admin" => "admin\r\npassword: ".to_owned(),
                    b"secret" => "\r\nwelcome\r\n> ".to_owned(),
                    b"speakers" => "speakers\r\n\r\nspeakers 12 of 20\r\nmode open\r\nend\r\n> ".to_owned(),
                    _ => "command_error 1\r\n> ".to_owned(),
                },
            },
            said = says.recv() => match said {
                None => return,
                Some(said) => said,
            },
        };
        writes.write_all(answer.as_bytes()).await.expect("writable");
    }
}

fn write_site(folder: &Path, port: u16) {
    let profiles = folder.join("profiles");
    std::fs::create_dir(&profiles).expect("a folder");
    let profile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../profile/tests/buses/conference-ccu.toml");
    std::fs::copy(profile, profiles.join("conference-ccu.toml")).expect("the profile");
    std::fs::write(folder.join("password"), "secret\n").expect("a password");
    let text = format!(
        "[site]\nname = \"x\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n\
         [panel]\nlisten = \"127.0.0.1:0\"\n[profiles]\npath = \"profiles\"\n\
         [credentials.ccu]\nlogin = {{ user = \"admin\", password_file = \"password\" }}\n\
         [[bus]]\nid = \"ccu\"\nport = \"tcp://127.0.0.1:{port}\"\n\
         [[device]]\nid = \"conf\"\nname = \"会议主机\"\nprofile = \"conference-ccu\"\ntier = \"city\"\n\
         network = \"lan\"\nbus = \"ccu\"\ncredentials = \"ccu\"\ninterval = \"1s\"\n"
    );
    std::fs::write(folder.join("site.toml"), text).expect("a site file");
}

#[tokio::test]
async fn what_a_host_says_unasked_is_a_fault_and_what_it_says_next_clears_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let folder = tempfile::tempdir().expect("a folder");
    write_site(folder.path(), port);
    let (say, says) = mpsc::channel(8);
    tokio::spawn(host(listener, says));
    let daemon = Daemon::start(&folder.path().join("site.toml"), "info").await;
    until("the first poll", async || {
        let json = daemon.get("/api/v1/devices/conf/readings").await.json();
        (json["readings"][0]["value"].as_f64() == Some(12.0)).then_some(())
    })
    .await;
    let open = async |expected: &[&str]| {
        until("the faults", async || {
            let json = daemon.get("/api/v1/faults?device=conf").await.json();
            let mut seats: Vec<&str> =
                json["faults"].as_array()?.iter().filter_map(|fault| fault["instance"].as_str()).collect();
            seats.sort_unstable();
            (seats == expected).then(|| json.clone())
        })
        .await
    };
    say.send("seat_state 212 passive\r\nseat_state 7 passive\r\n".to_owned()).await.expect("the host lives");
    let faults = open(&["212", "7"]).await;
    let fault = &faults["faults"][0];
    assert_eq!((&fault["rule"], &fault["severity"]), (&"unit-lost".into(), &"minor".into()), "{faults}");
    assert!(fault["summary"].as_str().is_some_and(|text| text.contains("reported by the device")), "{fault}");
    // What says nothing to it changes nothing; its polls go on meanwhile.
    say.send("seat_state 9 speaking\r\n> seat_state 212 active\r\n".to_owned())
        .await
        .expect("the host lives");
    open(&["7"]).await;
    let device = daemon.get("/api/v1/devices/conf").await.json();
    assert_eq!(device["polling"][0]["failed"], 0, "{device}");
}
