//! The machine's devices: two UARTs, the watchdog. All `unsafe` of this board is here and in the interrupt's attribute.
//! Addresses: Arm application note AN386, table 4-1; registers: Cortex-M System Design Kit manual (DDI 0479).

use core::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering};

use cortex_m::peripheral::NVIC;
use roundsman_probe::config::{Flash, FlashFault, SLOT};
use roundsman_probe::watchdog::Watchdog;
use roundsman_registers::ResetCause;

fn read(address: usize) -> u32 {
    // SAFETY: called with the addresses of device registers below alone, which are there on this machine, aligned, and
    // no memory of the program.
    unsafe { (address as *const u32).read_volatile() }
}

fn write(address: usize, value: u32) {
    // SAFETY: as in `read`.
    unsafe { (address as *mut u32).write_volatile(value) }
}

/// Octets from an interrupt to the loop: one writer, one reader.
struct Ring {
    octets: [AtomicU8; 1_024],
    head: AtomicUsize,
    tail: AtomicUsize,
}

impl Ring {
    const fn new() -> Ring {
        Ring {
            octets: [const { AtomicU8::new(0) }; 1_024],
            head: AtomicUsize::new(0),
            tail: AtomicUsize::new(0),
        }
    }

    /// An octet that finds no room is lost, as on a line.
    fn push(&self, octet: u8) {
        let head = self.head.load(Ordering::Relaxed);
        if head.wrapping_sub(self.tail.load(Ordering::Acquire)) < self.octets.len() {
            self.octets[head % self.octets.len()].store(octet, Ordering::Relaxed);
            self.head.store(head.wrapping_add(1), Ordering::Release);
        }
    }

    fn pop(&self) -> Option<u8> {
        let tail = self.tail.load(Ordering::Relaxed);
        if tail == self.head.load(Ordering::Acquire) {
            return None;
        }
        let octet = self.octets[tail % self.octets.len()].load(Ordering::Relaxed);
        self.tail.store(tail.wrapping_add(1), Ordering::Release);
        Some(octet)
    }
}

/// A CMSDK UART.
pub struct Uart {
    base: usize,
    interrupt: i16,
    ring: &'static Ring,
}

// Apart from the UARTs, so that they need no octets of flash.
static LINE_RING: Ring = Ring::new();
static BENCH_RING: Ring = Ring::new();

/// The Modbus line.
pub static LINE: Uart = Uart { base: 0x4000_4000, interrupt: 0, ring: &LINE_RING };
/// Where tests steer the sensors.
pub static BENCH: Uart = Uart { base: 0x4000_5000, interrupt: 2, ring: &BENCH_RING };

/// An interrupt by its number.
#[derive(Clone, Copy)]
struct Line(u16);

// SAFETY: the number is the one the machine has for it and never changes.
unsafe impl cortex_m::interrupt::InterruptNumber for Line {
    fn number(self) -> u16 {
        self.0
    }
}

impl Uart {
    /// Switches it on: both directions, an interrupt for each octet received.
    pub fn start(&self) {
        write(self.base + 0x10, 25_000_000 / 115_200);
        write(self.base + 0x08, 0b1011);
        // SAFETY: no critical section is open, and the handler shares atomics alone.
        unsafe { NVIC::unmask(Line(self.interrupt as u16)) }
    }

    /// From the interrupt with this number: takes what came.
    pub fn interrupted(&self, number: i16) {
        if number == self.interrupt {
            // Cleared before the octets are taken: one that comes in between asks again. The other way round its
            // interrupt would be lost, and with it every octet after it.
            write(self.base + 0x0c, 0b10);
            while read(self.base + 0x04) & 0b10 != 0 {
                self.ring.push(read(self.base) as u8);
            }
        }
    }

    /// An octet that came.
    pub fn octet(&self) -> Option<u8> {
        self.ring.pop()
    }

    /// Sends, waiting for room.
    pub fn send(&self, octets: &[u8]) {
        for octet in octets {
            while read(self.base + 0x04) & 1 != 0 {}
            write(self.base, u32::from(*octet));
        }
    }
}

/// The CMSDK watchdog: after one period without food the NMI, which restarts the board.
pub struct Dog;

const DOG: usize = 0x4000_8000;

impl Dog {
    /// Arms it with 5 s of 25 MHz.
    pub fn arm() -> Dog {
        write(DOG + 0xc00, 0x1acc_e551);
        write(DOG, 5 * 25_000_000);
        write(DOG + 0x08, 0b11);
        Dog
    }
}

impl Watchdog for Dog {
    fn feed(&mut self) {
        write(DOG + 0x0c, 1);
    }
}

/// Slots in RAM that the start-up code does not touch: they outlive a restart, not the emulator.
// SAFETY: the section is memory for data; every content is a valid octet.
#[unsafe(link_section = ".uninit.flash")]
static SLOTS: [[AtomicU8; SLOT]; 2] = [const { [const { AtomicU8::new(0) }; SLOT] }; 2];

/// The flash.
pub struct Ram;

impl Ram {
    fn fill(slot: usize, octets: impl Iterator<Item = u8>) -> Result<(), FlashFault> {
        for (to, octet) in SLOTS.get(slot).ok_or(FlashFault)?.iter().zip(octets) {
            to.store(octet, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Flash for Ram {
    fn read(&mut self, slot: usize, out: &mut [u8; SLOT]) -> Result<(), FlashFault> {
        for (to, from) in out.iter_mut().zip(SLOTS.get(slot).ok_or(FlashFault)?) {
            *to = from.load(Ordering::Relaxed);
        }
        Ok(())
    }

    fn erase(&mut self, slot: usize) -> Result<(), FlashFault> {
        Ram::fill(slot, core::iter::repeat_n(0xff, SLOT))
    }

    fn write(&mut self, slot: usize, octets: &[u8; SLOT]) -> Result<(), FlashFault> {
        Ram::fill(slot, octets.iter().copied())
    }
}

/// Why the next start is one; it outlives a restart.
// SAFETY: as for the slots; every content is a valid number.
#[unsafe(link_section = ".uninit.cause")]
static CAUSE: AtomicU32 = AtomicU32::new(0);

const KEY: u32 = 0x5244_0000;

/// Why the board started. A reset that nobody announced is the pin's.
pub fn cause() -> ResetCause {
    let was = CAUSE.swap(KEY | ResetCause::Pin as u32, Ordering::Relaxed);
    [ResetCause::Watchdog, ResetCause::Software, ResetCause::Pin]
        .into_iter()
        .find(|cause| was == KEY | *cause as u32)
        .unwrap_or(ResetCause::PowerOn)
}

/// Restarts the board.
pub fn restart(cause: ResetCause) -> ! {
    CAUSE.store(KEY | cause as u32, Ordering::Relaxed);
    cortex_m::peripheral::SCB::sys_reset()
}
