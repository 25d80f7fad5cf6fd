//! One JSON message as one line, which is how a process reads it.

use bytes::{BufMut, Bytes, BytesMut};

/// `json` on a single line with the newline that ends it.
///
/// A valid JSON text has raw line breaks only between tokens, so a blank there changes nothing.
pub(super) fn as_line(json: &Bytes) -> Bytes {
    let mut line = BytesMut::with_capacity(json.len() + 1);
    line.extend(json.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    line.put_u8(b'\n');
    line.freeze()
}

#[cfg(test)]
mod tests;
