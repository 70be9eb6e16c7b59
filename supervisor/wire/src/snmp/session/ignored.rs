//! What devices send that nobody waits for: told apart by the address it comes from, and kept until the device's next
//! poll ends.
//!
//! The address decides nothing else. A forger who knows it makes a figure grow.

use super::MOST_REMEMBERED;
use roundsman_core::tally::Ignored;
use std::collections::HashMap;
use std::net::SocketAddr;

/// Devices by address. Of several at one address the one polled first counts.
#[derive(Debug, Default)]
pub(super) struct Senders {
    devices: HashMap<SocketAddr, Sender>,
    /// Whether any device has something to tell: most polls need not look.
    any: bool,
}

#[derive(Debug)]
struct Sender {
    key: u32,
    ignored: Ignored,
}

impl Senders {
    /// Device `key` is at `address` from now on; past [`MOST_REMEMBERED`] further ones go uncounted.
    pub(super) fn learn(&mut self, key: u32, address: SocketAddr) {
        if self.devices.len() < MOST_REMEMBERED {
            self.devices.entry(address).or_insert(Sender { key, ignored: Ignored::default() });
        }
    }

    /// Device `key` is no longer at `address`.
    pub(super) fn forget(&mut self, key: u32, address: SocketAddr) {
        if self.devices.get(&address).is_some_and(|sender| sender.key == key) {
            self.devices.remove(&address);
        }
    }

    /// An answer to nothing that waits.
    pub(super) fn stray(&mut self, from: SocketAddr) {
        self.count(from, |ignored| ignored.strays = ignored.strays.saturating_add(1));
    }

    /// Something that cannot be read.
    pub(super) fn unreadable(&mut self, from: SocketAddr) {
        self.count(from, |ignored| ignored.rejected = ignored.rejected.saturating_add(1));
    }

    fn count(&mut self, from: SocketAddr, change: impl FnOnce(&mut Ignored)) {
        if let Some(sender) = self.devices.get_mut(&from) {
            change(&mut sender.ignored);
            self.any = true;
        }
    }

    /// What device `key` at `address` sent since it was asked for here last.
    pub(super) fn take(&mut self, key: u32, address: SocketAddr) -> Ignored {
        if !self.any {
            return Ignored::default();
        }
        let sender = self.devices.get_mut(&address).filter(|sender| sender.key == key);
        let taken = sender.map(|sender| std::mem::take(&mut sender.ignored)).unwrap_or_default();
        if taken != Ignored::default() {
            self.any = self.devices.values().any(|sender| sender.ignored != Ignored::default());
        }
        taken
    }
}
