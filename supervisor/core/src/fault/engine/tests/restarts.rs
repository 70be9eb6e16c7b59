//! What a restart or a reload keeps, and random lives.

use super::*;

/// A new engine that takes over what the first one committed.
pub(super) fn restart(rig: &mut Rig) {
    let mut faults: BTreeMap<FaultId, Fault> = BTreeMap::new();
    for transition in &rig.heard {
        faults.insert(transition.fault.id, transition.fault.clone());
    }
    let next_transition = rig.heard.last().map_or(1, |t| t.id + 1);
    let kept =
        Kept { faults: faults.into_values().collect(), next_fault: 0, next_transition, ..Kept::default() };
    rig.engine = Engine::new(Settings::default());
    rig.engine.restore(kept, rig.now);
    rig.asks.clear();
}

#[test]
fn a_restart_keeps_what_is_open_and_withdraws_what_left_the_site() {
    let mut rig = Rig::new();
    rig.minutes(&World { oper: Some("down"), ..hot(68.0) }, 3);
    assert_eq!(rig.open().len(), 2);
    restart(&mut rig);
    rig.engine.load(vec![SiteDevice { device: device("rt"), model: Arc::new(model()) }], rig.now);
    assert!(rig.engine.faults().all(|fault| fault.stale), "not seen since");
    rig.minutes(&World { oper: Some("down"), ..hot(68.0) }, 1);
    assert_eq!(rig.story(), ["uplink-down raised", "hot raised"], "nothing raised twice");
    rig.minutes(&World::default(), 2);
    assert_eq!(rig.open(), Vec::<String>::new());

    rig.minutes(&World { polls: false, reach: false, ..World::default() }, 1);
    restart(&mut rig);
    rig.engine.load(vec![SiteDevice { device: device("rt"), model: Arc::new(model()) }], rig.now);
    rig.minutes(&World::default(), 1);
    assert_eq!(rig.open(), Vec::<String>::new(), "a restored `unreachable` clears like any other");

    rig.minutes(&hot(80.0), 2);
    restart(&mut rig);
    rig.engine.load(vec![SiteDevice { device: device("another"), model: Arc::new(model()) }], rig.now);
    rig.drain();
    assert_eq!(rig.heard.last().map(|t| t.fault.ending), Some(Some(Ending::Withdrawn)));
}

#[test]
fn a_reload_keeps_faults_and_withdraws_those_of_a_removed_rule() {
    let mut rig = Rig::new();
    rig.minutes(&World { oper: Some("down"), ..hot(80.0) }, 3);
    let mut smaller = model();
    smaller.rules.remove(0);
    rig.engine.load(vec![SiteDevice { device: device("rt"), model: Arc::new(smaller) }], rig.now);
    rig.drain();
    assert_eq!(rig.open(), ["uplink-down[GE0/1]:critical"]);
    rig.asks.clear();
    rig.minutes(&World::default(), 3);
    assert_eq!(rig.story().len(), 4, "two raised, one withdrawn, one ended: {:?}", rig.story());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Any sequence of worlds, restarts and reloads: no key open twice, numbers of transitions without gaps, every
    /// fault's story well formed, none without evidence.
    #[test]
    fn invariants(steps in proptest::collection::vec((0u8..9, 1u32..4), 1..40)) {
        let mut rig = Rig::new();
        let mut seen_hot = false;
        for (kind, minutes) in steps {
            let world = match kind {
                0 => World { polls: false, reach: false, ..World::default() },
                1 => World { polls: false, ..World::default() },
                2 => World { mute: true, ..World::default() },
                3 => hot(68.0),
                4 => World { oper: Some("down"), ..hot(95.0) },
                5 => World { oper: None, complete: minutes > 1, ..World::default() },
                6 => World { temperature: Err(Absence::Malformed), serial: "B", ..World::default() },
                7 => {
                    restart(&mut rig);
                    let site = SiteDevice { device: device("rt"), model: Arc::new(model()) };
                    rig.engine.load(vec![site], rig.now);
                    rig.drain();
                    World::default()
                }
                _ => World::default(),
            };
            seen_hot |= matches!(kind, 3 | 4);
            rig.minutes(&world, minutes);
        }
        let mut open: BTreeSet<FaultKey> = BTreeSet::new();
        for (at, transition) in rig.heard.iter().enumerate() {
            prop_assert_eq!(transition.id, at as u64 + 1);
            let key = transition.fault.key.clone();
            match transition.change {
                Change::Raised => prop_assert!(open.insert(key), "raised twice"),
                Change::Reopened => { open.insert(key); }
                Change::Ended => prop_assert!(open.remove(&key), "ended, never open"),
                _ => prop_assert!(open.contains(&key), "{:?} while not open", transition.change),
            }
            prop_assert!(transition.fault.first_bad <= transition.fault.confirmed);
            prop_assert!(seen_hot || &*transition.fault.key.rule != "hot", "hot without evidence");
        }
        let now_open: BTreeSet<FaultKey> = rig.engine.faults().map(|fault| fault.key.clone()).collect();
        prop_assert_eq!(open, now_open, "what was said is what stands");
    }

    /// With one reply in five lost and three tries a request, the first GET of a poll stays silent in 0.8 % of
    /// the polls, and one reach probe in five: never a false fault.
    #[test]
    fn loss_raises_nothing(seed: u64) {
        let mut rig = Rig::new();
        let mut state = seed | 1;
        let mut lost = |percent: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 20) % 1000 < percent
        };
        let mut queue: VecDeque<World> = VecDeque::new();
        for _ in 0..400 {
            queue.push_back(World { polls: !lost(8), reach: !lost(200), ..World::default() });
        }
        while let Some(world) = queue.pop_front() {
            rig.poll(&world);
            let next = rig.now.plus_ms(5_000);
            while let Some(at) = rig.asks.iter().map(|ask| ask.at).min().filter(|at| *at < next.mono) {
                let world = World { polls: !lost(8), reach: !lost(200), ..World::default() };
                rig.answer_asks(&world, at);
            }
            rig.now = next;
        }
        prop_assert_eq!(rig.story(), Vec::<String>::new());
    }
}
