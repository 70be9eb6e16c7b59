//! What one poll over a bus brought back, raw: no scaling, no labels, no judgement.

use crate::field::Raw;
use roundsman_core::reading::Absence;

/// What a poll cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Requests that were asked, retries not counted.
    pub requests: u32,
    /// Octets of the requests.
    pub octets_out: u64,
    /// Octets of the answers.
    pub octets_in: u64,
}

/// What one unit of the device said: the device itself, or one panel of a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Whether any sound answer came: that alone proves it alive.
    pub answered: bool,
    /// Values in the order of the plan's points.
    pub values: Vec<Result<Raw, Absence>>,
}

/// The answer to one [`Plan`](super::plan::Plan).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// In the order of the target's members.
    pub units: Vec<Said>,
    /// What it cost.
    pub cost: Cost,
}

impl Answer {
    /// Nothing came, for this reason.
    pub fn without(members: usize, points: usize, absence: Absence) -> Answer {
        let said = Said { answered: false, values: vec![Err(absence); points] };
        Answer { units: vec![said; members], cost: Cost::default() }
    }

    /// Whether any unit answered.
    pub fn answered(&self) -> bool {
        self.units.iter().any(|unit| unit.answered)
    }
}
