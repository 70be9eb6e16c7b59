//! A projector that speaks PJLink class 1 over TCP: lines that end with a carriage return, a greeting, with a password a
//! digest before the first line ("PJLink Specifications 5.0", JBMIA).

use crate::scene::{Quantity, Scene, Trouble, share};
use md5::{Digest, Md5};
use std::fmt::Write;

/// How long it warms up and cools down, in seconds; real lamps take minutes.
const WARMS_S: f64 = 12.0;
const COOLS_S: f64 = 15.0;

/// Inside, from so many degrees on it warns, and then calls it an error.
const WARM: f64 = 60.0;
const HOT: f64 = 75.0;

/// Inputs it has.
const INPUTS: [&str; 4] = ["11", "12", "31", "32"];

/// How it mutes.
const MUTES: [&str; 6] = ["10", "11", "20", "21", "30", "31"];

/// Digits of the digest before the first line.
const DIGEST: usize = 32;

/// The digest that stands before the first line: MD5 of greeting's number and password, in small hexadecimal digits.
pub(super) fn digest(nonce: &str, password: &str) -> String {
    let digest = Md5::new().chain_update(nonce).chain_update(password).finalize();
    digest.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// The greeting of a new connection.
pub(super) fn greeting(nonce: Option<&str>) -> String {
    match nonce {
        Some(nonce) => format!("PJLINK 1 {nonce}\r"),
        None => "PJLINK 0\r".to_owned(),
    }
}

/// What a line asks, past its digest; `None` where the digest is not right.
pub(super) fn signed<'a>(line: &'a str, nonce: &str, password: &str) -> Option<&'a str> {
    let (given, rest) = line.split_at_checked(DIGEST)?;
    (given == digest(nonce, password)).then_some(rest)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Power {
    Off,
    On,
    /// Until then.
    Cooling(f64),
    Warming(f64),
}

/// The projector.
pub(super) struct Projector {
    name: String,
    scene: Scene,
    power: Power,
    input: &'static str,
    mute: &'static str,
    /// Hours of the lamp when it started.
    hours: f64,
    since: f64,
}

impl Projector {
    pub(super) fn new(name: &str, seed: u64, now: f64) -> Projector {
        Projector {
            name: name.to_owned(),
            scene: Scene::new(seed, 0, now),
            power: Power::On,
            input: "31",
            mute: "30",
            hours: 600.0 + 2_000.0 * share(seed, 7),
            since: now,
        }
    }

    pub(super) fn heat(&mut self, heat: Option<f64>, now: f64) {
        self.scene.set_trouble(Trouble { heat, ..Trouble::default() }, now);
    }

    fn power(&mut self, now: f64) -> Power {
        self.power = match self.power {
            Power::Cooling(until) if now >= until => Power::Off,
            Power::Warming(until) if now >= until => {
                self.since = until;
                Power::On
            }
            power => power,
        };
        self.power
    }

    fn hours(&self, now: f64) -> f64 {
        self.hours + if self.power == Power::On { (now - self.since).max(0.0) / 3_600.0 } else { 0.0 }
    }

    /// The answer to a line without its end: `%1POWR ?` gives `%1POWR=1`.
    pub(super) fn obey(&mut self, line: &str, now: f64) -> String {
        let asked = line.strip_prefix("%1").and_then(|rest| rest.split_once(' '));
        let Some((command, parameter)) = asked.filter(|(command, _)| command.len() == 4) else {
            return "ERR1".to_owned();
        };
        let said = self.carry_out(command, parameter, now);
        format!("%1{command}={}", said.unwrap_or_else(str::to_owned))
    }

    fn carry_out(&mut self, command: &str, parameter: &str, now: f64) -> Result<String, &'static str> {
        const NOT_KNOWN: &str = "ERR1";
        const PARAMETER: &str = "ERR2";
        const NOT_NOW: &str = "ERR3";
        const DONE: &str = "OK";
        let power = self.power(now);
        match (command, parameter) {
            ("POWR", "?") => Ok(match power {
                Power::Off => "0",
                Power::On => "1",
                Power::Cooling(_) => "2",
                Power::Warming(_) => "3",
            }
            .to_owned()),
            ("POWR", "1") => match power {
                Power::Off => {
                    self.power = Power::Warming(now + WARMS_S);
                    Ok(DONE.to_owned())
                }
                Power::On => Ok(DONE.to_owned()),
                Power::Cooling(_) | Power::Warming(_) => Err(NOT_NOW),
            },
            ("POWR", "0") => match power {
                Power::On => {
                    self.hours = self.hours(now);
                    self.power = Power::Cooling(now + COOLS_S);
                    Ok(DONE.to_owned())
                }
                Power::Off => Ok(DONE.to_owned()),
                Power::Cooling(_) | Power::Warming(_) => Err(NOT_NOW),
            },
            ("INPT" | "AVMT", _) if power != Power::On => Err(NOT_NOW),
            ("INPT", "?") => Ok(self.input.to_owned()),
            ("INPT", input) => {
                self.input = INPUTS.into_iter().find(|known| *known == input).ok_or(PARAMETER)?;
                Ok(DONE.to_owned())
            }
            ("AVMT", "?") => Ok(self.mute.to_owned()),
            ("AVMT", mute) => {
                self.mute = MUTES.into_iter().find(|known| *known == mute).ok_or(PARAMETER)?;
                Ok(DONE.to_owned())
            }
            ("ERST", "?") => {
                let heat = match self.scene.measure(Quantity::Temperature { above: 4.0 }, now) {
                    celsius if celsius >= HOT => 2,
                    celsius if celsius >= WARM => 1,
                    _ => 0,
                };
                Ok(format!("00{heat}000"))
            }
            ("LAMP", "?") => {
                let lit = u8::from(matches!(power, Power::On | Power::Warming(_)));
                Ok(format!("{:.0} {lit}", self.hours(now).floor()))
            }
            ("INST", "?") => Ok(INPUTS.join(" ")),
            ("NAME", "?") => Ok(self.name.clone()),
            ("INF1", "?") => Ok("Roundsman".to_owned()),
            ("INF2", "?") => Ok("Virtual projector".to_owned()),
            ("INFO", "?") => Ok(String::new()),
            ("CLSS", "?") => Ok("1".to_owned()),
            ("POWR" | "ERST" | "LAMP" | "INST" | "NAME" | "INF1" | "INF2" | "INFO" | "CLSS", _) => {
                Err(PARAMETER)
            }
            _ => Err(NOT_KNOWN),
        }
    }
}
