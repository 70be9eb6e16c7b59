//! The rules of the bus, one by one.

use crate::world::pdu;
use roundsman_core::time::Mono;
use roundsman_rtu::request::Request;
use roundsman_wire::bus::{
    Action, Await, BACK_OFF_MS, Bus, Exchange, Line, Lost, MOST_QUEUED, Opening, Outcome, Port, Rank, Read,
    Reader, Recovery, Step, Ticket, Unit, Unsubmitted,
};
use roundsman_wire::modbus::rtu::{Awaited, Overheard, seal};
use std::sync::Arc;

const READ: Request<'static> = Request::ReadHoldingRegisters { address: 0, quantity: 1 };

/// A bus and its time.
struct Bench {
    bus: Bus,
    now: Mono,
}

impl Bench {
    fn new(line: Line) -> Bench {
        Bench::with(line, Arc::new(Overheard), None)
    }

    fn with(line: Line, listener: Arc<dyn Reader>, opening: Option<Box<dyn Opening>>) -> Bench {
        let mut bench = Bench { bus: Bus::new(line, listener, opening), now: Mono(1_000) };
        bench.bus.handle_port(Port::Open, bench.now);
        bench
    }

    fn submit(&mut self, exchange: Exchange) -> Ticket {
        self.bus.submit(exchange, self.now).unwrap()
    }

    /// Time passes, the bus is woken when it wants to be; gives the request that goes out in that time.
    fn pass(&mut self, ms: u64) -> Option<Vec<u8>> {
        let end = self.now.plus_ms(ms);
        loop {
            if let Some(octets) = self.bus.poll_transmit(self.now) {
                return Some(octets);
            }
            match self.bus.poll_timeout().filter(|due| *due <= end) {
                Some(due) => {
                    self.now = self.now.max(due);
                    self.bus.handle_timeout(self.now);
                }
                None => {
                    self.now = end;
                    return None;
                }
            }
        }
    }

    fn hear(&mut self, ms: u64, octets: &[u8]) {
        assert_eq!(self.pass(ms), None);
        self.bus.handle_octets(octets, self.now);
    }

    fn done(&mut self) -> Option<(Ticket, Outcome)> {
        self.bus.poll_done().map(|done| (done.ticket, done.outcome))
    }
}

fn exchange(unit: u8, request: &Request<'_>) -> Exchange {
    let pdu = pdu(request);
    Exchange {
        unit: Unit(unit.into()),
        rank: Rank::Poll,
        send: seal(unit, &pdu).unwrap(),
        awaits: Await::Answer,
        reader: Arc::new(Awaited::new(unit, &pdu, 0)),
        timeout_ms: 500,
        tries: 1,
        rest_ms: 0,
    }
}

fn answer(unit: u8, value: u8) -> Vec<u8> {
    seal(unit, &[3, 2, 0, value]).unwrap()
}

#[test]
fn an_answer_ends_its_exchange_and_the_gap_follows() {
    let mut bench = Bench::new(Line::serial(9_600));
    let first = bench.submit(exchange(1, &READ));
    let second = bench.submit(exchange(2, &READ));
    assert_eq!(bench.pass(50), Some(seal(1, &pdu(&READ)).unwrap()));
    bench.hear(30, &answer(1, 7)[..3]);
    assert_eq!(bench.done(), None);
    bench.hear(1, &answer(1, 7)[3..]);
    assert_eq!(bench.done(), Some((first, Outcome::Answered(answer(1, 7)))));
    assert_eq!(bench.pass(u64::from(Line::serial(9_600).gap_ms) - 1), None);
    assert_eq!(bench.pass(1), Some(seal(2, &pdu(&READ)).unwrap()));
    assert_eq!(bench.pass(600), None);
    assert_eq!(bench.done(), Some((second, Outcome::Silent)));
}

