//! A probe on a bench: flash in memory, time by hand, a master that writes and reads frames.
#![allow(dead_code, unreachable_pub, reason = "each test takes what it needs")]

use roundsman_probe::config::{Flash, FlashFault, SLOT};
use roundsman_probe::contact::MAINS;
use roundsman_probe::filter::Reading;
use roundsman_probe::probe::{Identity, Outputs, Probe};
use roundsman_probe::slave::Slave;
use roundsman_registers::{CHANNELS, ResetCause};
use roundsman_rtu::frame::{open, write_request};
use roundsman_rtu::request::Request;
use roundsman_rtu::values::Words;
use roundsman_rtu::{MOST_FRAME, MOST_PDU};

/// Flash in memory whose power may be cut after so many octets erased or written.
#[derive(Clone, Debug)]
pub struct Memory {
    pub slots: [[u8; SLOT]; 2],
    pub power: usize,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory { slots: [[0xff; SLOT]; 2], power: usize::MAX }
    }
}

impl Memory {
    fn put(&mut self, slot: usize, at: usize, octet: u8) -> Result<(), FlashFault> {
        self.power = self.power.checked_sub(1).ok_or(FlashFault)?;
        self.slots[slot][at] = octet;
        Ok(())
    }
}

impl Flash for Memory {
    fn read(&mut self, slot: usize, out: &mut [u8; SLOT]) -> Result<(), FlashFault> {
        *out = self.slots[slot];
        Ok(())
    }

    fn erase(&mut self, slot: usize) -> Result<(), FlashFault> {
        (0..SLOT).try_for_each(|at| self.put(slot, at, 0xff))
    }

    fn write(&mut self, slot: usize, octets: &[u8; SLOT]) -> Result<(), FlashFault> {
        (0..SLOT).try_for_each(|at| self.put(slot, at, octets[at]))
    }
}

pub const IDENTITY: Identity =
    Identity { board: 2, serial: 0x0001_e240, reset: ResetCause::PowerOn, watchdog: true };

/// What good sensors say: every channel inside its default limits.
pub const GOOD: [i32; CHANNELS] =
    [231, 305, 456, 380, 12, 20, 1_203, 4_812, 350, 2_400, 2_410, 2_390, 2_405, 180];

pub struct Bench {
    pub probe: Probe<Memory>,
    pub slave: Slave,
    pub now: u32,
    pub levels: u16,
    pub readings: [Reading; CHANNELS],
    pub outputs: Outputs,
}

impl Bench {
    pub fn new() -> Bench {
        Bench::starting(Memory::default(), 0)
    }

    pub fn starting(flash: Memory, now: u32) -> Bench {
        Bench {
            probe: Probe::new(IDENTITY, flash),
            slave: Slave::new(),
            now,
            levels: MAINS,
            readings: GOOD.map(Reading::Value),
            outputs: Outputs::default(),
        }
    }

    /// Turns the board's loop for so long, a turn every `step` ms.
    pub fn run_by(&mut self, ms: u32, step: u32) {
        for _ in 0..ms / step {
            self.now = self.now.wrapping_add(step);
            self.outputs = self.probe.tick(self.now, self.levels);
            if self.probe.sample_due() {
                self.probe.sample(&self.readings);
            }
            let answer = self.slave.turn(self.now, &mut self.probe);
            assert_eq!(answer, None, "an answer nobody asked for");
        }
    }

    pub fn run(&mut self, ms: u32) {
        self.run_by(ms, 10);
    }

    /// Octets on the line, all in one millisecond; gives every answer.
    pub fn line(&mut self, octets: &[u8]) -> Vec<Vec<u8>> {
        let mut answers = Vec::new();
        for octet in octets {
            answers.extend(self.slave.octet(self.now, *octet, &mut self.probe).map(<[u8]>::to_vec));
        }
        answers
    }

    /// A request to `unit`; gives the PDU of the answer.
    pub fn ask_unit(&mut self, unit: u8, request: &Request<'_>) -> Option<Vec<u8>> {
        let mut frame = [0; MOST_FRAME];
        let len = write_request(unit, request, &mut frame).unwrap();
        let answers = self.line(&frame[..len]);
        assert!(answers.len() <= 1);
        let (from, pdu) = answers.first().map(|answer| open(answer).unwrap())?;
        assert_eq!(from, unit);
        assert!(pdu.len() <= MOST_PDU);
        Some(pdu.to_vec())
    }

    pub fn ask(&mut self, request: &Request<'_>) -> Vec<u8> {
        self.ask_unit(1, request).expect("an answer")
    }

    pub fn inputs(&mut self, address: u16, quantity: u16) -> Vec<u16> {
        words(&self.ask(&Request::ReadInputRegisters { address, quantity }))
    }

    pub fn input(&mut self, address: u16) -> u16 {
        self.inputs(address, 1)[0]
    }

    pub fn holding(&mut self, address: u16) -> u16 {
        words(&self.ask(&Request::ReadHoldingRegisters { address, quantity: 1 }))[0]
    }

    /// FC 6; gives the exception's code, 0 for none.
    pub fn write(&mut self, address: u16, value: u16) -> u8 {
        exception(&self.ask(&Request::WriteSingleRegister { address, value }))
    }

    /// FC 16; gives the exception's code, 0 for none.
    pub fn write_all(&mut self, address: u16, values: &[u16]) -> u8 {
        let octets: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        exception(
            &self.ask(&Request::WriteMultipleRegisters { address, values: Words::of(&octets).unwrap() }),
        )
    }

    pub fn coil(&mut self, address: u16, value: bool) -> u8 {
        exception(&self.ask(&Request::WriteSingleCoil { address, value }))
    }
}

pub fn exception(pdu: &[u8]) -> u8 {
    if pdu[0] & 0x80 != 0 { pdu[1] } else { 0 }
}

pub fn words(pdu: &[u8]) -> Vec<u16> {
    assert_eq!(exception(pdu), 0, "{pdu:02x?}");
    pdu[2..].chunks(2).map(|word| u16::from_be_bytes([word[0], word[1]])).collect()
}
