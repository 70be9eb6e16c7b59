//! How a device wants to be logged in to, and when to stop trying: makers lock an address out for half an hour after a
//! few wrong passwords, and the people who look at the pictures with it.

/// Refusals after which nothing is tried any more.
pub const MOST_REFUSALS: u8 = 2;

/// How often in a row a challenge may be called too old when it answers a login that was let in before. Requests that are
/// under way together all answer the challenge that one of them finds too old.
const MOST_STALE: u8 = 4;

/// Where a login is shown. They count together, since the device counts them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The SOAP services.
    Onvif,
    /// The picture over HTTP.
    Snapshot,
    /// The stream.
    Rtsp,
}

/// How a request shows who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    Plain,
    /// HTTP or RTSP Digest (RFC 7616), after a challenge.
    Digest,
    /// WS-UsernameToken in the envelope.
    Token,
    /// HTTP Basic (RFC 7617): the password in the clear.
    Basic,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The device let it in.
    Accepted,
    /// The device wants another login.
    Refused {
        /// It offers Digest.
        digest: bool,
        /// It offers Basic.
        basic: bool,
        /// The challenge was too old, the password good (RFC 7616, section 3.3).
        stale: bool,
    },
    /// It says that the account or our address is locked.
    Locked,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the request was let in.
    Done,
    /// The same request, this way.
    Again(Way),
    /// Nothing that could be tried is left, or nothing may be.
    Stop,
}

/// Whether a login may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Now: nothing is shown, or what was let in last.
    Proven,
    /// Now, and it may be refused; whoever does says [`Login::shown`] when it is known what came of it, or never will be.
    Now,
    /// When one of those that are under way is answered: all of them may be refused.
    Later,
    /// Not any more.
    Never,
}

/// What is kept over a restart, with a fingerprint of the credentials it belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Refusals since the last time any door let us in.
    pub refusals: u8,
    /// Refusals of each door in a row: ONVIF, snapshot, RTSP.
    pub own: [u8; 3],
    /// The device said that it is locked.
    pub locked: bool,
}

/// One device's login.
#[derive(Clone, Debug, Default)]
pub struct Login {
    kept: Kept,
    /// What let us in last, by door.
    learned: [Option<Way>; 3],
    /// How often a challenge was too old since something was let in or counted.
    stale: u8,
    /// Logins that are shown now, and nobody knows yet what comes of them.
    under_way: u8,
}

impl Login {
    /// A device whose credentials were never tried, or were tried before a restart.
    pub fn new(kept: Kept) -> Login {
        Login { kept, ..Login::default() }
    }

    /// What has to be kept.
    pub fn kept(&self) -> Kept {
        self.kept
    }

    /// Whether nothing is shown at this door any more, until the credentials change or a person asks for it.
    pub fn stopped(&self, door: Door) -> bool {
        let Kept { refusals, own, locked } = self.kept;
        locked || refusals >= MOST_REFUSALS || own[door as usize] >= MOST_REFUSALS
    }

    /// The way a request begins: the one that was let in last, else without a login, so that the device says what it
    /// wants before a password is tried. `None` when nothing may be tried.
    pub fn begin(&self, door: Door) -> Option<Way> {
        if self.stopped(door) {
            return None;
        }
        Some(self.learned[door as usize].unwrap_or(Way::Plain))
    }

    /// Whether a request may go this way now: refusals and unproven logins under way together are never more than
    /// [`MOST_REFUSALS`], however many ask at once.
    pub fn show(&mut self, door: Door, way: Way) -> Show {
        if way == Way::Plain {
            return Show::Proven;
        }
        if self.stopped(door) {
            return Show::Never;
        }
        if self.learned[door as usize] == Some(way) {
            return Show::Proven;
        }
        let refused = self.kept.refusals.max(self.kept.own[door as usize]);
        if refused.saturating_add(self.under_way) >= MOST_REFUSALS {
            return Show::Later;
        }
        self.under_way += 1;
        Show::Now
    }

    /// A request that [`Login::show`] let go with [`Show::Now`] is over.
    pub fn shown(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// A person asks, or the credentials changed: everything is tried anew.
    pub fn release(&mut self) {
        *self = Login { under_way: self.under_way, ..Login::default() };
    }

    /// How often in a row a device may say of this door that the password is good and the challenge too old.
    fn most_stale(&self, at: usize) -> u8 {
        if self.learned[at] == Some(Way::Digest) { MOST_STALE } else { 1 }
    }

    /// What came of a request that was sent this way.
    pub fn heard(&mut self, door: Door, sent: Way, reply: Reply) -> Next {
        let at = door as usize;
        match reply {
            Reply::Accepted => {
                // A door that lets everybody in says nothing about the password.
                if sent != Way::Plain {
                    self.kept.refusals = 0;
                    self.kept.own[at] = 0;
                }
                self.learned[at] = Some(sent);
                self.stale = 0;
                Next::Done
            }
            Reply::Locked => {
                self.kept.locked = true;
                Next::Stop
            }
            Reply::Refused { digest: true, stale: true, .. }
                if sent == Way::Digest && self.stale < self.most_stale(at) =>
            {
                self.stale += 1;
                Next::Again(Way::Digest)
            }
            Reply::Refused { digest, basic, .. } => {
                self.stale = 0;
                self.learned[at] = None;
                if sent != Way::Plain {
                    self.kept.refusals = self.kept.refusals.saturating_add(1);
                    self.kept.own[at] = self.kept.own[at].saturating_add(1);
                }
                match untried(door, sent, digest, basic) {
                    Some(way) if !self.stopped(door) => Next::Again(way),
                    _ => Next::Stop,
                }
            }
        }
    }
}

/// What is tried behind a way that was refused: what the device offers, safest first.
fn untried(door: Door, sent: Way, digest: bool, basic: bool) -> Option<Way> {
    match (door, sent) {
        (_, Way::Plain) if digest => Some(Way::Digest),
        (Door::Onvif, Way::Plain | Way::Digest) => Some(Way::Token),
        // A request with a token it does not understand may be answered by a challenge.
        (Door::Onvif, Way::Token) if digest => Some(Way::Digest),
        (Door::Snapshot | Door::Rtsp, Way::Plain) if basic => Some(Way::Basic),
        _ => None,
    }
}
