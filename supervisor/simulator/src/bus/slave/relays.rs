//! A relay board or power sequencer: eight coils, functions 1, 5 and 15.

use super::Slave;
use roundsman_rtu::exception::Exception;
use roundsman_rtu::slave::{BitTable, Registers, answer};
use roundsman_rtu::values::Bits;

/// The coils; 1 and 3 are on at first, as the documented answer has it.
pub(in crate::bus) struct Relays([bool; 8]);

impl Default for Relays {
    fn default() -> Relays {
        Relays([true, false, true, false, false, false, false, false])
    }
}

impl Registers for Relays {
    fn bit(&mut self, table: BitTable, address: u16) -> Result<bool, Exception> {
        let coil = self.0.get(usize::from(address)).filter(|_| table == BitTable::Coils);
        coil.copied().ok_or(Exception::IllegalAddress)
    }

    fn write_bits(&mut self, address: u16, values: Bits<'_>) -> Result<(), Exception> {
        let from = usize::from(address);
        let coils = self.0.get_mut(from..from + usize::from(values.count()));
        for (coil, value) in coils.ok_or(Exception::IllegalAddress)?.iter_mut().zip(values.iter()) {
            *coil = value;
        }
        Ok(())
    }
}

impl Slave for Relays {
    fn answer(&mut self, pdu: &[u8], _: f64, out: &mut [u8]) -> usize {
        answer(pdu, self, out)
    }
}
