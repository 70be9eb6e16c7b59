//! Fuzzes decoder and session with mutated replies for five seconds; `ROUNDSMAN_FUZZ_SECONDS` lengthens it.
//!
//! The corpus (`tests/fuzz/corpus/snmp/`) holds replies of Debian's snmpd and of the agent in memory, and inputs
//! that once found something (`found-*`). A mutated reply gets the outstanding request's id most of the time, so that
//! it passes the id check and reaches the variable bindings. `ROUNDSMAN_FUZZ_SEED` repeats a run.

mod agent;
mod mutate;

use agent::{Dice, take, tlv};
use mutate::{FuzzClock, number};
use roundsman_core::fault::Generation;
use roundsman_core::time::Mono;
use roundsman_wire::snmp::answer::Answer;
use roundsman_wire::snmp::decode::Reply;
use roundsman_wire::snmp::oid::Oid;
use roundsman_wire::snmp::plan::{Object, Plan, Table};
use roundsman_wire::snmp::session::{MOST_REQUESTS, Session, Target};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

fn corpus() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/snmp");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let inputs: Vec<Vec<u8>> = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
        .map(|path| std::fs::read(path).expect("a corpus file"))
        .collect();
    assert!(inputs.len() >= 10, "the corpus is small: {} inputs", inputs.len());
    inputs
}

/// Scalars and columns that the corpus answers, with fallbacks, so that all paths are walked.
fn plan() -> Arc<Plan> {
    let object = |texts: &[&str]| Object {
        oids: texts.iter().map(|text| text.parse::<Oid>().expect("an identifier")).collect(),
    };
    let scalars = (1..=7).map(|n| object(&[&format!("1.3.6.1.2.1.1.{n}.0")]));
    Arc::new(Plan {
        scalars: scalars.chain([object(&["1.3.6.1.2.1.2.1.0", "1.3.6.1.2.1.1.7.0"])]).collect(),
        tables: vec![
            Table {
                columns: [2, 7, 8, 10, 13]
                    .iter()
                    .map(|n| object(&[&format!("1.3.6.1.2.1.2.2.1.{n}")]))
                    .chain([object(&["1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.2.2.1.10"])])
                    .collect(),
                steady: vec![0],
                signal: Some(2),
            },
            Table {
                columns: vec![object(&["1.3.6.1.2.1.1.9.1.2"]), object(&["1.3.6.1.2.1.1.9.1.3"])],
                ..Table::default()
            },
        ],
        steady: vec![0, 4],
    })
}

/// Where the request id lies in a v1 or v2c message: start and length of its octets.
fn id_at(message: &[u8]) -> Option<(usize, usize)> {
    let header = |at: usize| -> Option<usize> {
        let first = *message.get(at + 1)?;
        Some(at + 2 + if first < 0x80 { 0 } else { usize::from(first & 0x7f) })
    };
    let version = header(0)?;
    let community = header(version)? + usize::from(*message.get(version + 1)?);
    let pdu = header(community)? + usize::from(*message.get(community + 1)?);
    let id = header(pdu)?;
    let len = usize::from(*message.get(id + 1)?);
    (*message.get(id)? == 2 && id + 2 + len <= message.len()).then_some((id + 2, len))
}

/// The reply with another request id, lengths put right; `None` where it is too broken for that.
fn with_id(reply: &[u8], id: &[u8]) -> Option<Vec<u8>> {
    let (at, len) = id_at(reply)?;
    if len == id.len() {
        let mut patched = reply.to_vec();
        patched[at..at + len].copy_from_slice(id);
        return Some(patched);
    }
    let parsed = Reply::parse(reply).ok()?;
    let mut pdu = tlv(0x02, id);
    pdu.extend_from_slice(&reply[at + len..]);
    let mut message = vec![2, 1, parsed.version.number()];
    message.extend(tlv(0x04, parsed.community));
    message.extend(tlv(0xa2, &pdu));
    Some(tlv(0x30, &message))
}

/// Tag and content of name and value.
type Bind = [(u8, Vec<u8>); 2];

