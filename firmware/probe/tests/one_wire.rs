//! The DS18B20 on a simulated 1-Wire line that minds the data sheet's times.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::rc::Rc;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{ErrorType, InputPin, OutputPin};
use roundsman_probe::driver::ds18b20::{Ds18b20, Fault, crc8, temperature};
use roundsman_probe::driver::one_wire::OneWire;

/// What the device does with the next slot.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// It waits for a reset.
    Deaf,
    /// It takes a ROM order, then one of its own.
    Rom,
    Order,
    /// It says whether it has converted.
    Convert,
    /// It sends its scratchpad; so many bits are sent.
    Send(usize),
}

/// The line and the one device on it.
#[derive(Debug)]
struct Line {
    now_us: u64,
    fell_us: u64,
    low: bool,
    /// The device pulls from, until.
    pulled_us: (u64, u64),
    state: State,
    taken: u8,
    bits: u8,
    present: bool,
    ready_us: u64,
    scratchpad: [u8; 8],
    /// What the next conversion leaves.
    next: [u8; 8],
    flipped: Option<usize>,
    orders: Vec<u8>,
}

impl Line {
    fn fall(&mut self) {
        assert!(!self.low);
        assert!(self.now_us >= self.fell_us + 61, "a slot shorter than 60 µs and its rest");
        self.low = true;
        self.fell_us = self.now_us;
        let bit = match self.state {
            State::Convert => {
                let ready = self.now_us >= self.ready_us;
                if ready {
                    self.scratchpad = self.next;
                }
                ready
            }
            State::Send(sent) => {
                self.state = State::Send(sent + 1);
                let mut octets = self.scratchpad.to_vec();
                octets.push(crc8(&octets));
                let bit = octets.get(sent / 8).is_none_or(|octet| octet >> (sent % 8) & 1 == 1);
                bit != (self.flipped == Some(sent))
            }
            _ => true,
        };
        if !bit {
            // Not a microsecond longer than promised.
            self.pulled_us = (self.now_us, self.now_us + 15);
        }
    }

    fn rise(&mut self) {
        if !self.low {
            return;
        }
        self.low = false;
        let low_us = self.now_us - self.fell_us;
        if low_us >= 480 {
            self.state = if self.present { State::Rom } else { State::Deaf };
            (self.taken, self.bits) = (0, 0);
            if self.present {
                self.pulled_us = (self.now_us + 60, self.now_us + 60 + 240);
            }
            return;
        }
        if !matches!(self.state, State::Rom | State::Order) {
            assert!(low_us < 15, "a read slot begins with at most 15 µs");
            return;
        }
        assert!(low_us < 15 || (60..=120).contains(&low_us), "neither a 1 nor a 0: {low_us} µs");
        self.taken |= u8::from(low_us < 15) << self.bits;
        self.bits += 1;
        if self.bits == 8 {
            self.order(self.taken);
            (self.taken, self.bits) = (0, 0);
        }
    }

    fn order(&mut self, order: u8) {
        self.orders.push(order);
        self.state = match (self.state, order) {
            (State::Rom, 0xcc) => State::Order,
            (State::Order, 0x44) => {
                self.ready_us = self.now_us + 700_000;
                State::Convert
            }
            (State::Order, 0xbe) => State::Send(0),
            _ => State::Deaf,
        };
    }

    fn is_low(&self) -> bool {
        self.low || (self.pulled_us.0..self.pulled_us.1).contains(&self.now_us)
    }
}

#[derive(Clone)]
struct Pin(Rc<RefCell<Line>>);

impl ErrorType for Pin {
    type Error = Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.borrow_mut().fall();
        Ok(())
    }
    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.borrow_mut().rise();
        Ok(())
    }
}

impl InputPin for Pin {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.borrow().is_low())
    }
    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.borrow().is_low())
    }
}

impl DelayNs for Pin {
    fn delay_ns(&mut self, ns: u32) {
        self.0.borrow_mut().now_us += u64::from(ns.div_ceil(1_000));
    }
}

const POWER_ON: [u8; 8] = [0x50, 0x05, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10];
/// +25.0625 Cel.
const WARM: [u8; 8] = [0x91, 0x01, 0x4b, 0x46, 0x7f, 0xff, 0x0f, 0x10];

fn line() -> (Pin, Ds18b20<Pin, Pin>) {
    let pin = Pin(Rc::new(RefCell::new(Line {
        now_us: 1_000,
        fell_us: 0,
        low: false,
        pulled_us: (0, 0),
        state: State::Deaf,
        taken: 0,
        bits: 0,
        present: true,
        ready_us: 0,
        scratchpad: POWER_ON,
        next: WARM,
        flipped: None,
        orders: Vec::new(),
    })));
    let device = Ds18b20::new(OneWire::new(pin.clone(), pin.clone()));
    (pin, device)
}

