//! What a subscription says (Core Specification, section 9).

use roundsman_core::time::Wall;

use super::MOST_LISTED;
use super::moment;
use super::xml::Element;

/// Most reference parameters that are echoed.
const MOST_PARAMETERS: usize = 8;
/// Most values that are taken of one message.
const MOST_ITEMS: usize = 16;

/// A subscription that is asked for its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullPoint {
    /// Its address as the device gives it. Empty, or a `urn:`, means that of the event service.
    pub address: Box<str>,
    /// Goes into the header of every message to it, as it came.
    pub parameters: Vec<Box<str>>,
    /// How long it lives, by the device's own two times.
    pub lives_ms: Option<i64>,
}

impl PullPoint {
    /// Reads the answer of CreatePullPointSubscription.
    pub fn read(answer: &Element) -> PullPoint {
        let reference = answer.child("SubscriptionReference");
        let parameters = reference.and_then(|reference| reference.child("ReferenceParameters"));
        let parameters = parameters.map(Element::children).unwrap_or_default();
        PullPoint {
            address: reference.and_then(|reference| reference.said(&["Address"])).unwrap_or("").into(),
            parameters: parameters
                .iter()
                .filter_map(Element::raw)
                .map(Box::from)
                .take(MOST_PARAMETERS)
                .collect(),
            lives_ms: lives(answer),
        }
    }
}

/// How long a subscription lives, from the answer of CreatePullPointSubscription, PullMessages or Renew.
pub fn lives(answer: &Element) -> Option<i64> {
    let at = |name: &str| answer.said(&[name]).and_then(moment::read);
    Some(at("TerminationTime")?.0.saturating_sub(at("CurrentTime")?.0)).filter(|lives_ms| *lives_ms > 0)
}

/// What a message says about the state it tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The state as it stands when the subscription begins.
    Initialized,
    /// It changed, or something happened that has no state.
    Changed,
    /// What it told of is gone.
    Deleted,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its topic without prefixes and what some devices write at its end: `VideoSource/SignalLoss`.
    pub topic: Box<str>,
    /// When it happened, by the device's clock; `None` for the year 0.
    pub at: Option<Wall>,
    /// What it says about the state.
    pub operation: Operation,
    /// Where it happened: names and values.
    pub source: Vec<(Box<str>, Box<str>)>,
    /// What happened: names and values.
    pub data: Vec<(Box<str>, Box<str>)>,
}

/// The messages in the answer of PullMessages, at most [`MOST_LISTED`].
pub fn notifications(answer: &Element) -> Vec<Notification> {
    answer.all("NotificationMessage").filter_map(read).take(MOST_LISTED).collect()
}

fn read(outer: &Element) -> Option<Notification> {
    let topic = topic(outer.said(&["Topic"])?);
    if topic.is_empty() {
        return None;
    }
    let message = outer.at(&["Message", "Message"])?;
    let operation = match message.attribute("PropertyOperation") {
        Some("Initialized") => Operation::Initialized,
        Some("Deleted") => Operation::Deleted,
        _ => Operation::Changed,
    };
    Some(Notification {
        topic,
        at: message.attribute("UtcTime").and_then(moment::read),
        operation,
        source: items(message.child("Source")),
        data: items(message.child("Data")),
    })
}

/// `tns1:VideoSource/tnsavg:SignalLoss//.` is `VideoSource/SignalLoss`.
fn topic(written: &str) -> Box<str> {
    let segment = |segment: &'_ str| segment.rsplit(':').next().unwrap_or("").trim().to_owned();
    let segments: Vec<String> =
        written.split('/').map(segment).filter(|segment| !matches!(&**segment, "" | ".")).collect();
    segments.join("/").into()
}

fn items(of: Option<&Element>) -> Vec<(Box<str>, Box<str>)> {
    let read = |item: &Element| Some((item.attribute("Name")?.into(), item.attribute("Value")?.into()));
    of.into_iter().flat_map(|of| of.all("SimpleItem")).filter_map(read).take(MOST_ITEMS).collect()
}