#[test]
fn commands_go_ahead_of_polls() {
    let mut bench = Bench::new(Line::serial(9_600));
    bench.submit(exchange(1, &READ));
    bench.submit(exchange(2, &READ));
    let command = bench.submit(Exchange { rank: Rank::Command, ..exchange(3, &READ) });
    assert_eq!(bench.pass(50).unwrap()[0], 3);
    bench.hear(30, &answer(3, 0));
    assert_eq!(bench.done().unwrap().0, command);
}

/// Others are asked while a late answer may still come, the unit itself is not; the late answer is nobody's.
#[test]
fn who_owes_an_answer_is_not_asked() {
    let mut bench = Bench::new(Line::serial(9_600));
    let first = bench.submit(exchange(1, &READ));
    let again = bench.submit(exchange(1, &READ));
    assert_eq!(bench.pass(50).unwrap()[0], 1);
    assert_eq!(bench.pass(600), None);
    assert_eq!(bench.done(), Some((first, Outcome::Silent)));
    let other = bench.submit(exchange(2, &READ));
    assert_eq!(bench.pass(200).unwrap()[0], 2, "after the quiet");
    bench.hear(20, &answer(1, 66));
    bench.hear(20, &answer(2, 7));
    assert_eq!(bench.done(), Some((other, Outcome::Answered(answer(2, 7)))));
    assert_eq!(bench.bus.counters().late, 1);
    assert_eq!(bench.bus.poll_event(), None);
    let sent = bench.pass(2_000).unwrap();
    assert_eq!(sent[0], 1);
    assert!(bench.now.since_ms(Mono(1_000)) >= 1_500, "deadline and late_ms");
    bench.hear(30, &answer(1, 8));
    assert_eq!(bench.done(), Some((again, Outcome::Answered(answer(1, 8)))));
}

#[test]
fn a_line_of_nameless_answers_waits_as_a_whole() {
    let mut bench = Bench::new(Line { recovery: Recovery::HoldLine, ..Line::serial(9_600) });
    bench.submit(exchange(1, &READ));
    assert!(bench.pass(50).is_some());
    assert_eq!(bench.pass(600), None);
    bench.submit(exchange(2, &READ));
    assert_eq!(bench.pass(800), None);
    assert!(bench.pass(200).is_some());
}

#[test]
fn over_tcp_an_error_means_another_connection() {
    let mut bench = Bench::new(Line::tcp());
    let ticket = bench.submit(Exchange { tries: 2, ..exchange(1, &READ) });
    assert!(bench.pass(10).is_some());
    assert_eq!(bench.pass(600), None);
    assert_eq!(bench.bus.poll_action(), Some(Action::Reopen));
    bench.hear(5, &answer(1, 66));
    bench.bus.handle_port(Port::Open, bench.now);
    assert!(bench.pass(10).is_some(), "tried again at once");
    bench.hear(5, &answer(1, 7));
    assert_eq!(bench.done(), Some((ticket, Outcome::Answered(answer(1, 7)))));
}

#[test]
fn after_an_error_the_line_must_be_quiet() {
    let mut bench = Bench::new(Line::serial(9_600));
    bench.submit(exchange(1, &READ));
    let second = bench.submit(exchange(2, &READ));
    assert!(bench.pass(50).is_some());
    bench.hear(400, &[0x55; 3]);
    assert_eq!(bench.pass(120), None);
    assert_eq!(bench.done().unwrap().1, Outcome::Damaged);
    for _ in 0..5 {
        bench.hear(80, &[0xaa; 5]);
    }
    assert_eq!(bench.pass(90), None);
    assert_eq!(bench.pass(20).unwrap()[0], 2);
    assert_eq!(bench.bus.counters().noise_octets, 28);
    // A line that never gets quiet is not waited for for ever.
    assert_eq!(bench.pass(511), None);
    assert_eq!(bench.done(), Some((second, Outcome::Silent)));
    bench.submit(exchange(3, &READ));
    let mut waited_ms = 0;
    let sent = loop {
        waited_ms += 50;
        if let Some(sent) = bench.pass(50) {
            break sent;
        }
        bench.bus.handle_octets(&[0xaa; 2], bench.now);
        assert!(waited_ms < 10_000);
    };
    assert_eq!(sent[0], 3);
    assert!(waited_ms <= 3_100);
    assert_eq!(bench.bus.counters().never_quiet, 1);
}

