//! What the media services say (Media Service, sections 5.2, 5.10; Media2, sections 5.2, 5.12).

use super::MOST_LISTED;
use super::call::Media;
use super::xml::Element;

/// A media profile and its video encoder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// What it is asked by.
    pub token: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// The encoder, where it has one.
    pub encoder: Option<Encoder>,
}

/// How video is encoded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Encoder {
    /// `JPEG`, `MPEG4`, `H264` or `H265`.
    pub encoding: Box<str>,
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
    /// Most frames a second.
    pub frame_rate: Option<f64>,
    /// Most kilobits a second.
    pub bit_rate: Option<u32>,
    /// Frames from one key frame to the next.
    pub group: Option<u32>,
}

fn whole(element: &Element, path: &[&str]) -> Option<u32> {
    let number = element.number(path)?;
    (0.0..=f64::from(u32::MAX)).contains(&number).then_some(number as u32)
}

/// Profiles, in the device's order.
pub fn profiles(media: Media, answer: &Element) -> Vec<Profile> {
    let read = |profile: &Element| {
        let encoder = match media {
            Media::One => profile.child("VideoEncoderConfiguration"),
            Media::Two => profile.at(&["Configurations", "VideoEncoder"]),
        };
        Some(Profile {
            token: profile.attribute("token").filter(|token| !token.is_empty())?.into(),
            name: profile.said(&["Name"]).unwrap_or("").into(),
            encoder: encoder.map(|encoder| read_encoder(media, encoder)),
        })
    };
    answer.all("Profiles").filter_map(read).take(MOST_LISTED).collect()
}

fn read_encoder(media: Media, encoder: &Element) -> Encoder {
    let encoding = encoder.said(&["Encoding"]).unwrap_or("").to_uppercase();
    let group = match media {
        Media::One => {
            whole(encoder, &["H264", "GovLength"]).or_else(|| whole(encoder, &["MPEG4", "GovLength"]))
        }
        Media::Two => encoder.attribute("GovLength").and_then(|text| text.parse().ok()),
    };
    let size = whole(encoder, &["Resolution", "Width"]).zip(whole(encoder, &["Resolution", "Height"]));
    Encoder {
        encoding: encoding.into(),
        size,
        frame_rate: encoder.number(&["RateControl", "FrameRateLimit"]),
        bit_rate: whole(encoder, &["RateControl", "BitrateLimit"]),
        group,
    }
}

/// The address in the answer of GetStreamUri or GetSnapshotUri; some devices write `(null)`.
pub fn uri(answer: &Element) -> Option<&str> {
    let uri = answer.said(&["MediaUri", "Uri"]).or_else(|| answer.said(&["Uri"]))?;
    (uri != "(null)").then_some(uri)
}
