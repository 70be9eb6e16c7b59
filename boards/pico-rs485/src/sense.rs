//! The sensors, read when the serving loop asks. Reading them may wait: nothing here holds an answer up.

use embassy_futures::select::{Either, select};
use embassy_rp::gpio::OutputOpenDrain;
use embassy_time::{Delay, Duration, Timer};
use roundsman_probe::driver::ds18b20::Ds18b20;
use roundsman_probe::driver::suite::{CONVERSION_MS, Suite};
use roundsman_probe::filter::Reading;
use roundsman_registers::{CHANNELS, Channel};

use crate::bus::Bus;
use crate::dust;
use crate::fans::Fans;
use crate::serve::{ASK, SAID};

/// The thermometer on GP22.
pub type Thermometer = Ds18b20<OutputOpenDrain<'static>, Delay>;

/// Waits until the serving loop asks, and keeps the fans' counters from wrapping unseen.
async fn asked(fans: &mut Fans) -> u16 {
    loop {
        match select(ASK.wait(), Timer::after(Duration::from_secs(5))).await {
            Either::First(pulses_each) => return pulses_each,
            Either::Second(()) => fans.count(),
        }
    }
}

/// Reads them for ever.
pub async fn sense(bus: Bus, mut thermometer: Thermometer, mut fans: Fans) -> ! {
    let mut suite = Suite::new(bus);
    loop {
        let pulses_each = asked(&mut fans).await;
        suite.start();
        Timer::after_millis(u64::from(CONVERSION_MS)).await;
        if let Some(dust) = dust::LAST.try_take() {
            suite.dust(dust);
        }
        let mut said = [Reading::Pending; CHANNELS];
        let warmth = match thermometer.read() {
            Ok(measured) => measured.map_or(Reading::Pending, Reading::Value),
            Err(_) => Reading::Failed,
        };
        suite.read(warmth, &mut said);
        for (to, speed) in said[Channel::Fan1.index()..].iter_mut().zip(fans.read(pulses_each)) {
            *to = speed;
        }
        SAID.signal(said);
    }
}
