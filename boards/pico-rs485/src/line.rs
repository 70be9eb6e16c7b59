//! The Modbus line: UART 0 and an RS-485 transceiver with a pin for its direction.

use cortex_m::singleton;
use embassy_rp::gpio::{Level, Output};
use embassy_rp::interrupt::typelevel::Binding;
use embassy_rp::peripherals::{PIN_0, PIN_1, PIN_2, UART0};
use embassy_rp::uart::{BufferedInterruptHandler, BufferedUart, Config};
use embassy_rp::{Peri, pac};
use embassy_time::{Duration, Timer};
use embedded_io_async::{Read, ReadReady, Write};
use roundsman_probe::config::Flash;
use roundsman_probe::probe::Probe;

type Irq = <UART0 as embassy_rp::uart::Instance>::Interrupt;

/// Up to this speed each octet has its own interrupt. The FIFO hands out four at once, which on a slow line is as long
/// as the silence that ends a frame.
const MOST_WITHOUT_FIFO: u32 = 38_400;

/// The line.
pub struct Line {
    uart: BufferedUart,
    drive: Output<'static>,
    bit: Duration,
}

impl Line {
    /// Opens it with the speed the settings say, 8N1, listening.
    pub fn open<F: Flash>(
        uart: Peri<'static, UART0>,
        pins: (Peri<'static, PIN_0>, Peri<'static, PIN_1>, Peri<'static, PIN_2>),
        interrupt: impl Binding<Irq, BufferedInterruptHandler<UART0>>,
        probe: &Probe<F>,
    ) -> Line {
        let (send, hear, drive) = pins;
        let heard = singleton!(HEARD: [u8; 512] = [0; 512]).expect("there is one line");
        let to_say = singleton!(TO_SAY: [u8; 260] = [0; 260]).expect("there is one line");
        let baud = probe.baud().max(1_200);
        let mut config = Config::default();
        config.baudrate = baud;
        let drive = Output::new(drive, Level::Low);
        let uart = BufferedUart::new(uart, send, hear, interrupt, to_say, heard, config);
        // The transceiver lets go of its output while it sends: that has to look like a silent line.
        pac::PADS_BANK0.gpio(1).modify(|pad| pad.set_pue(true));
        if baud <= MOST_WITHOUT_FIFO {
            // The line control register may only change while the UART is off.
            pac::UART0.uartcr().modify(|control| control.set_uarten(false));
            pac::UART0.uartlcr_h().modify(|format| format.set_fen(false));
            pac::UART0.uartcr().modify(|control| control.set_uarten(true));
        }
        Line { uart, drive, bit: Duration::from_micros(u64::from(1_000_000 / baud + 1)) }
    }

    /// Waits for octets and says how many came. A damaged octet is left out: the frame's checksum tells.
    pub async fn hear(&mut self, octets: &mut [u8]) -> usize {
        self.uart.read(octets).await.unwrap_or(0)
    }

    /// Sends, and hands the line back once the last stop bit is out.
    pub async fn send(&mut self, octets: &[u8]) {
        self.drive.set_high();
        // The others see a line at rest before the first start bit.
        Timer::after(self.bit).await;
        let _ = self.uart.write_all(octets).await;
        let _ = self.uart.flush().await;
        // Flushed is the buffer, not yet the shift register.
        while self.uart.busy() {
            Timer::after_micros(20).await;
        }
        self.drive.set_low();
        // An echo, where the receiver stays on.
        let mut echo = [0; 16];
        while self.uart.read_ready().unwrap_or(false) {
            let _ = self.uart.read(&mut echo).await;
        }
    }
}
