//! A health check: what is asked of a camera or recorder, and what each answer tells as plain items.
//!
//! A profile names an item by its [`Question`] and its word; the driver asks the questions that a profile needs and hands
//! an [`Answer`] on. Whatever is asked, the answer has one shape: rows of items, one row where it is about the device.

use roundsman_core::reading::Absence;
use roundsman_core::tally::Cost;
use roundsman_core::time::Wall;

use super::answer;
use super::call::{Call, Media};
use super::device::{DeviceTime, Information, Skew, hardware_address, host_name};
use super::media::{self, Profile};
use super::recordings::{Found, Recording, Summary};
use super::xml::Element;

/// Milliseconds of a day.
const DAY_MS: f64 = 86_400_000.0;

/// What is asked. Closed: a new sort of question is a new variant here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// Whether we are let in.
    Login,
    /// The device's clock.
    Time,
    /// Who it is.
    Information,
    /// Its host name.
    Hostname,
    /// Its network interface.
    Interfaces,
    /// Its media profiles, one row each.
    Profiles,
    /// Whether the first profile is as the site expects it.
    Settings,
    /// Whether the first profile's stream comes, and can be decoded.
    Stream,
    /// Whether a picture comes.
    Snapshot,
    /// Whether it tells of events.
    Events,
    /// What it has recorded of all channels.
    Summary,
    /// The same channel by channel, one row each.
    Recordings,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number in this unit (UCUM).
    Number(&'static str),
    /// Text as the device says it.
    Text,
    /// One of these words.
    State(&'static [&'static str]),
}

