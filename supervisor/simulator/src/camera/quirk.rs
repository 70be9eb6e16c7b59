//! What can be wrong with a virtual camera or recorder: what real ones do.

use std::fmt;
use std::str::FromStr;

/// Furthest that a clock is wrong, s: a day.
const MOST_SKEW_S: i64 = 86_400;

/// One thing that is wrong, or happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Every address it gives of itself is another one.
    WrongXaddr,
    /// Its clock is ahead by so many seconds.
    ClockSkew(i64),
    /// Even its time needs a login.
    TimeNeedsLogin,
    /// The account is locked.
    Locked,
    /// Its password is another than the site knows.
    WrongPassword,
    /// Faults come with the HTTP status 200.
    Fault200,
    /// Every second request has its connection closed without a word.
    Closes,
    /// Answers are HTTP/1.0: without a length, and closed behind it.
    Http10,
    /// Its names are no UTF-8.
    BadUtf8,
    /// It has no event service, whatever it says.
    NoEvents,
    /// It allows no subscription more.
    SubscriptionLimit,
    /// It forgets its subscriptions once.
    DeadSubscription,
    /// Its stream plays and sends nothing.
    StreamSilent,
    /// Its RTSP port is closed.
    StreamRefused,
    /// It has no such stream.
    StreamMissing,
    /// A recorder has recorded nothing for an hour.
    NoRecording,
    /// Every answer has a gigabyte.
    Huge,
    /// Answers never end.
    Endless,
    /// It takes requests and says nothing.
    Hangs,
    /// Its encoder is set otherwise.
    SettingsChanged,
    /// Somebody covers it.
    Tamper,
    /// Its sensor gives no picture.
    VideoLoss,
    /// What it sees has changed.
    SceneChange,
    /// Its storage fails.
    StorageFailure,
    /// Its input is closed.
    DigitalInput,
}

/// All without a value, with their words.
const PLAIN: [(&str, Quirk); 24] = [
    ("wrong-xaddr", Quirk::WrongXaddr),
    ("time-needs-login", Quirk::TimeNeedsLogin),
    ("locked", Quirk::Locked),
    ("wrong-password", Quirk::WrongPassword),
    ("fault-200", Quirk::Fault200),
    ("closes", Quirk::Closes),
    ("http-1.0", Quirk::Http10),
    ("bad-utf8", Quirk::BadUtf8),
    ("no-events", Quirk::NoEvents),
    ("subscription-limit", Quirk::SubscriptionLimit),
    ("dead-subscription", Quirk::DeadSubscription),
    ("stream-silent", Quirk::StreamSilent),
    ("stream-refused", Quirk::StreamRefused),
    ("stream-missing", Quirk::StreamMissing),
    ("no-recording", Quirk::NoRecording),
    ("huge", Quirk::Huge),
    ("endless", Quirk::Endless),
    ("hangs", Quirk::Hangs),
    ("settings-changed", Quirk::SettingsChanged),
    ("tamper", Quirk::Tamper),
    ("video-loss", Quirk::VideoLoss),
    ("scene-change", Quirk::SceneChange),
    ("storage-failure", Quirk::StorageFailure),
    ("digital-input", Quirk::DigitalInput),
];

/// The word of a clock that is wrong; seconds stand behind a colon.
pub(crate) const SKEW: &str = "clock-skew";

impl Quirk {
    /// All words, as the command line lists them.
    pub fn words() -> impl Iterator<Item = &'static str> {
        PLAIN.iter().map(|(word, _)| *word).chain([SKEW])
    }

    /// A clock that is wrong by so many seconds, within a day.
    pub fn skew(seconds: i64) -> Option<Quirk> {
        (seconds.abs() <= MOST_SKEW_S).then_some(Quirk::ClockSkew(seconds))
    }
}

/// What a camera tells of its own accord.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    quirk: Quirk,
    pub(super) topic: &'static str,
    pub(super) source: (&'static str, &'static str),
    pub(super) state: &'static str,
}

/// All of them; a subscription begins with what they say now.
pub(super) const EVENTS: [Event; 5] = [
    Event {
        quirk: Quirk::Tamper,
        topic: "tns1:RuleEngine/TamperDetector/Tamper",
        source: ("VideoSourceConfigurationToken", "VS1"),
        state: "IsTamper",
    },
    Event {
        quirk: Quirk::VideoLoss,
        topic: "tns1:VideoSource/SignalLoss",
        source: ("Source", "VS1"),
        state: "State",
    },
    Event {
        quirk: Quirk::SceneChange,
        topic: "tns1:VideoSource/GlobalSceneChange/ImagingService",
        source: ("Source", "VS1"),
        state: "State",
    },
    Event {
        quirk: Quirk::StorageFailure,
        topic: "tns1:Device/HardwareFailure/StorageFailure",
        source: ("Token", "SD1"),
        state: "Failed",
    },
    Event {
        quirk: Quirk::DigitalInput,
        topic: "tns1:Device/Trigger/DigitalInput",
        source: ("InputToken", "Input_1"),
        state: "LogicalState",
    },
];

impl Event {
    /// Whether it is so while this is wrong.
    pub(super) fn is_on(&self, quirk: Option<Quirk>) -> bool {
        quirk == Some(self.quirk)
    }
}

impl FromStr for Quirk {
    type Err = ();

    fn from_str(word: &str) -> Result<Quirk, ()> {
        PLAIN.iter().find(|(known, _)| *known == word).map(|(_, quirk)| *quirk).ok_or(())
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Quirk::ClockSkew(seconds) = self {
            return write!(f, "{SKEW}:{seconds}");
        }
        let word = PLAIN.iter().find(|(_, known)| known == self);
        f.write_str(word.map_or("", |(word, _)| word))
    }
}