/// The variable bindings of a reply, apart; empty where it is too broken for that.
fn binds(reply: &[u8]) -> Vec<Bind> {
    let inner = || {
        let mut message = take(&mut &*reply)?.1;
        take(&mut message)?;
        take(&mut message)?;
        let mut pdu = take(&mut message)?.1;
        for _ in 0..3 {
            take(&mut pdu)?;
        }
        let mut list = take(&mut pdu)?.1;
        let mut all = Vec::new();
        while let Some((_, mut pair)) = take(&mut list) {
            let (name, value) = (take(&mut pair)?, take(&mut pair)?);
            all.push([(name.0, name.1.to_vec()), (value.0, value.1.to_vec())]);
        }
        Some(all)
    };
    inner().unwrap_or_default()
}

/// Changes what a reply says, with its frame kept sound: bindings dropped, doubled, moved, taken from another reply;
/// names, values and their tags changed; now and then an error status.
fn rewrite(input: &[u8], other: &[u8], id: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut all = binds(input);
    let others = binds(other);
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(all.len().max(1) as u64) as usize;
        let picked = others.get(dice.roll(others.len().max(1) as u64) as usize);
        let part = dice.roll(2) as usize;
        match (dice.roll(8), all.get_mut(at)) {
            (0, Some(_)) => drop(all.remove(at)),
            (1, Some(bind)) => {
                let double = bind.clone();
                all.insert(at, double);
            }
            (2, Some(_)) => {
                let to = dice.roll(all.len() as u64) as usize;
                all.swap(at, to);
            }
            (3, _) => all.extend(picked.cloned()),
            (4, Some(bind)) => {
                bind[1].0 = [0x02, 0x04, 0x06, 0x41, 0x46, 0x80, 0x81, 0x82][dice.roll(8) as usize]
            }
            (5, Some(bind)) => bind[part].1.push(dice.roll(256) as u8),
            (6, Some(bind)) => drop(bind[part].1.pop()),
            (_, Some(bind)) => {
                let len = bind[part].1.len().max(1) as u64;
                if let Some(octet) = bind[part].1.get_mut(dice.roll(len) as usize) {
                    *octet = dice.roll(256) as u8;
                }
            }
            (_, None) => {}
        }
    }
    let list: Vec<u8> = all
        .iter()
        .flat_map(|bind| {
            tlv(0x30, &bind.iter().flat_map(|(tag, content)| tlv(*tag, content)).collect::<Vec<u8>>())
        })
        .collect();
    let mut pdu = tlv(0x02, id);
    let status = if dice.roll(10) == 0 { dice.roll(20) as u8 } else { 0 };
    pdu.extend([2, 1, status, 2, 1, dice.roll(12) as u8]);
    pdu.extend(tlv(0x30, &list));
    let mut message = vec![2, 1, 1];
    message.extend(tlv(0x04, b"public"));
    message.extend(tlv(0xa2, &pdu));
    tlv(0x30, &message)
}

fn mutate(input: &mut Vec<u8>, dice: &mut Dice) {
    // The header is spared more often than not: behind it lies what is worth reaching.
    let header = if dice.roll(4) > 0 { 40 } else { 0 };
    for _ in 0..=dice.roll(4) {
        let len = input.len() as u64;
        if len <= header + 1 {
            return;
        }
        let at = (header + dice.roll(len - header)) as usize;
        match dice.roll(8) {
            0 => input[at] ^= 1 << dice.roll(8),
            1 => input[at] = dice.roll(256) as u8,
            2 => input[at] = [0, 0x7f, 0x80, 0x81, 0x84, 0xff, 0x30, 0x06][dice.roll(8) as usize],
            3 => input.truncate(at),
            4 => input.insert(at, dice.roll(256) as u8),
            5 => {
                input.remove(at);
            }
            6 => {
                let from = dice.roll(len) as usize;
                let piece: Vec<u8> = input[from..].iter().take(dice.roll(40) as usize).copied().collect();
                input.splice(at..at, piece);
            }
            _ => {
                let end = (at + dice.roll(16) as usize).min(input.len());
                input[at..end].reverse();
            }
        }
    }
    input.truncate(60_000);
}

