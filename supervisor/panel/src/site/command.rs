//! Commands as the panel sees them: what a device can be told, and what it was told.

use super::Unavailable;
use crate::command::CommandReport;
use roundsman_core::device::Grid;
use roundsman_core::text::Bilingual;
use roundsman_core::time::Wall;
use std::sync::Arc;

/// A command to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandWanted {
    /// The device.
    pub device: Arc<str>,
    /// The command's id.
    pub command: String,
    /// Which unit of a device that has several; else empty.
    pub unit: String,
    /// Arguments: name and word.
    pub arguments: Vec<(String, String)>,
    /// Who gives it.
    pub by: Arc<str>,
}

/// Why a command was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// There is no such device.
    NoSuchDevice,
    /// The command, its arguments or the device's state do not allow it: why, in English.
    Refused(String),
    /// It could not be put on record, or the service is ending.
    Unavailable(Unavailable),
}

/// What a device can be told.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    /// How its units are placed, where it has several; a command is for one of them.
    pub grid: Option<Grid>,
    /// In the order of its profile.
    pub commands: Vec<DeviceCommand>,
}

/// One command of a profile.
#[derive(Clone, Debug)]
pub struct DeviceCommand {
    /// Its id.
    pub id: Arc<str>,
    /// Its name for people.
    pub name: Bilingual,
    /// Arguments; every one must be given.
    pub arguments: Vec<CommandArgument>,
    /// It is to be confirmed a second time.
    pub two_step: bool,
    /// Units to which it must not be sent now, and why; the unit is empty where the device is one.
    pub forbidden: Vec<(Arc<str>, Forbidden)>,
}

/// An argument of a command.
#[derive(Clone, Debug)]
pub struct CommandArgument {
    /// Its name.
    pub name: Arc<str>,
    /// What it may be.
    pub choice: Choice,
}

/// What an argument may be.
#[derive(Clone, Debug)]
pub enum Choice {
    /// One of these words.
    Words(Vec<Arc<str>>),
    /// A whole number.
    Number {
        /// The least.
        least: i64,
        /// The most.
        most: i64,
    },
}

/// Why a command must not be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// The state of the device does not allow it.
    State,
    /// The readings that would allow it are missing.
    Unknown,
    /// The device is only read: the site names nobody who may write to it.
    NoWriter,
}

/// A command on record.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its number.
    pub id: i64,
    /// When it was given.
    pub at: Wall,
    /// By whom.
    pub by: Arc<str>,
    /// To which unit; empty where the device is one.
    pub unit: String,
    /// The command's id.
    pub command: String,
    /// Arguments: name and word.
    pub arguments: Vec<(String, String)>,
    /// When it was over and what came of it; `None` while it is under way, and for ever where the service ended
    /// meanwhile.
    pub outcome: Option<(Wall, CommandReport)>,
}
