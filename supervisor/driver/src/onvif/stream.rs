//! The stream of a camera: asked for, looked at for a few seconds, let go.
//!
//! Media come in the connection of the requests (RTP over TCP), so that nothing has to reach us from outside. A stream that
//! sends anything is alive; that a picture can be made of it is another question ([`Watch`]).

use roundsman_core::time::Mono;
use roundsman_wire::onvif::address::Base;
use roundsman_wire::onvif::login::{Door, Next, Reply, Way};
use roundsman_wire::rtsp::message::{Item, Reader, Response, request, session};
use roundsman_wire::rtsp::sdp::{self, Video};
use roundsman_wire::rtsp::watch::Watch;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::shown::Challenges;
use super::{Device, Failure, MOST_TRIES};

/// How long a connection and each answer may take, ms.
const ANSWER_MS: u64 = 5_000;

/// How long a stream may take until its first packet, ms.
const FIRST_MS: u64 = 5_000;

/// How long a stream is looked at from its first packet on, ms.
const LOOK_MS: u64 = 3_000;

/// How much longer where no key frame came by then, ms: some cameras send one every ten seconds.
const KEY_MS: u64 = 5_000;

/// Most octets of one look: 40 Mbit/s for eight seconds.
const MOST_OCTETS: u64 = 40 << 20;

/// Octets that are read at once.
const CHUNK: usize = 64 * 1024;

/// What was seen of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Streamed {
    /// How it is coded, in a word.
    pub codec: Box<str>,
    /// From PLAY to the first packet, ms; `None`: nothing came.
    pub first_packet_ms: Option<u64>,
    /// From PLAY to the end of the first whole key frame, ms; `None`: no picture can be made of it.
    pub first_key_frame_ms: Option<u64>,
    /// Whole frames a second.
    pub frame_rate: Option<f64>,
    /// Bits a second.
    pub bit_rate: Option<f64>,
    /// Packets that were skipped in the numbers.
    pub lost: u32,
}

/// A connection to the stream's server.
struct Line {
    stream: TcpStream,
    reader: Reader,
    number: u32,
    challenges: Challenges,
    way: Way,
    octets: u64,
}

impl Device {
    /// Looks at the stream at a path of the device's RTSP server, where `base` says that it is.
    ///
    /// # Errors
    /// See [`Failure`]; that nothing comes, or nothing that can be decoded, is none.
    pub async fn stream(&self, base: &Base, path: &str) -> Result<Streamed, Failure> {
        let uri = format!("rtsp://{}:{}{path}", base.host, base.port);
        let mut line = Line::open(base).await?;
        let looked = self.look(&mut line, &uri).await;
        self.learned(|learned| {
            learned.spent.requests += line.number;
            learned.spent.octets_in += line.octets;
        });
        looked
    }

    async fn look(&self, line: &mut Line, uri: &str) -> Result<Streamed, Failure> {
        let accept = ["Accept: application/sdp".to_owned()];
        let described = self.ask(line, "DESCRIBE", uri, &accept).await?;
        let video = sdp::video(&described.body).ok_or(Failure::Missing)?;
        let base = described.header("content-base").or(described.header("content-location")).unwrap_or(uri);
        let control = video.control.as_deref();
        let control = self.led(&sdp::control(base, control), uri);
        let transport = ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1".to_owned()];
        let set_up = self.ask(line, "SETUP", &control, &transport).await?;
        let id = session(set_up.header("session").unwrap_or("")).to_owned();
        let channel = channel(set_up.header("transport").unwrap_or(""));
        let playing = [format!("Session: {id}"), "Range: npt=0.000-".to_owned()];
        let aggregate = if video.control.is_some() { self.led(base, uri) } else { uri.to_owned() };
        let asked = self.clock.now().mono;
        self.ask(line, "PLAY", &aggregate, &playing).await?;
        let streamed = self.watch_stream(line, &video, channel, asked).await;
        // The connection is closed next: whether the device heard this does not matter.
        let ending = request("TEARDOWN", &aggregate, line.number + 1, &[format!("Session: {id}")]);
        let _ =
            tokio::time::timeout(Duration::from_millis(200), line.stream.write_all(ending.as_bytes())).await;
        streamed
    }

    /// An address of the description with the host of `uri`: nobody is led elsewhere.
    fn led(&self, given: &str, uri: &str) -> String {
        let authority = |uri: &str| {
            let begins = uri.find("://").map_or(0, |at| at + 3);
            (begins, uri[begins..].find('/').map_or(uri.len(), |at| at + begins))
        };
        let (_, ours) = authority(uri);
        let (_, theirs) = authority(given);
        format!("{}{}", &uri[..ours], &given[theirs..])
    }

