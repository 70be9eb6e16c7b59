//! Shared ticks: when which device is polled.
