//! The schema: a profile's TOML, checked whole.
//!
//! [`read`] takes a file that is already laid over its bases ([`catalogue`](crate::catalogue) does that) and gives a
//! [`Profile`], or everything that is wrong with it. `device-profiles/README.md` describes the keys for people.

mod bus;
mod calc;
pub(crate) mod command;
mod derived;
mod extend;
mod fixture;
mod guard;
mod keys;
mod lexer;
mod mark;
mod metric;
mod onvif;
mod parts;
mod quality;
mod recorded;
mod recording;
mod rule;
mod steady;
mod value;

pub(crate) use extend::{lay_over, remove};
pub use mark::Mark;
pub use recorded::{Change, ExpectedEvent, ExpectedOrder, Recorded, Recording, Spoken, Told};
pub use value::duration_ms;
pub(crate) use value::kebab;

use crate::bus::{Bus, Rendering, Say};
use crate::diagnostic::{At, Diagnostic, Findings, did_you_mean};
use crate::document::{Fields, Node};
use crate::snmprec::NewValue;
use crate::translate::recipe::Recipes;
use roundsman_core::device::Class;
use roundsman_core::model::{MetricIx, Model};
use roundsman_core::rule::{Guard, Severity};
use roundsman_core::text::Bilingual;
use roundsman_wire::onvif::call::Errand;
use roundsman_wire::onvif::health::Question;
use roundsman_wire::snmp::oid::Oid;
use roundsman_wire::snmp::plan::Plan;
use std::sync::Arc;

/// The version of the schema that this program reads.
pub const SCHEMA: i64 = 1;

/// Largest profile file in bytes; the largest vendor profiles stay under a tenth of it.
pub const MOST_BYTES: usize = 256 * 1024;

/// Most metrics of a profile; one poll asks for all of them.
pub const MOST_METRICS: usize = 2_000;

/// Most tables of a profile.
pub const MOST_TABLES: usize = 128;

/// Most rules of a profile; each is judged at every poll for every instance.
pub const MOST_RULES: usize = 500;

/// Most `sysobjectid` prefixes of one profile.
const MOST_PREFIXES: usize = 256;

/// A checked profile.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its id, maker-family in kebab case.
    pub id: Arc<str>,
    /// Class of the devices it is for.
    pub class: Class,
    /// Name shown to people.
    pub name: Bilingual,
    /// What the domain knows of it.
    pub model: Arc<Model>,
    /// What one poll asks by SNMP; empty for the others.
    pub plan: Arc<Plan>,
    /// How devices on a bus are spoken to; `None` for the others.
    pub bus: Option<Bus>,
    /// What one health check asks of a camera or recorder; empty for the others.
    pub questions: Arc<[Question]>,
    /// sysObjectID prefixes it is for.
    pub matchers: Vec<Matcher>,
    /// What a device on a bus says of itself where it is one of these.
    pub marks: Vec<Mark>,
    /// What patrols look at.
    pub checks: Vec<Check>,
    /// What the device can be told to do.
    pub commands: Vec<Command>,
    /// What the device says of its own accord.
    pub events: Vec<Event>,
    /// What proves it.
    pub fixtures: Vec<Fixture>,
    /// Metrics that no fixture can show (the file says why).
    pub absent: Vec<MetricIx>,
    /// The ids of the profiles it is laid over.
    pub extends: Vec<Arc<str>>,
    pub(crate) recipes: Recipes,
    /// The merged document it was read from.
    pub(crate) document: Node,
    /// Where its id stands: its own file.
    pub(crate) at: At,
    /// Where each metric stands.
    pub(crate) metric_at: Vec<At>,
    /// Where each rule stands.
    pub(crate) rule_at: Vec<At>,
}

/// A sysObjectID prefix.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// The prefix; it ends at a dot.
    pub prefix: Oid,
    /// Where it stands.
    pub at: At,
}

