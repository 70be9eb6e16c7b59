//! Placeholder until its part of the first issue lands.