/// The beginning of a cut answer is never completed by what comes later.
#[test]
fn a_frame_is_of_one_piece() {
    let mut bench = Bench::new(Line::serial(9_600));
    let ticket = bench.submit(exchange(1, &READ));
    assert!(bench.pass(50).is_some());
    let whole = answer(1, 9);
    bench.hear(30, &whole[..4]);
    bench.hear(101, &whole[4..]);
    assert_eq!(bench.pass(600), None);
    assert_eq!(bench.done(), Some((ticket, Outcome::Damaged)));
}

#[test]
fn an_echo_is_taken_away_octet_for_octet() {
    let mut bench = Bench::new(Line::serial(9_600));
    let ticket = bench.submit(exchange(1, &READ));
    let sent = bench.pass(50).unwrap();
    bench.hear(5, &sent[..4]);
    bench.hear(5, &sent[4..]);
    bench.hear(20, &answer(1, 9));
    assert_eq!(bench.done(), Some((ticket, Outcome::Answered(answer(1, 9)))));
    assert_eq!(bench.bus.counters().echoes, 1);
    // Nobody there: the echo alone is no answer.
    let ticket = bench.submit(exchange(2, &READ));
    let sent = bench.pass(50).unwrap();
    bench.hear(8, &sent);
    assert_eq!(bench.pass(600), None);
    assert_eq!(bench.done(), Some((ticket, Outcome::Silent)));
}

/// Writing one coil is answered by a copy: one copy proves nothing, two are echo and answer.
#[test]
fn a_copy_proves_nothing() {
    let write = Request::WriteSingleCoil { address: 0, value: true };
    let mut bench = Bench::new(Line::serial(9_600));
    let ticket = bench.submit(exchange(1, &write));
    let sent = bench.pass(50).unwrap();
    bench.hear(20, &sent);
    assert_eq!(bench.pass(600), None);
    assert_eq!(bench.done(), Some((ticket, Outcome::Copied)));
    let ticket = bench.submit(exchange(2, &write));
    let sent = bench.pass(2_000).unwrap();
    bench.hear(8, &sent);
    bench.hear(30, &sent);
    assert_eq!(bench.done(), Some((ticket, Outcome::Answered(sent))));
    // Where a person says that there is no echo, one copy is the answer.
    let mut bench = Bench::new(Line { echo: roundsman_wire::bus::Echo::Never, ..Line::serial(9_600) });
    let ticket = bench.submit(exchange(1, &write));
    let sent = bench.pass(50).unwrap();
    bench.hear(20, &sent);
    assert_eq!(bench.done(), Some((ticket, Outcome::Answered(sent))));
}

#[test]
fn a_line_that_must_echo_and_does_not_is_broken() {
    let mut bench = Bench::new(Line { echo: roundsman_wire::bus::Echo::Always, ..Line::serial(9_600) });
    let ticket = bench.submit(exchange(1, &READ));
    assert!(bench.pass(50).is_some());
    bench.hear(30, &answer(1, 9));
    assert_eq!(bench.done(), Some((ticket, Outcome::Silent)));
    let write = Request::WriteSingleCoil { address: 0, value: true };
    let ticket = bench.submit(exchange(2, &write));
    let sent = bench.pass(2_000).unwrap();
    bench.hear(10, &sent);
    assert_eq!(bench.pass(600), None);
    assert!(matches!(bench.done(), Some((done, Outcome::Damaged)) if done == ticket), "the echo alone");
}

