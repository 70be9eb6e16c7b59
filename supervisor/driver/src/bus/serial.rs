//! A serial port of this box: opened for us alone, raw, never blocking.
//!
//! By termios itself instead of a crate around it: what is needed are a speed, a format, two locks and readiness, and
//! the crates there are drain the port on the runtime's thread (`tcdrain`) and hide a hang-up behind endless empty
//! reads (decision 17).

use super::Format;
use roundsman_profile::bus::Parity;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, InputModes, OptionalActions, QueueSelector};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use tokio::io::unix::AsyncFd;

/// Opens the port, takes its locks, sets it. Blocks as long as the kernel does: not for the runtime's thread.
pub(super) fn open(path: &Path, baud: Option<u32>, format: Format) -> io::Result<OwnedFd> {
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
    // What came before belongs to nobody.
    rustix::termios::tcflush(&port, QueueSelector::IOFlush)?;
    Ok(port)
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
