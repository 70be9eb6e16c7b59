//! What outlives a loss of power: the two sectors at the end of the flash that keep the settings, and the flash chip's
//! own number.
//!
//! While a sector is erased (45 ms, at worst 400 ms by the chip's datasheet) nothing else runs, since the program lies
//! in the same chip. Only a master's `save` does that, and it waits for its answer.

use embassy_rp::Peri;
use embassy_rp::flash::{Blocking, ERASE_SIZE, Flash as Chip};
use embassy_rp::peripherals::FLASH;
use roundsman_probe::config::{Flash, FlashFault, SLOT};

const SIZE: usize = 2 * 1024 * 1024;
const SECTOR: u32 = ERASE_SIZE as u32;

/// The settings' two sectors.
pub struct Slots {
    chip: Chip<'static, FLASH, Blocking, SIZE>,
}

impl Slots {
    /// The last two sectors of the chip; the linker keeps the program out of them.
    pub fn new(flash: Peri<'static, FLASH>) -> Slots {
        Slots { chip: Chip::new_blocking(flash) }
    }

    /// The chip's number of 64 bits, folded; 0 where it has none.
    pub fn serial(&mut self) -> u32 {
        let mut id = [0; 8];
        match self.chip.blocking_unique_id(&mut id) {
            Ok(()) => {
                let id = u64::from_be_bytes(id);
                (id >> 32) as u32 ^ id as u32
            }
            Err(_) => 0,
        }
    }

    fn sector(slot: usize) -> Result<u32, FlashFault> {
        match slot {
            0 => Ok(SIZE as u32 - 2 * SECTOR),
            1 => Ok(SIZE as u32 - SECTOR),
            _ => Err(FlashFault),
        }
    }
}

impl Flash for Slots {
    fn read(&mut self, slot: usize, out: &mut [u8; SLOT]) -> Result<(), FlashFault> {
        self.chip.blocking_read(Slots::sector(slot)?, out).map_err(|_| FlashFault)
    }

    fn erase(&mut self, slot: usize) -> Result<(), FlashFault> {
        let from = Slots::sector(slot)?;
        self.chip.blocking_erase(from, from + SECTOR).map_err(|_| FlashFault)
    }

    fn write(&mut self, slot: usize, octets: &[u8; SLOT]) -> Result<(), FlashFault> {
        self.chip.blocking_write(Slots::sector(slot)?, octets).map_err(|_| FlashFault)
    }
}
