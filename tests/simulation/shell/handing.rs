//! Events go to the engine, and its effects are carried out; the laws see both.

use super::{COMMIT_MS, Happening, Life};
use crate::laws::{Broken, Heard, Scene};
use crate::site::PORT;
use crate::store::Step;
use crate::world::nothing;
use roundsman_core::fault::{Ask, Effect, Event, Probe, Transition};
use roundsman_core::reading::Readings;
use roundsman_core::text::Bilingual;

impl Life {
    /// Hands something to the engine, and carries out what it asks for. Says whether it counted.
    pub(super) fn step(&mut self, heard: Heard, readings: Option<(&Readings, bool)>) -> Result<bool, Broken> {
        if !matches!(heard, Heard::Tick) && self.engine.poll_timeout().is_some_and(|at| at <= self.now.mono) {
            self.step(Heard::Tick, None)?;
        }
        let is_current = match &heard {
            Heard::Polled { at, generation, .. } | Heard::Reached { at, generation, .. } => {
                self.ix[*at].is_some_and(|ix| self.engine.generation(ix) == *generation)
            }
            _ => true,
        };
        let scene = Scene { plan: &self.plan, world: &self.world, now: self.now };
        self.laws.hear(&heard, readings, is_current, scene);
        self.hand_in(&heard, readings.map(|(readings, _)| readings));
        self.drain(&heard)?;
        Ok(is_current)
    }

    fn hand_in(&mut self, heard: &Heard, readings: Option<&Readings>) {
        let ix = |at: usize| self.ix[at].expect("a device of the site");
        let made;
        let event = match heard {
            Heard::Tick | Heard::Loaded { .. } => Event::Tick,
            Heard::Polled { at, generation, outcome, .. } => {
                made = readings.is_none().then(|| nothing(*outcome, self.now));
                let readings = readings.or(made.as_ref()).expect("readings of either kind");
                Event::Polled { device: ix(*at), generation: *generation, readings, labels: &self.labels }
            }
            Heard::Reached { at, generation, answered } => {
                Event::Reached { device: ix(*at), generation: *generation, answered: *answered }
            }
            Heard::Board(at) => {
                Event::Replaced { device: ix(*at), what: Bilingual::new("换板", "another board") }
            }
            Heard::Said { at, rule, instance, sign } => {
                let instance = if *instance == 0 { "" } else { PORT[instance - 1] };
                Event::Said { device: ix(*at), rule, instance: instance.into(), sign: *sign }
            }
            Heard::Operator { request, fault, act } => {
                Event::Act { request: *request, fault: *fault, by: "李工".into(), act: act.clone() }
            }
        };
        self.engine.handle(event, self.now);
    }

    pub(super) fn drain(&mut self, heard: &Heard) -> Result<(), Broken> {
        let mut step = Step::default();
        while let Some(effect) = self.engine.poll_effect() {
            if self.options.told {
                println!("{} {heard:?} → {effect:?}", self.now.mono.0);
            }
            let scene = Scene { plan: &self.plan, world: &self.world, now: self.now };
            match effect {
                Effect::Commit { transition, request } => {
                    self.laws.transition(&transition, request, heard, scene)?;
                    self.note(&transition);
                    step.transitions.push(*transition);
                }
                Effect::Hide(changes) => {
                    self.laws.hides(&changes, scene)?;
                    step.hidden.extend(changes);
                }
                Effect::Ask(ask) => self.ask(ask),
                Effect::Refuse { request, why } => self.laws.refuses(request, why)?,
            }
        }
        let scene = Scene { plan: &self.plan, world: &self.world, now: self.now };
        self.laws.after(heard, &self.engine, scene)?;
        let waited = self.store.waits();
        self.store.take(step, self.now.mono);
        if !waited && self.store.waits() {
            self.after(COMMIT_MS, Happening::Commit);
        }
        Ok(())
    }

    fn note(&mut self, transition: &Transition) {
        self.counts.transition(transition);
        let Transition { change, fault, .. } = transition;
        if !self.options.restarts {
            let key = &fault.key;
            let (device, rule, instance) = (key.device.clone(), key.rule.clone(), key.instance.clone());
            let told = (self.now.mono, change.clone(), device, rule, instance, fault.hidden_by.is_some());
            self.told.push(told);
        }
    }

    fn ask(&mut self, ask: Ask) {
        let Ask { device, probe, at: moment, generation, .. } = ask;
        let (at, run) = (self.loaded[device.at()], self.run);
        self.laws.asks(at, &ask, self.now.mono);
        let happening = match probe {
            // Asking twice before it starts gives one poll.
            Probe::Poll if !self.asked.insert((moment, at)) => return,
            Probe::Poll => Happening::Asked { at, generation, run },
            Probe::Reach => Happening::Probe { at, generation, run },
        };
        self.after(moment.since_ms(self.now.mono), happening);
    }
}
