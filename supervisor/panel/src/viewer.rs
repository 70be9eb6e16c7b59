//! Who looks at a page, and how: language, theme, size of a millimetre, idle time. Asked for in the query, kept in a
//! cookie that holds these preferences and nothing else.
//!
//! A panel's browser is started with them once, such as `/?mm=5.88&idle=120&theme=dark&lang=zh-CN`.

use crate::router::Panel;
use crate::voice::{Voice, from_tag};
use axum::extract::FromRequestParts;
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use roundsman_core::text::Language;
use std::convert::Infallible;

/// Name of the cookie.
const COOKIE_NAME: &str = "roundsman-view";
/// Ten years, seconds: a panel keeps its look.
const COOKIE_LIVES_S: u32 = 315_360_000;
/// Pixels in a millimetre that make sense: a wall of large pixels to a phone's glass.
const MM: std::ops::RangeInclusive<f32> = 0.5..=20.0;
/// Seconds without a touch until the wall view comes back.
const IDLE_S: std::ops::RangeInclusive<u16> = 10..=3_600;
/// Parts of the page that a browser says it has: more are not read.
const MOST_HELD: usize = 32;

/// Colours on dark or on light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    #[default]
    Dark,
    Light,
}

impl Theme {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Theme::Dark => "dark",
            Theme::Light => "light",
        }
    }

    fn from_word(word: &str) -> Option<Theme> {
        [Theme::Dark, Theme::Light].into_iter().find(|theme| theme.word() == word)
    }
}

/// What a visitor chose; nothing chosen is the site's own way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Choice {
    language: Option<Language>,
    theme: Option<Theme>,
    /// Hundredths of a pixel in a millimetre.
    mm: Option<u16>,
    idle_s: Option<u16>,
}

impl Choice {
    fn read(text: &str) -> Choice {
        let mut choice = Choice::default();
        for (key, value) in text.split('&').filter_map(|pair| pair.split_once('=')) {
            match key {
                "lang" => choice.language = from_tag(value),
                "theme" => choice.theme = Theme::from_word(value),
                "mm" => {
                    let mm = value.parse().ok().filter(|mm: &f32| MM.contains(mm));
                    choice.mm = mm.map(|mm| (mm * 100.0).round() as u16);
                }
                "idle" => choice.idle_s = value.parse().ok().filter(|s| IDLE_S.contains(s)),
                _ => {}
            }
        }
        choice
    }

    fn or(self, other: Choice) -> Choice {
        Choice {
            language: self.language.or(other.language),
            theme: self.theme.or(other.theme),
            mm: self.mm.or(other.mm),
            idle_s: self.idle_s.or(other.idle_s),
        }
    }

    fn written(self) -> String {
        let mut pairs = Vec::new();
        if let Some(language) = self.language {
            pairs.push(format!("lang={}", language.tag()));
        }
        if let Some(theme) = self.theme {
            pairs.push(format!("theme={}", theme.word()));
        }
        if let Some(mm) = self.mm {
            pairs.push(format!("mm={}.{:02}", mm / 100, mm % 100));
        }
        if let Some(idle_s) = self.idle_s {
            pairs.push(format!("idle={idle_s}"));
        }
        pairs.join("&")
    }
}

/// One visitor of a page.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    pub(crate) voice: Voice,
    pub(crate) theme: Theme,
    /// Hundredths of a pixel in a millimetre; a panel has it, a desk or a phone has not.
    pub(crate) mm: Option<u16>,
    /// Seconds without a touch until the wall view; only a panel has it.
    pub(crate) idle_s: Option<u16>,
    /// Path and query of this page, without what was chosen.
    pub(crate) here: String,
    /// The cookie to set, if something was chosen now.
    pub(crate) cookie: Option<String>,
    /// Hashes of the parts that the browser has; `None` if it asks for the whole page.
    pub(crate) held: Option<Vec<u64>>,
}

impl Viewer {
    /// This page with one choice changed.
    pub(crate) fn with(&self, key: &str, value: &str) -> String {
        let mark = if self.here.contains('?') { '&' } else { '?' };
        format!("{}{mark}{key}={value}", self.here)
    }
}

impl FromRequestParts<Panel> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, panel: &Panel) -> Result<Viewer, Infallible> {
        let about = panel.site.about();
        let cookies = parts.headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok());
        let kept = cookies
            .flat_map(|cookies| cookies.split(';'))
            .find_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
            .map(Choice::read)
            .unwrap_or_default();
        let query = parts.uri.query().unwrap_or("");
        let asked = Choice::read(query);
        let choice = asked.or(kept);
        let chosen = (asked != Choice::default()).then(|| {
            format!(
                "{COOKIE_NAME}={}; Path=/; Max-Age={COOKIE_LIVES_S}; SameSite=Strict; HttpOnly",
                choice.written()
            )
        });
        let rest: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !is_choice(pair)).collect();
        // One slash in front: two would name another host in a link.
        let path = format!("/{}", parts.uri.path().trim_start_matches('/'));
        let here = if rest.is_empty() { path } else { format!("{path}?{}", rest.join("&")) };
        let held = parts.headers.get("x-held").and_then(|v| v.to_str().ok());
        Ok(Viewer {
            voice: Voice { language: choice.language.unwrap_or(about.language), zone: about.zone },
            theme: choice.theme.unwrap_or_default(),
            mm: choice.mm,
            idle_s: choice.idle_s.filter(|_| choice.mm.is_some()),
            here,
            cookie: chosen,
            held: held.map(|held| {
                held.split(',')
                    .take(MOST_HELD)
                    .filter_map(|hash| u64::from_str_radix(hash, 16).ok())
                    .collect()
            }),
        })
    }
}

fn is_choice(pair: &str) -> bool {
    let key = pair.split('=').next().unwrap_or("");
    ["lang", "theme", "mm", "idle"].contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_and_written() {
        let cases = [
            ("lang=en&theme=light&mm=5.88&idle=120", "lang=en&theme=light&mm=5.88&idle=120"),
            ("mm=6.694&q=x", "mm=6.69"),
            ("mm=0.1&idle=5&theme=pink&lang=fr", ""),
            ("mm=NaN&idle=99999", ""),
            ("theme=dark&theme=light", "theme=light"),
            ("", ""),
        ];
        for (text, written) in cases {
            assert_eq!(Choice::read(text).written(), written, "{text}");
        }
        let kept = Choice::read("lang=en&mm=5");
        assert_eq!(Choice::read("lang=zh").or(kept).written(), "lang=zh-CN&mm=5.00");
    }
}
