//! The sensors, read when the serving loop asks. Reading them may wait: nothing here holds an answer up.

use embassy_futures::select::{Either, select};
use embassy_time::{Duration, Timer};
use roundsman_probe::driver::sps30::Sps30;
use roundsman_probe::filter::Reading;
use roundsman_registers::{CHANNELS, Channel};

use crate::bus::Bus;
use crate::dust::{Heard, readings};
use crate::fans::Fans;
use crate::serve::{ASK, SAID};

/// Waits until the serving loop asks, and keeps the fans' counters from wrapping unseen.
async fn asked(fans: &mut Fans) -> u16 {
    loop {
        match select(ASK.wait(), Timer::after(Duration::from_secs(5))).await {
            Either::First(pulses_each) => return pulses_each,
            Either::Second(()) => fans.count(),
        }
    }
}

fn put(readings: &mut [Reading; CHANNELS], from: Channel, said: &[Reading]) {
    for (to, reading) in readings[from.index()..].iter_mut().zip(said) {
        *to = *reading;
    }
}

/// Reads them for ever.
pub async fn sense(bus: Bus, mut fans: Fans) -> ! {
    let mut sps = Sps30::new(bus);
    let mut started = sps.start().is_ok();
    let mut heard = Heard::nothing();
    loop {
        let pulses_each = asked(&mut fans).await;
        let mut said = [Reading::Failed; CHANNELS];
        let mut dust = heard.read();
        if dust == [Reading::Failed; 2] {
            dust = match sps.read() {
                Ok(Some(dust)) if started => readings(dust),
                Ok(None) if started => [Reading::Pending; 2],
                _ => {
                    started = sps.start().is_ok();
                    [Reading::Failed; 2]
                }
            };
        }
        put(&mut said, Channel::Pm25, &dust);
        put(&mut said, Channel::Fan1, &fans.read(pulses_each));
        SAID.signal(said);
    }
}
