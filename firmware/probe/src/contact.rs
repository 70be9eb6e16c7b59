//! Contacts and the button: a level counts once it rested.

/// How many contacts a board has: mains, leak, door, button and the eight free ones, bits 0 to 11 as the discrete
/// inputs.
pub const CONTACTS: usize = 12;

/// Bit of the mains contact.
pub const MAINS: u16 = 1;
/// Bit of the leak contact.
pub const LEAK: u16 = 1 << 1;
/// Bit of the door contact.
pub const DOOR: u16 = 1 << 2;
/// Bit of the button.
pub const BUTTON: u16 = 1 << 3;

/// Debounced contacts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Contacts {
    settled: u16,
    moving: u16,
    rested_ms: [u16; CONTACTS],
    known: bool,
}

impl Contacts {
    /// Takes the levels `passed_ms` after the last ones; the first ones count at once. Gives what is settled.
    pub fn take(&mut self, levels: u16, passed_ms: u32, debounce_ms: u16) -> u16 {
        let levels = levels & ((1 << CONTACTS) - 1);
        if !self.known {
            self.known = true;
            self.settled = levels;
            self.moving = levels;
        }
        let passed = u16::try_from(passed_ms).unwrap_or(u16::MAX);
        for (at, rested) in self.rested_ms.iter_mut().enumerate() {
            let bit = 1 << at;
            if (levels ^ self.moving) & bit != 0 {
                *rested = 0;
            } else {
                *rested = rested.saturating_add(passed);
                if *rested >= debounce_ms {
                    self.settled = (self.settled & !bit) | (levels & bit);
                }
            }
        }
        self.moving = levels;
        self.settled
    }
}
