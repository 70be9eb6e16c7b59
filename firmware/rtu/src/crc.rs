//! CRC-16 of the serial line (SL section 2.5.1.2): polynomial 0xA001 (reflected 0x8005), begun with 0xFFFF.

/// One nibble at a time: 32 octets of flash instead of 512, which a small board feels more than the time.
const NIBBLES: [u16; 16] = {
    let mut table = [0; 16];
    let mut at = 0;
    while at < 16 {
        let mut crc = at as u16;
        let mut bit = 0;
        while bit < 4 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xa001 } else { crc >> 1 };
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
};

/// The CRC of `octets`. On the line its low octet goes first.
pub fn crc16(octets: &[u8]) -> u16 {
    octets.iter().fold(0xffff, |crc, octet| {
        let crc = crc ^ u16::from(*octet);
        let crc = (crc >> 4) ^ NIBBLES[usize::from(crc & 0xf)];
        (crc >> 4) ^ NIBBLES[usize::from(crc & 0xf)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_value() {
        // CRC-16/MODBUS over the usual nine digits.
        assert_eq!(crc16(b"123456789"), 0x4b37);
        assert_eq!(crc16(&[]), 0xffff);
    }
}
