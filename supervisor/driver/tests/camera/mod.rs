//! A camera of a few lines: HTTP by hand, so that it can do what no server library would.

#![allow(unreachable_pub, dead_code, reason = "a module of tests, each of which uses a part of it")]

use std::sync::{Arc, Mutex};

use md5::{Digest, Md5};
use roundsman_driver::clock::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub head: String,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1);
        let mut headers = lines.filter_map(|line| line.split_once(':'));
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or("")
    }

    /// Whether it shows who asks.
    pub fn shows(&self) -> bool {
        self.header("authorization").is_some() || self.body.contains("UsernameToken")
    }

    /// A value of the `Authorization` header.
    fn digest(&self, name: &str) -> Option<&str> {
        let from = self.header("authorization")?.strip_prefix("Digest ")?;
        let mut pairs = from.split(',').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value.trim_matches('"'))
    }

    /// Whether an RFC 7616 Digest with MD5 and `qop=auth` is right.
    pub fn digest_is(&self, user: &str, password: &str, realm: &str, nonce: &str) -> bool {
        let hash =
            |text: String| Md5::digest(text).iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        let [Some(uri), Some(count), Some(chance), Some(response)] =
            ["uri", "nc", "cnonce", "response"].map(|name| self.digest(name))
        else {
            return false;
        };
        let who = hash(format!("{user}:{realm}:{password}"));
        let what = hash(format!("POST:{uri}"));
        uri == self.path() && response == hash(format!("{who}:{nonce}:{count}:{chance}:auth:{what}"))
    }
}

/// What the camera does with a request.
pub enum Act {
    Say(Vec<u8>),
    /// The connection is closed without a word.
    Close,
    /// It says this, then the same octets for ever.
    Flood(Vec<u8>),
    /// It says this, then nothing more.
    Hang(Vec<u8>),
}

pub struct Camera {
    pub port: u16,
    pub heard: Arc<Mutex<Vec<Request>>>,
}

impl Camera {
    pub async fn start(act: impl Fn(&Request) -> Act + Send + Sync + 'static) -> Camera {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (act, noted) = (Arc::new(act), Arc::clone(&heard));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (act, noted) = (Arc::clone(&act), Arc::clone(&noted));
                tokio::spawn(async move { serve(stream, &*act, &noted).await });
            }
        });
        Camera { port, heard }
    }

    pub fn heard(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// How often a login was shown.
    pub fn shown(&self) -> usize {
        self.heard.lock().unwrap().iter().filter(|request| request.shows()).count()
    }
}

async fn serve(
    mut stream: TcpStream,
    act: &(impl Fn(&Request) -> Act + Sync),
    noted: &Mutex<Vec<Request>>,
) -> Option<()> {
    let mut octets = Vec::new();
    loop {
        let ends = loop {
            if let Some(ends) = octets.windows(4).position(|four| four == b"\r\n\r\n") {
                break ends + 4;
            }
            if stream.read_buf(&mut octets).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8(octets.drain(..ends).collect()).unwrap();
        let mut request = Request { head, body: String::new() };
        let len: usize = request.header("content-length").unwrap().parse().unwrap();
        while octets.len() < len {
            if stream.read_buf(&mut octets).await.ok()? == 0 {
                return None;
            }
        }
        request.body = String::from_utf8(octets.drain(..len).collect()).unwrap();
        noted.lock().unwrap().push(request.clone());
        match act(&request) {
            Act::Say(said) => {
                stream.write_all(&said).await.ok()?;
                if said.starts_with(b"HTTP/1.0") {
                    return None;
                }
            }
            Act::Close => return None,
            Act::Flood(said) => {
                stream.write_all(&said).await.ok()?;
                let more = vec![b' '; 64 * 1024];
                while stream.write_all(&more).await.is_ok() {}
                return None;
            }
            Act::Hang(said) => {
                stream.write_all(&said).await.ok()?;
                std::future::pending::<()>().await;
            }
        }
    }
}

/// A whole answer.
pub fn answer(status: &str, headers: &str, body: &str) -> Act {
    let len = body.len();
    Act::Say(format!("HTTP/1.1 {status}\r\nContent-Length: {len}\r\n{headers}\r\n{body}").into_bytes())
}

/// A file of the corpus.
pub fn corpus(name: &str) -> String {
    let path = format!("{}/../../tests/fuzz/corpus/onvif/{name}.xml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The time that a camera `ahead_s` of ours tells.
pub fn time(ahead_s: i64) -> String {
    let at = Clock::new().now().wall.0 / 1_000 + ahead_s;
    let (day, second) = (at.div_euclid(86_400), at.rem_euclid(86_400));
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    // Days since the epoch to the calendar (Hinnant).
    let z = day + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) =
        (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    let year = year + era * 400 + i64::from(month <= 2);
    format!(
        "<Envelope><Body><GetSystemDateAndTimeResponse><SystemDateAndTime><UTCDateTime>\
         <Time><Hour>{hour}</Hour><Minute>{minute}</Minute><Second>{second}</Second></Time>\
         <Date><Year>{year}</Year><Month>{month}</Month><Day>{day}</Day></Date>\
         </UTCDateTime></SystemDateAndTime></GetSystemDateAndTimeResponse></Body></Envelope>"
    )
}

pub fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u8> = text
        .bytes()
        .filter_map(|octet| ALPHABET.iter().position(|digit| *digit == octet))
        .map(|at| at as u8)
        .collect();
    let group = |group: &[u8]| {
        let bits =
            group.iter().fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit)) << (6 * (4 - group.len()));
        bits.to_be_bytes()[1..group.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}