#[derive(Debug, Default)]
struct Tally {
    inputs: u64,
    decoded: u64,
    accepted: u64,
    varbinds: u64,
    polls: u64,
}

struct Harness {
    session: Session,
    target: Target,
    plan: Arc<Plan>,
    now: Mono,
    tally: Tally,
    answer: Answer,
    scratch: Vec<u32>,
}

impl Harness {
    fn new() -> Harness {
        let address = "192.0.2.1:161".parse().expect("an address");
        Harness {
            session: Session::new(3),
            target: Target::new(address, b"public"),
            plan: plan(),
            now: Mono(0),
            tally: Tally::default(),
            answer: Answer::default(),
            scratch: Vec::new(),
        }
    }

    /// One input, as the answer to whatever is asked at the moment.
    fn feed(&mut self, corpus: &[Vec<u8>], dice: &mut Dice) {
        let request = loop {
            if let Some(transmit) = self.session.poll_transmit() {
                break transmit.bytes;
            }
            while let Some(finished) = self.session.poll_finished() {
                assert!(finished.answer.cost.requests <= MOST_REQUESTS);
                self.tally.polls += 1;
            }
            match self.session.poll_timeout() {
                Some(due) => {
                    self.now = self.now.max(due);
                    self.session.handle_timeout(self.now);
                }
                None => {
                    if dice.roll(20) == 0 {
                        self.session.forget(1);
                    }
                    let plan = Arc::clone(&self.plan);
                    let started = self.session.start(1, Generation(0), &self.target, plan, self.now);
                    assert_eq!(started, Ok(()));
                }
            }
        };
        let (at, len) = id_at(&request).expect("the session's own request");
        let id = request[at..at + len].to_vec();
        // Several answers to one request: the first that is taken moves the session on.
        for _ in 0..=dice.roll(3) {
            let mut input = corpus[dice.roll(corpus.len() as u64) as usize].clone();
            if dice.roll(10) > 0
                && let Some(patched) = with_id(&input, &id)
            {
                input = patched;
            }
            if dice.roll(2) == 0 {
                let other = &corpus[dice.roll(corpus.len() as u64) as usize];
                input = rewrite(&input, other, &id, dice);
            } else if dice.roll(20) > 0 {
                mutate(&mut input, dice);
            }
            self.offer(&input);
        }
    }

    fn offer(&mut self, input: &[u8]) {
        self.tally.inputs += 1;
        if let Ok(reply) = Reply::parse(input) {
            self.tally.decoded += u64::from(reply.count > 0);
            for bind in reply.varbinds() {
                self.tally.varbinds += 1;
                bind.place(&self.plan.scalars[0].oids[0], &mut self.scratch);
                bind.read_value(&mut self.answer, &mut self.scratch);
            }
            self.answer = Answer::default();
        }
        let before = self.session.counters().accepted;
        self.session.handle_datagram(self.target.address, input, self.now);
        self.tally.accepted += self.session.counters().accepted - before;
        assert!(self.session.outstanding() <= 1);
    }
}

#[test]
fn mutated_replies_never_panic() {
    let corpus = corpus();
    let seconds = number("ROUNDSMAN_FUZZ_SECONDS", 5);
    let seed = number("ROUNDSMAN_FUZZ_SEED", u64::from(std::process::id()) << 20 | 1);
    let mut dice = Dice(seed);
    let mut harness = Harness::new();
    for input in &corpus {
        harness.offer(input);
    }
    let clock = FuzzClock::start(Duration::from_secs(seconds));
    while !clock.is_over() {
        for _ in 0..100 {
            harness.feed(&corpus, &mut dice);
        }
    }
    let tally = &harness.tally;
    let share = |part: u64| part as f64 * 100.0 / tally.inputs as f64;
    eprintln!(
        "snmp fuzz, {seconds} s, seed {seed}: {} inputs, {:.1} % reached varbind decoding, {:.1} % were taken as the \
         answer, {} varbinds, {} polls",
        tally.inputs,
        share(tally.decoded),
        share(tally.accepted),
        tally.varbinds,
        tally.polls,
    );
    assert!(share(tally.decoded) >= 30.0, "{tally:?}");
    assert!(tally.polls > 0, "{tally:?}");
}
