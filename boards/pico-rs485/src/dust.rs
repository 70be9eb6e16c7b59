//! A PMS5003 on UART 1, which talks by itself once a second or less.

use embassy_rp::uart::BufferedUartRx;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use embedded_io_async::Read;
use roundsman_probe::driver::pms::{Dust, Pms};

/// The last frame nobody has taken yet.
pub static LAST: Signal<CriticalSectionRawMutex, Dust> = Signal::new();

/// Listens for ever.
#[embassy_executor::task]
pub async fn listen(mut uart: BufferedUartRx) {
    let mut pms = Pms::new();
    let mut octets = [0; 32];
    loop {
        let heard = uart.read(&mut octets).await.unwrap_or(0);
        for octet in &octets[..heard] {
            if let Some(dust) = pms.octet(*octet) {
                LAST.signal(dust);
            }
        }
    }
}
