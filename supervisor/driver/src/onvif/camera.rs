//! One camera or recorder as it is checked time and again: what is asked now, what an earlier answer still says.
//!
//! Its clock and who it is are asked at every check: the one needs no login and the other does, so that both together
//! say whether it lives and lets us in. What changes seldom or costs much is asked less often ([`every_ms`]), and at
//! every check while it is not well, so that a second look confirms a fault.

use roundsman_core::reading::Absence;
use roundsman_core::tally::Cost;
use roundsman_core::time::{Mono, Wall};
use roundsman_wire::onvif::address::Base;
use roundsman_wire::onvif::answer::Refusal;
use roundsman_wire::onvif::call::{Call, Errand, Media};
use roundsman_wire::onvif::health::{
    Answer, Expectation, Question, Row, Said, Value, of_profiles, of_recordings, of_summary, of_time,
};
use roundsman_wire::onvif::login::{Door, Kept};
use roundsman_wire::onvif::media::{self, Profile};
use roundsman_wire::onvif::recordings::{Found, Recording, Summary, search};
use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};

use super::services::{DEVICE_PATH, Services, path_of};
use super::{Credentials, Device, Failure, Http};
use crate::clock::Clock;

/// Usual port of an RTSP server (RFC 7826, section 4.2).
pub const RTSP_PORT: u16 = 554;

/// How long one question may take, ms.
const QUESTION_MS: u64 = 5_000;

/// How long a whole check may take, ms; what is not asked by then has timed out. A check of the stream is the longest
/// part of it.
const CHECK_MS: u64 = 25_000;

/// How often the results of a search for recordings are asked for.
const MOST_RESULTS: usize = 8;

/// How long a device that was told to restart is watched until it goes away, ms.
const GOES_AWAY_MS: u64 = 20_000;

/// Between two looks at a device that is to go away.
const LOOK: Duration = Duration::from_millis(500);

/// A question's answer holds for so long, ms; of the others for one check.
fn every_ms(question: Question) -> u64 {
    match question {
        Question::Hostname | Question::Interfaces | Question::Profiles | Question::Settings => 600_000,
        Question::Stream | Question::Snapshot | Question::Recordings => 300_000,
        _ => 0,
    }
}

/// Where and as whom a camera or recorder is asked, and how it is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Its HTTP port.
    pub address: SocketAddr,
    /// Its RTSP port.
    pub rtsp_port: u16,
    /// Who logs in; `None`: it lets everybody in.
    pub credentials: Option<Credentials>,
    /// How its first profile is to be; `None`: nobody says.
    pub expects: Option<Expectation>,
}

/// Whether it tells of events, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// Nobody has asked it to.
    Unknown,
    /// It does.
    Subscribed,
    /// It has no event service.
    Missing,
    /// It has one, and it does not work now.
    Failed,
}

/// What is known of it between two checks.
#[derive(Debug, Default)]
struct Known {
    services: Option<Services>,
    profiles: Vec<Profile>,
    said: HashMap<Question, (Mono, Said)>,
    /// How far its clock is ahead of ours.
    ahead_ms: i64,
}

/// A camera or recorder.
#[derive(Debug)]
pub struct Camera {
    pub(super) device: Device,
    pub(super) clock: Clock,
    target: Target,
    known: Mutex<Known>,
    /// Its services, once it let us in; `None` while it does not.
    pub(super) let_in: watch::Sender<Option<Arc<Services>>>,
    pub(super) telling: watch::Sender<Telling>,
}

/// One check under way.
struct Check<'a> {
    camera: &'a Camera,
    known: &'a mut Known,
    ends: Mono,
    answer: Answer,
}

