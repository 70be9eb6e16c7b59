//! The laws that must hold whatever happens, checked at every step. They know what was delivered to the engine and how
//! the world truly is, and share no code with the engine.

mod presence;
mod register;
mod sight;
mod values;

use crate::site::{Plan, place_of};
use crate::store::Store;
use crate::world::{Outcome, World};
use presence::Presences;
use register::Register;
use roundsman_core::fault::engine::Engine;
use roundsman_core::fault::{
    Act, Ask, Change, FaultId, Generation, RequestId, Sign, Transition, UNREACHABLE,
};
use roundsman_core::hidden::Hiding;
use roundsman_core::reading::Readings;
use roundsman_core::time::{Mono, Now};
use sight::Sight;
use values::Values;

/// A law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Law {
    /// No fault without evidence: an `unreachable` needs an episode without any reply, a value rule a bad value, a sign
    /// rule a sign; and none ends without its own.
    Evidence,
    /// None is lost: what has been bad for long enough is open, and told of unless a failed device hides it.
    NoneLost,
    /// None is kept: what has been good for long enough is not open.
    NoneKept,
    /// At most one open fault a key; numbers and ids never repeat; ids of transitions have no gaps.
    NoneTwice,
    /// What a failed device cuts off is hidden behind an `unreachable` of another device, and only that is.
    Hidden,
    /// One outage speaks once: no verdict about a device whose way is lost, nor before those nearer were asked.
    OneVoice,
    /// On recovery nothing is told of a device before a poll that was started since then.
    FreshPoll,
    /// Times follow the clock that was given; the first bad moment is not after the confirmation.
    Times,
    /// Each transition that is not hidden stands in one message, also across restarts, and a restart makes up none.
    OneMessage,
    /// A reopened fault is the one that ended: its number, its first moment, its acknowledgement.
    Reopening,
    /// An operator's request is answered once, and rightly; what people said of a fault stays.
    Requests,
    /// An answer of an older episode changes nothing.
    Stale,
    /// Memory and questions are bounded.
    Bounded,
    /// The wall clock decides nothing.
    ClockSteps,
}

impl Law {
    pub(crate) fn broken<T>(self, what: impl Into<String>) -> Result<T, Broken> {
        Err(Broken { law: self, what: what.into() })
    }

    pub(crate) fn needs(self, holds: bool, what: impl FnOnce() -> String) -> Result<(), Broken> {
        if holds { Ok(()) } else { self.broken(what()) }
    }
}

/// A law that was broken, and how.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) law: Law,
    pub(crate) what: String,
}

/// What the engine is told of in one step.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    Tick,
    Polled {
        at: usize,
        generation: Generation,
        started: Mono,
        outcome: Outcome,
    },
    Reached {
        at: usize,
        generation: Generation,
        answered: bool,
    },
    Board(usize),
    Said {
        at: usize,
        rule: &'static str,
        instance: usize,
        sign: Sign,
    },
    Operator {
        request: RequestId,
        fault: FaultId,
        act: Act,
    },
    /// A start or reload; `clean`: nothing changed and nothing was lost.
    Loaded {
        clean: bool,
    },
}

/// What laws may look at.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) world: &'a World,
    pub(crate) now: Now,
}

/// All laws and what they remember.
pub(crate) struct Laws {
    register: Register,
    presences: Presences,
    values: Values,
    sight: Sight,
    /// Whether the answer that is being delivered counts.
    is_current: bool,
    effects: usize,
}

impl Laws {
    pub(crate) fn new(plan: &Plan) -> Laws {
        let count = plan.places.len();
        Laws {
            register: Register::default(),
            presences: Presences::new(count),
            values: Values::new(count),
            sight: Sight::new(count),
            is_current: true,
            effects: 0,
        }
    }

    /// A new process, or a reload: what was pending starts anew.
    pub(crate) fn loads(&mut self, restored: Option<&Store>, scene: Scene<'_>) {
        if let Some(store) = restored {
            self.register.restore(store, scene.now.mono);
            self.sight.restore(store);
        }
        self.presences.start_over(scene.now.mono);
        self.values.start_over(restored.is_some(), scene);
        self.sight.start_over();
    }

    /// The wall clock was set.
    pub(crate) fn clock_steps(&mut self, now: Mono) {
        self.register.clock_steps(now);
    }

