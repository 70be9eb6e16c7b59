//! Rules: when a reading means a fault, how bad it is, when it is over.

use crate::model::MetricIx;
use crate::text::Bilingual;
use std::sync::Arc;

crate::device::words! {
    /// Severity by X.733 (perceived severity), worst first.
    Severity {
        /// 紧急.
        Critical = "critical" "紧急" "Critical",
        /// 重要.
        Major = "major" "重要" "Major",
        /// 次要.
        Minor = "minor" "次要" "Minor",
        /// 提示.
        Warning = "warning" "提示" "Warning",
        /// 不确定.
        Indeterminate = "indeterminate" "不确定" "Indeterminate",
    }
}

/// When a value is bad.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Bad above `limit`; good again at or below `clear`.
    Above {
        /// Bad above it.
        limit: f64,
        /// Good at or below it; `clear <= limit`.
        clear: f64,
    },
    /// Bad below `limit`; good again at or above `clear`.
    Below {
        /// Bad below it.
        limit: f64,
        /// Good at or above it; `clear >= limit`.
        clear: f64,
    },
    /// Bad outside `low..=high`; good again inside `low + deadband ..= high - deadband`.
    Outside {
        /// Lower limit.
        low: f64,
        /// Upper limit.
        high: f64,
        /// How far inside it must come back, 0 or more.
        deadband: f64,
    },
    /// Bad while the state or text is none of these.
    Expect(Vec<Arc<str>>),
    /// Bad when the value differs from the one seen first; once the fault is acknowledged the new value is taken as
    /// the normal one, and the fault clears.
    Changed,
}

/// One severity of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// The severity it raises.
    pub severity: Severity,
    /// When a value is bad.
    pub test: Test,
    /// How long it must stay bad, in ms. `None`: one further poll (the default). `Some(0)`: at once.
    pub hold_ms: Option<u64>,
    /// How long it must stay good before it clears, in ms, beside the two good polls that it always takes.
    pub clear_ms: u64,
}

/// A rule of a profile.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id in the profile, kebab case.
    pub id: Arc<str>,
    /// Name shown to people; falls back to the id.
    pub name: Bilingual,
    /// The metric it looks at.
    pub on: MetricIx,
    /// Judged only while this holds; with a missing input the rule is not judged.
    pub when: Option<Guard>,
    /// Its levels, worst first; at least one (none where only events raise it).
    pub levels: Vec<Level>,
    /// Whether a person must close it.
    pub latch: bool,
    /// How long a fault that a sign of the device's own raised stays without another, ms; `None`: until it is cleared.
    pub stays_ms: Option<u64>,
    /// X.733 probable cause.
    pub cause: Arc<str>,
    /// What to do, for the technician.
    pub advice: Bilingual,
}

/// Comparison in a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A literal in a guard.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A number.
    Number(f64),
    /// A word in quotes: a state, a text, a tag.
    Word(Arc<str>),
}

/// A guard, such as `interface.admin-status == 'up' and interface.tag == 'uplink'`.
#[derive(Clone, Debug, PartialEq)]
pub enum Guard {
    /// A metric (of the same instance, or a scalar) against a literal.
    Metric(MetricIx, Comparison, Literal),
    /// The site's tag of the instance against a word; no tag is the empty word. Only `==` and `!=`.
    Tag(Comparison, Arc<str>),
    /// Both.
    And(Box<Guard>, Box<Guard>),
    /// Either.
    Or(Box<Guard>, Box<Guard>),
    /// Not.
    Not(Box<Guard>),
}