/// Where the instance of an event stands.
#[derive(Clone, Debug, PartialEq)]
pub enum EventInstance {
    /// In a varbind.
    Varbind(Oid),
    /// In what the line's pattern caught.
    Capture(Arc<str>),
    /// In the message's source, under this name.
    Source(Arc<str>),
    /// In the frame.
    Field(roundsman_wire::frame::Point),
}

/// Something a device says of its own accord.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id.
    pub id: Arc<str>,
    /// What raises it.
    pub raise: Signal,
    /// The rule it raises.
    pub rule: Arc<str>,
    /// Where the rule is named.
    pub rule_at: At,
    /// The severity, where it is not that of the rule's first level.
    pub severity: Option<Severity>,
    /// Where the instance is named.
    pub instance: Option<EventInstance>,
    /// What clears it.
    pub clear: Option<Signal>,
    /// When it is over by itself, in ms.
    pub expires_ms: Option<u64>,
}

/// A sign of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal {
    /// An SNMP notification.
    Trap(Oid),
    /// A message of an event service: its topic, and values that it holds.
    Topic {
        /// The topic without prefixes, such as `VideoSource/SignalLoss`.
        topic: Arc<str>,
        /// Values of its data that must be so; names and values.
        data: Vec<(Arc<str>, Arc<str>)>,
    },
    /// Part of a line of text (syslog).
    Line(Arc<str>),
    /// A line of a device that speaks text.
    Said(roundsman_wire::text::Pattern),
    /// A frame of a device that speaks frames.
    Frame(roundsman_wire::frame::Pattern),
}

/// Something a device can be told to do. Carried out by the drivers of the device's protocol.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its id.
    pub id: Arc<str>,
    /// Name shown to people.
    pub name: Bilingual,
    /// What it takes.
    pub arguments: Vec<Argument>,
    /// What it does.
    pub does: Does,
    /// Whether a person confirms it a second time.
    pub two_step: bool,
    /// While this holds it is refused.
    pub forbidden: Option<Guard>,
    /// What shows that it worked.
    pub verify: Option<Verify>,
}

/// What a command does.
#[derive(Clone, Debug)]
pub enum Does {
    /// Sets variables by SNMP.
    Set(Vec<Set>),
    /// Says something on a bus.
    Say(Say),
    /// Has a camera or recorder do something.
    Call(Errand),
}

/// An argument of a command.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Its name.
    pub name: Arc<str>,
    /// What it may be.
    pub choice: Choice,
    /// How a number is written; without it as the protocol usually does.
    pub rendering: Option<Rendering>,
    /// Least digits of a number.
    pub width: u8,
}

/// What an argument may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// One of these words; beside each what is sent for it.
    Words(Vec<(Arc<str>, Arc<str>)>),
    /// A whole number from the one to the other.
    Number {
        /// The least.
        least: i64,
        /// The greatest.
        most: i64,
    },
}

/// A variable set by a command.
#[derive(Clone, Debug)]
pub struct Set {
    /// Which.
    pub oid: Oid,
    /// To what; may hold `{placeholders}`.
    pub value: Arc<str>,
    /// Of which type.
    pub syntax: Syntax,
}

/// The type of a value that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// INTEGER.
    Integer,
    /// Unsigned32 or Gauge32.
    Unsigned,
    /// OCTET STRING.
    Text,
    /// OBJECT IDENTIFIER.
    Name,
}

impl Syntax {
    /// All with their words.
    pub const ALL: [(&'static str, Syntax); 4] = [
        ("integer", Syntax::Integer),
        ("unsigned", Syntax::Unsigned),
        ("string", Syntax::Text),
        ("oid", Syntax::Name),
    ];
}

/// What shows that a command worked.
#[derive(Clone, Debug)]
pub struct Verify {
    /// The metric to look at.
    pub metric: MetricIx,
    /// What it must say; may hold `{placeholders}`.
    pub is: Arc<str>,
    /// By when, in ms.
    pub within_ms: u64,
}

/// A question of a patrol.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its id.
    pub id: Arc<str>,
    /// The question.
    pub ask: Bilingual,
    /// The answers to choose from.
    pub answers: Vec<Arc<str>>,
}

