//! Compact bytes, as every blob of the store is made of: integers in LEB128, signed ones zigzag. Reading never
//! panics and never reserves more than the block's own size justifies.

/// LEB128.
pub(crate) fn put(out: &mut Vec<u8>, mut x: u64) {
    while x >= 0x80 {
        out.push(x as u8 | 0x80);
        x >>= 7;
    }
    out.push(x as u8);
}

/// LEB128 of the zigzag form.
pub(crate) fn put_signed(out: &mut Vec<u8>, x: i64) {
    put(out, ((x << 1) ^ (x >> 63)).cast_unsigned());
}

/// What is left of a block.
pub(crate) struct Input<'a> {
    rest: &'a [u8],
}

/// A value, or what is wrong with the bytes.
pub(crate) type Decoded<T> = Result<T, &'static str>;

impl<'a> Input<'a> {
    pub(crate) fn new(block: &'a [u8]) -> Input<'a> {
        Input { rest: block }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What is left, all of it.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn bytes(&mut self, length: u64) -> Decoded<&'a [u8]> {
        let length = usize::try_from(length).map_err(|_| "length out of range")?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or("cut short")?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self) -> Decoded<u8> {
        Ok(self.bytes(1)?[0])
    }

    pub(crate) fn number(&mut self) -> Decoded<u64> {
        let mut x = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            x |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(x);
            }
        }
        Err("number too long")
    }

    pub(crate) fn signed(&mut self) -> Decoded<i64> {
        let x = self.number()?;
        Ok((x >> 1).cast_signed() ^ -(x & 1).cast_signed())
    }

    /// A count of things of at least one byte each: more than there are bytes left is damage, not a reason to
    /// reserve memory.
    pub(crate) fn count(&mut self) -> Decoded<usize> {
        let count = usize::try_from(self.number()?).map_err(|_| "count out of range")?;
        if count > self.rest.len() { Err("count larger than the block") } else { Ok(count) }
    }
}
