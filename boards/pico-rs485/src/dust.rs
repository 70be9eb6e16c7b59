//! A PMS5003 on UART 1, which talks by itself once a second or less.

use embassy_rp::uart::BufferedUartRx;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use embassy_time::{Duration, Instant};
use embedded_io_async::Read;
use roundsman_probe::driver::pms::{Dust, Pms};
use roundsman_probe::filter::Reading;

/// The last frame nobody has taken yet.
static LAST: Signal<CriticalSectionRawMutex, Dust> = Signal::new();

/// A sensor that said nothing for so long is lost; it talks at least every 2.3 s.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// A dust sensor's PM2.5 and PM10 as readings.
pub fn readings(dust: Dust) -> [Reading; 2] {
    [Reading::Value(dust.pm25.into()), Reading::Value(dust.pm10.into())]
}

/// What was heard of it.
pub struct Heard {
    last: Instant,
}

impl Heard {
    /// Nothing so far.
    pub fn nothing() -> Heard {
        Heard { last: Instant::now() }
    }

    /// PM2.5 and PM10.
    pub fn read(&mut self) -> [Reading; 2] {
        let now = Instant::now();
        if let Some(dust) = LAST.try_take() {
            self.last = now;
            readings(dust)
        } else if now.saturating_duration_since(self.last) < PATIENCE {
            [Reading::Pending; 2]
        } else {
            [Reading::Failed; 2]
        }
    }
}
