//! The RTSP server of a virtual camera: one video, over and over, in the connection of its requests.

use super::body::Body;
use super::login::{Admission, challenge};
use super::quirk::Quirk;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Longest request, octets.
const MOST_REQUEST: usize = 16 * 1024;

/// Largest payload of a packet, octets.
const MOST_PAYLOAD: usize = 1_400;

/// Frames of the video in a second, and ticks of its timestamps from one to the next.
const FRAMES_PER_S: u64 = 25;
const TICKS: u32 = 90_000 / FRAMES_PER_S as u32;

/// Payload type.
const KIND: u8 = 96;

const VIDEO: &[u8] = include_bytes!("media/bars.h264");

/// The units of the video, without their start codes.
struct Video {
    sps: &'static [u8],
    pps: &'static [u8],
    /// One picture each.
    frames: Vec<&'static [u8]>,
}

impl Video {
    fn new() -> Video {
        let mut video = Video { sps: &[], pps: &[], frames: Vec::new() };
        let mut starts: Vec<usize> = VIDEO
            .windows(3)
            .enumerate()
            .filter(|(_, three)| *three == [0, 0, 1])
            .map(|(at, _)| at + 3)
            .collect();
        starts.push(VIDEO.len() + 3);
        for pair in starts.windows(2) {
            let unit = &VIDEO[pair[0]..pair[1] - 3];
            // A start code may have a zero more in front.
            let unit = unit.strip_suffix(&[0]).unwrap_or(unit);
            match unit.first().map(|first| first & 0x1f) {
                Some(7) => video.sps = unit,
                Some(8) => video.pps = unit,
                Some(1 | 5) => video.frames.push(unit),
                _ => {}
            }
        }
        video
    }
}

/// Serves connections one beside the other.
pub(super) async fn serve(body: Arc<Body>, listener: TcpListener) {
    let video = Arc::new(Video::new());
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // A closed port cannot be had of a socket that listens: the connection ends at once.
        if body.is_away() || body.is(Quirk::StreamRefused) {
            continue;
        }
        let (body, video) = (body.clone(), video.clone());
        tokio::spawn(async move {
            let _ = Connection { body, video, stream, octets: Vec::new(), playing: None }.run().await;
        });
    }
}

/// A video that is being sent.
struct Playing {
    pace: Interval,
    frame: usize,
    sequence: u16,
    timestamp: u32,
}

struct Connection {
    body: Arc<Body>,
    video: Arc<Video>,
    stream: TcpStream,
    octets: Vec<u8>,
    playing: Option<Playing>,
}