/// An item: its word, and what it is.
pub type Item = (&'static str, Kind);

/// What the state of a stream may be: it comes and is decoded; it comes, and nobody can decode it; nothing comes; the
/// port is closed; the login is refused; there is no such stream.
pub const STREAM: &[&str] = &["ok", "undecodable", "silent", "refused", "denied", "missing"];

impl Question {
    /// All with their words, as profiles write them: calls by service and operation, probes by a word of ours.
    pub const ALL: [(&'static str, Question); 12] = [
        ("login", Question::Login),
        ("device.GetSystemDateAndTime", Question::Time),
        ("device.GetDeviceInformation", Question::Information),
        ("device.GetHostname", Question::Hostname),
        ("device.GetNetworkInterfaces", Question::Interfaces),
        ("media.GetProfiles", Question::Profiles),
        ("settings", Question::Settings),
        ("rtsp", Question::Stream),
        ("snapshot", Question::Snapshot),
        ("events", Question::Events),
        ("search.GetRecordingSummary", Question::Summary),
        ("search.FindRecordings", Question::Recordings),
    ];

    /// The question with this word.
    pub fn from_word(word: &str) -> Option<Question> {
        Question::ALL.iter().find(|(known, _)| *known == word).map(|(_, question)| *question)
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        Question::ALL.iter().find(|(_, known)| *known == self).map_or("", |(word, _)| word)
    }

    /// Whether it is one operation of a service; else it is a probe of ours.
    pub fn is_call(self) -> bool {
        self.word().contains('.')
    }

    /// Whether its answer has as many rows as the device likes.
    pub fn is_list(self) -> bool {
        matches!(self, Question::Profiles | Question::Recordings)
    }

    /// What its answer tells.
    pub fn items(self) -> &'static [Item] {
        use Kind::{Number, State, Text};
        match self {
            Question::Login => &[("state", State(&["ok", "refused", "locked", "stopped"]))],
            Question::Time => &[("skew", Number("s")), ("source", State(&["ntp", "manual"])), ("zone", Text)],
            Question::Information => {
                &[("maker", Text), ("model", Text), ("firmware", Text), ("serial", Text), ("hardware", Text)]
            }
            Question::Hostname => &[("name", Text)],
            Question::Interfaces => &[("mac", Text)],
            Question::Profiles => &[
                ("codec", Text),
                ("width", Number("{pixels}")),
                ("height", Number("{pixels}")),
                ("frame-rate", Number("/s")),
                ("bit-rate", Number("kbit/s")),
                ("key-interval", Number("1")),
            ],
            Question::Settings => &[("state", State(&["ok", "differs"])), ("differences", Text)],
            Question::Stream => &[
                ("state", State(STREAM)),
                ("codec", Text),
                ("first-packet", Number("ms")),
                ("first-key-frame", Number("ms")),
                ("frame-rate", Number("/s")),
                ("bit-rate", Number("bit/s")),
                ("lost", Number("1")),
            ],
            Question::Snapshot => &[
                ("state", State(&["ok", "missing", "denied", "broken"])),
                ("width", Number("{pixels}")),
                ("height", Number("{pixels}")),
                ("octets", Number("By")),
            ],
            Question::Events => &[("state", State(&["ok", "missing", "failed"]))],
            Question::Summary => &[("age", Number("s")), ("kept", Number("d")), ("recordings", Number("1"))],
            Question::Recordings => &[
                ("age", Number("s")),
                ("kept", Number("d")),
                ("state", State(&["recording", "stopped", "unknown"])),
            ],
        }
    }

    /// Position of the item with this word.
    pub fn item(self, word: &str) -> Option<usize> {
        self.items().iter().position(|(known, _)| *known == word)
    }

    /// What the answer to a call tells, `now` being the middle of question and answer. `None` where it tells nothing of
    /// it, and for what is no call. Ages of recordings are by `now`; who knows the device's own clock says that one.
    pub fn read(self, answer: &Element, now: Wall) -> Option<Vec<Row>> {
        match self {
            Question::Time => {
                let time = DeviceTime::read(answer)?;
                Some(vec![of_time(&time, time.skew(now))])
            }
            Question::Information => Some(vec![of_information(&Information::read(answer))]),
            Question::Hostname => Some(vec![Row::of(self).text("name", host_name(answer).as_deref())]),
            Question::Interfaces => {
                Some(vec![Row::of(self).text("mac", hardware_address(answer).as_deref())])
            }
            Question::Summary => Some(vec![of_summary(Summary::read(answer), now)]),
            Question::Profiles => {
                let of = |media| media::profiles(media, answer);
                let (one, two) = (of(Media::One), of(Media::Two));
                let has_encoder =
                    |profiles: &[Profile]| profiles.iter().any(|profile| profile.encoder.is_some());
                Some(of_profiles(if has_encoder(&two) { &two } else { &one }))
            }
            Question::Recordings => Some(of_recordings(&Found::read(answer).recordings, now)),
            _ => None,
        }
    }

    /// The same of a recorded answer with its envelope.
    pub fn read_document(self, octets: &[u8], now: Wall) -> Option<Vec<Row>> {
        let call = match self {
            Question::Time => Call::SystemDateAndTime,
            Question::Information => Call::DeviceInformation,
            Question::Hostname => Call::Hostname,
            Question::Interfaces => Call::NetworkInterfaces,
            Question::Profiles => Call::Profiles(Media::One),
            Question::Summary => Call::RecordingSummary,
            Question::Recordings => Call::RecordingResults(""),
            _ => return None,
        };
        self.read(&answer::read(&call, octets).ok()?, now)
    }
}

/// What an item says.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, in the item's unit.
    Number(f64),
    /// A text.
    Text(Box<str>),
    /// One of the item's words.
    State(&'static str),
}

/// One row of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it is about; empty where the answer has one row.
    pub label: Box<str>,
    question: Question,
    values: Box<[Option<Value>]>,
}

impl Row {
    /// A row that says nothing yet.
    pub fn of(question: Question) -> Row {
        Row { label: "".into(), question, values: vec![None; question.items().len()].into() }
    }

    /// The same about something.
    pub fn about(question: Question, label: &str) -> Row {
        Row { label: label.into(), ..Row::of(question) }
    }

    /// What the item at a position says.
    pub fn value(&self, item: usize) -> Option<&Value> {
        self.values.get(item)?.as_ref()
    }

    fn with(mut self, item: &str, value: Option<Value>) -> Row {
        if let Some(place) = self.question.item(item).and_then(|at| self.values.get_mut(at)) {
            *place = value;
        }
        self
    }

    /// The same with a number; what is not finite is none.
    pub fn number(self, item: &str, number: Option<f64>) -> Row {
        self.with(item, number.filter(|number| number.is_finite()).map(Value::Number))
    }

    /// The same with a text.
    pub fn text(self, item: &str, text: Option<&str>) -> Row {
        self.with(item, text.map(|text| Value::Text(text.into())))
    }