    /// One request, logged in as the server wants it.
    async fn ask(
        &self,
        line: &mut Line,
        method: &'static str,
        uri: &str,
        headers: &[String],
    ) -> Result<Response, Failure> {
        let door = Door::Rtsp;
        if line.number == 0 {
            line.way = self.learned(|learned| learned.login.begin(door)).ok_or(Failure::Stopped)?;
            // What was learned says how, but not the challenge of this connection.
            if line.way == Way::Digest {
                line.way = Way::Plain;
            }
        }
        for _ in 0..MOST_TRIES {
            if line.way != Way::Plain && self.credentials.is_none() {
                return Err(Failure::Refused);
            }
            let way = line.way;
            let authorization = self
                .credentials
                .as_ref()
                .and_then(|credentials| line.challenges.respond(way, credentials, (method, uri), b""));
            let mut all = headers.to_vec();
            all.extend(authorization.map(|value| format!("Authorization: {value}")));
            let showing = self.show(door, way).await?;
            let response = match line.send(&request(method, uri, line.number + 1, &all)).await {
                // The connection is gone: what goes on needs another.
                Err(failure @ Failure::Closed(_)) => {
                    self.is_worth_another(&showing);
                    return Err(failure);
                }
                other => other?,
            };
            let reply = match response.status {
                401 => {
                    let values: Vec<String> = response.all("www-authenticate").map(str::to_owned).collect();
                    let offered = line.challenges.hear(&values, way);
                    Reply::Refused { digest: offered.digest, basic: offered.basic, stale: offered.stale }
                }
                200..=299 => Reply::Accepted,
                404 | 454 => return Err(Failure::Missing),
                status => return Err(Failure::Status { method, status }),
            };
            match showing.heard(reply) {
                Next::Done => return Ok(response),
                Next::Again(next) => line.way = next,
                Next::Stop => return Err(Failure::Refused),
            }
        }
        Err(Failure::Refused)
    }

    async fn watch_stream(
        &self,
        line: &mut Line,
        video: &Video,
        channel: u8,
        asked: Mono,
    ) -> Result<Streamed, Failure> {
        let mut watch = Watch::new(video);
        let now = || self.clock.now().mono;
        let before = line.octets;
        loop {
            let first = watch.seen().first_packet;
            let ends = match first {
                None => asked.plus_ms(FIRST_MS),
                Some(first) if watch.is_decodable() => first.plus_ms(LOOK_MS),
                Some(first) => first.plus_ms(LOOK_MS + KEY_MS),
            };
            let left_ms = ends.since_ms(now());
            if left_ms == 0 || line.octets - before > MOST_OCTETS {
                break;
            }
            let came = tokio::time::timeout(Duration::from_millis(left_ms), line.next_item()).await;
            match came {
                Ok(Ok(Item::Packet(of, packet))) if of == channel => watch.take(&packet, now()),
                Ok(Ok(_)) => {}
                // A stream that ends, or is broken, after it began was alive.
                Ok(Err(failure)) if watch.seen().first_packet.is_none() => return Err(failure),
                Ok(Err(_)) | Err(_) => break,
            }
        }
        Ok(streamed(&watch, video, asked))
    }
}

/// What a watch comes to.
fn streamed(watch: &Watch, video: &Video, asked: Mono) -> Streamed {
    let seen = watch.seen();
    let span_ms = seen.first_packet.zip(seen.last_packet).map(|(first, last)| last.since_ms(first));
    // Of less than a second no rate can be told.
    let per_s = |count: f64| span_ms.filter(|span| *span >= 1_000).map(|span| count * 1_000.0 / span as f64);
    Streamed {
        codec: video.codec.word().into(),
        first_packet_ms: seen.first_packet.map(|at| at.since_ms(asked)),
        first_key_frame_ms: seen.first_key_frame.map(|at| at.since_ms(asked)),
        frame_rate: per_s(f64::from(seen.frames.saturating_sub(1))),
        bit_rate: per_s(seen.octets as f64 * 8.0),
        lost: seen.lost,
    }
}

/// The channel of the media: `interleaved=2-3` of a `Transport` header.
fn channel(transport: &str) -> u8 {
    let value = transport.split(';').find_map(|part| part.trim().strip_prefix("interleaved="));
    value.and_then(|value| value.split('-').next()?.parse().ok()).unwrap_or(0)
}

impl Line {
    async fn open(base: &Base) -> Result<Line, Failure> {
        let host = base.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let connecting = TcpStream::connect((host, base.port));
        let stream = tokio::time::timeout(Duration::from_millis(ANSWER_MS), connecting).await;
        let stream = stream.map_err(|_| Failure::Silent { timeout_ms: ANSWER_MS })?;
        let stream = stream.map_err(|error| Failure::Unreachable(error.to_string()))?;
        Ok(Line {
            stream,
            reader: Reader::default(),
            number: 0,
            challenges: Challenges::default(),
            way: Way::Plain,
            octets: 0,
        })
    }

    /// Sends a request and waits for its answer; packets that come meanwhile are let go.
    async fn send(&mut self, text: &str) -> Result<Response, Failure> {
        self.number += 1;
        let number = self.number;
        let asking = async {
            let sent = self.stream.write_all(text.as_bytes()).await;
            sent.map_err(|error| Failure::Closed(error.to_string()))?;
            loop {
                if let Item::Response(response) = self.next_item().await?
                    && response.number.is_none_or(|known| known == number)
                {
                    return Ok(response);
                }
            }
        };
        let answered = tokio::time::timeout(Duration::from_millis(ANSWER_MS), asking).await;
        answered.unwrap_or(Err(Failure::Silent { timeout_ms: ANSWER_MS }))
    }

    async fn next_item(&mut self) -> Result<Item, Failure> {
        loop {
            if let Some(item) = self.reader.next_item().map_err(Failure::NoRtsp)? {
                return Ok(item);
            }
            let mut octets = vec![0; CHUNK];
            let read =
                self.stream.read(&mut octets).await.map_err(|error| Failure::Closed(error.to_string()))?;
            if read == 0 {
                return Err(Failure::Closed("the stream ended".to_owned()));
            }
            self.octets += read as u64;
            self.reader.push(&octets[..read]);
        }
    }
}
