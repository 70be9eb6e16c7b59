//! The ends of a line: a pty pair behind a symbolic link, a TCP listener; pulled and put back.

use super::hearing::Hearing;
use super::party::Heard;
use super::{Line, Presence, Protocol, lock};
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// After so long without an octet a frame without a length is over: more than 3.5 characters, since pieces of a request
/// come when the writer is scheduled.
const SILENCE: Duration = Duration::from_millis(20);

/// A projector closes a connection on which nothing is asked for so long ("PJLink Specifications", 30 s).
const IDLE: Duration = Duration::from_secs(30);

/// Most connections at one port; further ones wait in the system's queue.
const MOST_CONNECTIONS: usize = 8;

/// Most deliveries on their way; further octets are lost.
const MOST_PENDING: usize = 4_096;

/// How long a port that cannot be had again is left alone.
const AGAIN: Duration = Duration::from_millis(200);

/// One end of a pty pair, and the link that leads to the other.
pub(super) struct Pty {
    ours: AsyncFd<OwnedFd>,
    /// Kept open, so that a reader's going does not close the pair.
    _theirs: OwnedFd,
    /// What the link says.
    name: PathBuf,
    link: PathBuf,
}

impl Pty {
    /// Makes a pair, both ends raw, and the link.
    pub(super) fn open(link: &Path) -> io::Result<Pty> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let theirs = ioctl_tiocgptpeer(&ours, OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        let mut settings = tcgetattr(&theirs)?;
        settings.make_raw();
        tcsetattr(&theirs, OptionalActions::Now, &settings)?;
        let name = ptsname(&ours, Vec::new())?;
        let name = PathBuf::from(name.to_string_lossy().into_owned());
        rustix::fs::fcntl_setfl(&ours, OFlags::NONBLOCK)?;
        put_link(&name, link)?;
        // Its successor is unsafe for types that change their descriptor under it; an owned one does not.
        #[allow(deprecated)]
        let ours = AsyncFd::new(ours)?;
        Ok(Pty { ours, _theirs: theirs, name, link: link.to_owned() })
    }
}

/// Puts a link where nothing or another link stands, in one step.
fn put_link(name: &Path, link: &Path) -> io::Result<()> {
    let is_taken = link.symlink_metadata().is_ok_and(|found| !found.file_type().is_symlink());
    if is_taken {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something that is no link stands there"));
    }
    let mut beside = link.as_os_str().to_owned();
    beside.push(".new");
    let _ = std::fs::remove_file(&beside);
    std::os::unix::fs::symlink(name, &beside)?;
    std::fs::rename(&beside, link)
}

impl Drop for Pty {
    fn drop(&mut self) {
        if std::fs::read_link(&self.link).is_ok_and(|name| name == self.name) {
            let _ = std::fs::remove_file(&self.link);
        }
    }
}

/// What carries octets.
enum End<'a> {
    Pty(&'a AsyncFd<OwnedFd>),
    Tcp(TcpStream),
}

impl End<'_> {
    /// What came; nothing at the end.
    async fn read(&self, octets: &mut [u8]) -> io::Result<usize> {
        match self {
            End::Pty(ours) => loop {
                let mut guard = ours.readable().await?;
                match guard.try_io(|ours| Ok(rustix::io::read(ours, &mut *octets)?)) {
                    Ok(read) => return read,
                    Err(_) => continue,
                }
            },
            End::Tcp(stream) => loop {
                stream.readable().await?;
                match stream.try_read(octets) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    read => return read,
                }
            },
        }
    }

    /// Writes what there is room for: what nobody reads is lost, as on a line.
    fn write(&self, octets: &[u8]) {
        let _ = match self {
            End::Pty(ours) => rustix::io::write(ours.get_ref(), octets).map_err(io::Error::from),
            End::Tcp(stream) => stream.try_write(octets),
        };
    }
}

/// Why a conversation is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// Who asked is gone, or was idle for too long.
    Closed,
    /// The port is pulled: until somebody says otherwise, or for so long.
    Pulled(Option<Duration>),
}

/// Octets on their way, by the time they arrive.
#[derive(Default)]
struct Pending(BTreeMap<(Duration, u64), Vec<u8>>, u64);

impl Pending {
    fn put(&mut self, at: Duration, octets: Vec<u8>) {
        if self.0.len() < MOST_PENDING {
            self.1 += 1;
            self.0.insert((at, self.1), octets);
        }
    }

    fn next_at(&self) -> Option<Duration> {
        self.0.first_key_value().map(|((at, _), _)| *at)
    }

    fn due(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.next_at().filter(|at| *at <= now)?;
        self.0.pop_first().map(|(_, octets)| octets)
    }
}

