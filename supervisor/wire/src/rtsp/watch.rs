//! What the packets of a stream say of it: whether it lives, whether a picture can be made of it, how fast it comes.

use super::nal::{self, Codec};
use super::rtp::Packet;
use super::sdp::Video;
use roundsman_core::time::Mono;

/// Gaps in sequence numbers above it are another beginning, not a loss.
const MOST_GAP: u16 = 1_000;

/// A stream as it is watched.
#[derive(Clone, Debug)]
pub struct Watch {
    codec: Codec,
    kind: u8,
    /// Parameter sets that were seen.
    sets: u8,
    sequence: Option<u16>,
    /// Timestamp of the frame that comes, and whether it is a key frame from its beginning without a gap.
    frame: Option<Frame>,
    seen: Seen,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    timestamp: u32,
    is_key: bool,
    is_picture: bool,
    is_whole: bool,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The first packet.
    pub first_packet: Option<Mono>,
    /// The first packet of the first whole key frame that can be decoded.
    pub first_key_frame: Option<Mono>,
    /// The latest packet.
    pub last_packet: Option<Mono>,
    /// Whole frames.
    pub frames: u32,
    /// Packets that were skipped in the numbers.
    pub lost: u32,
    /// Packets that are none of the codec's.
    pub strange: u32,
    /// Octets of packets.
    pub octets: u64,
}

impl Watch {
    /// Nothing yet of this video.
    pub fn new(video: &Video) -> Watch {
        let sets = video.sets.iter().fold(0, |sets, set| sets | nal::unit(&video.codec, set).sets);
        Watch {
            codec: video.codec.clone(),
            kind: video.kind,
            sets,
            sequence: None,
            frame: None,
            seen: Seen::default(),
        }
    }

    /// What was seen up to now.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Whether a whole key frame came with all that it needs.
    pub fn is_decodable(&self) -> bool {
        self.seen.first_key_frame.is_some()
    }

    /// Takes a packet of the video's channel.
    pub fn take(&mut self, octets: &[u8], now: Mono) {
        let Some(packet) = Packet::read(octets).filter(|packet| packet.kind == self.kind) else {
            self.seen.strange = self.seen.strange.saturating_add(1);
            return;
        };
        self.seen.first_packet.get_or_insert(now);
        self.seen.last_packet = Some(now);
        self.seen.octets += octets.len() as u64;
        let gap = self.sequence.map_or(0, |last| packet.sequence.wrapping_sub(last).wrapping_sub(1));
        self.sequence = Some(packet.sequence);
        if (1..=MOST_GAP).contains(&gap) {
            self.seen.lost = self.seen.lost.saturating_add(gap.into());
        }
        let Some(found) = nal::look(&self.codec, packet.payload) else {
            self.seen.strange = self.seen.strange.saturating_add(1);
            return;
        };
        self.sets |= found.sets;
        // A frame that goes on, or the next one; the one before is over.
        let same = self.frame.filter(|frame| frame.timestamp == packet.timestamp);
        if same.is_none() {
            self.end(now);
        }
        let is_whole = !found.goes_on;
        let begins = Frame { timestamp: packet.timestamp, is_key: false, is_picture: false, is_whole };
        let mut frame = same.unwrap_or(begins);
        frame.is_whole &= gap == 0;
        frame.is_key |= found.key;
        frame.is_picture |= found.picture;
        self.frame = Some(frame);
        if packet.marker {
            self.end(now);
        }
    }

    /// The frame that came is over.
    fn end(&mut self, now: Mono) {
        let Some(frame) = self.frame.take().filter(|frame| frame.is_picture && frame.is_whole) else {
            return;
        };
        self.seen.frames = self.seen.frames.saturating_add(1);
        if frame.is_key && nal::is_enough(&self.codec, self.sets) {
            self.seen.first_key_frame.get_or_insert(now);
        }
    }
}
