//! What can be wrong with a virtual device, and how it is written on the command line and on standard input.

use crate::camera::quirk::{Quirk, SKEW};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Longest delay: past a minute every poller has given up.
const LATEST_MS: u64 = 60_000;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Answers nothing, neither SNMP nor echo.
    Silent,
    /// Every answer comes this much later.
    Late(Duration),
    /// Answers come this much later on average, each between half and one and a half of it: a slow and unsteady line.
    Slow(Duration),
    /// This share of the requests is lost, in percent.
    Lossy(u8),
    /// Every answer comes twice.
    Duplicate,
    /// Answers carry another community than asked for.
    WrongCommunity,
    /// Starts anew once: uptime and counters begin at 0.
    Reboot,
    /// A port goes down; its counters stand still.
    InterfaceDown(Arc<str>),
    /// Heats up to so many degrees Celsius within ten seconds.
    Hot(f64),
    /// The last name of a GETNEXT or GETBULK answer is the one asked for, so that a walk turns in a circle.
    NonIncreasing,
    /// SNMP answers longer than so many bytes become `tooBig`.
    TooBig(usize),
    /// The device and all that hangs below it fall silent: its trunk is down, and so is the parent's port where it is
    /// known.
    BranchSilent,
    /// A port goes down and up again every few seconds.
    Flapping(Arc<str>),
    /// A UPS lives on its battery, whose charge falls.
    OnBattery,
    /// A server's largest file system fills up to so many percent within ten seconds.
    Disk(u8),
    /// A printer's first toner empties down to so many percent within ten seconds.
    Toner(u8),
    /// sysName, sysLocation, ifName and ifAlias hold markup, 200 characters, a right-to-left override, control
    /// characters, no UTF-8.
    HostileName,
    /// A bus: so many percent of the exchanges with the device have octets beside them that mean nothing.
    Noise(u8),
    /// A bus: so many percent of its answers end early, or are missing.
    Cut(u8),
    /// A bus: in so many percent of its answers one bit is another.
    Flip(u8),
    /// A bus: every request to it comes back, as on RS-485 without receive suppression.
    Echo,
    /// A bus: beside so many percent of its answers somebody else's is heard.
    Foreign(u8),
    /// A bus: the unit with this address neither hears nor answers, such as one panel of a wall.
    DeadUnit(u8),
    /// A bus: the port is pulled (the adapter is unplugged, the serial server refuses); plugged in again by `ok`.
    PortGone,
    /// A bus at a TCP port: connections stay and bring nothing any more, new ones as well.
    HalfOpen,
    /// A bus: noise, cut, flip, echo, foreign, and beside them answers 1 to 2 s late, units dead for 1 to 10 s, the
    /// port gone for 0.3 to 2.3 s, each in so many percent of the exchanges.
    RoughLine(u8),
    /// A camera or recorder: what those do.
    Camera(Quirk),
}

/// A fault that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No fault has this name.
    #[error(
        "`{0}` is no fault; expected one of silent, late:MS, slow:MS, lossy:PERCENT, duplicate, wrong-community, reboot, \
         interface-down:NAME, hot:DEGREES, non-increasing, too-big:BYTES, branch-silent, flapping:NAME, on-battery, \
         disk:PERCENT, toner:PERCENT, hostile-name, on a bus noise:PERCENT, cut:PERCENT, flip:PERCENT, echo, \
         foreign:PERCENT, dead-unit:UNIT, port-gone, half-open, rough-line:PERCENT, of a camera clock-skew:SECONDS, {words}",
        words = camera_words()
    )]
    Unknown(String),
    /// It needs a value behind a colon, in a range.
    #[error("`{kind}` needs {expected} behind a colon, such as `{example}`; found `{found}`")]
    Value {
        /// The fault's name.
        kind: &'static str,
        /// What is expected.
        expected: &'static str,
        /// How it is written.
        example: &'static str,
        /// What was there.
        found: String,
    },
    /// It takes no value.
    #[error("`{0}` takes no value")]
    NoValue(&'static str),
    /// The assignment has no `=`.
    #[error("`{0}` is no assignment; expected DEVICE=FAULT or DEVICE=ok")]
    Assignment(String),
}

/// What cameras do, without a value.
fn camera_words() -> String {
    Quirk::words().filter(|word| *word != SKEW).collect::<Vec<_>>().join(", ")
}