    /// Before the engine hears of it; with readings that hold data, and whether they are those of the poll before.
    pub(crate) fn hear(
        &mut self,
        heard: &Heard,
        readings: Option<(&Readings, bool)>,
        is_current: bool,
        scene: Scene<'_>,
    ) {
        self.is_current = is_current;
        self.effects = 0;
        self.presences.begin(scene);
        match heard {
            Heard::Operator { request, fault, act } => self.register.asked(*request, *fault, act.clone()),
            Heard::Said { at, rule, instance, sign } => {
                self.values.said(*at, scene.plan.model(*at), (rule, *instance), *sign, scene.now.mono);
            }
            _ if is_current => {}
            _ => return,
        }
        self.presences.hear(heard, scene);
        if let Heard::Board(at) = heard {
            self.values.board(*at, scene.now.mono);
        }
        if let (Heard::Polled { at, .. }, Some((readings, same))) = (heard, readings) {
            self.values.polled(*at, readings, same, &self.register, scene);
        }
    }

    pub(crate) fn transition(
        &mut self,
        transition: &Transition,
        request: Option<RequestId>,
        heard: &Heard,
        scene: Scene<'_>,
    ) -> Result<(), Broken> {
        self.effects += 1;
        let at = place_of(&transition.fault.key.device);
        self.sight.transition(at, transition, heard, self.presences.replied_at(at), scene)?;
        let before = self.register.transition(transition, request, scene.now)?;
        self.presences.transition(at, transition, &self.sight, heard, scene)?;
        self.values.transition(at, transition, before.as_ref(), heard, scene)?;
        if &*transition.fault.key.rule == UNREACHABLE && transition.change == Change::Ended {
            let behind = self.sight.behind(transition.fault.id);
            self.presences.freed(at, behind, &self.sight, scene);
        }
        if let Heard::Loaded { clean: true } = heard {
            return Law::OneMessage.broken(format!("a restart makes up {transition:?}"));
        }
        Ok(())
    }

    pub(crate) fn hides(&mut self, changes: &[Hiding], scene: Scene<'_>) -> Result<(), Broken> {
        self.effects += 1;
        self.sight.hides(changes, &self.register, scene)
    }

    pub(crate) fn asks(&mut self, at: usize, ask: &Ask, now: Mono) {
        self.effects += 1;
        self.presences.asks(at, ask, now);
    }

    pub(crate) fn refuses(
        &mut self,
        request: RequestId,
        why: roundsman_core::fault::Refusal,
    ) -> Result<(), Broken> {
        self.effects += 1;
        self.register.refuses(request, why)
    }

    /// After all effects of the step.
    pub(crate) fn after(&mut self, heard: &Heard, engine: &Engine, scene: Scene<'_>) -> Result<(), Broken> {
        let most = 8 * scene.plan.places.len() + 64;
        Law::Bounded.needs(self.effects <= most, || format!("{} effects of one event", self.effects))?;
        Law::Stale.needs(self.is_current || self.effects == 0, || format!("{heard:?} has effects"))?;
        self.register.step_over()?;
        self.sight.refresh(scene);
        let Heard::Polled { at, outcome, .. } = heard else { return Ok(()) };
        if !self.is_current {
            return Ok(());
        }
        match outcome {
            Outcome::Data => {
                self.presences.well(*at, &self.register, scene.plan)?;
                self.values.judged(*at, &self.register, engine, scene)?;
                self.sight.replied(*at, &self.register, engine, scene)
            }
            Outcome::Silent => self.sight.silent(*at, &self.register, scene),
            Outcome::Mute => Ok(()),
        }
    }

    /// The world changed beside the engine.
    pub(crate) fn world_changed(&mut self, scene: Scene<'_>) {
        self.sight.changed();
        self.sight.refresh(scene);
    }

    /// Once a day: no sign holds a fault open past its time, the engine's memory is bounded.
    pub(crate) fn daily(&self, engine: &Engine, scene: Scene<'_>) -> Result<(), Broken> {
        self.values.daily(&self.register, engine, scene)?;
        self.register.daily(scene.now.mono)?;
        let devices = scene.plan.places.len();
        Law::Bounded.needs(engine.suspects() <= devices, || format!("{} suspects", engine.suspects()))?;
        let asks = self.presences.outstanding();
        Law::Bounded.needs(asks <= 8 * devices, || format!("{asks} questions under way"))?;
        let shown = format!("{engine:?}");
        let deadlines = shown.matches("Reverse(").count();
        Law::Bounded.needs(deadlines <= 32 * devices, || format!("{deadlines} deadlines"))?;
        let most = 40_000 * devices;
        Law::Bounded.needs(shown.len() <= most, || format!("the engine shown takes {} bytes", shown.len()))
    }
}

/// Whether a poll of this device that brought data is what is heard.
fn is_data_of(heard: &Heard, at: usize) -> bool {
    matches!(heard, Heard::Polled { at: polled, outcome: Outcome::Data, .. } if *polled == at)
}