/// Serves one connection, or the pty pair, until it is over.
async fn converse(line: &Line, end: &End<'_>, mut presence: watch::Receiver<Presence>) -> Over {
    let mut hearing = Hearing::new(line.protocol, line.framing, line.greeting());
    let mut pending = Pending::default();
    let mut octets = vec![0; 1_024];
    let mut may_hold = false;
    let mut is_mute = *presence.borrow_and_update() == Presence::HalfOpen;
    if let Some(greeting) = hearing.greets().filter(|_| !is_mute) {
        pending.put(line.clock.running(), greeting.into_bytes());
    }
    loop {
        let wait = pending.next_at().map(|at| at.saturating_sub(line.clock.running()));
        let heard = tokio::select! {
            read = end.read(&mut octets) => match read {
                Ok(0) | Err(_) => return Over::Closed,
                Ok(_) if is_mute => continue,
                Ok(len) => {
                    may_hold = true;
                    hearing.hear(&octets[..len], &mut lock(&line.party), line.clock.now_s())
                }
            },
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {
                while let Some(octets) = pending.due(line.clock.running()) {
                    end.write(&octets);
                }
                continue;
            }
            () = tokio::time::sleep(SILENCE), if may_hold => {
                may_hold = false;
                hearing.silence(&mut lock(&line.party), line.clock.now_s()).into_iter().collect()
            }
            () = tokio::time::sleep(IDLE), if line.protocol == Protocol::PjLink && !is_mute => {
                return Over::Closed;
            }
            changed = presence.changed() => match (changed, *presence.borrow_and_update()) {
                (Err(_), _) | (_, Presence::Gone) => return Over::Pulled(None),
                (_, Presence::HalfOpen) => {
                    // What was on its way is lost, and this connection never speaks again.
                    (is_mute, pending) = (true, Pending::default());
                    continue;
                }
                (_, Presence::Here) => continue,
            },
        };
        for heard in heard {
            if let Some(gone) = answer(line, &heard, &mut pending) {
                return Over::Pulled(Some(gone));
            }
        }
    }
}

/// Sends an exchange through the fault proxy; says for how long the port is pulled.
fn answer(line: &Line, heard: &Heard, pending: &mut Pending) -> Option<Duration> {
    let chances = line.chances(heard.member);
    let passed = lock(&line.spoiler).pass(heard, &chances);
    let now = line.clock.running();
    for delivery in passed.deliveries {
        pending.put(now + delivery.after, delivery.octets);
    }
    if let Some(dead) = passed.dead {
        lock(&line.party).kill(heard.address, line.clock.now_s() + dead.as_secs_f64());
    }
    passed.gone
}

/// Waits while the port is away.
async fn away(presence: &mut watch::Receiver<Presence>, least: Option<Duration>) {
    tokio::time::sleep(least.unwrap_or_default()).await;
    let _ = presence.wait_for(|presence| *presence != Presence::Gone).await;
}

/// Keeps a pty pair there as long as the port is.
pub(super) async fn keep_pty(line: Arc<Line>, link: PathBuf, first: Pty) {
    let mut pty = Some(first);
    let mut presence = line.presence.subscribe();
    loop {
        let over = match &pty {
            Some(pty) => converse(&line, &End::Pty(&pty.ours), line.presence.subscribe()).await,
            None => Over::Closed,
        };
        // Unplugged: whoever has the other end open reads the end of it.
        drop(pty.take());
        match over {
            Over::Pulled(least) => away(&mut presence, least).await,
            Over::Closed => tokio::time::sleep(AGAIN).await,
        }
        match Pty::open(&link) {
            Ok(opened) => pty = Some(opened),
            Err(why) => {
                tracing::warn!(link = %link.display(), %why, "the virtual line's port does not come back")
            }
        }
    }
}

/// Keeps a listener there as long as the port is.
pub(super) async fn keep_tcp(line: Arc<Line>, address: SocketAddr, first: TcpListener) {
    let mut listener = Some(first);
    let mut presence = line.presence.subscribe();
    loop {
        let least = match listener.take() {
            Some(listener) => listen(&line, &listener).await,
            None => Some(AGAIN),
        };
        away(&mut presence, least).await;
        match TcpListener::bind(address).await {
            Ok(bound) => listener = Some(bound),
            Err(why) => tracing::warn!(%address, %why, "the virtual line's port does not come back"),
        }
    }
}

/// Serves connections until the port is pulled.
async fn listen(line: &Arc<Line>, listener: &TcpListener) -> Option<Duration> {
    let mut presence = line.presence.subscribe();
    let mut conversations: JoinSet<Over> = JoinSet::new();
    if *presence.borrow_and_update() == Presence::Gone {
        return None;
    }
    loop {
        tokio::select! {
            accepted = listener.accept(), if conversations.len() < MOST_CONNECTIONS => {
                let Ok((stream, _)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                let line = line.clone();
                conversations.spawn(async move {
                    let presence = line.presence.subscribe();
                    converse(&line, &End::Tcp(stream), presence).await
                });
            }
            Some(over) = conversations.join_next(), if !conversations.is_empty() => {
                if let Ok(Over::Pulled(least)) = over {
                    return least;
                }
            }
            changed = presence.changed() => {
                if changed.is_err() || *presence.borrow_and_update() == Presence::Gone {
                    return None;
                }
            }
        }
    }
}