/// What is quoted of wrong input.
fn quoted(text: &str) -> String {
    text.chars().take(60).collect()
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Fault, FaultError> {
        let (kind, value) = match text.split_once(':') {
            Some((kind, value)) => (kind, Some(value)),
            None => (text, None),
        };
        let plain = |name, fault| match value {
            None => Ok(fault),
            Some(_) => Err(FaultError::NoValue(name)),
        };
        let wrong = |kind, expected, example| FaultError::Value {
            kind,
            expected,
            example,
            found: quoted(value.unwrap_or("")),
        };
        let value = value.unwrap_or("");
        let share = |kind, example, fault: fn(u8) -> Fault| match value.parse() {
            Ok(percent @ 1..=100) => Ok(fault(percent)),
            _ => Err(wrong(kind, "a percentage from 1 to 100", example)),
        };
        match kind {
            "silent" => plain("silent", Fault::Silent),
            "duplicate" => plain("duplicate", Fault::Duplicate),
            "wrong-community" => plain("wrong-community", Fault::WrongCommunity),
            "reboot" => plain("reboot", Fault::Reboot),
            "non-increasing" => plain("non-increasing", Fault::NonIncreasing),
            "branch-silent" => plain("branch-silent", Fault::BranchSilent),
            "on-battery" => plain("on-battery", Fault::OnBattery),
            "hostile-name" => plain("hostile-name", Fault::HostileName),
            "late" => match value.parse() {
                Ok(ms @ 1..=LATEST_MS) => Ok(Fault::Late(Duration::from_millis(ms))),
                _ => Err(wrong("late", "milliseconds from 1 to 60000", "late:700")),
            },
            "echo" => plain("echo", Fault::Echo),
            "port-gone" => plain("port-gone", Fault::PortGone),
            "half-open" => plain("half-open", Fault::HalfOpen),
            "lossy" => share("lossy", "lossy:20", Fault::Lossy),
            "noise" => share("noise", "noise:5", Fault::Noise),
            "cut" => share("cut", "cut:5", Fault::Cut),
            "flip" => share("flip", "flip:5", Fault::Flip),
            "foreign" => share("foreign", "foreign:5", Fault::Foreign),
            "rough-line" => share("rough-line", "rough-line:5", Fault::RoughLine),
            "dead-unit" => match value.parse() {
                Ok(unit @ 1..=253) => Ok(Fault::DeadUnit(unit)),
                _ => Err(wrong("dead-unit", "the address of a unit from 1 to 253", "dead-unit:5")),
            },
            "slow" => match value.parse() {
                Ok(ms @ 1..=LATEST_MS) => Ok(Fault::Slow(Duration::from_millis(ms))),
                _ => Err(wrong("slow", "milliseconds from 1 to 60000", "slow:150")),
            },
            "interface-down" => match value {
                "" => Err(wrong("interface-down", "a port's name", "interface-down:GigabitEthernet0/0/1")),
                name => Ok(Fault::InterfaceDown(name.into())),
            },
            "flapping" => match value {
                "" => Err(wrong("flapping", "a port's name", "flapping:GigabitEthernet0/0/1")),
                name => Ok(Fault::Flapping(name.into())),
            },
            "disk" => match value.parse() {
                Ok(percent @ 0..=100) => Ok(Fault::Disk(percent)),
                _ => Err(wrong("disk", "a percentage from 0 to 100", "disk:94")),
            },
            "toner" => match value.parse() {
                Ok(percent @ 0..=100) => Ok(Fault::Toner(percent)),
                _ => Err(wrong("toner", "a percentage from 0 to 100", "toner:4")),
            },
            "hot" => match value.parse() {
                Ok(degrees) if (0.0..=200.0).contains(&degrees) => Ok(Fault::Hot(degrees)),
                _ => Err(wrong("hot", "degrees Celsius from 0 to 200", "hot:78")),
            },
            "too-big" => match value.parse() {
                Ok(bytes @ 64..=65_507) => Ok(Fault::TooBig(bytes)),
                _ => Err(wrong("too-big", "bytes from 64 to 65507", "too-big:484")),
            },
            SKEW => match value.parse().ok().and_then(Quirk::skew) {
                Some(quirk) => Ok(Fault::Camera(quirk)),
                None => Err(wrong(SKEW, "seconds from -86400 to 86400", "clock-skew:300")),
            },
            other => match other.parse::<Quirk>() {
                Ok(quirk) if value.is_empty() => Ok(Fault::Camera(quirk)),
                _ => Err(FaultError::Unknown(quoted(text))),
            },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Silent => f.write_str("silent"),
            Fault::Late(by) => write!(f, "late:{}", by.as_millis()),
            Fault::Slow(by) => write!(f, "slow:{}", by.as_millis()),
            Fault::Lossy(percent) => write!(f, "lossy:{percent}"),
            Fault::Duplicate => f.write_str("duplicate"),
            Fault::WrongCommunity => f.write_str("wrong-community"),
            Fault::Reboot => f.write_str("reboot"),
            Fault::InterfaceDown(name) => write!(f, "interface-down:{name}"),
            Fault::Hot(degrees) => write!(f, "hot:{degrees}"),
            Fault::NonIncreasing => f.write_str("non-increasing"),
            Fault::TooBig(bytes) => write!(f, "too-big:{bytes}"),
            Fault::BranchSilent => f.write_str("branch-silent"),
            Fault::Flapping(name) => write!(f, "flapping:{name}"),
            Fault::OnBattery => f.write_str("on-battery"),
            Fault::Disk(percent) => write!(f, "disk:{percent}"),
            Fault::Toner(percent) => write!(f, "toner:{percent}"),
            Fault::HostileName => f.write_str("hostile-name"),
            Fault::Noise(percent) => write!(f, "noise:{percent}"),
            Fault::Cut(percent) => write!(f, "cut:{percent}"),
            Fault::Flip(percent) => write!(f, "flip:{percent}"),
            Fault::Echo => f.write_str("echo"),
            Fault::Foreign(percent) => write!(f, "foreign:{percent}"),
            Fault::DeadUnit(unit) => write!(f, "dead-unit:{unit}"),
            Fault::PortGone => f.write_str("port-gone"),
            Fault::HalfOpen => f.write_str("half-open"),
            Fault::RoughLine(percent) => write!(f, "rough-line:{percent}"),
            Fault::Camera(quirk) => quirk.fmt(f),
        }
    }
}

