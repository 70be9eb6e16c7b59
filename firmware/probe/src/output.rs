//! Relays with hold-off, pulses and a safe state.

use roundsman_registers::RELAYS;

/// The relay changed too short a time ago, or holds its safe state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held;

/// Four relays.
#[derive(Clone, Copy, Debug)]
pub struct Relays {
    on: u16,
    rested_ms: [u32; RELAYS],
    pulse_ms: [u32; RELAYS],
    /// Relays that hold their safe state.
    safe: u16,
}

impl Relays {
    /// In their boot state; each may change at once.
    pub fn boot(on: u16) -> Relays {
        Relays { on, rested_ms: [u32::MAX; RELAYS], pulse_ms: [0; RELAYS], safe: 0 }
    }

    /// Time passed. A pulse ends by itself, whatever the hold-off.
    pub fn pass(&mut self, passed_ms: u32) {
        for at in 0..RELAYS {
            self.rested_ms[at] = self.rested_ms[at].saturating_add(passed_ms);
            if self.pulse_ms[at] != 0 {
                self.pulse_ms[at] = self.pulse_ms[at].saturating_sub(passed_ms);
                if self.pulse_ms[at] == 0 {
                    self.force(1 << at, 0);
                }
            }
        }
    }

    /// Sets the relays of `mask`, all or none. Setting what is set already is no change; it ends a pulse.
    pub fn set(&mut self, mask: u16, on: u16, hold_off_ms: u32) -> Result<(), Held> {
        let changed = (self.on ^ on) & mask;
        let held = |at: usize| changed >> at & 1 == 1 && self.rested_ms[at] < hold_off_ms;
        if mask & self.safe != 0 || (0..RELAYS).any(held) {
            return Err(Held);
        }
        self.force(mask, on);
        Ok(())
    }

    /// Switches one on for `ms`; 0 switches it off.
    pub fn pulse(&mut self, at: usize, ms: u32, hold_off_ms: u32) -> Result<(), Held> {
        let bit = 1 << at;
        self.set(bit, if ms == 0 { 0 } else { bit }, hold_off_ms)?;
        self.pulse_ms[at] = ms;
        Ok(())
    }

    /// Holds relays in their safe state, or releases them (`mask` 0): they stay as they are until they are set.
    pub fn hold(&mut self, mask: u16, on: u16) {
        let fresh = mask & !self.safe;
        self.safe = mask;
        self.force(fresh, on);
    }

    fn force(&mut self, mask: u16, on: u16) {
        let changed = (self.on ^ on) & mask;
        self.on ^= changed;
        for at in 0..RELAYS {
            if mask >> at & 1 == 1 {
                self.pulse_ms[at] = 0;
            }
            if changed >> at & 1 == 1 {
                self.rested_ms[at] = 0;
            }
        }
    }

    /// What is on, bits.
    pub fn on(&self) -> u16 {
        self.on
    }

    /// What is left of a pulse in ms.
    pub fn left_ms(&self, at: usize) -> u32 {
        self.pulse_ms.get(at).copied().unwrap_or(0)
    }
}
