//! Exceptions: why a slave did not do what it was asked (AP section 7).

/// An exception code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exception {
    /// 1: the slave does not know the function.
    IllegalFunction,
    /// 2: it does not have all the addresses.
    IllegalAddress,
    /// 3: a quantity or value it does not take.
    IllegalValue,
    /// 4: it failed while it did it.
    DeviceFailure,
    /// 5: it works on it, ask later.
    Acknowledge,
    /// 6: it is busy, ask again later.
    Busy,
    /// 8: its memory is damaged.
    MemoryParity,
    /// 10: a gateway has no way to the unit.
    GatewayPath,
    /// 11: the unit did not answer the gateway.
    GatewayTarget,
    /// A code that the specification does not know.
    Other(u8),
}

impl Exception {
    /// The code on the line.
    pub fn code(self) -> u8 {
        match self {
            Exception::IllegalFunction => 1,
            Exception::IllegalAddress => 2,
            Exception::IllegalValue => 3,
            Exception::DeviceFailure => 4,
            Exception::Acknowledge => 5,
            Exception::Busy => 6,
            Exception::MemoryParity => 8,
            Exception::GatewayPath => 10,
            Exception::GatewayTarget => 11,
            Exception::Other(code) => code,
        }
    }

    /// The exception of a code.
    pub fn of(code: u8) -> Exception {
        match code {
            1 => Exception::IllegalFunction,
            2 => Exception::IllegalAddress,
            3 => Exception::IllegalValue,
            4 => Exception::DeviceFailure,
            5 => Exception::Acknowledge,
            6 => Exception::Busy,
            8 => Exception::MemoryParity,
            10 => Exception::GatewayPath,
            11 => Exception::GatewayTarget,
            other => Exception::Other(other),
        }
    }
}