/// A recorded device, what must come out of it, and what happens to it then.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// Where it stands.
    pub at: At,
    /// What was recorded.
    pub recording: Recording,
    /// Where that is named.
    pub recording_at: At,
    /// Orders that are given at its beginning, and what must go over the line.
    pub orders: Vec<ExpectedOrder>,
    /// What it says of its own accord, and which event that must be.
    pub hears: Vec<ExpectedEvent>,
    /// Tags of instances, as the site file would give them.
    pub tags: Vec<(Arc<str>, Arc<str>)>,
    /// Speed of its line in bit/s, as the site file would give it.
    pub line: Option<f64>,
    /// How reach probes end from the beginning on; empty: nobody probes.
    pub reach: Vec<ReachOutcome>,
    /// Readings of the first poll.
    pub expect: Vec<Expect>,
    /// Faults after the second poll.
    pub faults: Vec<ExpectedFault>,
    /// What happens then.
    pub then: Vec<Step>,
}

/// An expected reading.
#[derive(Clone, Debug)]
pub struct Expect {
    /// Where it stands.
    pub at: At,
    /// The metric.
    pub metric: MetricIx,
    /// The label; empty for scalars.
    pub instance: Arc<str>,
    /// The value.
    pub value: Expected,
}

/// An expected value.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// A number, compared to six digits.
    Number(f64),
    /// A state, a text, or the quality of a reading without a value (such as `first-sample`).
    Word(Arc<str>),
}

/// An expected fault.
#[derive(Clone, Debug)]
pub struct ExpectedFault {
    /// Where it stands.
    pub at: At,
    /// Its rule.
    pub rule: Arc<str>,
    /// Its instance; `None` for any.
    pub instance: Option<Arc<str>>,
    /// How bad it is.
    pub severity: Severity,
}

/// A step of a fixture: first the device changes, then time passes and polls go on, then it is looked at.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where it stands.
    pub at: At,
    /// How much time passes, in ms.
    pub after_ms: u64,
    /// Values that change at its beginning.
    pub set: Vec<SetTo>,
    /// Numbers that grow from its beginning on, per second.
    pub grow: Vec<Grow>,
    /// Values (and everything below them) that vanish at its beginning.
    pub remove: Vec<(Oid, At)>,
    /// What changes at its beginning, where the device is on a bus.
    pub changes: Vec<(Change, At)>,
    /// How reach probes end from its beginning on; empty: as before.
    pub reach: Vec<ReachOutcome>,
    /// Readings of its last poll.
    pub expect: Vec<Expect>,
    /// Faults at its end, all of them.
    pub faults: Vec<ExpectedFault>,
}

/// How a reach probe ends: its round trip in µs, or `None` where no answer comes.
pub type ReachOutcome = Option<u64>;

/// A value that changes.
#[derive(Clone, Debug)]
pub struct SetTo {
    /// Which.
    pub oid: Oid,
    /// Where it is written.
    pub at: At,
    /// To what.
    pub value: NewValue,
}

/// A number that grows.
#[derive(Clone, Debug)]
pub struct Grow {
    /// Which.
    pub oid: Oid,
    /// Where it is written.
    pub at: At,
    /// By how much every second; 0 stops it.
    pub per_s: u64,
}

impl Profile {
    /// The profile as it stands after all its bases were laid under it, as TOML.
    pub fn merged(&self) -> String {
        self.document.to_toml()
    }
}