#[test]
fn a_conversion_is_started_waited_for_and_read() {
    let (pin, mut device) = line();
    assert_eq!(device.read(), Ok(None), "nothing was measured yet");
    pin.0.borrow_mut().now_us += 100_000;
    assert_eq!(device.read(), Ok(None), "it still converts");
    assert_eq!(pin.0.borrow().orders, [0xcc, 0x44], "and is not disturbed");
    pin.0.borrow_mut().now_us += 700_000;
    let began = pin.0.borrow().now_us;
    assert_eq!(device.read(), Ok(Some(251)));
    let held_us = pin.0.borrow().now_us - began;
    assert!(held_us < 10_000, "the processor is held for {held_us} µs");
    assert_eq!(pin.0.borrow().orders, [0xcc, 0x44, 0xcc, 0xbe, 0xcc, 0x44], "the next one runs");
}

#[test]
fn a_sensor_that_lost_its_supply_is_not_85_degrees() {
    let (pin, mut device) = line();
    device.read().unwrap();
    // It lost its supply while it converted: the register is that of power on, and so is the octet beside it.
    pin.0.borrow_mut().next = POWER_ON;
    pin.0.borrow_mut().now_us += 800_000;
    assert_eq!(device.read(), Err(Fault::NotConverted));
    // Measured, 85 degrees are 85 degrees.
    let mut hot = POWER_ON;
    hot[6] = 0x10;
    pin.0.borrow_mut().next = hot;
    pin.0.borrow_mut().now_us += 800_000;
    assert_eq!(device.read(), Ok(Some(850)));
}

#[test]
fn absent_spoiled_and_back() {
    let (pin, mut device) = line();
    pin.0.borrow_mut().present = false;
    assert_eq!(device.read(), Err(Fault::Absent));
    pin.0.borrow_mut().present = true;
    assert_eq!(device.read(), Ok(None));
    pin.0.borrow_mut().flipped = Some(11);
    pin.0.borrow_mut().now_us += 800_000;
    assert_eq!(device.read(), Err(Fault::Crc));
    pin.0.borrow_mut().flipped = None;
    pin.0.borrow_mut().now_us += 800_000;
    assert_eq!(device.read(), Ok(Some(251)));
    // Pulled out while it converted: the line reads as ready, the reset finds nobody.
    pin.0.borrow_mut().present = false;
    pin.0.borrow_mut().state = State::Deaf;
    pin.0.borrow_mut().now_us += 800_000;
    assert_eq!(device.read(), Err(Fault::Absent));
}

/// A line that is always low, or one that nothing moves.
struct Stuck(bool, Cell<u32>);

impl ErrorType for Stuck {
    type Error = Infallible;
}

impl OutputPin for Stuck {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.1.set(self.1.get() + 1);
        Ok(())
    }
    fn set_high(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl InputPin for Stuck {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.0)
    }
    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0)
    }
}

struct Now;

impl DelayNs for Now {
    fn delay_ns(&mut self, _: u32) {}
}

#[test]
fn a_shorted_or_empty_line_is_absent_at_once() {
    for level in [false, true] {
        let mut device = Ds18b20::new(OneWire::new(Stuck(level, Cell::new(0)), Now));
        for _ in 0..3 {
            assert_eq!(device.read(), Err(Fault::Absent));
        }
    }
}

#[test]
fn temperatures_of_the_data_sheet() {
    // Table 1 of the data sheet; a tenth is rounded to the nearest.
    for (raw, decicelsius) in [
        (0x07d0, 1_250),
        (0x0550, 850),
        (0x0191, 251),
        (0x00a2, 101),
        (0x0008, 5),
        (0x0000, 0),
        (0xfff8, -5),
        (0xff5e, -101),
        (0xfe6f, -251),
        (0xfc90, -550),
    ] {
        let mut scratchpad = [0, 0, 0x4b, 0x46, 0x7f, 0xff, 0x0e, 0x10, 0];
        scratchpad[..2].copy_from_slice(&u16::to_le_bytes(raw));
        scratchpad[8] = crc8(&scratchpad[..8]);
        assert_eq!(temperature::<()>(&scratchpad), Ok(decicelsius), "{raw:#06x}");
    }
    assert_eq!(crc8(&[0x02, 0x1c, 0xb8, 0x01, 0, 0, 0]), 0xa2);
    assert_eq!(temperature::<()>(&[0; 9]), Err(Fault::Crc), "a line that is held down");
    assert_eq!(temperature::<()>(&[0xff; 9]), Err(Fault::Crc), "a line that nobody pulls");
    let mut weak = [0xff, 0x07, 0x4b, 0x46, 0x7f, 0xff, 0x01, 0x10, 0];
    weak[8] = crc8(&weak[..8]);
    assert_eq!(temperature::<()>(&weak), Err(Fault::NotConverted));
}
