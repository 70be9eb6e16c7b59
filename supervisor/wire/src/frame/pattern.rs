//! What a request sends, and which frame answers it.

use super::layout::Layout;
use crate::params::{Missing, Params};
use std::sync::Arc;

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This octet.
    Octet(u8),
    /// Any octet (`..`).
    Any,
    /// Any number of octets (`*`); once in a pattern.
    Rest,
    /// What is given under this name (`{address}`).
    Param(Arc<str>),
    /// The checksum (`{check}`), as wide as the layout's.
    Check,
    /// The length (`{length}`), as wide as the layout's.
    Length,
}

/// Pieces one behind the other. To send it holds neither [`Piece::Any`] nor [`Piece::Rest`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern(pub Vec<Piece>);

/// A pattern with everything given put in: octets that must be so, `None` where any will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    head: Vec<Option<u8>>,
    /// What stands at the end, where something in between is open.
    tail: Option<Vec<Option<u8>>>,
}

impl Pattern {
    /// The octets to send on the line.
    pub fn render(&self, layout: &Layout, params: &Params) -> Result<Vec<u8>, Unrenderable> {
        let mut frame = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Octet(octet) => frame.push(*octet),
                Piece::Param(name) => {
                    frame.extend_from_slice(params.get(name).ok_or_else(|| Missing(name.clone()))?);
                }
                Piece::Check => frame.extend(std::iter::repeat_n(0, check_width(layout))),
                Piece::Length => frame.extend(std::iter::repeat_n(0, length_width(layout))),
                Piece::Any | Piece::Rest => return Err(Unrenderable::Open),
            }
        }
        let fills_length = self.0.contains(&Piece::Length);
        layout.write(frame, fills_length).ok_or(Unrenderable::Layout)
    }

    /// The pattern with everything given put in.
    pub fn mask(&self, layout: &Layout, params: &Params) -> Result<Mask, Missing> {
        let mut mask = Mask { head: Vec::new(), tail: None };
        for piece in &self.0 {
            let to = mask.tail.as_mut().unwrap_or(&mut mask.head);
            match piece {
                Piece::Octet(octet) => to.push(Some(*octet)),
                Piece::Any => to.push(None),
                Piece::Param(name) => {
                    let octets = params.get(name).ok_or_else(|| Missing(name.clone()))?;
                    to.extend(octets.iter().copied().map(Some));
                }
                Piece::Check => to.extend(std::iter::repeat_n(None, check_width(layout))),
                Piece::Length => to.extend(std::iter::repeat_n(None, length_width(layout))),
                Piece::Rest => mask.tail = Some(Vec::new()),
            }
        }
        Ok(mask)
    }
}

fn check_width(layout: &Layout) -> usize {
    layout.check.map_or(0, |check| check.width())
}

fn length_width(layout: &Layout) -> usize {
    match layout.length {
        super::Length::Field { width, .. } => usize::from(width),
        _ => 0,
    }
}

impl Mask {
    /// Whether a frame (its meaning) is one of these.
    pub fn fits(&self, frame: &[u8]) -> bool {
        let same = |mask: &[Option<u8>], octets: &[u8]| {
            mask.iter().zip(octets).all(|(wanted, octet)| wanted.is_none_or(|wanted| wanted == *octet))
        };
        match &self.tail {
            None => frame.len() == self.head.len() && same(&self.head, frame),
            Some(tail) => {
                frame.len() >= self.head.len() + tail.len()
                    && same(&self.head, frame)
                    && same(tail, &frame[frame.len() - tail.len()..])
            }
        }
    }
}

/// Why a request cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unrenderable {
    /// Something it names is not given.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// It leaves octets open.
    #[error("what is sent leaves octets open: `..` and `*` belong into answers")]
    Open,
    /// Length or check have no place in it.
    #[error("length or checksum have no place in what is sent")]
    Layout,
}
