//! The dialogue before the first request: banners, logins, PJLink's digest.

use super::pattern::{Pattern, find};
use super::{Captures, Layout, MOST_LINE, Template};
use crate::bus::{Opening, Step};
use crate::field::Raw;
use crate::params::Params;
use md5::{Digest, Md5};
use std::sync::Arc;

/// One step: what is waited for, and what is said then.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Lines, or prompts without an end, one of which is waited for. None: said at once.
    pub awaits: Vec<Pattern>,
    /// What is said then, with the end of the line; nothing where there is none.
    pub say: Option<Template>,
}

/// What is put before the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// MD5 over the nonce that was caught under `nonce` and the password, in small hexadecimal digits; nothing where
    /// no nonce was caught (PJLink class 1, section 5.1).
    PjlinkMd5,
}

/// A described dialogue.
#[derive(Debug)]
pub struct Dialogue {
    layout: Arc<Layout>,
    turns: Arc<[Turn]>,
    sign: Option<Sign>,
    /// `user` and `password`, where it needs them.
    params: Params,
    at: usize,
    caught: Captures,
}

impl Dialogue {
    /// For one connection after the other with the same credentials: `user` and `password` of `params`.
    pub fn new(layout: Arc<Layout>, turns: Arc<[Turn]>, sign: Option<Sign>, params: Params) -> Dialogue {
        Dialogue { layout, turns, sign, params, at: 0, caught: Captures::default() }
    }

    /// Goes on with the steps that wait for nothing.
    fn go_on(&mut self, taken: usize, mut send: Vec<u8>) -> Step {
        while let Some(turn) = self.turns.get(self.at)
            && turn.awaits.is_empty()
        {
            self.at += 1;
            if self.say(turn.say.clone(), &mut send).is_none() {
                return Step::Denied;
            }
        }
        if self.at >= self.turns.len() && send.is_empty() {
            return Step::Open { taken };
        }
        Step::Say { taken, send }
    }

    /// Adds what is to be said; `None` where a credential it names is not there.
    fn say(&self, template: Option<Template>, send: &mut Vec<u8>) -> Option<()> {
        if let Some(template) = template {
            send.extend(template.render(&self.params).ok()?);
            send.extend_from_slice(&self.layout.sent_end);
        }
        Some(())
    }
}

/// What at the front one of the patterns fits: a whole line, or a prompt that has no end.
fn met(layout: &Layout, patterns: &[Pattern], octets: &[u8]) -> Option<(usize, Captures)> {
    let mut from = 0;
    loop {
        let rest = &octets[from..];
        let ends = layout.ends.iter().filter_map(|end| find(rest, end).map(|at| (at, end.len())));
        let Some((at, len)) = ends.min_by_key(|(at, len)| (*at, usize::MAX - *len)) else {
            let text = rest.trim_ascii();
            let literal = patterns.iter().filter(|pattern| pattern.is_literal());
            let prompt = literal.filter(|_| !text.is_empty()).find_map(|pattern| pattern.captures(text));
            return prompt.map(|caught| (octets.len(), caught));
        };
        let text = rest[..at].trim_ascii();
        from += at + len;
        if let Some(caught) = patterns.iter().find_map(|pattern| pattern.captures(text)) {
            return Some((from, caught));
        }
    }
}

impl Opening for Dialogue {
    fn begin(&mut self) -> Step {
        self.at = 0;
        self.caught = Captures::default();
        self.go_on(0, Vec::new())
    }

    fn read(&mut self, octets: &[u8]) -> Step {
        if met(&self.layout, &self.layout.denied, octets).is_some() {
            return Step::Denied;
        }
        let Some(turn) = self.turns.get(self.at) else {
            // The last step said something: the requests may follow it.
            return Step::Open { taken: 0 };
        };
        match met(&self.layout, &turn.awaits, octets) {
            Some((taken, caught)) => {
                self.caught.extend(caught);
                self.at += 1;
                let mut send = Vec::new();
                if self.say(turn.say.clone(), &mut send).is_none() {
                    return Step::Denied;
                }
                self.go_on(taken, send)
            }
            // Banners may be long; only their end is of interest.
            None if octets.len() > MOST_LINE => {
                Step::Say { taken: octets.len() - MOST_LINE, send: Vec::new() }
            }
            None => Step::More,
        }
    }

    fn is_over(&self) -> bool {
        self.at >= self.turns.len()
    }

    fn preamble(&mut self) -> Vec<u8> {
        let Some(Sign::PjlinkMd5) = self.sign else { return Vec::new() };
        match (self.caught.get("nonce"), self.params.get("password")) {
            (Some(Raw::Octets(nonce)), Some(password)) => digest(nonce, password),
            _ => Vec::new(),
        }
    }
}

fn digest(nonce: &[u8], password: &[u8]) -> Vec<u8> {
    let digest = Md5::new().chain_update(nonce).chain_update(password).finalize();
    digest.iter().flat_map(|octet| format!("{octet:02x}").into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_of_the_facts_page() {
        assert_eq!(digest(b"498e4a67", b"JBMIAProjectorLink"), b"5d8409bc1c3fa39749434aa3a5c38682");
    }
}