#[test]
fn a_broadcast_awaits_nobody() {
    let write = Request::WriteSingleCoil { address: 0, value: true };
    let mut bench = Bench::new(Line::serial(9_600));
    let ticket = bench.submit(Exchange { awaits: Await::Nothing, ..exchange(0, &write) });
    bench.submit(exchange(1, &READ));
    assert!(bench.pass(50).is_some());
    assert_eq!(bench.pass(150), None);
    assert_eq!(bench.pass(50).unwrap()[0], 1);
    assert_eq!(bench.done(), Some((ticket, Outcome::Sent)));
}

#[test]
fn silence_may_be_an_answer() {
    let mut bench = Bench::new(Line::serial(9_600));
    let ticket = bench.submit(Exchange { awaits: Await::Perhaps, ..exchange(1, &READ) });
    assert!(bench.pass(50).is_some());
    assert_eq!(bench.pass(600), None);
    assert_eq!(bench.done(), Some((ticket, Outcome::Sent)));
}

#[test]
fn a_unit_rests_after_a_command() {
    let mut bench = Bench::new(Line::serial(9_600));
    bench.submit(Exchange { rest_ms: 15_000, ..exchange(1, &READ) });
    assert!(bench.pass(50).is_some());
    bench.hear(30, &answer(1, 0));
    bench.submit(exchange(1, &READ));
    bench.submit(exchange(2, &READ));
    assert_eq!(bench.pass(50).unwrap()[0], 2);
    bench.hear(30, &answer(2, 0));
    assert_eq!(bench.pass(14_000), None);
    assert_eq!(bench.pass(1_000).unwrap()[0], 1);
}

#[test]
fn a_silent_unit_is_looked_for_now_and_then() {
    let mut bench = Bench::new(Line::serial(9_600));
    for _ in 0..3 {
        bench.submit(exchange(1, &READ));
        assert!(bench.pass(5_000).is_some());
        assert_eq!(bench.pass(600), None);
        assert_eq!(bench.done().unwrap().1, Outcome::Silent);
    }
    let ticket = bench.submit(exchange(1, &READ));
    assert_eq!(bench.done(), Some((ticket, Outcome::Skipped)), "at once");
    // A person's command is tried nevertheless.
    bench.submit(Exchange { rank: Rank::Command, ..exchange(1, &READ) });
    assert!(bench.pass(2_000).is_some());
    assert_eq!(bench.pass(600), None);
    assert_eq!(bench.done().unwrap().1, Outcome::Silent);
    assert_eq!(bench.pass(2 * BACK_OFF_MS), None);
    let ticket = bench.submit(exchange(1, &READ));
    assert!(bench.pass(50).is_some());
    bench.hear(30, &answer(1, 0));
    assert_eq!(bench.done(), Some((ticket, Outcome::Answered(answer(1, 0)))));
    bench.submit(exchange(1, &READ));
    assert!(bench.pass(50).is_some(), "it is back");
}

#[test]
fn a_vanished_port_ends_everything_and_its_return_resumes() {
    let mut bench = Bench::new(Line::serial(9_600));
    let first = bench.submit(exchange(1, &READ));
    let second = bench.submit(exchange(2, &READ));
    assert!(bench.pass(50).is_some());
    bench.bus.handle_port(Port::Gone(Lost::Unplugged), bench.now);
    assert_eq!(bench.done(), Some((first, Outcome::Gone(Lost::Unplugged))));
    assert_eq!(bench.done(), Some((second, Outcome::Gone(Lost::Unplugged))));
    let third = bench.submit(exchange(2, &READ));
    assert_eq!(bench.bus.poll_action(), Some(Action::Open));
    bench.bus.handle_port(Port::Gone(Lost::Refused), bench.now);
    assert_eq!(bench.done(), Some((third, Outcome::Gone(Lost::Refused))));
    let fourth = bench.submit(exchange(2, &READ));
    assert_eq!(bench.bus.poll_action(), Some(Action::Open));
    bench.bus.handle_port(Port::Open, bench.now);
    assert_eq!(bench.pass(50).unwrap()[0], 2);
    bench.hear(30, &answer(2, 1));
    assert_eq!(bench.done(), Some((fourth, Outcome::Answered(answer(2, 1)))));
}

