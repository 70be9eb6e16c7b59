//! A virtual site on loopback that speaks the real protocols, with faults on demand.
//!
//! **Duty.** Gives every device of a site file an SNMP v1/v2c agent and an RFC 862 echo on its own 127.x address
//! ([`site`]), with the objects of its [`model`] and values that follow the day; makes what goes wrong in the field ([`fault`]) by a UDP proxy in front of
//! the agents; puts slaves, panels and projectors on serial lines and at TCP ports ([`bus`]), cameras and a recorder on ONVIF and RTSP ([`camera`]); tells a [`story`] of eight
//! scenes; writes the demo's site file ([`generate`]); answers for many devices
//! on one socket where only load matters ([`bare`]).
//!
//! **Place in the flow.** Outside it: a process of its own at the other end of the network. It shares neither memory
//! nor time nor fate with the supervisor.
//!
//! **Refuses.** The supervisor's codec: its own reader and writer keep that one honest (of buses it shares `roundsman-rtu` alone). Any address but loopback, any
//! port below 1024, any right beyond a user's.

mod agent;
pub mod bare;
mod ber;
pub mod bus;
pub mod camera;
pub mod clock;
pub mod direct;
pub mod fault;
pub mod generate;
mod message;
mod mib;
pub mod model;
mod proxy;
mod scene;
pub mod site;
pub mod story;
mod tree;

/// The load of the virtual site at a moment in seconds since 1970: a share of that of the busiest one, without the
/// unrest of single values. Who makes up a past for it lets that follow the same days.
pub fn load_at(unix_s: f64) -> f64 {
    scene::load_at(unix_s)
}
