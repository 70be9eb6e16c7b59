//! A picture of a camera over HTTP.

use roundsman_wire::onvif::login::{Door, Next, Reply, Way};

use super::http::{Answer, Request};
use super::{Device, Failure, MOST_TRIES};

/// Most octets of a picture: a JPEG of eight megapixels has about three.
const MOST_OCTETS: usize = 8 << 20;

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The JPEG.
    pub octets: Vec<u8>,
    /// Width and height in pixels, as its frame header says.
    pub size: Option<(u16, u16)>,
}

impl Device {
    /// Fetches the picture at a path of the device.
    ///
    /// # Errors
    /// See [`Failure`]: [`Failure::Missing`] where there is none, [`Failure::NoPicture`] where something else came.
    pub async fn picture(&self, path: &str) -> Result<Picture, Failure> {
        let door = Door::Snapshot;
        let mut way = self.learned(|learned| learned.login.begin(door)).ok_or(Failure::Stopped)?;
        for _ in 0..MOST_TRIES {
            if way != Way::Plain && self.credentials.is_none() {
                return Err(Failure::Refused);
            }
            let showing = self.show(door, way).await?;
            let answer = match self.fetch(path, way).await {
                Err(Failure::Closed(_)) if self.is_worth_another(&showing) => continue,
                other => other?,
            };
            let reply = match answer.status {
                401 | 403 => {
                    let offered = self.learned(|learned| learned.challenges.hear(&answer.challenges, way));
                    Reply::Refused { digest: offered.digest, basic: offered.basic, stale: offered.stale }
                }
                200..=299 => Reply::Accepted,
                404 => return Err(Failure::Missing),
                status => return Err(Failure::Status { method: "GET", status }),
            };
            match showing.heard(reply) {
                Next::Done => return read(answer.body),
                Next::Again(next) => way = next,
                Next::Stop => return Err(Failure::Refused),
            }
        }
        Err(Failure::Refused)
    }

    async fn fetch(&self, path: &str, way: Way) -> Result<Answer, Failure> {
        let url = self.url(path);
        let authorization = self.credentials.as_ref().and_then(|credentials| {
            self.learned(|learned| learned.challenges.respond(way, credentials, ("GET", path), b""))
        });
        let authorization = authorization.as_deref();
        self.send(&Request { url: &url, content_type: None, authorization, body: String::new() }, MOST_OCTETS)
            .await
    }
}

fn read(octets: Vec<u8>) -> Result<Picture, Failure> {
    if !octets.starts_with(&[0xff, 0xd8, 0xff]) {
        return Err(Failure::NoPicture);
    }
    let size = size(&octets);
    Ok(Picture { octets, size })
}

/// Width and height by the frame header (ITU-T T.81, section B.2.2).
fn size(octets: &[u8]) -> Option<(u16, u16)> {
    let mut at = 2;
    loop {
        let [0xff, marker] = *octets.get(at..at + 2)? else { return None };
        let two = |at: usize| Some(u16::from_be_bytes(octets.get(at..at + 2)?.try_into().ok()?));
        match marker {
            0xff => at += 1,
            // Start of frame, but for tables that share the range.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return Some((two(at + 7)?, two(at + 5)?));
            }
            // The scan begins: no frame header came.
            0xda | 0xd9 => return None,
            _ => at += 2 + usize::from(two(at + 2)?.max(2)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_stands_in_the_frame_header() {
        let head = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc4, 0, 3, 9, 0xff, 0xff];
        let frame = [0xc0, 0, 11, 8, 0x04, 0x38, 0x07, 0x80, 1, 1, 0x11, 0];
        let whole: Vec<u8> = head.iter().chain(&frame).copied().collect();
        assert_eq!(size(&whole), Some((1_920, 1_080)));
        assert_eq!(read(whole.clone()).map(|picture| picture.size), Ok(Some((1_920, 1_080))));
        for len in 0..whole.len() {
            // Never a wrong one, whatever is missing.
            assert!(matches!(size(&whole[..len]), None | Some((1_920, 1_080))), "{len}");
        }
        assert_eq!(read(b"<html>no picture</html>".to_vec()), Err(Failure::NoPicture));
    }
}