#[test]
fn nobody_opens_the_port() {
    let mut bench = Bench::new(Line::tcp());
    bench.bus.handle_port(Port::Gone(Lost::Closed), bench.now);
    assert_eq!(bench.bus.poll_action(), None, "closed in peace, and nothing waits");
    let ticket = bench.submit(exchange(1, &READ));
    assert_eq!(bench.bus.poll_action(), Some(Action::Open));
    assert_eq!(bench.pass(6_000), None);
    assert_eq!(bench.done(), Some((ticket, Outcome::Gone(Lost::Closed))));
}

/// The other end closed just when it was asked: that was no try.
#[test]
fn a_connection_closed_in_peace_costs_no_try() {
    let mut bench = Bench::new(Line::tcp());
    let ticket = bench.submit(exchange(1, &READ));
    assert!(bench.pass(50).is_some());
    bench.bus.handle_port(Port::Gone(Lost::Closed), bench.now);
    assert_eq!(bench.bus.poll_action(), Some(Action::Open));
    bench.bus.handle_port(Port::Open, bench.now);
    assert!(bench.pass(50).is_some());
    bench.hear(30, &answer(1, 1));
    assert_eq!(bench.done(), Some((ticket, Outcome::Answered(answer(1, 1)))));
}

#[test]
fn a_mute_port_is_made_anew() {
    let mut bench = Bench::new(Line::serial(9_600));
    let mut reopened = false;
    for unit in 1..=9 {
        bench.submit(exchange(unit, &READ));
        bench.pass(300);
        bench.pass(600);
        reopened |= bench.bus.poll_action() == Some(Action::Reopen);
    }
    assert!(reopened);
    assert_eq!(bench.bus.counters().reopened, 1);
}

#[test]
fn the_queue_is_bounded() {
    let mut bench = Bench::new(Line::serial(9_600));
    for _ in 0..MOST_QUEUED {
        bench.submit(exchange(1, &READ));
    }
    assert_eq!(bench.bus.submit(exchange(1, &READ), bench.now), Err(Unsubmitted::Full(MOST_QUEUED)));
    let long = Exchange { send: vec![0; 2_000], ..exchange(1, &READ) };
    assert_eq!(bench.bus.submit(long, bench.now), Err(Unsubmitted::Long(2_000)));
    // Noise without end is bounded as well, and so are events.
    for _ in 0..1_000 {
        bench.bus.handle_octets(&[[0u8; 900].as_slice(), &answer(9, 1)].concat(), bench.now);
    }
    let counters = bench.bus.counters();
    assert!(counters.events_dropped > 0 && counters.noise_octets > 100_000, "{counters:?}");
}

#[test]
fn a_cancelled_exchange_tells_nobody_and_harms_nobody() {
    let mut bench = Bench::new(Line::serial(9_600));
    let first = bench.submit(exchange(1, &READ));
    let second = bench.submit(exchange(1, &READ));
    let third = bench.submit(exchange(1, &READ));
    assert!(bench.pass(50).is_some());
    bench.bus.cancel(first);
    bench.bus.cancel(second);
    bench.hear(30, &answer(1, 1));
    assert_eq!(bench.done(), None);
    assert!(bench.pass(50).is_some());
    bench.hear(30, &answer(1, 2));
    assert_eq!(bench.done(), Some((third, Outcome::Answered(answer(1, 2)))));
}

