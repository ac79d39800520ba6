//! Texts that others keep for the server and cannot change: what they say, until when they hold, and the
//! signature of that.
//!
//! Nothing in them is hidden from who has them, and none can be taken back before its time is over.

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::digest::CtOutput;
use hmac::{Hmac, KeyInit, Mac};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::core::compact::{pack, unpack};
use crate::core::redacted::Redacted;
use crate::core::time::Timestamp;

/// The longest text that is looked at, in bytes. The longest there is, the token of somebody who moves with an offer
/// and interests that are as long as may be, has about 18,000.
const LONGEST: usize = 20_480;

/// What a seal is made with.
#[derive(Clone)]
pub struct Key([u8; Self::BYTES]);

/// What a sealed text says.
#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    until: Timestamp,
    said: T,
}

impl Key {
    /// How many bytes a key has: as many as SHA-256 gives (RFC 2104, section 3).
    pub const BYTES: usize = 32;

    /// A key of random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// A key for one purpose out of a secret that has another: HKDF-Expand (RFC 5869, section 2.3) of one
    /// block, which tells nothing of the secret and is no key for any other purpose.
    #[must_use]
    pub(super) fn derived(secret: &str, purpose: &str) -> Option<Self> {
        let seal = Seal(Hmac::new_from_slice(secret.as_bytes()).ok()?);
        let block = seal.signature(format!("{purpose}\u{1}").as_bytes());
        Some(Self(block.into_bytes().into()))
    }

    /// What it was made of, to be kept.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// Makes and reads the texts of one key: HMAC-SHA256 (RFC 2104) that has taken the key in already.
#[derive(Debug)]
pub(super) struct Seal(Hmac<Sha256>);

impl Seal {
    /// How many bytes a signature has.
    const BYTES: usize = 32;

    pub(super) fn new(key: &Key) -> Self {
        // A key that is shorter than a block is padded with zeros (RFC 2104, section 2).
        let mut block = [0; 64];
        block[..Key::BYTES].copy_from_slice(&key.0);
        Self(Hmac::new(&block.into()))
    }

    /// What is said, until when, and the signature of both, in base64url (RFC 4648, section 5).
    pub(super) fn close(&self, said: impl Serialize, until: Timestamp) -> Option<Redacted> {
        Some(self.sign(pack(&Sealed { until, said })?).into())
    }

    /// What a text says; nothing where it is not of this key, or its time is over.
    pub(super) fn open<T: DeserializeOwned>(&self, text: &str, now: Timestamp) -> Option<T> {
        let Sealed { until, said } = unpack(&self.verify(text)?)?;
        (now < until).then_some(said)
    }

    fn sign(&self, mut bytes: Vec<u8>) -> String {
        bytes.extend(self.signature(&bytes).into_bytes());
        Base64UrlUnpadded::encode_string(&bytes)
    }

    /// What was signed; nothing where it was not.
    fn verify(&self, text: &str) -> Option<Vec<u8>> {
        if text.len() > LONGEST {
            return None;
        }
        let mut bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
        let (said, signature) = bytes.split_last_chunk::<{ Self::BYTES }>()?;
        // Compared in a time that tells nothing of where they differ.
        let good = self.signature(said) == CtOutput::new((*signature).into());
        bytes.truncate(said.len());
        good.then_some(bytes)
    }

    fn signature(&self, said: &[u8]) -> CtOutput<Hmac<Sha256>> {
        self.0.clone().chain_update(said).finalize()
    }
}

/// A key is nobody's business.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::time::Millis;

    const KEY: Key = Key::new([7; Key::BYTES]);
    const NOW: Timestamp = Timestamp::from_unix_millis(1_800_000_000_000);
    const LIFE: Millis = Millis::new(1_000);

    fn sealed() -> String {
        let text = Seal::new(&KEY).close(vec![1_u32, 2], NOW.after(LIFE));
        text.unwrap().expose().into()
    }

    fn opened(key: &Key, text: &str, now: Timestamp) -> Option<Vec<u32>> {
        Seal::new(key).open(text, now)
    }

    #[test]
    fn a_text_says_what_was_sealed_until_its_time_is_over() {
        let last = NOW.after(LIFE).before(Millis::new(1));
        for now in [NOW, last] {
            assert_eq!(opened(&KEY, &sealed(), now), Some(vec![1, 2]));
        }
        assert_eq!(opened(&KEY, &sealed(), NOW.after(LIFE)), None);
    }

    #[test]
    fn a_text_of_another_key_says_nothing() {
        assert_eq!(opened(&Key::new([8; Key::BYTES]), &sealed(), NOW), None);
    }

    #[test]
    fn a_text_that_was_touched_anywhere_says_nothing() {
        let text = sealed();
        for place in 0..text.len() {
            let mut touched = text.clone().into_bytes();
            touched[place] = if touched[place] == b'A' { b'B' } else { b'A' };
            let touched = String::from_utf8(touched).unwrap_or_default();
            assert_eq!(opened(&KEY, &touched, NOW), None, "{place}");
        }
    }

    #[test]
    fn what_was_never_sealed_says_nothing() {
        let long = "a".repeat(LONGEST + 1);
        let text = sealed();
        let (half, longer) = (&text[..text.len() / 2], format!("{text}AAAA"));
        for text in ["", ".", "A", "AAAA", "é", half, &longer, &long] {
            assert_eq!(opened(&KEY, text, NOW), None, "{text}");
        }
    }

    #[test]
    fn a_secret_gives_another_key_for_each_purpose() {
        let key = |secret, purpose| Key::derived(secret, purpose).map(|key| key.0);
        assert_eq!(key("secret", "one"), key("secret", "one"));
        assert_ne!(key("secret", "one"), key("secret", "another"));
        assert_ne!(key("secret", "one"), key("another", "one"));
    }

    #[test]
    fn nobody_can_print_a_key() {
        assert_eq!(format!("{KEY:?}"), "Key");
    }
}
