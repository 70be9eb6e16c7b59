//! Who may ask a virtual camera: tokens in the envelope and HTTP or RTSP Digest, wrong ones counted over all its doors.

use super::text::{attribute, element};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use sha1::Sha1;
use std::collections::VecDeque;

/// Wrong logins in a row after which the account is locked.
const MOST_WRONG: u32 = 5;

/// How long it stays locked, s.
const LOCKED_S: f64 = 1_800.0;

/// How old a token may be, and how far in the future, s.
const WINDOW_S: f64 = 30.0;

/// Nonces of tokens that are remembered: none is taken twice.
const MOST_NONCES: usize = 64;

/// Its realm and its nonce.
const REALM: &str = "camera";
const NONCE: &str = "6d6f6e64617939616d";

/// Which logins a camera takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ways {
    /// Both.
    Both,
    /// Tokens in the envelope alone; pictures and streams by Digest as everywhere.
    Token,
    /// Digest alone.
    Digest,
}

/// What came of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Granted,
    /// None was shown.
    Missing,
    Wrong,
    Locked,
}

/// The account.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Wrong ones since it was started.
    pub(super) wrong: u32,
    in_a_row: u32,
    locked_until: f64,
    nonces: VecDeque<String>,
}

/// Who it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub(super) user: &'a str,
    pub(super) password: &'a str,
}

impl Account {
    /// Ends a lock.
    pub(super) fn unlock(&mut self) {
        (self.in_a_row, self.locked_until) = (0, 0.0);
    }

    /// Looks at the token of an envelope, `camera_s` being the camera's own clock.
    pub(super) fn token(&mut self, xml: &str, known: Known<'_>, camera_s: f64, now: f64) -> Admission {
        let Some(token) = element(xml, "UsernameToken") else { return Admission::Missing };
        let said = |name: &str| element(token, name).unwrap_or("").trim();
        let (nonce, created, password) = (said("Nonce"), said("Created"), said("Password"));
        let is_fresh = !self.nonces.iter().any(|seen| seen == nonce);
        self.nonces.push_back(nonce.to_owned());
        if self.nonces.len() > MOST_NONCES {
            self.nonces.pop_front();
        }
        let in_window = unix_s(created).is_some_and(|created| (created - camera_s).abs() <= WINDOW_S);
        let due = Sha1::new()
            .chain_update(STANDARD.decode(nonce).unwrap_or_default())
            .chain_update(created)
            .chain_update(known.password)
            .finalize();
        let is_right = said("Username") == known.user && password == STANDARD.encode(due);
        self.judge(is_right && is_fresh && in_window, now)
    }

    /// Looks at an `Authorization` header.
    pub(super) fn digest(
        &mut self,
        header: Option<&str>,
        (method, uri): (&str, &str),
        known: Known<'_>,
        now: f64,
    ) -> Admission {
        let Some(header) = header.and_then(|header| header.strip_prefix("Digest ")) else {
            return Admission::Missing;
        };
        let said = |name: &str| attribute(header, name).unwrap_or("");
        let hash = |text: String| hex(&Md5::digest(text));
        let who = hash(format!("{}:{REALM}:{}", known.user, known.password));
        let what = hash(format!("{method}:{}", said("uri")));
        let due = match said("qop") {
            "" => hash(format!("{who}:{NONCE}:{what}")),
            qop => hash(format!("{who}:{NONCE}:{}:{}:{qop}:{what}", said("nc"), said("cnonce"))),
        };
        // A header that was shown to another question is worth nothing.
        let is_right = said("username") == known.user && said("uri") == uri && said("response") == due;
        self.judge(is_right, now)
    }

    fn judge(&mut self, is_right: bool, now: f64) -> Admission {
        if now < self.locked_until {
            return Admission::Locked;
        }
        if is_right {
            self.in_a_row = 0;
            return Admission::Granted;
        }
        self.wrong += 1;
        self.in_a_row += 1;
        if self.in_a_row >= MOST_WRONG {
            self.locked_until = now + LOCKED_S;
        }
        Admission::Wrong
    }
}

/// The header that asks for a login.
pub(super) fn challenge() -> String {
    format!("WWW-Authenticate: Digest realm=\"{REALM}\", qop=\"auth\", nonce=\"{NONCE}\", algorithm=MD5\r\n")
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// `2026-11-27T08:00:00Z` in seconds since 1970.
fn unix_s(text: &str) -> Option<f64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    Some((super::text::days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second) as f64)
}
