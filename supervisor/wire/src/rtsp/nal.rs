//! What the packets of a video hold, as far as it must be known to say that a picture can be made of them: parameter
//! sets, key frames, beginnings of frames (H.264 by RFC 6184, H.265 by RFC 7798, JPEG by RFC 2435).

/// How a video is coded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264.
    H264,
    /// H.265.
    H265,
    /// Pictures, each by itself.
    Jpeg,
    /// Another, by its name: it is not looked into.
    Other(Box<str>),
}

/// Longest name of a codec.
const MOST_NAME: usize = 32;

impl Codec {
    /// The codec of this encoding name.
    pub fn from_name(name: &str) -> Codec {
        match &*name.to_ascii_uppercase() {
            "H264" => Codec::H264,
            "H265" | "HEVC" => Codec::H265,
            "JPEG" => Codec::Jpeg,
            other => Codec::Other(other.chars().filter(char::is_ascii_graphic).take(MOST_NAME).collect()),
        }
    }

    /// Its word.
    pub fn word(&self) -> &str {
        match self {
            Codec::H264 => "h264",
            Codec::H265 => "h265",
            Codec::Jpeg => "jpeg",
            Codec::Other(name) => name,
        }
    }
}

/// What is found in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The part that no frame can be decoded without: SPS, PPS and, of H.265, VPS, a bit each.
    pub sets: u8,
    /// A key frame begins, or goes on.
    pub key: bool,
    /// Part of a picture.
    pub picture: bool,
    /// It is the middle or the end of a unit whose beginning came in an earlier packet.
    pub goes_on: bool,
}

impl Found {
    fn and(self, other: Found) -> Found {
        Found {
            sets: self.sets | other.sets,
            key: self.key || other.key,
            picture: self.picture || other.picture,
            goes_on: false,
        }
    }
}

const SPS: u8 = 1;
const PPS: u8 = 2;
const VPS: u8 = 4;

/// Most units of one aggregate that are looked at.
const MOST_UNITS: usize = 64;

/// What is found in the payload of a packet. `None` for what is none of this codec.
pub fn look(codec: &Codec, payload: &[u8]) -> Option<Found> {
    match codec {
        Codec::H264 => h264(payload),
        Codec::H265 => h265(payload),
        // Of its header the fragment's offset (RFC 2435, section 3.1).
        Codec::Jpeg => (payload.len() >= 8).then(|| Found {
            goes_on: payload[1..4] != [0, 0, 0],
            key: true,
            picture: true,
            sets: 0,
        }),
        Codec::Other(_) => Some(Found { key: true, picture: true, ..Found::default() }),
    }
}

/// What a whole unit is, as descriptions hold them.
pub fn unit(codec: &Codec, unit: &[u8]) -> Found {
    match codec {
        Codec::H264 => unit.first().map_or(Found::default(), |first| of_h264(first & 0x1f, unit)),
        Codec::H265 => unit.first().map_or(Found::default(), |first| of_h265(first >> 1 & 0x3f)),
        Codec::Jpeg | Codec::Other(_) => Found::default(),
    }
}

/// Whether a picture can be made with these parameter sets.
pub fn is_enough(codec: &Codec, sets: u8) -> bool {
    match codec {
        Codec::H264 => sets & (SPS | PPS) == SPS | PPS,
        Codec::H265 => sets & (SPS | PPS | VPS) == SPS | PPS | VPS,
        Codec::Jpeg | Codec::Other(_) => true,
    }
}

fn h264(payload: &[u8]) -> Option<Found> {
    let first = *payload.first()?;
    match first & 0x1f {
        kind @ 1..=23 => Some(of_h264(kind, payload)),
        // STAP-A: sizes and units.
        24 => aggregate(&payload[1..], |unit| of_h264(unit[0] & 0x1f, unit)),
        // FU-A: a part of one unit.
        28 => {
            let header = *payload.get(1)?;
            let found = of_h264(header & 0x1f, &[]);
            Some(Found { sets: 0, goes_on: header & 0x80 == 0, ..found })
        }
        _ => None,
    }
}

fn of_h264(kind: u8, unit: &[u8]) -> Found {
    match kind {
        5 => Found { key: true, picture: true, ..Found::default() },
        1..=4 => Found { picture: true, ..Found::default() },
        7 if is_sound_sps(unit) => Found { sets: SPS, ..Found::default() },
        8 if unit.len() >= 2 => Found { sets: PPS, ..Found::default() },
        _ => Found::default(),
    }
}

fn h265(payload: &[u8]) -> Option<Found> {
    let [first, _, rest @ ..] = payload else { return None };
    match first >> 1 & 0x3f {
        kind @ 0..=47 => Some(of_h265(kind)),
        48 => aggregate(rest, |unit| of_h265(unit[0] >> 1 & 0x3f)),
        49 => {
            let header = *rest.first()?;
            let found = of_h265(header & 0x3f);
            Some(Found { sets: 0, goes_on: header & 0x80 == 0, ..found })
        }
        _ => None,
    }
}

fn of_h265(kind: u8) -> Found {
    match kind {
        16..=23 => Found { key: true, picture: true, ..Found::default() },
        0..=15 => Found { picture: true, ..Found::default() },
        32 => Found { sets: VPS, ..Found::default() },
        33 => Found { sets: SPS, ..Found::default() },
        34 => Found { sets: PPS, ..Found::default() },
        _ => Found::default(),
    }
}

/// Units with their sizes in front; none of them is empty.
fn aggregate(mut rest: &[u8], of: impl Fn(&[u8]) -> Found) -> Option<Found> {
    let mut found = Found::default();
    for _ in 0..MOST_UNITS {
        let Some(size) = rest.get(..2) else { break };
        let size = usize::from(u16::from_be_bytes([size[0], size[1]]));
        let unit = rest.get(2..2 + size).filter(|unit| !unit.is_empty())?;
        found = found.and(of(unit));
        rest = &rest[2 + size..];
    }
    Some(found)
}

/// Whether an SPS of H.264 may be one (ITU-T H.264, sections 7.3.2.1.1 and A.2): a profile there is, and a level.
fn is_sound_sps(unit: &[u8]) -> bool {
    let [_, profile, _, level, ..] = unit else { return false };
    let known =
        matches!(profile, 44 | 66 | 77 | 83 | 86 | 88 | 100 | 110 | 118 | 122 | 128 | 134 | 138 | 139 | 244);
    known && (9..=62).contains(level)
}
