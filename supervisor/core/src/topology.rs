//! The uplink graph.
