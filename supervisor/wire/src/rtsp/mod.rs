//! RTSP with its media in the same connection (RFC 2326; RFC 7826 for what it left open): enough to ask a camera for its
//! stream and to see whether it comes.
//!
//! Requests are written by [`message::request`], a [`message::Reader`] cuts what comes into answers and packets, [`sdp`]
//! says what the stream is, [`watch::Watch`] looks at its packets. None of it keeps more than its limits say, whatever
//! comes.

pub mod message;
pub mod nal;
pub mod rtp;
pub mod sdp;
pub mod watch;
