//! Sensors no well-kept crate for embedded-hal 1.0 reads: the dust sensors. Both are told apart from the others by
//! their checksums; the well-kept crates (sht4x, embedded-sht3x, ina219, ina226-tp, ads1x1x, onewire) belong to boards.

pub mod pms;
pub mod sps30;