#[test]
fn what_nobody_asked_for_is_an_event() {
    let mut bench = Bench::new(Line::serial(9_600));
    bench.hear(10, &answer(5, 5));
    assert_eq!(bench.bus.poll_event(), Some(answer(5, 5)));
    bench.submit(exchange(1, &READ));
    assert!(bench.pass(50).is_some());
    bench.hear(30, &[answer(6, 6), answer(1, 1)].concat());
    assert_eq!(bench.done().unwrap().1, Outcome::Answered(answer(1, 1)));
    assert_eq!(bench.bus.poll_event(), Some(answer(6, 6)));
    assert_eq!(bench.bus.counters().foreign, 2);
}

/// Greets, is asked for a word, lets in.
#[derive(Debug, Default)]
struct Doorman {
    is_asked: bool,
}

impl Opening for Doorman {
    fn begin(&mut self) -> Step {
        self.is_asked = false;
        Step::More
    }

    fn read(&mut self, octets: &[u8]) -> Step {
        match octets {
            b"who?" if !self.is_asked => {
                self.is_asked = true;
                Step::Say { taken: 4, send: b"me".to_vec() }
            }
            b"in" => Step::Open { taken: 2 },
            b"no" => Step::Denied,
            _ => Step::More,
        }
    }

    fn preamble(&mut self) -> Vec<u8> {
        b"!".to_vec()
    }
}

/// One octet is an answer, all else is noise.
#[derive(Debug)]
struct Octet;

impl Reader for Octet {
    fn read(&self, octets: &[u8]) -> Read {
        if octets[0] == b'+' { Read::Answer(1) } else { Read::Noise(1) }
    }
}

fn said(text: &[u8]) -> Exchange {
    Exchange {
        unit: Unit(0),
        rank: Rank::Poll,
        send: text.to_vec(),
        awaits: Await::Answer,
        reader: Arc::new(Octet),
        timeout_ms: 500,
        tries: 1,
        rest_ms: 0,
    }
}

#[test]
fn the_dialogue_comes_before_the_first_request() {
    let mut bench = Bench::with(Line::tcp(), Arc::new(Octet), Some(Box::new(Doorman::default())));
    let ticket = bench.submit(said(b"x"));
    assert_eq!(bench.pass(50), None);
    bench.hear(1, b"wh");
    bench.hear(1, b"o?");
    assert_eq!(bench.pass(1), Some(b"me".to_vec()));
    bench.hear(1, b"in");
    assert_eq!(bench.pass(1), Some(b"!x".to_vec()));
    bench.hear(1, b"+");
    assert_eq!(bench.done(), Some((ticket, Outcome::Answered(b"+".to_vec()))));
    bench.submit(said(b"y"));
    assert_eq!(bench.pass(1), Some(b"y".to_vec()), "the preamble comes once");
}

#[test]
fn refused_credentials_are_not_tried_again_and_again() {
    let mut bench = Bench::with(Line::tcp(), Arc::new(Octet), Some(Box::new(Doorman::default())));
    let ticket = bench.submit(said(b"x"));
    bench.hear(1, b"no");
    assert_eq!(bench.done(), Some((ticket, Outcome::Gone(Lost::Denied))));
    assert_eq!(bench.bus.poll_action(), Some(Action::Close));
    bench.bus.handle_port(Port::Gone(Lost::Closed), bench.now);
    let ticket = bench.submit(said(b"x"));
    assert_eq!(bench.done(), Some((ticket, Outcome::Gone(Lost::Denied))));
    assert_eq!(bench.bus.poll_action(), None);
    bench.pass(60_001);
    bench.submit(said(b"x"));
    assert_eq!(bench.bus.poll_action(), Some(Action::Open));
    // Nobody says anything: that is a port which brings nothing.
    bench.bus.handle_port(Port::Open, bench.now);
    assert_eq!(bench.pass(6_000), None);
    assert_eq!(bench.done().unwrap().1, Outcome::Gone(Lost::HalfOpen));
    assert_eq!(bench.bus.poll_action(), Some(Action::Close));
}
