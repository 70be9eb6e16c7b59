//! Questions to a camera over real sockets: how it is logged in to, and what it may do to us.

mod camera;

use camera::{Act, Camera, Request, answer, base64, corpus, time};
use roundsman_driver::clock::Clock;
use roundsman_driver::onvif::{Credentials, Device, Failure, Http};
use roundsman_wire::onvif::address::Base;
use roundsman_wire::onvif::answer::Refusal;
use roundsman_wire::onvif::call::Call;
use roundsman_wire::onvif::login::Kept;
use roundsman_wire::onvif::token::digest;
use roundsman_wire::onvif::xml;
use std::sync::atomic::{AtomicUsize, Ordering};

const PATH: &str = "/onvif/device_service";
const USER: &str = "patrol";
const PASSWORD: &str = "right & secret";
const CHALLENGE: &str =
    "WWW-Authenticate: Digest realm=\"cam\", qop=\"auth\", nonce=\"n1\", algorithm=MD5\r\n";
const TIMEOUT_MS: u64 = 400;

fn device_kept(camera: &Camera, password: &str, kept: Kept) -> Device {
    let base = Base { scheme: "http", host: "127.0.0.1".into(), port: camera.port };
    let credentials = Credentials { user: USER.into(), password: password.into() };
    Device::new(Http::new().unwrap(), base, Some(credentials), TIMEOUT_MS, kept)
}

fn device(camera: &Camera, password: &str) -> Device {
    device_kept(camera, password, Kept::default())
}

async fn model(device: &Device) -> Result<String, Failure> {
    let said = device.call(&Call::DeviceInformation, PATH, None).await?;
    Ok(said.said(&["Model"]).unwrap_or("").to_owned())
}

fn information() -> Act {
    answer("200 OK", "Content-Type: application/soap+xml\r\n", &corpus("information"))
}

fn fault(status: &str, name: &str) -> Act {
    answer(status, "", &corpus(name))
}

/// Whether a token is right, and how old it is by a clock `ahead_s` of ours.
fn token_age_s(request: &Request, ahead_s: i64) -> Option<i64> {
    let read = xml::read(request.body.as_bytes()).unwrap();
    let token = read.at(&["Header", "Security", "UsernameToken"])?;
    let created = token.said(&["Created"])?;
    let nonce = base64(token.said(&["Nonce"])?);
    let is_right = token.said(&["Username"]) == Some(USER)
        && token.said(&["Password"]) == Some(&digest(&nonce, created, PASSWORD));
    let parts: Vec<i64> = created.split(['T', 'Z', ':', '-']).filter_map(|part| part.parse().ok()).collect();
    let second = parts[3] * 3_600 + parts[4] * 60 + parts[5];
    let now = (Clock::new().now().wall.0 / 1_000 + ahead_s).rem_euclid(86_400);
    is_right.then_some((now - second + 43_200).rem_euclid(86_400) - 43_200)
}

#[tokio::test]
async fn digest_is_answered_and_then_shown_at_once() {
    let camera = Camera::start(|request| {
        if request.digest_is(USER, PASSWORD, "cam", "n1") {
            information()
        } else {
            answer("401 Unauthorized", CHALLENGE, "")
        }
    })
    .await;
    let device = device(&camera, PASSWORD);
    for _ in 0..3 {
        assert_eq!(model(&device).await.as_deref(), Ok("DS-2CD2T47"));
    }
    assert_eq!((camera.heard(), camera.shown()), (4, 3), "the first one asks how");
    assert_eq!(device.kept(), Kept::default());
    let heard = camera.heard.lock().unwrap();
    assert!(heard.iter().all(|request| !request.body.contains(PASSWORD) && !request.head.contains(PASSWORD)));
    let action = "action=\"http://www.onvif.org/ver10/device/wsdl/GetDeviceInformation\"";
    assert!(heard[0].header("content-type").unwrap().ends_with(action));
}

#[tokio::test]
async fn tokens_are_signed_by_the_cameras_own_clock() {
    // Forty minutes slow, with a window of 5 s; its faults come with HTTP 200.
    const AHEAD_S: i64 = -2_400;
    let camera = Camera::start(|request| {
        if request.body.contains("GetSystemDateAndTime") {
            return answer("200 OK", "", &time(AHEAD_S));
        }
        match token_age_s(request, AHEAD_S) {
            Some(age_s) if age_s.abs() <= 5 => information(),
            _ => fault("200 OK", "fault-not-authorized"),
        }
    })
    .await;
    let device = device(&camera, PASSWORD);
    let (_, skew) = device.time(PATH).await.unwrap();
    assert!((skew.reported_ms + 2_400_000).abs() <= 2_000, "{skew:?}");
    assert_eq!(model(&device).await.as_deref(), Ok("DS-2CD2T47"));
    assert_eq!((camera.shown(), device.kept()), (1, Kept::default()));
}