/// `DEVICE=FAULT`, or `DEVICE=ok`, which ends what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The device's id.
    pub device: Arc<str>,
    /// What is wrong from now on, in place of what was; `None` for nothing.
    pub fault: Option<Fault>,
}

impl FromStr for Assignment {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Assignment, FaultError> {
        let (device, fault) = text.split_once('=').ok_or_else(|| FaultError::Assignment(quoted(text)))?;
        Ok(Assignment {
            device: device.trim().into(),
            fault: match fault.trim() {
                "ok" => None,
                fault => Some(fault.parse()?),
            },
        })
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Some(fault) => write!(f, "{}={fault}", self.device),
            None => write!(f, "{}=ok", self.device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_reads_as_it_is_written() {
        for text in [
            "silent",
            "late:700",
            "slow:150",
            "lossy:20",
            "duplicate",
            "wrong-community",
            "reboot",
            "interface-down:GigabitEthernet0/0/1",
            "hot:78",
            "hot:71.5",
            "non-increasing",
            "too-big:484",
            "branch-silent",
            "flapping:GigabitEthernet1/0/24",
            "on-battery",
            "disk:94",
            "toner:0",
            "hostile-name",
            "noise:5",
            "cut:100",
            "flip:1",
            "echo",
            "foreign:20",
            "dead-unit:5",
            "port-gone",
            "half-open",
            "rough-line:5",
        ] {
            assert_eq!(text.parse::<Fault>().map(|fault| fault.to_string()), Ok(text.to_owned()));
            let line = format!("rt-1={text}");
            assert_eq!(line.parse::<Assignment>().map(|a| a.to_string()), Ok(line));
        }
        assert_eq!(" rt-1 = ok ".parse::<Assignment>().map(|a| a.to_string()), Ok("rt-1=ok".to_owned()));
    }

    #[test]
    fn errors_say_what_is_expected() {
        for (text, part) in [
            ("slient", "expected one of silent"),
            ("late", "such as `late:700`; found ``"),
            ("late:0", "from 1 to 60000"),
            ("slow:fast", "such as `slow:150`; found `fast`"),
            ("lossy:101", "from 1 to 100"),
            ("hot:warm", "degrees Celsius"),
            ("hot:NaN", "degrees Celsius"),
            ("too-big:1", "from 64"),
            ("interface-down:", "a port's name"),
            ("silent:1", "`silent` takes no value"),
            ("branch-silent:2", "`branch-silent` takes no value"),
            ("flapping", "such as `flapping:GigabitEthernet0/0/1`"),
            ("disk:101", "from 0 to 100 behind a colon, such as `disk:94`; found `101`"),
            ("disk:-1", "from 0 to 100"),
            ("noise", "such as `noise:5`; found ``"),
            ("rough-line:0", "from 1 to 100"),
            ("dead-unit:254", "from 1 to 253 behind a colon, such as `dead-unit:5`; found `254`"),
            ("echo:5", "`echo` takes no value"),
            ("port-gone:3", "`port-gone` takes no value"),
            ("toner:low", "such as `toner:4`; found `low`"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!("silent".parse::<Assignment>().unwrap_err().to_string().contains("DEVICE=FAULT"));
    }
}
