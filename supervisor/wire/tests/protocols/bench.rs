//! A session, its time, and a peer at the other end of the line.

use roundsman_core::fault::Generation;
use roundsman_core::reading::Absence;
use roundsman_core::time::Mono;
use roundsman_wire::bus::answer::Answer;
use roundsman_wire::bus::order::{Order, Ordered};
use roundsman_wire::bus::plan::{Plan, Target};
use roundsman_wire::bus::session::{Ask, Session};
use roundsman_wire::bus::{Action, Line, Opening, Port, Rank};
use roundsman_wire::field::Raw;
use std::sync::Arc;

/// What the peer says to a request; nothing is silence.
pub(crate) type Peer<'a> = dyn FnMut(&[u8]) -> Vec<u8> + 'a;

pub(crate) struct Bench {
    pub(crate) session: Session,
    pub(crate) now: Mono,
    pub(crate) plan: Arc<Plan>,
    /// Every request that went out.
    pub(crate) sent: Vec<Vec<u8>>,
    /// What the peer says when the port is opened.
    pub(crate) banner: Vec<u8>,
    pub(crate) opened: usize,
}

impl Bench {
    pub(crate) fn new(line: Line, plan: Plan, opening: Option<Box<dyn Opening>>) -> Bench {
        let session = Session::new(line, plan.listener(), opening);
        let now = Mono(1_000);
        Bench { session, now, plan: Arc::new(plan), sent: Vec::new(), banner: Vec::new(), opened: 0 }
    }

    pub(crate) fn serial(plan: Plan) -> Bench {
        let mut bench = Bench::new(Line::serial(9_600), plan, None);
        bench.open();
        bench
    }

    pub(crate) fn open(&mut self) {
        self.opened += 1;
        self.session.handle_port(Port::Open, self.now);
        if !self.banner.is_empty() {
            let banner = self.banner.clone();
            self.session.handle_octets(&banner, self.now.plus_ms(5));
        }
    }

    /// Runs until `over`; a minute of virtual time at most.
    fn run(&mut self, peer: &mut Peer<'_>, over: &mut dyn FnMut(&mut Session) -> bool) {
        let end = self.now.plus_ms(60_000);
        let mut coming: Option<(Mono, Vec<u8>)> = None;
        while !over(&mut self.session) {
            assert!(self.now < end, "it takes too long: {:?}", self.session);
            if let Some(octets) = self.session.poll_transmit(self.now) {
                let answer = peer(&octets);
                let due = self.now.plus_ms(20 + 2 * (octets.len() + answer.len()) as u64);
                self.sent.push(octets);
                coming = Some((due, answer)).filter(|(_, answer)| !answer.is_empty());
                continue;
            }
            match self.session.poll_action() {
                Some(Action::Open | Action::Reopen) => {
                    coming = None;
                    self.open();
                    continue;
                }
                Some(Action::Close) | None => {}
            }
            let timeout = self.session.poll_timeout();
            match coming.take() {
                Some((due, octets)) if timeout.is_none_or(|timeout| due <= timeout) => {
                    self.now = due;
                    self.session.handle_octets(&octets, self.now);
                }
                other => {
                    coming = other;
                    self.now = self.now.max(timeout.unwrap_or(end));
                    self.session.handle_timeout(self.now);
                }
            }
        }
    }

    pub(crate) fn poll_wanted(
        &mut self,
        target: &Target,
        wanted: Option<&[usize]>,
        peer: &mut Peer<'_>,
    ) -> Answer {
        let ask = Ask {
            plan: Arc::clone(&self.plan),
            target: Arc::new(target.clone()),
            rank: Rank::Poll,
            wanted: wanted.map(Arc::from),
        };
        self.session.start(7, Generation(3), ask, self.now).unwrap();
        let mut finished = None;
        self.run(peer, &mut |session| {
            finished = finished.take().or_else(|| session.poll_finished());
            finished.is_some()
        });
        let finished = finished.unwrap();
        assert_eq!((finished.key, finished.generation), (7, Generation(3)));
        finished.answer
    }

    pub(crate) fn poll(&mut self, target: &Target, peer: &mut Peer<'_>) -> Answer {
        self.poll_wanted(target, None, peer)
    }

    pub(crate) fn order(&mut self, order: &Order, peer: &mut Peer<'_>) -> Ordered {
        self.session.order(99, order, self.now).unwrap();
        let mut ordered = None;
        self.run(peer, &mut |session| {
            ordered = ordered.take().or_else(|| session.poll_ordered());
            ordered.is_some()
        });
        ordered.unwrap()
    }
}

/// Octets of hexadecimal digits, blanks between them as one likes.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let digits: String = digits.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn unsigned(number: u64) -> Result<Raw, Absence> {
    Ok(Raw::Unsigned(number))
}

pub(crate) fn text(text: &str) -> Result<Raw, Absence> {
    Ok(Raw::Octets(text.as_bytes().into()))
}

/// A peer that answers what is written down, and nothing else.
pub(crate) fn script<'a>(lines: &'a [(&'a str, &'a str)]) -> impl FnMut(&[u8]) -> Vec<u8> + 'a {
    move |request| {
        let found = lines.iter().find(|(tx, _)| hex(tx) == request);
        found.map_or(Vec::new(), |(_, rx)| hex(rx))
    }
}