    /// The same with a state; a word that the item does not have is none.
    pub fn state(self, item: &str, word: &str) -> Row {
        let kind = self.question.item(item).and_then(|at| self.question.items().get(at));
        let word = match kind {
            Some((_, Kind::State(words))) => words.iter().find(|known| **known == word),
            _ => None,
        };
        self.with(item, word.map(|word| Value::State(word)))
    }
}

/// What came of one question.
pub type Said = Result<Vec<Row>, Absence>;

/// What came of a health check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Whether anything valid came from the device.
    pub answered: bool,
    /// What came of each question that was asked.
    pub said: Vec<(Question, Said)>,
    /// What it took: requests of whichever protocol, octets of their bodies and of the stream.
    pub cost: Cost,
}

impl Answer {
    /// What came of a question; of one that was not asked, that nobody asked.
    pub fn of(&self, question: Question) -> Result<&[Row], Absence> {
        let said = self.said.iter().find(|(known, _)| *known == question);
        match said {
            Some((_, Ok(rows))) => Ok(rows),
            Some((_, Err(absence))) => Err(*absence),
            None => Err(Absence::Timeout),
        }
    }
}

/// The row of a clock.
pub fn of_time(time: &DeviceTime, skew: Skew) -> Row {
    Row::of(Question::Time)
        .number("skew", Some(skew.reported_ms as f64 / 1_000.0))
        .state("source", if time.by_ntp { "ntp" } else { "manual" })
        .text("zone", time.zone.as_deref())
}

fn of_information(information: &Information) -> Row {
    Row::of(Question::Information)
        .text("maker", information.maker.as_deref())
        .text("model", information.model.as_deref())
        .text("firmware", information.firmware.as_deref())
        .text("serial", information.serial.as_deref())
        .text("hardware", information.hardware.as_deref())
}

/// The rows of media profiles that have a video encoder.
pub fn of_profiles(profiles: &[Profile]) -> Vec<Row> {
    let row = |profile: &Profile| {
        let encoder = profile.encoder.as_ref()?;
        let label = if profile.name.is_empty() { &profile.token } else { &profile.name };
        Some(
            Row::about(Question::Profiles, label)
                .text("codec", Some(&encoder.encoding))
                .number("width", encoder.size.map(|(width, _)| width.into()))
                .number("height", encoder.size.map(|(_, height)| height.into()))
                .number("frame-rate", encoder.frame_rate)
                .number("bit-rate", encoder.bit_rate.map(f64::from))
                .number("key-interval", encoder.group.map(f64::from)),
        )
    };
    profiles.iter().filter_map(row).collect()
}

fn age_s(newest: Option<Wall>, now: Wall) -> Option<f64> {
    // A picture that is younger than our clock is of this moment.
    newest.map(|newest| (now.0.saturating_sub(newest.0)).max(0) as f64 / 1_000.0)
}

fn kept_d(oldest: Option<Wall>, newest: Option<Wall>) -> Option<f64> {
    Some(newest?.0.saturating_sub(oldest?.0).max(0) as f64 / DAY_MS)
}

/// The row of all recordings, `now` by the device's own clock: its recordings are dated by it.
pub fn of_summary(summary: Summary, now: Wall) -> Row {
    Row::of(Question::Summary)
        .number("age", age_s(summary.until, now))
        .number("kept", kept_d(summary.from, summary.until))
        .number("recordings", summary.recordings.map(f64::from))
}

/// The rows of recordings, `now` by the device's own clock.
pub fn of_recordings(recordings: &[Recording], now: Wall) -> Vec<Row> {
    let row = |recording: &Recording| {
        let label = if recording.source.is_empty() { &recording.token } else { &recording.source };
        let state = match &*recording.status {
            "Recording" => "recording",
            "Stopped" | "Removing" | "Removed" => "stopped",
            _ => "unknown",
        };
        Row::about(Question::Recordings, label)
            .number("age", age_s(recording.until, now))
            .number("kept", kept_d(recording.from, recording.until))
            .state("state", state)
    };
    recordings.iter().map(row).collect()
}

/// How the site expects a camera's first profile. What it does not say is not compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectation {
    /// `h264`, `h265`, `jpeg` or `mpeg4`.
    pub codec: Option<Box<str>>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Frames a second.
    pub frame_rate: Option<f64>,
}

