//! Contacts in, relays, buzzer and lamp out.

use embassy_rp::gpio::{Input, Output};
use roundsman_probe::contact::{BUTTON, DOOR, LEAK, MAINS};
use roundsman_probe::probe::Outputs;

/// A 74HC165: eight contacts over three pins.
pub struct Shift {
    /// Low takes the contacts over (SH/LD).
    pub load: Output<'static>,
    /// A rising edge moves them on (CLK).
    pub clock: Output<'static>,
    /// What comes out (QH).
    pub data: Input<'static>,
}

impl Shift {
    /// The contacts, input A in bit 0; a closed one pulls its input to ground and is 1.
    fn read(&mut self) -> u16 {
        // 100 ns and more at each edge: the part needs 30 ns at 3.3 V.
        let pause = || cortex_m::asm::delay(12);
        self.load.set_low();
        pause();
        self.load.set_high();
        (0..8).fold(0, |bits, _| {
            pause();
            let closed = u16::from(self.data.is_low());
            self.clock.set_high();
            pause();
            self.clock.set_low();
            bits << 1 | closed
        })
    }
}

/// The pins people and rooms see.
pub struct Panel {
    /// Closed while there is mains.
    pub mains: Input<'static>,
    /// Closed while there is water.
    pub leak: Input<'static>,
    /// Closed while the door is.
    pub door: Input<'static>,
    /// Closed while it is pressed.
    pub button: Input<'static>,
    /// The free contacts.
    pub free: Shift,
    /// High while on.
    pub relays: [Output<'static>; 4],
    /// High while it sounds.
    pub buzzer: Output<'static>,
    /// High while it is lit.
    pub lamp: Output<'static>,
}

impl Panel {
    /// The contacts' bits as the probe takes them. A cut wire is an open door and mains that failed.
    pub fn levels(&mut self) -> u16 {
        let bit = |on: bool, bit: u16| if on { bit } else { 0 };
        bit(self.mains.is_low(), MAINS)
            | bit(self.leak.is_low(), LEAK)
            | bit(self.door.is_high(), DOOR)
            | bit(self.button.is_low(), BUTTON)
            | self.free.read() << 4
    }

    /// Shows what the probe wants.
    pub fn show(&mut self, outputs: Outputs) {
        for (at, relay) in self.relays.iter_mut().enumerate() {
            relay.set_level((outputs.relays >> at & 1 == 1).into());
        }
        self.buzzer.set_level(outputs.buzzer.into());
        self.lamp.set_level(outputs.lamp.into());
    }
}
