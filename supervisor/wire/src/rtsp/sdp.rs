//! What a stream is, by its description (SDP, RFC 4566; RFC 2326, appendix C).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::nal::Codec;

/// Most lines that are looked at.
const MOST_LINES: usize = 512;
/// Most parameter sets that are taken.
const MOST_SETS: usize = 8;
/// Clock of video (RFC 6184, section 8.2.1).
const VIDEO_CLOCK: u32 = 90_000;

/// The video of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video {
    /// Its codec.
    pub codec: Codec,
    /// Payload type of its packets.
    pub kind: u8,
    /// Ticks of its timestamps in a second.
    pub clock: u32,
    /// The address to set it up at, as the description has it; `None`: that of the stream.
    pub control: Option<Box<str>>,
    /// Parameter sets that the description holds.
    pub sets: Vec<Vec<u8>>,
}

/// The first video of a description. `None` where it describes none.
pub fn video(description: &[u8]) -> Option<Video> {
    let text = String::from_utf8_lossy(description);
    let lines = || text.lines().take(MOST_LINES).map(str::trim_end);
    let begins = lines().position(|line| line.starts_with("m=video"))?;
    let mut media = lines().skip(begins);
    // `m=video 0 RTP/AVP 96`
    let kind: u8 = media.next()?.split_whitespace().nth(3)?.parse().ok()?;
    let media: Vec<&str> = media.take_while(|line| !line.starts_with("m=")).collect();
    let attribute = |name: &str| media.iter().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name));
    let of_kind = |name: &str| {
        let mut values = media.iter().filter_map(|line| line.strip_prefix("a=")?.strip_prefix(name));
        values.find_map(|value| value.strip_prefix(&kind.to_string())?.strip_prefix(' '))
    };
    // `a=rtpmap:96 H264/90000`
    let (name, clock) = match of_kind("rtpmap:") {
        Some(map) => {
            let mut parts = map.trim().split('/');
            (parts.next()?, parts.next().and_then(|clock| clock.parse().ok()))
        }
        // Of the types with a number of their own, JPEG alone is video that cameras send (RFC 3551, table 5).
        None if kind == 26 => ("JPEG", None),
        None => return None,
    };
    let codec = Codec::from_name(name);
    let sets = of_kind("fmtp:").map(parameter_sets).unwrap_or_default();
    Some(Video {
        codec,
        kind,
        clock: clock.filter(|clock| *clock > 0).unwrap_or(VIDEO_CLOCK),
        control: attribute("control:").map(str::trim).filter(|control| *control != "*").map(Box::from),
        sets,
    })
}

/// `sprop-parameter-sets` of H.264 (RFC 6184, section 8.1), `sprop-vps`, `-sps` and `-pps` of H.265 (RFC 7798, section 7.1).
fn parameter_sets(format: &str) -> Vec<Vec<u8>> {
    let values = format.split(';').filter_map(|pair| pair.trim().split_once('='));
    let sets =
        values.filter(|(name, _)| name.trim().starts_with("sprop-")).flat_map(|(_, value)| value.split(','));
    sets.filter_map(|set| STANDARD.decode(set.trim()).ok())
        .filter(|set| !set.is_empty())
        .take(MOST_SETS)
        .collect()
}

/// The address of a `control` beside that of the description (`Content-Base`, or the address that was asked).
pub fn control(base: &str, control: Option<&str>) -> String {
    match control {
        None => base.to_owned(),
        Some(control) if control.contains("://") => control.to_owned(),
        Some(control) if base.ends_with('/') => format!("{base}{control}"),
        Some(control) => format!("{base}/{control}"),
    }
}
