//! The line: octets in, answers out.

use roundsman_rtu::slave::{Inbox, serve};
use roundsman_rtu::{BROADCAST, MOST_FRAME};

use crate::config::Flash;
use crate::probe::Probe;

/// A Modbus slave on one line.
#[derive(Debug)]
pub struct Slave {
    inbox: Inbox,
    out: [u8; MOST_FRAME],
    last_ms: u32,
}

impl Default for Slave {
    fn default() -> Slave {
        Slave { inbox: Inbox::new(), out: [0; MOST_FRAME], last_ms: 0 }
    }
}

impl Slave {
    /// One that has heard nothing.
    pub fn new() -> Slave {
        Slave::default()
    }

    /// An octet came at `now_ms`. Gives the answer's frame when it ends a request for this board.
    pub fn octet<F: Flash>(&mut self, now_ms: u32, octet: u8, probe: &mut Probe<F>) -> Option<&[u8]> {
        self.last_ms = now_ms;
        let len = self.inbox.push(octet)?;
        let len = self.answer(len, probe)?;
        Some(&self.out[..len])
    }

    /// Call this in every turn of the slave's loop, with or without octets: it shows the watchdog that the loop lives,
    /// and lets a silence on the line end what is no whole frame. Nothing from before the silence outlives the turn: an
    /// answer that came later would run into the master's next request.
    pub fn turn<F: Flash>(&mut self, now_ms: u32, probe: &mut Probe<F>) -> Option<&[u8]> {
        probe.served();
        if now_ms.wrapping_sub(self.last_ms) < probe.silence_ms() {
            return None;
        }
        while self.inbox.waiting() != 0 {
            let Some(len) = self.inbox.silence() else {
                probe.count_damaged();
                return None;
            };
            if let Some(len) = self.answer(len, probe) {
                self.inbox.clear(self.inbox.waiting());
                return Some(&self.out[..len]);
            }
        }
        None
    }

    fn answer<F: Flash>(&mut self, len: usize, probe: &mut Probe<F>) -> Option<usize> {
        let frame = self.inbox.request(len);
        let unit = frame.first().copied().unwrap_or(BROADCAST);
        probe.begin(unit);
        let answer = serve(probe.unit(), frame, probe, &mut self.out);
        self.inbox.clear(len);
        let answer = answer?;
        probe.end(&self.out[..answer]);
        Some(answer)
    }
}