impl Connection {
    async fn run(&mut self) -> io::Result<()> {
        loop {
            if let Some(at) = self.octets.windows(4).position(|four| four == b"\r\n\r\n") {
                let request = String::from_utf8_lossy(&self.octets[..at]).into_owned();
                self.octets.drain(..at + 4);
                if !self.answer(&request).await? {
                    return Ok(());
                }
                continue;
            }
            if self.octets.len() > MOST_REQUEST {
                return Ok(());
            }
            let is_due = async {
                match &mut self.playing {
                    Some(playing) => drop(playing.pace.tick().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                read = self.stream.read_buf(&mut self.octets) => if read? == 0 { return Ok(()) },
                () = is_due => {
                    if self.body.is_away() {
                        return Ok(());
                    }
                    self.frame().await?;
                }
            }
        }
    }

    /// Answers a request; `false` where it was the last.
    async fn answer(&mut self, request: &str) -> io::Result<bool> {
        let mut words = request.split(' ');
        let (method, uri) = (words.next().unwrap_or("").to_owned(), words.next().unwrap_or("").to_owned());
        let header = |name: &str| {
            let mut headers = request.lines().skip(1).filter_map(|line| line.split_once(':'));
            headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        let number = header("cseq").unwrap_or("0");
        let asked = (method.as_str(), uri.as_str());
        let admission = match &*method {
            "OPTIONS" | "TEARDOWN" => Admission::Granted,
            _ => self.body.admits("", header("authorization"), asked, false),
        };
        let (status, headers, body) = match (admission, &*method) {
            (Admission::Locked, _) => ("403 Forbidden", String::new(), String::new()),
            (Admission::Missing | Admission::Wrong, _) => ("401 Unauthorized", challenge(), String::new()),
            (_, "OPTIONS") => {
                ("200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n".to_owned(), String::new())
            }
            (_, "DESCRIBE") if self.body.is(Quirk::StreamMissing) || !uri.contains("/stream/") => {
                ("404 Not Found", String::new(), String::new())
            }
            (_, "DESCRIBE") => ("200 OK", "Content-Type: application/sdp\r\n".to_owned(), self.description()),
            (_, "SETUP") => (
                "200 OK",
                "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 4242;timeout=60\r\n".to_owned(),
                String::new(),
            ),
            (_, "PLAY") => {
                if !self.body.is(Quirk::StreamSilent) {
                    let mut pace = interval(Duration::from_millis(1_000 / FRAMES_PER_S));
                    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
                    self.playing = Some(Playing { pace, frame: 0, sequence: 1_000, timestamp: 90_000 });
                }
                ("200 OK", "Session: 4242\r\n".to_owned(), String::new())
            }
            (_, "TEARDOWN") => ("200 OK", String::new(), String::new()),
            _ => ("405 Method Not Allowed", String::new(), String::new()),
        };
        let text = format!(
            "RTSP/1.0 {status}\r\nCSeq: {number}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(text.as_bytes()).await?;
        Ok(method != "TEARDOWN")
    }

    fn description(&self) -> String {
        let sets = [self.video.sps, self.video.pps].map(|set| STANDARD.encode(set)).join(",");
        format!(
            "v=0\r\no=- 1 1 IN IP4 {}\r\ns=virtual\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP {KIND}\r\n\
             a=rtpmap:{KIND} H264/90000\r\na=fmtp:{KIND} packetization-mode=1;sprop-parameter-sets={sets}\r\n\
             a=control:track1\r\n",
            self.body.spec.address
        )
    }

    /// Sends the next frame, in as many packets as it takes (RFC 6184, section 5.8).
    async fn frame(&mut self) -> io::Result<()> {
        let Some(playing) = &mut self.playing else { return Ok(()) };
        let Some(unit) = self.video.frames.get(playing.frame) else { return Ok(()) };
        let mut octets = Vec::with_capacity(unit.len() + 64);
        let mut packet = |payload: &[&[u8]], is_last: bool| {
            let len: usize = payload.iter().map(|part| part.len()).sum::<usize>() + 12;
            octets.extend([b'$', 0]);
            octets.extend((len as u16).to_be_bytes());
            octets.extend([0x80, KIND | if is_last { 0x80 } else { 0 }]);
            octets.extend(playing.sequence.to_be_bytes());
            octets.extend(playing.timestamp.to_be_bytes());
            octets.extend([0, 0, 0, 7]);
            payload.iter().for_each(|part| octets.extend_from_slice(part));
            playing.sequence = playing.sequence.wrapping_add(1);
        };
        if unit.len() <= MOST_PAYLOAD {
            packet(&[unit], true);
        } else {
            let (head, rest) = (unit[0], &unit[1..]);
            let many = rest.len().div_ceil(MOST_PAYLOAD);
            for (at, part) in rest.chunks(MOST_PAYLOAD).enumerate() {
                let begins = if at == 0 { 0x80 } else { 0 };
                let ends = if at + 1 == many { 0x40 } else { 0 };
                packet(&[&[head & 0xe0 | 28, head & 0x1f | begins | ends], part], at + 1 == many);
            }
        }
        playing.timestamp = playing.timestamp.wrapping_add(TICKS);
        playing.frame = (playing.frame + 1) % self.video.frames.len();
        self.stream.write_all(&octets).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_video_has_its_sets_and_two_seconds_of_frames() {
        let video = Video::new();
        assert_eq!((video.sps[0] & 0x1f, video.pps[0] & 0x1f), (7, 8));
        assert_eq!(video.frames.len(), 50);
        assert_eq!(video.frames[0][0] & 0x1f, 5, "a key frame begins it");
    }
}