impl Camera {
    /// A device nobody has asked yet; `kept` is what an earlier run knew of its refusals.
    pub fn new(http: Http, target: Target, kept: Kept) -> Camera {
        let host = match target.address {
            SocketAddr::V4(address) => address.ip().to_string(),
            SocketAddr::V6(address) => format!("[{}]", address.ip()),
        };
        let base = Base { scheme: "http", host: host.into(), port: target.address.port() };
        let device = Device::new(http, base, target.credentials.clone(), QUESTION_MS, kept);
        Camera {
            device,
            clock: Clock::new(),
            target,
            known: Mutex::default(),
            let_in: watch::Sender::new(None),
            telling: watch::Sender::new(Telling::Unknown),
        }
    }

    /// Where and as whom it is asked.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What has to be kept of its refusals.
    pub fn kept(&self) -> Kept {
        self.device.kept()
    }

    /// Checks it: everything that these questions ask. A check that is under way is waited for.
    pub async fn check(&self, questions: &[Question]) -> Answer {
        let mut known = self.known.lock().await;
        let ends = self.clock.now().mono.plus_ms(CHECK_MS);
        let mut check = Check { camera: self, known: &mut known, ends, answer: Answer::default() };
        check.run(questions).await;
        let timeouts = check.answer.cost.timeouts;
        Answer { cost: Cost { timeouts, ..self.device.spent() }, ..check.answer }
    }

    /// Has it do something; what came back, in its words.
    pub async fn errand(&self, errand: Errand) -> Result<String, Failure> {
        match errand {
            Errand::LogIn => {
                self.device.release();
                self.known.lock().await.said.clear();
                Ok("everything is tried anew".to_owned())
            }
            Errand::Reboot => {
                let answer = self.device.call(&Call::SystemReboot, DEVICE_PATH, None).await?;
                let said = answer.said(&["Message"]).unwrap_or("").to_owned();
                self.goes_away().await;
                self.known.lock().await.said.clear();
                Ok(said)
            }
        }
    }

