//! Checks of a camera over real sockets: what is asked how often, what a refused login stops, what it tells unasked.

mod camera;

use camera::{Act, Camera as Peer, Request, answer, corpus, time};
use roundsman_core::reading::Absence;
use roundsman_driver::onvif::camera::{Camera, Target};
use roundsman_driver::onvif::watch::{Told, watch};
use roundsman_driver::onvif::{Credentials, Http};
use roundsman_wire::onvif::call::Errand;
use roundsman_wire::onvif::health::{Answer, Expectation, Question, Value};
use roundsman_wire::onvif::login::Kept;
use roundsman_wire::onvif::token::digest;
use roundsman_wire::onvif::xml;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::mpsc;

const PASSWORD: &str = "right & secret";

/// What a camera is asked for without its stream.
const QUESTIONS: [Question; 8] = [
    Question::Login,
    Question::Time,
    Question::Information,
    Question::Hostname,
    Question::Interfaces,
    Question::Profiles,
    Question::Settings,
    Question::Summary,
];

fn target(peer: &Peer, password: &str) -> Target {
    Target {
        address: SocketAddr::from(([127, 0, 0, 1], peer.port)),
        rtsp_port: 1,
        credentials: Some(Credentials { user: "patrol".into(), password: password.into() }),
        expects: Some(Expectation {
            codec: Some("h264".into()),
            width: Some(3_840),
            ..Expectation::default()
        }),
    }
}

fn camera(peer: &Peer, password: &str, kept: Kept) -> Camera {
    Camera::new(Http::new().unwrap(), target(peer, password), kept)
}

/// The operation of a request.
fn operation(request: &Request) -> String {
    let read = xml::read(request.body.as_bytes()).unwrap();
    read.child("Body").unwrap().children()[0].name.to_string()
}

fn is_let_in(request: &Request) -> bool {
    let read = xml::read(request.body.as_bytes()).unwrap();
    let Some(token) = read.at(&["Header", "Security", "UsernameToken"]) else { return false };
    let created = token.said(&["Created"]).unwrap();
    let nonce = camera::base64(token.said(&["Nonce"]).unwrap());
    token.said(&["Password"]) == Some(&digest(&nonce, created, PASSWORD))
}

/// A camera that takes tokens.
fn healthy(request: &Request) -> Act {
    let operation = operation(request);
    if operation == "GetSystemDateAndTime" {
        return answer("200 OK", "", &time(0));
    }
    if !is_let_in(request) {
        return answer("400 Bad Request", "", &corpus("fault-not-authorized"));
    }
    let file = match &*operation {
        "GetDeviceInformation" => "information",
        "GetServices" => "services",
        "GetHostname" => "host-name",
        "GetNetworkInterfaces" => "interfaces",
        "GetProfiles" => "profiles-2",
        "CreatePullPointSubscription" => "pull-point",
        "PullMessages" => "messages",
        "Renew" => "renew",
        "SystemReboot" => {
            let said = "<Envelope><Body><SystemRebootResponse><Message>in 5 s</Message></SystemRebootResponse></Body></Envelope>";
            return answer("200 OK", "", said);
        }
        _ => return answer("500 Internal Server Error", "", &corpus("fault-unsupported")),
    };
    answer("200 OK", "", &corpus(file))
}

fn said(answer: &Answer, question: Question, item: &str) -> Result<Option<Value>, Absence> {
    let at = question.item(item).unwrap();
    answer.of(question).map(|rows| rows.first().and_then(|row| row.value(at)).cloned())
}

fn state(answer: &Answer, question: Question) -> Result<&'static str, Absence> {
    match said(answer, question, "state")? {
        Some(Value::State(word)) => Ok(word),
        other => panic!("{question:?}: {other:?}"),
    }
}

/// Operations in their order.
fn asked(peer: &Peer) -> Vec<String> {
    peer.heard.lock().unwrap().iter().map(operation).collect()
}

#[tokio::test]
async fn everything_is_asked_once_and_then_what_changes() {
    let peer = Peer::start(healthy).await;
    let camera = camera(&peer, PASSWORD, Kept::default());
    let first = camera.check(&QUESTIONS).await;
    assert!(first.answered);
    assert_eq!(state(&first, Question::Login), Ok("ok"));
    let text = |text: &str| Ok(Some(Value::Text(text.into())));
    assert_eq!(said(&first, Question::Information, "model"), text("DS-2CD2T47"));
    assert_eq!(said(&first, Question::Hostname, "name"), text("cam-hall"));
    assert_eq!(said(&first, Question::Interfaces, "mac"), text("02:00:00:00:00:01"));
    assert_eq!(said(&first, Question::Profiles, "codec"), text("H265"));
    assert_eq!(state(&first, Question::Settings), Ok("differs"));
    assert_eq!(said(&first, Question::Settings, "differences"), text("codec h265 ≠ h264"));
    assert_eq!(said(&first, Question::Summary, "age"), Err(Absence::Unsupported), "it has no search service");
    let Ok(Some(Value::Number(skew))) = said(&first, Question::Time, "skew") else { panic!("no skew") };
    assert!(skew.abs() < 2.0, "{skew}");
    let before = peer.heard();
    assert_eq!(first.cost.requests as usize, before);
    let second = camera.check(&QUESTIONS).await;
    assert_eq!(
        asked(&peer)[before..],
        ["GetSystemDateAndTime", "GetDeviceInformation"],
        "the rest still holds"
    );
    assert_eq!(second.of(Question::Profiles), first.of(Question::Profiles));
}

