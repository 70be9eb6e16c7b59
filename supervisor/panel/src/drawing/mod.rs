//! Drawings: what the site looks like as SVG, made on the server.
//!
//! **Duty.** Pure functions from plain structs to a string of SVG that stands inside a page. They are deterministic:
//! the same input is the same text, so that a page part is swapped only when something changed.
//!
//! **Place in the flow.** Called by the pages with what they took from the site. `assets/drawing.css` gives the
//! colours and sizes through the custom properties of the page (`--critical`, `--line`, …), so one drawing serves
//! the dark theme, the light one and forced colours.
//!
//! **Refuses.** No site, no clock, no words of a language: whatever people read comes in, ready in their language.
//! No style attribute, no script, no `id` (two drawings on one page never meet). No input, however long or broken,
//! makes a drawing panic or grow past its limits, which are named constants beside each function.

mod cameras;
mod chart;
mod mosaic;
mod ports;
mod quantity;
mod ring;
mod run_strip;
mod series;
mod shape;
#[cfg(test)]
mod tests;
mod text;
mod tiers;
mod wall;
mod write;

pub use cameras::{Camera, Cameras, cameras};
pub use chart::{Chart, Spread, Threshold, chart};
pub use mosaic::{Mosaic, mosaic};
pub use ports::{InterfaceStrip, Port, PortState, interface_strip};
pub use quantity::{Quantity, quantity};
pub use ring::ring;
pub use run_strip::{Run, RunStrip, run_strip};
pub use series::{Column, m4};
pub use tiers::{LineState, Node, TierLine, Tiers, tiers};
pub use wall::{Wall, WallPanel, wall};
