//! What a supervisor can read of a board with an older or newer map.

use crate::{MAGIC, MAP_CURRENT, MAP_MIN, POINTS, Point};

/// How a board's map fits this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The same version.
    Same,
    /// An older board: points up to its version are there.
    Older {
        /// The board's version.
        version: u16,
    },
    /// A newer board that still answers this map: all points are there, newer ones are not known here.
    Newer {
        /// The board's version.
        version: u16,
    },
    /// The board withdrew points of this map: only its identity (input registers 0 to 10) can be trusted.
    TooNew {
        /// The oldest version the board still answers.
        least: u16,
    },
    /// The board is older than anything read here: only its identity can be trusted.
    TooOld {
        /// The board's version.
        version: u16,
    },
    /// No probe board: the magic number is another, or its versions contradict each other.
    NotAProbe,
}

/// Judges the first three input registers of a board: magic, current and least map version.
pub const fn compat(magic: u16, current: u16, least: u16) -> Fit {
    if magic != MAGIC || current == 0 || least == 0 || least > current {
        Fit::NotAProbe
    } else if least > MAP_CURRENT {
        Fit::TooNew { least }
    } else if current < MAP_MIN {
        Fit::TooOld { version: current }
    } else if current < MAP_CURRENT {
        Fit::Older { version: current }
    } else if current > MAP_CURRENT {
        Fit::Newer { version: current }
    } else {
        Fit::Same
    }
}

/// First input register behind the identity, which every version of the map has.
pub const IDENTITY_END: u16 = 11;

impl Fit {
    /// Whether `point` can be read of such a board.
    pub fn can_read(self, point: &Point) -> bool {
        match self {
            Fit::Same | Fit::Newer { .. } => true,
            Fit::Older { version } => point.since <= version,
            Fit::TooNew { .. } | Fit::TooOld { .. } => {
                point.space == crate::Space::Input && point.address < IDENTITY_END
            }
            Fit::NotAProbe => false,
        }
    }

    /// The points that can be read of such a board.
    pub fn readable(self) -> impl Iterator<Item = &'static Point> {
        POINTS.iter().filter(move |point| self.can_read(point))
    }
}
