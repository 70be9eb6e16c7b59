//! A serial port of this box: opened for us alone, raw, never blocking.
//!
//! By termios itself instead of a crate around it: what is needed are a speed, a format, two locks and readiness, and
//! the crates there are drain the port on the runtime's thread (`tcdrain`) and hide a hang-up behind endless empty
//! reads (decision 17).

use super::{Format, Rs485};
use roundsman_profile::bus::Parity;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, InputModes, OptionalActions, QueueSelector};
use serial2::rs4xx::{Rs485Config, TransceiverMode};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use tokio::io::unix::AsyncFd;

/// Opens the port, takes its locks, sets it. Blocks as long as the kernel does: not for the runtime's thread.
pub(super) fn open(
    path: &Path,
    baud: Option<u32>,
    format: Format,
    rs485: Option<Rs485>,
) -> io::Result<OwnedFd> {
    // O_NONBLOCK: without it the call waits for a carrier that three wires do not have (termios(3)).
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let port = rustix::fs::open(path, flags, Mode::empty())?;
    // TIOCEXCL keeps everybody out but root (tty_ioctl(4)); the lock keeps out whoever asks for it, as picocom and
    // minicom do.
    rustix::fs::flock(&port, FlockOperation::NonBlockingLockExclusive)?;
    rustix::termios::ioctl_tiocexcl(&port)?;
    let mut settings = rustix::termios::tcgetattr(&port)?;
    // Raw sets VMIN to 1: a read of nothing is an error "again", so one that gives 0 octets is a hang-up (termios(3)).
    settings.make_raw();
    if let Some(baud) = baud {
        settings.set_speed(baud)?;
    }
    let modes = &mut settings.control_modes;
    modes.insert(ControlModes::CREAD | ControlModes::CLOCAL);
    modes.remove(ControlModes::CSIZE | ControlModes::PARENB | ControlModes::PARODD | ControlModes::CSTOPB);
    modes.remove(ControlModes::CRTSCTS);
    modes.insert(if format.data_bits == 7 { ControlModes::CS7 } else { ControlModes::CS8 });
    match format.parity {
        Parity::None => {}
        Parity::Even => modes.insert(ControlModes::PARENB),
        Parity::Odd => modes.insert(ControlModes::PARENB | ControlModes::PARODD),
    }
    if format.stop_bits == 2 {
        modes.insert(ControlModes::CSTOPB);
    }
    settings.input_modes.remove(InputModes::IXON | InputModes::IXOFF);
    // An octet of wrong parity is taken as it is: the checksum refuses the frame, and nothing is shifted.
    settings.input_modes.remove(InputModes::INPCK | InputModes::PARMRK);
    rustix::termios::tcsetattr(&port, OptionalActions::Now, &settings)?;
    if let Some(rs485) = rs485 {
        drive_transceiver(port.try_clone()?, rs485)?;
    }
    // What came before belongs to nobody.
    rustix::termios::tcflush(&port, QueueSelector::IOFlush)?;
    Ok(port)
}

/// Has the kernel switch the transceiver (TIOCSRS485). A driver that takes the setting and does not keep it would leave
/// the line to whoever sends: what it says it keeps is looked at.
fn drive_transceiver(port: OwnedFd, rs485: Rs485) -> io::Result<()> {
    let port = serial2::SerialPort::from(port);
    let unsupported = |why: &str| {
        let what =
            format!("the driver of this port cannot switch an RS-485 transceiver ({why}): take `rs485` out");
        io::Error::new(io::ErrorKind::Unsupported, what)
    };
    let mut config = Rs485Config::new();
    config.set_invert_rts(rs485 == Rs485::RtsAfterSend);
    port.set_rs4xx_mode(config).map_err(|error| unsupported(&error.to_string()))?;
    match port.get_rs4xx_mode() {
        Ok(TransceiverMode::Rs485(kept)) if kept.get_invert_rts() == (rs485 == Rs485::RtsAfterSend) => Ok(()),
        Ok(_) => Err(unsupported("it does not keep the setting")),
        Err(error) => Err(unsupported(&error.to_string())),
    }
}

/// An open port on the runtime.
#[derive(Debug)]
pub(super) struct Serial(AsyncFd<OwnedFd>);

impl Serial {
    #[expect(
        deprecated,
        reason = "unsound only for what gives another descriptor later; an OwnedFd never does"
    )]
    pub(super) fn new(port: OwnedFd) -> io::Result<Serial> {
        Ok(Serial(AsyncFd::new(port)?))
    }

    /// Octets that came; 0 after a hang-up. May be dropped at any moment without losing any.
    pub(super) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.0.readable().await?;
            let read = ready.try_io(|port| rustix::io::read(port, &mut *buffer).map_err(io::Error::from));
            match read {
                Ok(Err(error)) if error.raw_os_error() == Some(Errno::INTR.raw_os_error()) => {}
                Ok(read) => return read,
                Err(_) => {}
            }
        }
    }

    /// Hands all octets to the kernel; it is not waited until they are on the line.
    pub(super) async fn write(&self, mut octets: &[u8]) -> io::Result<()> {
        while !octets.is_empty() {
            let mut ready = self.0.writable().await?;
            match ready.try_io(|port| rustix::io::write(port, octets).map_err(io::Error::from)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(written) => octets = &octets[written?..],
                Err(_) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    /// A pseudo-terminal has no transceiver: it is a port, and none for `rs485`.
    #[test]
    fn a_port_without_a_transceiver_says_so() {
        let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&far).unwrap();
        unlockpt(&far).unwrap();
        let path = ptsname(&far, Vec::new()).unwrap();
        let path = Path::new(path.to_str().unwrap());
        let format = Format { data_bits: 8, parity: Parity::None, stop_bits: 1 };
        assert!(open(path, None, format, None).is_ok());
        for (_, rs485) in Rs485::ALL {
            let error = open(path, None, format, Some(rs485)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}");
            assert!(error.to_string().contains("take `rs485` out"), "{error}");
        }
    }
}