#[tokio::test]
async fn time_behind_a_login_is_read_all_the_same() {
    let camera = Camera::start(|request| {
        if request.digest_is(USER, PASSWORD, "cam", "n1") {
            answer("200 OK", "", &time(0))
        } else {
            answer("401 Unauthorized", CHALLENGE, "<html>401</html>")
        }
    })
    .await;
    let device = device(&camera, PASSWORD);
    assert!(device.time(PATH).await.unwrap().1.reported_ms.abs() <= 2_000);
    assert_eq!(device.kept(), Kept::default());
}

#[tokio::test]
async fn a_wrong_password_is_shown_twice_and_never_again() {
    let camera = Camera::start(|request| {
        if request.digest_is(USER, PASSWORD, "cam", "n1") {
            information()
        } else {
            answer("401 Unauthorized", CHALLENGE, "")
        }
    })
    .await;
    let wrong = device(&camera, "wrong");
    assert_eq!(model(&wrong).await, Err(Failure::Refused));
    for _ in 0..5 {
        assert_eq!(model(&wrong).await, Err(Failure::Stopped));
    }
    assert_eq!(camera.shown(), 2);
    let heard = camera.heard();
    // The service starts anew: nothing is sent.
    let again = device_kept(&camera, "wrong", wrong.kept());
    assert_eq!(model(&again).await, Err(Failure::Stopped));
    assert_eq!(camera.heard(), heard);
    // The right password, and a person who says so.
    let right = device_kept(&camera, PASSWORD, wrong.kept());
    right.release();
    assert_eq!(model(&right).await.as_deref(), Ok("DS-2CD2T47"));
}

#[tokio::test]
async fn a_locked_camera_is_left_alone() {
    let camera = Camera::start(|_| fault("400 Bad Request", "fault-locked")).await;
    let device = device(&camera, PASSWORD);
    assert_eq!(model(&device).await, Err(Failure::Locked));
    assert_eq!(model(&device).await, Err(Failure::Stopped));
    assert_eq!((camera.heard(), camera.shown()), (1, 0));
}

#[tokio::test]
async fn nothing_is_tried_without_credentials() {
    let camera = Camera::start(|_| answer("401 Unauthorized", CHALLENGE, "")).await;
    let base = Base { scheme: "http", host: "127.0.0.1".into(), port: camera.port };
    let device = Device::new(Http::new().unwrap(), base, None, TIMEOUT_MS, Kept::default());
    assert_eq!(model(&device).await, Err(Failure::Refused));
    assert_eq!((camera.shown(), device.kept()), (0, Kept::default()));
}

#[tokio::test]
async fn faults_that_say_nothing_about_the_login_are_told_as_they_are() {
    let camera = Camera::start(|_| fault("500 Internal Server Error", "fault-unsupported")).await;
    let device = device(&camera, PASSWORD);
    for _ in 0..3 {
        match model(&device).await {
            Err(Failure::Fault(fault)) => assert_eq!(fault.refusal, Refusal::NotSupported),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((camera.heard(), camera.shown()), (3, 0));
}

#[tokio::test]
async fn a_connection_that_was_closed_is_tried_once_more_but_no_reboot_is() {
    let count = AtomicUsize::new(0);
    let camera = Camera::start(move |request| {
        let is_first = count.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        if request.body.contains("SystemReboot") || is_first { Act::Close } else { information() }
    })
    .await;
    let device = device(&camera, PASSWORD);
    assert_eq!(model(&device).await.as_deref(), Ok("DS-2CD2T47"));
    assert_eq!(camera.heard(), 2);
    let reboot = device.call(&Call::SystemReboot, PATH, None).await;
    assert!(matches!(reboot, Err(Failure::Closed(_))), "{reboot:?}");
    assert_eq!(camera.heard(), 3);
}

#[tokio::test]
async fn a_login_that_was_never_let_in_is_not_shown_again_to_a_closed_door() {
    let camera =
        Camera::start(
            |request| {
                if request.shows() { Act::Close } else { answer("401 Unauthorized", CHALLENGE, "") }
            },
        )
        .await;
    assert!(matches!(model(&device(&camera, "wrong")).await, Err(Failure::Closed(_))));
    assert_eq!(camera.shown(), 1);
}

#[tokio::test]
async fn http_of_old_and_careless_cameras_is_read() {
    let body = corpus("information");
    let len = body.len();
    let manners = [
        format!("HTTP/1.0 200 OK\r\n\r\n{body}"),
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {len}\r\nIllegal header: x\r\nBad\u{1}Name: y\r\n\r\n{body}"
        ),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{len:x}\r\n{body}\r\n0\r\n\r\n"),
    ];
    for manner in manners {
        let said = manner.clone().into_bytes();
        let camera = Camera::start(move |_| Act::Say(said.clone())).await;
        assert_eq!(model(&device(&camera, PASSWORD)).await.as_deref(), Ok("DS-2CD2T47"), "{manner}");
    }
}

#[tokio::test]
async fn a_flood_and_a_silence_are_cut() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n".to_vec();
    let flood = head.clone();
    let camera = Camera::start(move |_| Act::Flood(flood.clone())).await;
    assert_eq!(model(&device(&camera, PASSWORD)).await, Err(Failure::TooLong { most: xml::MOST_OCTETS }));
    for said in [Vec::new(), head, b"HTTP/1.1 200".to_vec()] {
        let camera = Camera::start(move |_| Act::Hang(said.clone())).await;
        assert_eq!(model(&device(&camera, PASSWORD)).await, Err(Failure::Silent { timeout_ms: TIMEOUT_MS }));
    }
    // Nobody listens.
    let gone = Camera { port: 1, heard: camera.heard };
    assert!(matches!(model(&device(&gone, PASSWORD)).await, Err(Failure::Unreachable(_))));
}