    /// Waits until it no longer answers: what it says before that would prove a restart that has not begun.
    async fn goes_away(&self) {
        let ends = self.clock.now().mono.plus_ms(GOES_AWAY_MS);
        while self.clock.now().mono < ends {
            if self.device.time(DEVICE_PATH).await.is_err() {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn rtsp(&self) -> Base {
        Base { scheme: "rtsp", port: self.target.rtsp_port, ..self.device.base.clone() }
    }
}

impl Check<'_> {
    async fn run(&mut self, questions: &[Question]) {
        let time = self.time().await;
        // Silence now is silence to every further question: it would cost this device's turn and tell no more.
        if let Err(absence @ (Absence::Timeout | Absence::Unreachable | Absence::Refused)) = &time {
            let absence = *absence;
            self.camera.let_in.send_replace(None);
            self.answer.said.extend(questions.iter().map(|question| (*question, Err(absence))));
            return;
        }
        let was_stopped = self.camera.device.is_stopped(Door::Onvif);
        let information = self.ask(Question::Information).await;
        let login = self.login(&information, was_stopped);
        let is_in = login.as_ref().is_ok_and(|rows| says(rows, &["ok"]));
        if is_in {
            self.services().await;
        }
        for question in questions {
            let said = match question {
                Question::Time => time.clone(),
                Question::Information => information.clone(),
                Question::Login => login.clone(),
                _ if !is_in => Err(Absence::Denied),
                _ => self.remembered(*question).await,
            };
            self.answer.said.push((*question, said));
        }
        if !is_in {
            self.camera.let_in.send_replace(None);
        }
    }

    /// An answer that still holds, or a new one.
    async fn remembered(&mut self, question: Question) -> Said {
        let now = self.camera.clock.now().mono;
        if let Some((at, said)) = self.known.said.get(&question)
            && now.since_ms(*at) < every_ms(question)
            && said.as_ref().is_ok_and(|rows| is_settled(question, rows))
        {
            return said.clone();
        }
        let said = match question {
            Question::Profiles => self.profiles().await,
            Question::Settings => self.settings().await,
            Question::Stream => self.stream().await,
            Question::Snapshot => self.snapshot().await,
            Question::Events => self.events(),
            Question::Recordings => self.recordings().await,
            _ => self.ask(question).await,
        };
        if every_ms(question) > 0 {
            self.known.said.insert(question, (now, said.clone()));
        }
        said
    }

    /// Carries out one question within what is left of the check's time.
    async fn within<T>(&mut self, asking: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let left_ms = self.ends.since_ms(self.camera.clock.now().mono);
        let asked = tokio::time::timeout(Duration::from_millis(left_ms), asking).await;
        let said = asked.unwrap_or(Err(Failure::Silent { timeout_ms: CHECK_MS }));
        let silent = matches!(said, Err(Failure::Silent { .. } | Failure::Unreachable(_)));
        self.answer.answered |= matches!(
            said,
            Ok(_) | Err(Failure::Fault(_) | Failure::Refused | Failure::Locked | Failure::Unread { .. })
        );
        self.answer.cost.timeouts += u32::from(silent);
        said
    }

    async fn time(&mut self) -> Said {
        let camera = self.camera;
        let (time, skew) =
            self.within(camera.device.time(DEVICE_PATH)).await.map_err(|failure| failure.absence())?;
        self.known.ahead_ms = skew.signing_ms;
        Ok(vec![of_time(&time, skew)])
    }

    /// One call whose answer is all there is to it.
    async fn ask(&mut self, question: Question) -> Said {
        let search = self.known.services.as_ref().and_then(|services| services.search.clone());
        let (call, path) = match question {
            Question::Information => (Call::DeviceInformation, Some(DEVICE_PATH.into())),
            Question::Hostname => (Call::Hostname, Some(DEVICE_PATH.into())),
            Question::Interfaces => (Call::NetworkInterfaces, Some(DEVICE_PATH.into())),
            Question::Summary => (Call::RecordingSummary, search),
            _ => return Err(Absence::Unsupported),
        };
        let path: Box<str> = path.ok_or(Absence::Unsupported)?;
        let camera = self.camera;
        let answer = self.within(camera.device.call(&call, &path, None)).await;
        let answer = answer.map_err(|failure| failure.absence())?;
        if question == Question::Summary {
            return Ok(vec![of_summary(Summary::read(&answer), self.devices_now())]);
        }
        question.read(&answer, camera.clock.now().wall).ok_or(Absence::Malformed)
    }

    /// What its clock shows now: it dates its recordings by it.
    fn devices_now(&self) -> Wall {
        Wall(self.camera.clock.now().wall.0.saturating_add(self.known.ahead_ms))
    }

    /// Whether we are let in, by what came of a question that needs it.
    fn login(&self, information: &Said, was_stopped: bool) -> Said {
        let state = match information {
            _ if self.camera.device.kept().locked => "locked",
            Err(Absence::Denied) if was_stopped => "stopped",
            Err(Absence::Denied) => "refused",
            Err(absence @ (Absence::Timeout | Absence::Unreachable | Absence::Refused)) => {
                return Err(*absence);
            }
            // Whoever answers the question, or says that it does not know it, let us in.
            _ => "ok",
        };
        Ok(vec![Row::of(Question::Login).state("state", state)])
    }

    async fn services(&mut self) {
        if self.known.services.is_none() {
            let camera = self.camera;
            match self.within(camera.device.services()).await {
                Ok(services) => self.known.services = Some(services),
                Err(error) => tracing::debug!(address = %camera.target.address, %error, "no services"),
            }
        }
        let services = self.known.services.clone().map(Arc::new);
        self.camera.let_in.send_if_modified(|known| {
            let is_new = *known != services;
            *known = services;
            is_new
        });
    }

    async fn profiles(&mut self) -> Said {
        let services = self.known.services.clone().unwrap_or_default();
        let (media, path) = services.media.ok_or(Absence::Unsupported)?;
        let camera = self.camera;
        let asked = |media: Media, path: Box<str>| async move {
            let answer = camera.device.call(&Call::Profiles(media), &path, None).await?;
            Ok(media::profiles(media, &answer))
        };
        let mut profiles = self.within(asked(media, path)).await.map_err(|failure| failure.absence())?;
        // Some devices list their encoders in the older service alone.
        if let (false, Some(path)) = (has_encoder(&profiles), services.older_media) {
            profiles = self.within(asked(Media::One, path)).await.map_err(|failure| failure.absence())?;
            if has_encoder(&profiles)
                && let Some(services) = &mut self.known.services
            {
                services.media = services.older_media.take().map(|path| (Media::One, path));
            }
        }
        let rows = of_profiles(&profiles);
        self.known.profiles = profiles;
        Ok(rows)
    }

    async fn settings(&mut self) -> Said {
        let expects = self.camera.target.expects.clone().ok_or(Absence::Unsupported)?;
        self.remembered_profiles().await?;
        expects.compare(&self.known.profiles).map(|row| vec![row]).ok_or(Absence::Unsupported)
    }

    /// Has the profiles known; the settings and the stream are of the first.
    async fn remembered_profiles(&mut self) -> Result<(), Absence> {
        let now = self.camera.clock.now().mono;
        let fresh = self.known.said.get(&Question::Profiles);
        let fresh =
            fresh.is_some_and(|(at, said)| said.is_ok() && now.since_ms(*at) < every_ms(Question::Profiles));
        if !fresh {
            let said = self.profiles().await;
            self.known.said.insert(Question::Profiles, (now, said.clone()));
            said?;
        }
        Ok(())
    }

    /// The address of the first profile's stream or picture.
    async fn address(&mut self, of: impl Fn(Media, &str) -> Call<'_>) -> Result<Option<Box<str>>, Absence> {
        self.remembered_profiles().await?;
        let (media, path) = self
            .known
            .services
            .as_ref()
            .and_then(|services| services.media.clone())
            .ok_or(Absence::Unsupported)?;
        let profiles = &self.known.profiles;
        let first = profiles.iter().find(|profile| profile.encoder.is_some()).or(profiles.first());
        let token = first.map(|profile| profile.token.clone()).ok_or(Absence::Unsupported)?;
        let camera = self.camera;
        let call = of(media, &token);
        match self.within(camera.device.call(&call, &path, None)).await {
            Ok(answer) => Ok(media::uri(&answer).map(Box::from)),
            Err(Failure::Fault(fault)) if fault.refusal == Refusal::NotSupported => Ok(None),
            Err(failure) => Err(failure.absence()),
        }
    }

    fn events(&self) -> Said {
        let state = match *self.camera.telling.borrow() {
            Telling::Unknown => return Err(Absence::FirstSample),
            Telling::Subscribed => "ok",
            Telling::Missing => "missing",
            Telling::Failed => "failed",
        };
        Ok(vec![Row::of(Question::Events).state("state", state)])
    }

    /// The first profile's stream: alive, decoded, how fast.
    async fn stream(&mut self) -> Said {
        let row = Row::of(Question::Stream);
        let Some(given) = self.address(|media, token| Call::StreamUri(media, token)).await? else {
            return Ok(vec![row.state("state", "missing")]);
        };
        let rtsp = self.camera.rtsp();
        let Some(path) = path_of(&rtsp, &given) else { return Ok(vec![row.state("state", "missing")]) };
        let camera = self.camera;
        let row = match self.within(camera.device.stream(&rtsp, &path)).await {
            Ok(streamed) => {
                let state = match (streamed.first_packet_ms, streamed.first_key_frame_ms) {
                    (None, _) => "silent",
                    (Some(_), None) => "undecodable",
                    (Some(_), Some(_)) => "ok",
                };
                row.state("state", state)
                    .text("codec", Some(&streamed.codec))
                    .number("first-packet", streamed.first_packet_ms.map(|ms| ms as f64))
                    .number("first-key-frame", streamed.first_key_frame_ms.map(|ms| ms as f64))
                    .number("frame-rate", streamed.frame_rate)
                    .number("bit-rate", streamed.bit_rate)
                    .number("lost", Some(streamed.lost.into()))
            }
            Err(Failure::Refused | Failure::Stopped | Failure::Locked) => row.state("state", "denied"),
            Err(Failure::Missing) => row.state("state", "missing"),
            Err(Failure::Unreachable(_)) => row.state("state", "refused"),
            Err(Failure::Silent { .. } | Failure::Closed(_)) => row.state("state", "silent"),
            Err(Failure::Status { status: 403, .. }) => row.state("state", "denied"),
            Err(failure) => {
                tracing::debug!(address = %camera.target.address, %failure, "no stream");
                row.state("state", "undecodable")
            }
        };
        Ok(vec![row])
    }

    async fn snapshot(&mut self) -> Said {
        let row = Row::of(Question::Snapshot);
        let given = self.address(|media, token| Call::SnapshotUri(media, token)).await?;
        let camera = self.camera;
        let path = given.and_then(|given| path_of(&camera.device.base, &given));
        let Some(path) = path else { return Ok(vec![row.state("state", "missing")]) };
        let row = match self.within(camera.device.picture(&path)).await {
            Ok(picture) => {
                let (width, height) = picture.size.unzip();
                row.state("state", "ok")
                    .number("width", width.map(f64::from))
                    .number("height", height.map(f64::from))
                    .number("octets", Some(picture.octets.len() as f64))
            }
            Err(Failure::Refused | Failure::Stopped | Failure::Locked) => row.state("state", "denied"),
            Err(Failure::Missing) => row.state("state", "missing"),
            Err(failure) => {
                tracing::debug!(address = %camera.target.address, %failure, "no picture");
                row.state("state", "broken")
            }
        };
        Ok(vec![row])
    }

    async fn recordings(&mut self) -> Said {
        let services = self.known.services.as_ref().and_then(|services| services.search.clone());
        let path = services.ok_or(Absence::Unsupported)?;
        let camera = self.camera;
        let recordings = self.within(search_all(&camera.device, &path)).await;
        let recordings = recordings.map_err(|failure| failure.absence())?;
        Ok(of_recordings(&recordings, self.devices_now()))
    }
}

/// Begins a search, takes what it finds, ends it.
async fn search_all(device: &Device, path: &str) -> Result<Vec<Recording>, Failure> {
    let begun = device.call(&Call::FindRecordings, path, None).await?;
    let Some(token) = search(&begun) else { return Ok(Vec::new()) };
    let mut recordings: Vec<Recording> = Vec::new();
    for _ in 0..MOST_RESULTS {
        let answer = device.call(&Call::RecordingResults(token), path, None).await?;
        let found = Found::read(&answer);
        let new = found.recordings.into_iter();
        let new: Vec<_> = new.filter(|one| recordings.iter().all(|known| known.token != one.token)).collect();
        recordings.extend(new);
        recordings.truncate(roundsman_wire::onvif::MOST_LISTED);
        if found.complete {
            break;
        }
    }
    // A search that nobody ends is ended by the device after its time.
    let _ = device.call(&Call::EndSearch(token), path, None).await;
    Ok(recordings)
}

fn has_encoder(profiles: &[Profile]) -> bool {
    profiles.iter().any(|profile| profile.encoder.is_some())
}

/// Whether the first item of the first row is one of these words.
fn says(rows: &[Row], words: &[&str]) -> bool {
    let first = rows.first().and_then(|row| row.value(0));
    matches!(first, Some(Value::State(word)) if words.contains(word))
}

/// Whether an answer holds for as long as it may: a stream that does not come is looked at again at the next check.
fn is_settled(question: Question, rows: &[Row]) -> bool {
    match question {
        Question::Stream => says(rows, &["ok"]),
        Question::Snapshot => says(rows, &["ok", "missing"]),
        _ => true,
    }
}
