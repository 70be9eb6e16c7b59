//! How one answer speaks: its language and its clock.

use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;
use jiff::tz::TimeZone;
use roundsman_core::text::{Bilingual, Language};
use roundsman_core::time::Wall;
use roundsman_core::vocabulary;
use roundsman_report::moment;
use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Display;

use crate::router::Panel;

/// Language and time zone of one answer.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    pub(crate) language: Language,
    pub(crate) zone: TimeZone,
}

impl Voice {
    /// The text of a key in `locales/`; a test finds missing and unused ones.
    pub(crate) fn t(&self, key: &str) -> Cow<'static, str> {
        self.find(key).unwrap_or_else(|| Cow::Owned(key.to_owned()))
    }

    /// The text of a key, if there is one.
    pub(crate) fn find(&self, key: &str) -> Option<Cow<'static, str>> {
        crate::_rust_i18n_try_translate(self.tag(), key)
    }

    /// The text of a key with `%{n}` in it.
    pub(crate) fn n(&self, key: &str, n: impl Display) -> String {
        self.t(key).replace("%{n}", &n.to_string())
    }

    /// What people read for the word of a state, such as `not-present`; the word itself where nobody named it.
    pub(crate) fn word(&self, word: &str) -> String {
        vocabulary::state(word).map_or_else(|| word.to_owned(), |text| self.text(&text))
    }

    /// One of two texts.
    pub(crate) fn say<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        self.language.choose(zh, en)
    }

    /// A text in the voice's language; in the other one where this one is empty.
    pub(crate) fn text(&self, text: &Bilingual) -> String {
        text.said(self.language).to_owned()
    }

    /// BCP 47 tag, and the name of the language's file in `locales/`.
    pub(crate) fn tag(&self) -> &'static str {
        self.language.tag()
    }

    /// For people: how long something took or is, in its two largest units.
    pub(crate) fn duration(&self, ms: u64) -> String {
        let s = ms / 1_000;
        let (days, hours, minutes) = (s / 86_400, s / 3_600 % 24, s / 60 % 60);
        let pair = |a: u64, large: &str, b: u64, small: &str| match b {
            0 => self.n(large, a),
            b => format!("{} {}", self.n(large, a), self.n(small, b)),
        };
        match s {
            0..60 => self.n("time.s", s),
            60..3_600 => self.n("time.min", minutes),
            3_600..86_400 => pair(hours, "time.h", minutes, "time.min"),
            _ => pair(days, "time.d", hours, "time.h"),
        }
    }

    fn format(&self, at: Wall, format: &str) -> String {
        moment::format(at, &self.zone, format)
    }

    /// RFC 3339 with milliseconds and the site's offset.
    pub(crate) fn rfc3339(&self, at: Wall) -> String {
        moment::rfc3339(at, &self.zone)
    }

    /// For people: year, month, day, time.
    pub(crate) fn long(&self, at: Wall) -> String {
        self.format(at, "%Y-%m-%d %H:%M:%S")
    }

    /// For people: month, day, time.
    pub(crate) fn short(&self, at: Wall) -> String {
        self.format(at, "%m-%d %H:%M:%S")
    }

    /// For people: year, month, day, hour, minute.
    pub(crate) fn minute(&self, at: Wall) -> String {
        moment::minute(at, &self.zone)
    }

    /// Year, month, day.
    pub(crate) fn day(&self, at: Wall) -> String {
        self.format(at, "%Y-%m-%d")
    }

    /// What an input for day and time takes (HTML, `datetime-local`).
    pub(crate) fn local(&self, at: Wall) -> String {
        self.format(at, "%Y-%m-%dT%H:%M")
    }

    /// For people: time of day.
    pub(crate) fn clock(&self, at: Wall) -> String {
        self.format(at, "%H:%M:%S")
    }
}

impl FromRequestParts<Panel> for Voice {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, panel: &Panel) -> Result<Voice, Infallible> {
        let about = panel.site.about();
        let asked = parts.uri.query().and_then(asked_in_query);
        let header = parts.headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
        let language = asked.or_else(|| header.and_then(accepted)).unwrap_or(about.language);
        Ok(Voice { language, zone: about.zone })
    }
}

/// The language of a BCP 47 tag.
pub(crate) fn from_tag(tag: &str) -> Option<Language> {
    let primary = tag.split(['-', '_']).next()?.trim();
    if primary.eq_ignore_ascii_case("zh") {
        Some(Language::Chinese)
    } else if primary.eq_ignore_ascii_case("en") {
        Some(Language::English)
    } else {
        None
    }
}

fn asked_in_query(query: &str) -> Option<Language> {
    query.split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(from_tag)
}

/// The best of the two languages that an Accept-Language header names (RFC 9110 section 12.5.4).
fn accepted(header: &str) -> Option<Language> {
    let mut best: Option<(f32, Language)> = None;
    for part in header.split(',') {
        let mut pieces = part.split(';');
        let Some(language) = pieces.next().and_then(from_tag) else {
            continue;
        };
        let quality =
            pieces.find_map(|p| p.trim().strip_prefix("q=")).map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
        if quality > 0.0 && best.is_none_or(|(q, _)| quality > q) {
            best = Some((quality, language));
        }
    }
    best.map(|(_, language)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_asked_for_is_found() {
        let cases = [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Language::Chinese)),
            ("en-US,en;q=0.9", Some(Language::English)),
            ("de, en;q=0.3, zh;q=0.7", Some(Language::Chinese)),
            ("fr", None),
            ("zh;q=0, en;q=x", None),
            ("", None),
            (";;,,q=", None),
        ];
        for (header, language) in cases {
            assert_eq!(accepted(header), language, "{header}");
        }
        assert_eq!(asked_in_query("a=b&lang=en"), Some(Language::English));
        assert_eq!(asked_in_query("lang=xx"), None);
    }

    #[test]
    fn times_carry_the_offset_of_the_site_and_never_panic() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let voice = Voice { language: Language::Chinese, zone };
        assert_eq!(voice.rfc3339(Wall(1_795_000_000_123)), "2026-11-18T19:06:40.123+08:00");
        assert_eq!(voice.clock(Wall(1_795_000_000_123)), "19:06:40");
        voice.rfc3339(Wall(i64::MAX));
        voice.rfc3339(Wall(i64::MIN));
    }
}
