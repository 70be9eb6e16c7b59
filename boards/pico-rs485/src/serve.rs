//! The loop that must not wait: contacts, alarms, the Modbus line, the watchdog. It runs in an interrupt above the
//! sensors, so that an answer does not wait for a slow bus.

use embassy_futures::select::select;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use embassy_time::{Duration, Instant, Ticker};
use roundsman_probe::config::setting;
use roundsman_probe::filter::Reading;
use roundsman_probe::probe::Probe;
use roundsman_probe::slave::Slave;
use roundsman_registers::{CHANNELS, ResetCause};

use crate::line::Line;
use crate::panel::Panel;
use crate::reset::{Dog, restart};
use crate::storage::Slots;

/// Asks the sensors for a sample; with a fan's pulses in a revolution.
pub static ASK: Signal<CriticalSectionRawMutex, u16> = Signal::new();
/// What they said.
pub static SAID: Signal<CriticalSectionRawMutex, [Reading; CHANNELS]> = Signal::new();

/// The probe and what it is wired to, but for the line.
struct Board {
    probe: Probe<Slots>,
    panel: Panel,
    dog: Dog,
    ticker: Ticker,
    asked: bool,
}

impl Board {
    /// One turn.
    fn turn(&mut self, now: u32) {
        let outputs = self.probe.tick(now, self.panel.levels());
        self.panel.show(outputs);
        if let Some(readings) = SAID.try_take() {
            self.probe.sample(&readings);
            self.asked = false;
        } else if !self.asked && self.probe.sample_due() {
            ASK.signal(self.probe.config().word(setting::PULSES));
            self.asked = true;
        }
        self.probe.feed(&mut self.dog);
    }

    /// Turns each millisecond for as long as an answer takes.
    async fn meanwhile(&mut self) {
        loop {
            self.ticker.next().await;
            self.turn(now_ms());
        }
    }
}

fn now_ms() -> u32 {
    Instant::now().as_millis() as u32
}

/// Serves the line for ever.
#[embassy_executor::task]
pub async fn serve(probe: Probe<Slots>, panel: Panel, dog: Dog, mut line: Line) {
    let mut board =
        Board { probe, panel, dog, ticker: Ticker::every(Duration::from_millis(1)), asked: false };
    let mut slave = Slave::new();
    let mut octets = [0; 32];
    loop {
        let mut heard = 0;
        select(async { heard = line.hear(&mut octets).await }, board.ticker.next()).await;
        let now = now_ms();
        board.turn(now);
        for octet in &octets[..heard] {
            if let Some(answer) = slave.octet(now, *octet, &mut board.probe) {
                select(line.send(answer), board.meanwhile()).await;
            }
        }
        if let Some(answer) = slave.turn(now_ms(), &mut board.probe) {
            select(line.send(answer), board.meanwhile()).await;
        }
        if board.probe.restart() {
            restart(ResetCause::Software);
        }
    }
}
