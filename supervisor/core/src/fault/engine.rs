//! The fault engine.
