//! Mistakes that the engine makes on purpose, so that the simulation shows that it would notice them.
//!
//! Compiled in with the feature `mutations` alone, and there one at a time, by the thread that asks for it.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// The verdict does not wait for the reach probe.
    VerdictWithoutReach,
    /// A value that is missing ends its fault.
    MissingClears,
    /// What is raised behind a failed device is not hidden.
    HideForgottenOnRaise,
    /// What was hidden speaks as soon as the way is free.
    RevealWithoutFreshPoll,
    /// Answers of an older episode count.
    GenerationNotChecked,
    /// What was heard while the way was not free still counts when it is.
    EpisodeNotRestarted,
    /// A start gives the last fault number out again.
    NumberReusedAfterRestart,
    /// A transition id is left out now and then.
    TransitionIdLeftOut,
    /// A fault that comes back has lost its acknowledgement.
    AcknowledgementLostOnReopen,
    /// One good poll ends a fault of presence.
    ClearAfterOneGoodPoll,
    /// Those nearer to the box are not asked before a verdict.
    UplinksNotAsked,
    /// A device that has lost one of its ways counts as cut off.
    RedundancyIsCut,
    /// How long a fault may be reopened is measured by the wall clock.
    ReopenedByTheWallClock,
    /// A revealed fault stays marked as hidden: nobody is ever told of it again.
    NeverRevealed,
}

#[cfg(feature = "mutations")]
mod switch {
    use super::Mutation;
    use std::cell::Cell;

    thread_local! {
        static ON: Cell<Option<Mutation>> = const { Cell::new(None) };
    }

    impl Mutation {
        /// All of them.
        pub const ALL: [Mutation; 14] = [
            Mutation::VerdictWithoutReach,
            Mutation::MissingClears,
            Mutation::HideForgottenOnRaise,
            Mutation::RevealWithoutFreshPoll,
            Mutation::GenerationNotChecked,
            Mutation::EpisodeNotRestarted,
            Mutation::NumberReusedAfterRestart,
            Mutation::TransitionIdLeftOut,
            Mutation::AcknowledgementLostOnReopen,
            Mutation::ClearAfterOneGoodPoll,
            Mutation::UplinksNotAsked,
            Mutation::RedundancyIsCut,
            Mutation::ReopenedByTheWallClock,
            Mutation::NeverRevealed,
        ];
    }

    /// Has the engines of this thread make a mistake from now on, or none.
    pub fn switch_on(mutation: Option<Mutation>) {
        ON.set(mutation);
    }

    /// Whether this thread makes this mistake.
    pub fn is_on(mutation: Mutation) -> bool {
        ON.get() == Some(mutation)
    }
}

#[cfg(feature = "mutations")]
pub use switch::{is_on, switch_on};

/// Never: nothing is compiled in.
#[cfg(not(feature = "mutations"))]
#[inline(always)]
pub(crate) const fn is_on(_: Mutation) -> bool {
    false
}