impl Expectation {
    /// The row that compares a device's first profile with an encoder to it; `None` where it has none.
    pub fn compare(&self, profiles: &[Profile]) -> Option<Row> {
        let encoder = profiles.iter().find_map(|profile| profile.encoder.as_ref())?;
        let mut differences = Vec::new();
        let mut differ = |what: &str, is: Option<String>, due: Option<String>| {
            if let Some(due) = due
                && is.as_ref() != Some(&due)
            {
                differences.push(format!("{what} {} ≠ {due}", is.as_deref().unwrap_or("–")));
            }
        };
        let size = |side: fn((u32, u32)) -> u32| encoder.size.map(|both| side(both).to_string());
        let codec = encoder.encoding.to_lowercase();
        differ("codec", Some(codec), self.codec.as_deref().map(str::to_lowercase));
        differ("width", size(|both| both.0), self.width.map(|side| side.to_string()));
        differ("height", size(|both| both.1), self.height.map(|side| side.to_string()));
        let rate = |rate: Option<f64>| rate.map(|rate| format!("{rate}"));
        differ("fps", rate(encoder.frame_rate), rate(self.frame_rate));
        let state = if differences.is_empty() { "ok" } else { "differs" };
        Some(
            Row::of(Question::Settings)
                .state("state", state)
                .text("differences", Some(&differences.join(", "))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::media::Encoder;
    use super::*;

    #[test]
    fn words_are_said_once_and_items_have_places() {
        for (word, question) in Question::ALL {
            assert_eq!(Question::from_word(word), Some(question));
            assert_eq!(question.word(), word);
            for (at, (item, _)) in question.items().iter().enumerate() {
                assert_eq!(question.item(item), Some(at), "{word} {item}");
            }
        }
    }

    #[test]
    fn a_row_says_what_its_question_knows_and_nothing_else() {
        let row = Row::of(Question::Stream)
            .state("state", "ok")
            .state("codec", "h264")
            .state("state-of-it", "ok")
            .number("first-packet", Some(f64::NAN))
            .number("lost", Some(2.0));
        let said: Vec<Option<&Value>> = (0..8).map(|at| row.value(at)).collect();
        let (ok, two) = (Value::State("ok"), Value::Number(2.0));
        assert_eq!(said, [Some(&ok), None, None, None, None, None, Some(&two), None]);
        assert_eq!(Row::of(Question::Stream).state("state", "fine").value(0), None);
    }

    #[test]
    fn ages_are_by_the_devices_own_clock() {
        let minute = |minutes: i64| Some(Wall(minutes * 60_000));
        for (from, until, now, age, kept) in [
            (minute(0), minute(1_440), 1_441, Some(60.0), Some(1.0)),
            (minute(0), minute(1_440), 1_430, Some(0.0), Some(1.0)),
            (None, minute(5), 10, Some(300.0), None),
            (minute(0), None, 10, None, None),
        ] {
            let row = of_summary(Summary { from, until, recordings: None }, Wall(now * 60_000));
            let number = |at: usize| match row.value(at) {
                Some(Value::Number(number)) => Some(*number),
                _ => None,
            };
            assert_eq!((number(0), number(1)), (age, kept), "{from:?} {until:?} {now}");
        }
    }

    #[test]
    fn settings_are_compared_as_far_as_somebody_expects_them() {
        let encoder = Encoder {
            encoding: "H264".into(),
            size: Some((1_920, 1_080)),
            frame_rate: Some(25.0),
            ..Encoder::default()
        };
        let profiles = [
            Profile::default(),
            Profile { encoder: Some(encoder), ..Profile::default() },
            Profile { encoder: Some(Encoder::default()), ..Profile::default() },
        ];
        let said = |expected: Expectation| {
            let row = expected.compare(&profiles).unwrap();
            (row.value(0).cloned().unwrap(), row.value(1).cloned().unwrap())
        };
        let (ok, differs) = (Value::State("ok"), Value::State("differs"));
        let text = |text: &str| Value::Text(text.into());
        assert_eq!(said(Expectation::default()), (ok.clone(), text("")));
        let same = Expectation {
            codec: Some("h264".into()),
            width: Some(1_920),
            height: Some(1_080),
            frame_rate: Some(25.0),
        };
        assert_eq!(said(same.clone()), (ok, text("")));
        let other = Expectation { codec: Some("h265".into()), width: Some(2_560), ..same };
        assert_eq!(said(other), (differs, text("codec h264 ≠ h265, width 1920 ≠ 2560")));
        assert_eq!(Expectation::default().compare(&[]), None);
    }
}
