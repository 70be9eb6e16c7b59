//! ONVIF: what is asked of a camera or recorder and what its answers mean (Core Specification, Media, Media2, Event,
//! Recording Search).
//!
//! **The way of a question**: a [`call::Call`] becomes an envelope, signed as the device's [`login::Login`] says; the
//! answer's octets become a tree ([`xml`]), the tree the call's own element or a fault ([`answer`]), and that what the
//! service says ([`device`], [`media`], [`events`], [`recordings`]). Addresses that a device gives are never followed as
//! they are ([`address`]).
//!
//! Elements are found by their local name: devices differ in prefixes, and some forget to declare them.

pub mod address;
pub mod answer;
pub mod call;
pub mod device;
pub mod discovery;
pub mod events;
pub mod health;
pub mod login;
pub mod media;
mod moment;
pub mod recordings;
pub mod token;
pub mod xml;

/// Most entries that are taken from a list in an answer: profiles, services, messages, recordings.
pub const MOST_LISTED: usize = 256;
