//! ONVIF's questions, answers and logins. The answers (`tests/fuzz/corpus/onvif/`) are written by the schemas, in the
//! manners that devices are known for.

use roundsman_core::time::Wall;
use roundsman_wire::onvif::address::{Base, MOST_PATH};
use roundsman_wire::onvif::answer::{self, Refusal, Unread};
use roundsman_wire::onvif::call::{Addressing, Call, Media, envelope};
use roundsman_wire::onvif::device::{self, DeviceTime, Information, Skew};
use roundsman_wire::onvif::events::{Operation, PullPoint, lives, notifications};
use roundsman_wire::onvif::media::{self, Encoder};
use roundsman_wire::onvif::recordings::{Found, Summary, search};
use roundsman_wire::onvif::token::{Token, digest};
use roundsman_wire::onvif::xml::{self, Broken, Element, MOST_DEPTH, MOST_ELEMENTS, MOST_OCTETS, MOST_TEXT};

fn octets(name: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/fuzz/corpus/onvif/{name}.xml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn answer(call: Call<'_>, name: &str) -> Element {
    answer::read(&call, &octets(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Seconds since the epoch of 2026-11-27T02:00:00Z.
const TWO_O_CLOCK: i64 = 1_795_744_800;
const NOW: Wall = Wall(TWO_O_CLOCK * 1_000);

#[test]
fn the_digest_of_the_programmers_guide() {
    // ONVIF Application Programmer's Guide 1.0, section 6.1.1.3.
    use base64::Engine;
    let nonce = base64::engine::general_purpose::STANDARD.decode("LKqI6G/AikKCQrN0zqZFlg==").unwrap();
    assert_eq!(digest(&nonce, "2010-09-16T07:50:45Z", "userpassword"), "tuOSpGlFlIXsozq4HFNeeGeFLEI=");
}

#[test]
fn every_question_is_well_formed_and_names_its_action() {
    let token = Token { user: "a<b&\"c", password: "secret", nonce: [7; 16], created: NOW };
    let parameters = ["<x:Id xmlns:x=\"urn:x\">7</x:Id>".into()];
    let to = Addressing { to: "http://10.0.0.5/sub?a=1&b=2", parameters: &parameters, message: 0x1234 };
    let calls = [
        Call::SystemDateAndTime,
        Call::DeviceInformation,
        Call::Services,
        Call::Capabilities,
        Call::NetworkInterfaces,
        Call::Hostname,
        Call::SystemReboot,
        Call::Profiles(Media::One),
        Call::Profiles(Media::Two),
        Call::StreamUri(Media::One, "a<b"),
        Call::StreamUri(Media::Two, "a<b"),
        Call::SnapshotUri(Media::One, "a<b"),
        Call::SnapshotUri(Media::Two, "a<b"),
        Call::CreatePullPoint(600),
        Call::PullMessages(50, 100),
        Call::Renew(600),
        Call::Unsubscribe,
        Call::RecordingSummary,
        Call::FindRecordings,
        Call::RecordingResults("a<b"),
        Call::EndSearch("a<b"),
    ];
    let mut actions = Vec::new();
    for call in calls {
        let written = envelope(&call, Some(&token), Some(&to));
        assert!(!written.contains("secret"), "{written}");
        let read = xml::read(written.as_bytes()).unwrap_or_else(|error| panic!("{error}: {written}"));
        let asked = read.at(&["Body", call.operation()]).unwrap();
        assert_eq!(asked.said(&["ProfileToken"]).or(asked.said(&["SearchToken"])).unwrap_or("a<b"), "a<b");
        let user = ["Header", "Security", "UsernameToken", "Username"];
        assert_eq!(read.said(&user), Some("a<b&\"c"));
        let created = ["Header", "Security", "UsernameToken", "Created"];
        assert_eq!(read.said(&created), Some("2026-11-27T02:00:00Z"));
        assert_eq!(read.said(&["Header", "To"]), Some("http://10.0.0.5/sub?a=1&b=2"));
        assert_eq!(read.said(&["Header", "Action"]), Some(&*call.action()));
        assert_eq!(read.said(&["Header", "Id"]), Some("7"));
        actions.push(format!("{}\n", call.action()));
    }
    insta::assert_snapshot!(actions.concat());
    insta::assert_snapshot!(envelope(&Call::StreamUri(Media::One, "Profile_1"), Some(&token), None));
    assert_eq!(format!("{token:?}").find("secret"), None);
}

#[test]
fn a_clock_is_signed_by_as_it_goes_and_reported_as_it_errs() {
    let cases = [
        ("time-ntp", true, Some((5_000, 5_000))),
        ("time-local-alone", false, Some((0, 0))),
        // It calls 10:00:03 in China UTC: tokens need that, its pictures are 3 s ahead.
        ("time-utc-is-local", false, Some((8 * 3_600_000 + 3_000, 3_000))),
        ("time-impossible", false, None),
    ];
    for (name, by_ntp, expected) in cases {
        let time = DeviceTime::read(&answer(Call::SystemDateAndTime, name));
        assert_eq!(time.as_ref().is_some_and(|time| time.by_ntp), by_ntp, "{name}");
        let skew = time.map(|time| time.skew(NOW));
        assert_eq!(
            skew,
            expected.map(|(signing_ms, reported_ms)| Skew { signing_ms, reported_ms }),
            "{name}"
        );
    }
    // A day off is a day off, whatever the zone.
    let time = DeviceTime::read(&answer(Call::SystemDateAndTime, "time-ntp")).unwrap();
    let late = Wall(NOW.0 + 86_400_000);
    assert_eq!(time.skew(late).reported_ms, 5_000 - 86_400_000);
    let leap = DeviceTime::read(&answer(Call::SystemDateAndTime, "time-leap-second")).unwrap();
    assert_eq!(leap.utc.0 % 60_000, 59_000);
}

#[test]
fn a_device_says_who_it_is_and_where_its_services_are() {
    let information = Information::read(&answer(Call::DeviceInformation, "information"));
    assert_eq!(information.maker.as_deref(), Some("HIKVISION"));
    assert_eq!(information.model.as_deref(), Some("DS-2CD2T47"));
    assert_eq!(information.firmware.as_deref(), Some("V5.7.15 build 230404"));
    let services = device::services(&answer(Call::Services, "services"));
    assert_eq!(services.len(), 4);
    assert_eq!(&*services[2].1, "http://192.168.1.64/onvif/Media2");
    let older = device::capabilities(&answer(Call::Capabilities, "capabilities"));
    let paths: Vec<&str> = older.iter().map(|(_, address)| address.rsplit('/').next().unwrap()).collect();
    assert_eq!(paths, ["device_service", "media_service", "event_service", "search_service"]);
    let interfaces = answer(Call::NetworkInterfaces, "interfaces");
    assert_eq!(device::hardware_address(&interfaces).as_deref(), Some("02:00:00:00:00:01"));
    assert_eq!(device::host_name(&answer(Call::Hostname, "host-name")).as_deref(), Some("cam-hall"));
}

#[test]
fn encoders_of_both_media_services() {
    let first = media::profiles(Media::One, &answer(Call::Profiles(Media::One), "profiles-1"));
    assert_eq!(first.len(), 2, "one without a token is none");
    let expected = Encoder {
        encoding: "H264".into(),
        size: Some((2_560, 1_440)),
        frame_rate: Some(25.0),
        bit_rate: Some(4_096),
        group: Some(50),
    };
    assert_eq!(first[0].encoder.as_ref(), Some(&expected));
    assert_eq!(
        (&*first[1].token, &*first[1].name, &first[1].encoder),
        ("Audio & Meta", "二号<子码流>", &None)
    );
    let second = media::profiles(Media::Two, &answer(Call::Profiles(Media::Two), "profiles-2"));
    let expected = Encoder {
        encoding: "H265".into(),
        size: Some((3_840, 2_160)),
        frame_rate: Some(12.5),
        bit_rate: Some(6_144),
        group: Some(60),
    };
    assert_eq!(second[0].encoder.as_ref(), Some(&expected));
    let stream = answer(Call::StreamUri(Media::One, "Profile_1"), "stream");
    let uri = "rtsp://192.168.1.64:554/Streaming/Channels/101?transportmode=unicast&profile=Profile_1";
    assert_eq!(media::uri(&stream), Some(uri));
    assert_eq!(media::uri(&answer(Call::SnapshotUri(Media::One, "x"), "snapshot-null")), None);
}

#[test]
fn a_subscription_is_spoken_to_in_its_own_words() {
    let point = PullPoint::read(&answer(Call::CreatePullPoint(600), "pull-point"));
    assert_eq!(&*point.address, "http://10.0.0.5/onvif/Events/PullSubManager");
    assert_eq!(point.lives_ms, Some(600_000));
    assert_eq!(point.parameters.len(), 3);
    let to = Addressing { to: &point.address, parameters: &point.parameters, message: 1 };
    let written = envelope(&Call::PullMessages(50, 100), None, Some(&to));
    // Read with namespaces by a reader that insists on them.
    let mut reader = quick_xml::NsReader::from_str(&written);
    let mut echoed = Vec::new();
    loop {
        use quick_xml::events::Event;
        use quick_xml::name::ResolveResult;
        let (namespace, event) = reader.read_resolved_event().unwrap();
        match event {
            Event::Start(start) | Event::Empty(start) => {
                let ResolveResult::Bound(namespace) = namespace else { panic!("{start:?} of no namespace") };
                echoed.push(format!("{{{}}}{}", namespace.0, start.local_name().as_ref()));
                for attribute in start.attributes() {
                    attribute.unwrap();
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    for expected in
        ["{http://www.example.org/sub}SubscriptionId", "{urn:x}Key", "{http://www.example.org/sub}Empty"]
    {
        assert!(echoed.iter().any(|name| name == expected), "{expected} of {echoed:?}");
    }
    assert!(written.contains(">7 &amp; 8<"));
    let bare = PullPoint::read(&answer(Call::CreatePullPoint(600), "pull-point-bare"));
    assert_eq!(bare, PullPoint::default(), "the event service's own address, and no time");
    assert_eq!(lives(&answer(Call::Renew(600), "renew")), Some(599_500));
}

#[test]
fn messages_say_what_where_and_since_when() {
    let notes = notifications(&answer(Call::PullMessages(50, 100), "messages"));
    let topics: Vec<&str> = notes.iter().map(|note| &*note.topic).collect();
    assert_eq!(
        topics,
        [
            "VideoSource/GlobalSceneChange/ImagingService",
            "VideoSource/SignalLoss",
            "Device/Trigger/DigitalInput"
        ]
    );
    let at: Vec<Option<i64>> =
        notes.iter().map(|note| note.at.map(|at| at.0 / 1_000 - TWO_O_CLOCK)).collect();
    assert_eq!(at, [Some(9), None, Some(9)]);
    let operations: Vec<Operation> = notes.iter().map(|note| note.operation).collect();
    assert_eq!(operations, [Operation::Changed, Operation::Initialized, Operation::Changed]);
    assert_eq!(notes[0].data, [("State".into(), "true".into())]);
    assert_eq!(notes[2].source, [("InputToken".into(), "in 1".into())]);
}

#[test]
fn recordings_of_all_channels_and_of_each() {
    let summary = Summary::read(&answer(Call::RecordingSummary, "summary"));
    assert_eq!(summary.recordings, Some(25));
    assert_eq!(summary.until, Some(Wall(NOW.0 - 60_000)));
    assert_eq!(search(&answer(Call::FindRecordings, "search")), Some("S-1"));
    let found = Found::read(&answer(Call::RecordingResults("S-1"), "recordings"));
    assert!(found.complete);
    let each: Vec<(&str, &str, &str)> =
        found.recordings.iter().map(|each| (&*each.token, &*each.source, &*each.status)).collect();
    assert_eq!(each, [("R1", "大厅", "Recording"), ("R2", "cam2", "Stopped")]);
    // The second says it of its tracks alone: the oldest and the newest of them.
    let day = 86_400_000;
    let (from, until) = (found.recordings[1].from.unwrap().0, found.recordings[1].until.unwrap().0);
    assert_eq!((until - from) / day, 21);
}

#[test]
fn refusals_are_told_apart() {
    let cases = [
        ("fault-not-authorized", "NotAuthorized", Refusal::NotAuthorized),
        ("fault-attempts", "NotAuthorized", Refusal::NotAuthorized),
        ("fault-locked", "NotAuthorized", Refusal::Locked),
        ("fault-unsupported", "ActionNotSupported", Refusal::NotSupported),
        ("fault-gone", "Receiver", Refusal::NotThere),
        ("fault-soap-1.1", "FailedAuthentication", Refusal::NotAuthorized),
    ];
    for (name, code, refusal) in cases {
        match answer::read(&Call::DeviceInformation, &octets(name)) {
            Err(Unread::Fault(fault)) => assert_eq!((&*fault.code, fault.refusal), (code, refusal), "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn what_is_no_answer_says_what_it_is() {
    let call = Call::DeviceInformation;
    let other = |came: &str| Err(Unread::Other { came: came.into(), expected: "GetDeviceInformation" });
    assert_eq!(answer::read(&call, &octets("echo")), other("GetDeviceInformation"));
    assert_eq!(answer::read(&call, &octets("host-name")), other("GetHostnameResponse"));
    assert!(matches!(answer::read(&call, &octets("html")), Err(Unread::NoEnvelope(_) | Unread::Broken(_))));
    assert_eq!(answer::read(&call, b""), Err(Unread::Broken(Broken::Empty)));
    assert_eq!(answer::read(&call, b"OK"), Err(Unread::Broken(Broken::Empty)));
    assert_eq!(answer::read(&call, b"<a/>"), Err(Unread::NoEnvelope("a".into())));
    let whole = octets("information");
    let cut = answer::read(&call, &whole[..whole.len() / 2]);
    assert!(matches!(cut, Err(Unread::Broken(Broken::Cut(_) | Broken::Malformed { .. }))), "{cut:?}");
    // Wrong encodings and prefixes that close nothing are no reason to lose a device.
    let name = device::host_name(&answer(Call::Hostname, "invalid-utf-8"));
    assert_eq!(name.as_deref(), Some("cam-\u{fffd}\u{fffd}"));
    let expanded = device::host_name(&answer(Call::Hostname, "entities"));
    assert_eq!(expanded.as_deref(), Some("\u{fffd}中A&&"), "no entity is expanded");
}

#[test]
fn what_a_device_says_of_itself_is_fit_to_be_shown() {
    let hostile = "\u{202e}\u{1b}[2J<b>".to_owned() + &"x".repeat(400);
    let text = hostile.replace('<', "&lt;");
    let said =
        format!("<Envelope><Body><Fault><Reason><Text>{text}</Text></Reason></Fault></Body></Envelope>");
    let Err(Unread::Fault(fault)) = answer::read(&Call::Hostname, said.as_bytes()) else {
        panic!("no fault")
    };
    assert!(fault.reason.starts_with("[2J<b>x") && fault.reason.chars().count() <= 256, "{}", fault.reason);
    let name = "n".repeat(10_000);
    let said = format!("<{name}\u{7}/>");
    let error = answer::read(&Call::Hostname, said.as_bytes()).unwrap_err().to_string();
    assert!(error.len() < 100 && !error.contains('\u{7}'), "{error}");
}

#[test]
fn everything_has_a_limit() {
    assert_eq!(xml::read(&vec![b'<'; MOST_OCTETS + 1]), Err(Broken::TooLong));
    let deep = |levels: usize| ["<a>".repeat(levels), "</a>".repeat(levels)].concat();
    assert!(xml::read(deep(MOST_DEPTH).as_bytes()).is_ok());
    assert_eq!(xml::read(deep(MOST_DEPTH + 1).as_bytes()), Err(Broken::TooDeep));
    let wide = |count: usize| ["<r>", &"<a/>".repeat(count - 1), "</r>"].concat();
    assert!(xml::read(wide(MOST_ELEMENTS).as_bytes()).is_ok());
    assert_eq!(xml::read(wide(MOST_ELEMENTS + 1).as_bytes()), Err(Broken::TooMany));
    let long = format!("<a b=\"{0}\">{0}&amp;{0}</a>", "长".repeat(5_000));
    let read = xml::read(long.as_bytes()).unwrap();
    assert!(read.text().len() <= MOST_TEXT && read.text().len() > MOST_TEXT - 3);
    assert!(read.attribute("b").is_some_and(|value| value.len() <= MOST_TEXT));
}

fn base(scheme: &'static str, host: &str, port: u16) -> Base {
    Base { scheme, host: host.into(), port }
}

#[test]
fn addresses_lead_to_where_the_site_file_says() {
    let camera = base("http", "192.0.2.7", 8_000);
    let cases = [
        ("http://192.168.1.64/onvif/Media", Some("http://192.0.2.7:8000/onvif/Media"), true),
        ("http://192.0.2.7:8000/a?b=1&c=2#d", Some("http://192.0.2.7:8000/a?b=1&c=2"), false),
        ("https://evil.example/x", Some("http://192.0.2.7:8000/x"), true),
        ("http://0.0.0.0", Some("http://192.0.2.7:8000/"), true),
        ("http://[fe80::1]:80/x", Some("http://192.0.2.7:8000/x"), true),
        ("http://10.0.0.1?x=1", Some("http://192.0.2.7:8000/?x=1"), true),
        ("/onvif/snapshot.jpg", Some("http://192.0.2.7:8000/onvif/snapshot.jpg"), false),
        ("http://a/b c\r\nHost: d", Some("http://192.0.2.7:8000/b%20c%0D%0AHost:%20d"), true),
        ("http://a/@evil/中", Some("http://192.0.2.7:8000/@evil/%E4%B8%AD"), true),
        ("", None, false),
        ("(null)", None, false),
        ("urn:uuid:1-2-3", None, false),
    ];
    for (given, url, moved) in cases {
        let led = camera.lead(given);
        assert_eq!(led.as_ref().map(|led| &*led.url), url, "{given}");
        assert_eq!(led.is_some_and(|led| led.moved), moved, "{given}");
    }
    let stream =
        base("rtsp", "[2001:db8::7]", 554).lead("rtsp://admin:12345@[2001:db8::7]/Streaming").unwrap();
    assert_eq!(stream.url, "rtsp://[2001:db8::7]:554/Streaming");
    assert_eq!(
        (&*stream.given, stream.moved),
        ("rtsp://[2001:db8::7]/Streaming", false),
        "no login is shown"
    );
    assert_eq!(camera.lead(&format!("http://a/{}", "b".repeat(MOST_PATH))), None);
}
