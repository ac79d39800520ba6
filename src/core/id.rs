//! Peer ids: 50 random bits, ten characters on the wire, a number in what is kept.
//!
//! An id is a name and never a key: a message goes to a peer of the sender's own call or nowhere,
//! whoever's id it carries. So an id only has to be unique among those connected, which the lobby
//! checks, and fifty bits have the advantage of being an exact number in JavaScript, where the shell
//! keeps one on each socket.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Crockford's base 32, which leaves out the letters that read like digits or other letters.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 10;
const BITS: u32 = 5 * LENGTH as u32;

/// Names one connected peer for as long as its seat lasts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(u64);

impl PeerId {
    /// An id from random bits, of which the lowest 50 are used.
    #[must_use]
    pub const fn from_random(bits: u64) -> Self {
        Self(bits & ((1 << BITS) - 1))
    }

    /// The id as a number, below 2^50.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// The text of an id.
struct Text([u8; LENGTH]);

impl Text {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl From<PeerId> for Text {
    fn from(id: PeerId) -> Self {
        let mut text = [0; LENGTH];
        for (place, digit) in text.iter_mut().rev().enumerate() {
            *digit = ALPHABET[(id.0 >> (5 * place)) as usize & 31];
        }
        Self(text)
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Text::from(*self).as_str())
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a peer id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAPeerId;

impl fmt::Display for NotAPeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a peer id is ten characters of 0-9 and a-z without i, l, o and u")
    }
}

impl FromStr for PeerId {
    type Err = NotAPeerId;

    fn from_str(text: &str) -> Result<Self, NotAPeerId> {
        if text.len() != LENGTH {
            return Err(NotAPeerId);
        }
        text.bytes()
            .try_fold(0, |number, byte| {
                let digit = ALPHABET.iter().position(|&known| known == byte)?;
                Some(number << 5 | digit as u64)
            })
            .map(Self)
            .ok_or(NotAPeerId)
    }
}

impl Serialize for PeerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.serialize_str(Text::from(*self).as_str()),
            false => serializer.serialize_u64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for PeerId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Id;
        impl de::Visitor<'_> for Id {
            type Value = PeerId;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&NotAPeerId, f)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<PeerId, E> {
                text.parse().map_err(E::custom)
            }
        }
        match deserializer.is_human_readable() {
            true => deserializer.deserialize_str(Id),
            false => u64::deserialize(deserializer).map(Self::from_random),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_id_reads_back_as_the_same_id() {
        for bits in [0, 1, 31, 32, u64::MAX, 0x1234_5678_9abc_def0] {
            let id = PeerId::from_random(bits);
            assert_eq!(id.to_string().len(), LENGTH);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in [
            "",
            "0",
            "00000000001",
            "000000000l",
            "000000000A",
            "00000000é",
        ] {
            assert_eq!(text.parse::<PeerId>(), Err(NotAPeerId), "{text}");
        }
    }
}