/// Reads a merged profile document. Everything that is wrong is noted; then there is no profile.
pub(crate) fn read(document: &Node, found: &mut Findings) -> Option<Profile> {
    let before = found.count();
    let mut fields = Fields::of(document, "a profile", found)?;
    check_version(&mut fields, found);
    let id_node = fields.must("id", found);
    let id = id_node.and_then(|n| kebab(n, found));
    let class = fields.must("class", found).and_then(|n| read_class(n, found));
    let name = fields.must("name", found).and_then(|n| value::bilingual(n, "a name", found));
    let extends = fields.items("extends", found);
    let extends = extends.iter().filter_map(|n| n.text(found)).map(Arc::from).collect();
    fields.items("remove", found);
    let (matchers, marks) = read_match(&mut fields, found);
    let head = bus::head(&mut fields, found);
    let mut measured = metric::read(&mut fields, head, found);
    let events = parts::events(&mut fields, &measured, found);
    let raised = parts::raised(&mut fields);
    let rules = rule::read(&mut fields, &measured, &raised, found);
    let ids: Vec<Arc<str>> = rules.iter().map(|(rule, _)| rule.id.clone()).collect();
    // Where rules were refused their events and fixtures would only repeat it.
    let sound = found.count() == before;
    if sound {
        parts::check_events(&events, &ids, found);
    }
    let commands = command::read(&mut fields, &measured, found);
    let checks = parts::checks(&mut fields, found);
    let mut unheard = Findings::default();
    let listener = if sound { &mut *found } else { &mut unheard };
    let told = recording::Told { rules: &ids, events: &events, commands: &commands };
    let fixtures = fixture::read(&mut fields, &measured, &told, listener);
    let absent = fixture::absent(&mut fields, &measured, listener);
    fields.finish(found);
    if found.count() > before {
        return None;
    }
    let (mut rules, rule_at): (Vec<_>, _) = rules.into_iter().unzip();
    rules.iter_mut().for_each(|rule| rule.stays_ms = parts::stays_ms(&events, &rule.id));
    measured.rest(&rules);
    measured.model.rules = rules;
    let bus = measured.bus.take().map(bus::Draft::finish);
    Some(Profile {
        id: Arc::from(id?),
        class: class?,
        name: name?,
        model: Arc::new(measured.model),
        plan: Arc::new(measured.plan),
        bus,
        questions: measured.questions.into(),
        matchers,
        marks,
        checks,
        commands,
        events,
        fixtures,
        absent,
        extends,
        recipes: measured.recipes,
        document: document.clone(),
        at: id_node?.at.clone(),
        metric_at: measured.at,
        rule_at,
    })
}

fn check_version(fields: &mut Fields<'_>, found: &mut Findings) {
    let Some(node) = fields.must("schema", found) else {
        return;
    };
    if let Some(version) = node.integer(found)
        && version != SCHEMA
    {
        let what = format!("this profile is of schema {version}, this program reads schema {SCHEMA}");
        found.note(Diagnostic::new(&node.at, what));
    }
}

fn read_class(node: &Node, found: &mut Findings) -> Option<Class> {
    let word = node.text(found)?;
    let class = Class::from_word(word);
    if class.is_none() {
        let mut diagnostic =
            Diagnostic::new(&node.at, format!("there is no class {}", crate::diagnostic::quoted(word)));
        diagnostic.hint = did_you_mean(word, Class::ALL.iter().map(|c| c.word()));
        found.note(diagnostic);
    }
    class
}

fn read_match(fields: &mut Fields<'_>, found: &mut Findings) -> (Vec<Matcher>, Vec<Mark>) {
    let Some(node) = fields.maybe("match") else {
        return Default::default();
    };
    let Some(mut ways) = Fields::of(node, "`match`", found) else {
        return Default::default();
    };
    let mut matchers = Vec::new();
    if let Some(node) = ways.maybe("snmp")
        && let Some(mut snmp) = Fields::of(node, "`match.snmp`", found)
    {
        let list = snmp.must("sysobjectid", found).and_then(|n| n.list(found)).unwrap_or(&[]);
        if list.len() > MOST_PREFIXES {
            found.note(Diagnostic::new(&node.at, format!("more than {MOST_PREFIXES} prefixes")));
        }
        for node in list.iter().take(MOST_PREFIXES) {
            let Some(prefix) = value::oid(node, found) else {
                continue;
            };
            matchers.push(Matcher { prefix, at: node.at.clone() });
        }
        snmp.finish(found);
    }
    let marks = mark::read(&mut ways, found);
    ways.finish(found);
    (matchers, marks)
}