#[tokio::test]
async fn a_wrong_password_is_shown_twice_and_what_needs_it_is_denied() {
    let peer = Peer::start(healthy).await;
    let first = camera(&peer, "wrong", Kept::default());
    let answer = first.check(&QUESTIONS).await;
    assert!(answer.answered, "it lives");
    assert_eq!(state(&answer, Question::Login), Ok("refused"));
    assert_eq!(answer.of(Question::Profiles), Err(Absence::Denied));
    assert!(said(&answer, Question::Time, "skew").is_ok(), "its clock needs no login");
    for _ in 0..3 {
        first.check(&QUESTIONS).await;
    }
    let after = first.check(&QUESTIONS).await;
    assert_eq!(state(&after, Question::Login), Ok("stopped"));
    // A restart of ours changes nothing.
    let next = camera(&peer, "wrong", first.kept());
    assert_eq!(state(&next.check(&QUESTIONS).await, Question::Login), Ok("stopped"));
    assert_eq!(peer.shown(), 2);
    // A person asks.
    next.errand(Errand::LogIn).await.unwrap();
    assert_eq!(state(&next.check(&QUESTIONS).await, Question::Login), Ok("refused"));
    assert_eq!(peer.shown(), 3, "once a check: nothing else is offered");
}

#[tokio::test]
async fn a_camera_that_says_nothing_is_asked_once_a_check() {
    let peer = Peer::start(|_| Act::Hang(Vec::new())).await;
    let answer = camera(&peer, PASSWORD, Kept::default()).check(&QUESTIONS).await;
    assert!(!answer.answered);
    assert!(answer.said.iter().all(|(_, said)| *said == Err(Absence::Timeout)), "{answer:?}");
    assert_eq!((peer.heard(), answer.cost.timeouts), (1, 1));
}

#[tokio::test]
async fn a_restart_is_over_when_the_camera_went_away() {
    let (gone, looks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (is_gone, looked) = (gone.clone(), looks.clone());
    let peer = Peer::start(move |request| {
        if operation(request) == "GetSystemDateAndTime" && is_gone.load(Ordering::SeqCst) {
            // It still answers for two looks.
            if looked.fetch_add(1, Ordering::SeqCst) >= 2 {
                return Act::Close;
            }
        }
        if operation(request) == "SystemReboot" {
            is_gone.store(true, Ordering::SeqCst);
        }
        healthy(request)
    })
    .await;
    let camera = camera(&peer, PASSWORD, Kept::default());
    camera.check(&QUESTIONS).await;
    assert_eq!(camera.errand(Errand::Reboot).await.unwrap(), "in 5 s");
    assert!(looks.load(Ordering::SeqCst) > 2, "it was looked at until it was gone");
}

/// Takes messages until so many came.
async fn take(messages: &mut mpsc::Receiver<Told>, many: usize) -> Vec<Told> {
    let mut taken = Vec::new();
    while taken.len() < many {
        taken.push(messages.recv().await.unwrap());
    }
    taken
}

#[tokio::test]
async fn messages_come_and_a_subscription_that_is_gone_is_made_anew() {
    let pulls = Arc::new(AtomicUsize::new(0));
    let pulled = pulls.clone();
    let peer = Peer::start(move |request| {
        if operation(request) == "PullMessages" {
            let known = request.body.contains("7 &amp; 8</")
                && request.body.contains("10.0.0.5/onvif/Events/PullSubManager");
            assert!(known, "address and parameters go back as they came: {}", request.body);
            assert_eq!(request.path(), "/onvif/Events/PullSubManager");
            if pulled.fetch_add(1, Ordering::SeqCst) == 1 {
                return answer("500 Internal Server Error", "", &corpus("fault-gone"));
            }
        }
        healthy(request)
    })
    .await;
    let camera = Arc::new(camera(&peer, PASSWORD, Kept::default()));
    let (sender, mut messages) = mpsc::channel(1);
    let watching = tokio::spawn(watch(camera.clone(), 9, sender));
    assert_eq!(state(&camera.check(&[Question::Login]).await, Question::Login), Ok("ok"));
    let told = take(&mut messages, 6).await;
    assert_eq!(&*told[0].message.topic, "VideoSource/GlobalSceneChange/ImagingService");
    assert_eq!((told[0].key, &*told[2].message.topic), (9, "Device/Trigger/DigitalInput"));
    let subscribed = asked(&peer).iter().filter(|asked| *asked == "CreatePullPointSubscription").count();
    assert_eq!(subscribed, 2);
    assert!(!asked(&peer).contains(&"Unsubscribe".to_owned()));
    let answer = camera.check(&[Question::Events]).await;
    assert_eq!(state(&answer, Question::Events), Ok("ok"));
    drop(messages);
    watching.await.unwrap();
}

#[tokio::test]
async fn a_camera_without_events_says_so_and_is_left_alone() {
    let peer = Peer::start(|request| match &*operation(request) {
        "CreatePullPointSubscription" => {
            answer("500 Internal Server Error", "", &corpus("fault-unsupported"))
        }
        _ => healthy(request),
    })
    .await;
    let camera = Arc::new(camera(&peer, PASSWORD, Kept::default()));
    let (sender, messages) = mpsc::channel(1);
    let watching = tokio::spawn(watch(camera.clone(), 0, sender));
    let mut answer = camera.check(&[Question::Events]).await;
    while answer.of(Question::Events) == Err(Absence::FirstSample) {
        tokio::task::yield_now().await;
        answer = camera.check(&[Question::Events]).await;
    }
    assert_eq!(state(&answer, Question::Events), Ok("missing"));
    drop(messages);
    watching.await.unwrap();
    let subscribed = asked(&peer).iter().filter(|asked| *asked == "CreatePullPointSubscription").count();
    assert_eq!(subscribed, 1);
}
