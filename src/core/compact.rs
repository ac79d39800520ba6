//! What the server has others keep for it, and takes back: seats in attachments and in tokens, as bytes.
//!
//! The format is postcard's (<https://postcard.jamesmunns.com/wire-format>): values one after the other, without
//! names. That is half as long as JSON, quicker to read when an object wakes up, and less code. Such bytes do
//! not say what they mean, so the first of them is a version, and those of another one are nothing.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version of all that is kept so. To be counted up whenever a seat or a token changes; the tests of the
/// lobby and of the room notice.
const VERSION: u8 = 3;

/// As bytes; nothing where that cannot be.
#[must_use]
pub fn pack(value: &impl Serialize) -> Option<Vec<u8>> {
    postcard::to_extend(value, vec![VERSION]).ok()
}

/// What was packed; nothing where these bytes are of another version, too many, or none of this.
#[must_use]
pub fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let packed = bytes.strip_prefix(&[VERSION])?;
    let (value, rest) = postcard::take_from_bytes(packed).ok()?;
    rest.is_empty().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked_and_nothing_else_is() {
        let packed = pack(&("Ana", 7_u64)).unwrap_or_default();
        assert_eq!(unpack(&packed), Some(("Ana".to_owned(), 7_u64)));
        let more = [packed.as_slice(), &[0]].concat();
        let other = [&[VERSION + 1], &packed[1..]].concat();
        for bytes in [&[], &packed[..1], &packed[..4], &packed[1..], &more, &other] {
            assert_eq!(unpack::<(String, u64)>(bytes), None, "{bytes:?}");
        }
    }
}