#[tokio::test]
async fn nobody_is_led_to_another_host() {
    let elsewhere = Camera::start(|_| information()).await;
    let port = elsewhere.port;
    let camera = Camera::start(move |_| {
        answer("307 Temporary Redirect", &format!("Location: http://127.0.0.1:{port}{PATH}\r\n"), "")
    })
    .await;
    assert!(matches!(model(&device(&camera, PASSWORD)).await, Err(Failure::Unread { status: 307, .. })));
    assert_eq!(elsewhere.heard(), 0);
}

/// Ten tasks ask at once, each connection answered when all have come that may: never a third wrong password.
#[tokio::test]
async fn however_many_ask_at_once_a_wrong_password_is_shown_twice() {
    let camera = Camera::start(|_| answer("401 Unauthorized", CHALLENGE, "")).await;
    let device = device(&camera, "wrong");
    let asking = (0..10).map(|_| {
        let device = device.clone();
        tokio::spawn(async move { model(&device).await })
    });
    for asked in asking.collect::<Vec<_>>() {
        assert!(matches!(asked.await.unwrap(), Err(Failure::Refused | Failure::Stopped)));
    }
    assert_eq!(camera.shown(), 2);
}

#[tokio::test]
async fn a_camera_that_closes_on_a_wrong_login_counts_as_refusing() {
    let camera = Camera::start(|request| match request.shows() {
        true => Act::Close,
        false => answer("401 Unauthorized", CHALLENGE, ""),
    })
    .await;
    let device = device(&camera, "wrong");
    for _ in 0..2 {
        assert!(matches!(model(&device).await, Err(Failure::Closed(_))));
    }
    assert_eq!(model(&device).await, Err(Failure::Stopped));
    assert_eq!(camera.shown(), 2);
}

/// Every second connection is closed, whatever is asked: that is no refusal.
#[tokio::test]
async fn a_camera_that_closes_now_and_then_is_let_in() {
    let requests = AtomicUsize::new(0);
    let camera = Camera::start(move |request| {
        if requests.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
            Act::Close
        } else if request.digest_is(USER, PASSWORD, "cam", "n1") {
            information()
        } else {
            answer("401 Unauthorized", CHALLENGE, "")
        }
    })
    .await;
    let device = device(&camera, PASSWORD);
    for _ in 0..4 {
        assert_eq!(model(&device).await.as_deref(), Ok("DS-2CD2T47"));
    }
    assert_eq!(device.kept(), Kept::default());
}

#[tokio::test]
async fn a_token_that_is_answered_by_a_bad_request_counts() {
    let camera = Camera::start(|request| match token_age_s(request, 0) {
        None if request.body.contains("UsernameToken") => answer("400 Bad Request", "", "<html>400</html>"),
        None => fault("401 Unauthorized", "fault-not-authorized"),
        Some(_) => information(),
    })
    .await;
    let wrong = device(&camera, "wrong");
    for _ in 0..5 {
        assert!(model(&wrong).await.is_err());
    }
    assert_eq!((camera.shown(), model(&wrong).await), (2, Err(Failure::Stopped)));
}
