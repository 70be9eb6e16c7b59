//! What happens to the world, to the site file and to the process.

use super::{Happening, Life, UTC_OFFSET_S};
use crate::fate::Turn;
use crate::laws::{Broken, Heard, Scene};
use roundsman_core::device::DeviceIx;
use roundsman_core::fault::engine::{Engine, Settings};
use roundsman_core::fault::{Act, Condition, FaultId, RequestId};
use roundsman_core::time::Mono;

impl Life {
    pub(super) fn turn(&mut self, turn: Turn) -> Result<(), Broken> {
        self.counts.events += 1;
        if self.options.told {
            println!("{} {turn:?}", self.now.mono.0);
        }
        let moves = matches!(turn, Turn::Power(..) | Turn::Cut { .. });
        match turn {
            Turn::Power(at, powered) => self.world.change(at).powered = powered,
            Turn::Cut { at, uplink, cut } => self.world.change(at).cut[uplink] = cut,
            Turn::Mute(at, mute) => self.world.change(at).mute = mute,
            Turn::Deaf(at, deaf) => self.world.change(at).deaf = deaf,
            Turn::Heat(at, heat) => self.world.change(at).heat = heat,
            Turn::Port(at, port, up) => self.world.change(at).port_up[port] = up,
            Turn::Admin(at, port, up) => self.world.change(at).admin_up[port] = up,
            Turn::AdminMissing(at, missing) => self.world.change(at).admin_missing = missing,
            Turn::SecondPort(at, there) => self.world.change(at).second_port = there,
            Turn::Whole(at, whole) => self.world.change(at).whole = whole,
            Turn::Serial(at, serial) => self.world.change(at).serial = serial,
            Turn::Loss(loss) => self.world.loss = loss,
            Turn::Board(at) if self.ix[at].is_some() => return self.step(Heard::Board(at), None).map(drop),
            Turn::Said { at, rule, instance, sign } if self.ix[at].is_some() => {
                return self.step(Heard::Said { at, rule, instance, sign }, None).map(drop);
            }
            Turn::Board(_) | Turn::Said { .. } => {}
            Turn::Operator { pick, act } => return self.operate(pick, act),
            Turn::Step(by) => {
                self.counts.clock_steps += 1;
                self.now.wall.0 += by;
                self.laws.clock_steps(self.now.mono);
            }
            Turn::Reload { edits } => return self.reload(edits),
            Turn::Restart { down_ms, loses, forgets } if self.options.restarts => {
                return self.restart(down_ms, loses, forgets);
            }
            Turn::Restart { .. } => {}
            Turn::Refuses(ms) => self.refuses_until = self.now.mono.plus_ms(ms),
        }
        if moves {
            self.look();
        }
        Ok(())
    }

    fn look(&mut self) {
        self.world.look(&self.plan, self.now.mono);
        let scene = Scene { plan: &self.plan, world: &self.world, now: self.now };
        self.laws.world_changed(scene);
    }

    fn operate(&mut self, pick: Option<u64>, act: Act) -> Result<(), Broken> {
        let open: Vec<FaultId> = self.engine.faults().map(|fault| fault.id).collect();
        let picked = pick.and_then(|pick| open.get(pick as usize % open.len().max(1)).copied());
        // Who closes mostly sees what may be closed.
        let is_over = |id: &&FaultId| {
            let condition = self.engine.fault(**id).map(|fault| fault.condition);
            condition == Some(Condition::Cleared)
        };
        let over = open
            .iter()
            .find(is_over)
            .copied()
            .filter(|_| act == Act::Close && pick.is_some_and(|pick| pick % 3 > 0));
        let fault = over.or(picked).unwrap_or(FaultId(1_000_000_000));
        let request = RequestId(self.next_request);
        self.next_request += 1;
        self.step(Heard::Operator { request, fault, act }, None).map(drop)
    }

    fn reload(&mut self, edits: bool) -> Result<(), Broken> {
        self.counts.reloads += 1;
        let before = self.plan.clone();
        if edits {
            self.plan.edit(&mut self.fate);
        }
        for (at, place) in self.plan.places.iter().enumerate() {
            if before.places[at].present && !place.present {
                self.entry[at] += 1;
                self.answering.remove(&at);
            }
        }
        self.look();
        self.laws.loads(None, Scene { plan: &self.plan, world: &self.world, now: self.now });
        self.load(!edits)
    }

    fn restart(&mut self, down_ms: u64, loses: bool, forgets: bool) -> Result<(), Broken> {
        self.counts.restarts += 1;
        if !loses {
            self.store.commit(usize::MAX)?;
        }
        let lost = self.store.lose();
        self.counts.lost_steps += lost as u64;
        self.run += 1;
        self.asked.clear();
        self.now = self.now.plus_ms(down_ms);
        // What the world had in store for the time without a supervisor happened meanwhile.
        let meanwhile: Vec<(Mono, u64)> =
            self.queue.range(..(self.now.mono, 0)).map(|(key, _)| *key).collect();
        let meanwhile: Vec<Happening> =
            meanwhile.into_iter().filter_map(|key| self.queue.remove(&key)).collect();
        let site_is_same = true;
        for happening in meanwhile {
            match happening {
                Happening::Turn(Turn::Said { .. } | Turn::Board(_) | Turn::Operator { .. }) => {}
                Happening::Turn(Turn::Reload { .. } | Turn::Restart { .. }) => {}
                Happening::Turn(turn) => self.turn(turn)?,
                Happening::Answer { .. } | Happening::Asked { .. } | Happening::Probe { .. } => {}
                happening => self.after(0, happening),
            }
        }
        let answering = self.answering.iter().filter(|_| !forgets);
        let answering = answering.map(|&at| self.plan.places[at].id.clone()).collect();
        self.engine = Engine::new(Settings { utc_offset_s: UTC_OFFSET_S });
        self.engine.restore(self.store.kept(answering, self.now), self.now);
        let scene = Scene { plan: &self.plan, world: &self.world, now: self.now };
        self.laws.loads(Some(&self.store), scene);
        self.load(site_is_same && lost == 0 && !forgets)
    }

    pub(super) fn load(&mut self, clean: bool) -> Result<(), Broken> {
        let (loaded, site) = self.plan.site();
        self.ix.fill(None);
        for (ix, &at) in loaded.iter().enumerate() {
            self.ix[at] = Some(DeviceIx(ix as u32));
        }
        self.loaded = loaded;
        let heard = Heard::Loaded { clean };
        let scene = Scene { plan: &self.plan, world: &self.world, now: self.now };
        self.laws.hear(&heard, None, true, scene);
        self.engine.load(site, self.now);
        self.drain(&heard)
    }
}
