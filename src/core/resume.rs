//! What brings somebody back to its seat after its socket was lost: a signed token, and how long a seat
//! is kept for it.
//!
//! The token carries the seat itself, so that a call outlives the object that held it: after a deploy,
//! which cuts every socket at once, the tokens are all that is left, and no storage is written while
//! people talk. It is signed with a key of the object's own, so a token of another room means nothing.
//!
//! A token says what its owner was; whether that still holds is up to those who are there. It cannot be
//! taken back: whoever was removed from a room could come back by it in the moment after a deploy, when
//! nobody is inside yet who knows better.

use std::collections::{BTreeMap, BTreeSet};

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::core::actor::Effect;
use crate::core::compact::{pack, unpack};
use crate::core::id::PeerId;
use crate::core::redacted::Redacted;
use crate::core::time::{Millis, Timestamp};

/// For how long a lost seat is kept.
pub const GRACE: Millis = Millis::new(15_000);
/// For how long it is kept when its page said that it goes away: a reload comes back at once, and a
/// closed tab never does.
pub const SHORT_GRACE: Millis = Millis::new(4_000);
/// For how long a socket that somebody else's token claims may take to show that it lives.
pub const PROOF: Millis = Millis::new(2_000);
/// For how long a token can be used. A call that lasts longer ends with the next deploy.
const LIFE: Millis = Millis::new(24 * 60 * 60 * 1_000);

/// The longest token that is looked at, in bytes; those of a full room have about 560.
const LONGEST_TOKEN: usize = 4_096;

/// For how long a seat is kept.
#[must_use]
pub const fn grace(goes_away: bool) -> Millis {
    if goes_away { SHORT_GRACE } else { GRACE }
}

/// The key of one object, made once and kept in its storage.
#[derive(Clone)]
pub struct Key([u8; Self::BYTES]);

/// What the token of somebody says.
#[derive(Serialize, Deserialize)]
struct Claims<Pass> {
    expires: Timestamp,
    peer: PeerId,
    pass: Pass,
}

/// What somebody says who wants back to a seat whose socket is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim<Pass> {
    pub(super) seat: PeerId,
    pub(super) pass: Pass,
    /// Until when the socket that is there may show that it lives.
    pub(super) until: Timestamp,
}

/// The seats that are claimed, each by one other. A network that went away closes no socket, so its
/// owner may well be the claimant; but a token may also have been copied, as by doubling a tab.
#[derive(Debug, Default)]
pub(super) struct Claimed {
    by: BTreeMap<PeerId, (PeerId, Timestamp)>,
    due: BTreeSet<(Timestamp, PeerId)>,
}

impl Claimed {
    /// Whether a seat is claimed already.
    pub(super) fn contains(&self, seat: PeerId) -> bool {
        self.by.contains_key(&seat)
    }

    /// Takes note of a claim.
    pub(super) fn insert<Pass>(&mut self, by: PeerId, claim: &Claim<Pass>) {
        self.by.insert(claim.seat, (by, claim.until));
        self.due.insert((claim.until, claim.seat));
    }

    /// Ends the claim on a seat, and says whose it was.
    pub(super) fn remove(&mut self, seat: PeerId) -> Option<PeerId> {
        let (by, until) = self.by.remove(&seat)?;
        self.due.remove(&(until, seat));
        Some(by)
    }

    /// The owner of a seat lives. Ends the claim on it and says whose it was, unless the time to show that
    /// is not over: a sign of life from before the claim proves nothing.
    pub(super) fn disprove(&mut self, seat: PeerId, now: Timestamp) -> Option<PeerId> {
        let &(_, until) = self.by.get(&seat)?;
        if now < until {
            return None;
        }
        self.remove(seat)
    }

    /// Has those looked for who had their time to show that they live. That is to be done after all else:
    /// what is found is an event of its own, which comes after this one.
    pub(super) fn check<'a>(&mut self, now: Timestamp) -> Vec<Effect<'a>> {
        let mut checks = Vec::new();
        while let Some(&(until, peer)) = self.due.first()
            && until <= now
        {
            self.due.pop_first();
            let since = until.before(PROOF);
            checks.push(Effect::Check { peer, since });
        }
        checks
    }

    /// When somebody is looked for next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        Some(self.due.first()?.0)
    }
}

impl Key {
    /// How many random bytes a key has: as many as SHA-256 gives (RFC 2104, section 3).
    pub const BYTES: usize = 32;

    /// A key of random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// What it was made of, to be kept.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// Makes and reads the tokens of one object: HMAC-SHA256 (RFC 2104) that has taken the key in already.
#[derive(Debug)]
pub(super) struct Signer(Hmac<Sha256>);

impl Signer {
    /// How many bytes a signature has.
    const BYTES: usize = 32;

    pub(super) fn new(key: &Key) -> Self {
        // A key that is shorter than a block is padded with zeros (RFC 2104, section 2).
        let mut block = [0; 64];
        block[..Key::BYTES].copy_from_slice(&key.0);
        Self(Hmac::new(&block.into()))
    }

    /// The token of a seat: what it says and the signature of that, in base64url (RFC 4648, section 5).
    pub(super) fn seal<Pass: Serialize>(
        &self,
        peer: PeerId,
        pass: Pass,
        now: Timestamp,
    ) -> Option<Redacted> {
        let claims = Claims {
            expires: now.after(LIFE),
            peer,
            pass,
        };
        let mut token = pack(&claims)?;
        let signature = self.0.clone().chain_update(&token).finalize();
        token.extend(signature.into_bytes());
        Some(Base64UrlUnpadded::encode_string(&token).into())
    }

    /// Whose seat a token stands for, and what it was; nothing for a token that is not of this key or
    /// whose time is over.
    pub(super) fn open<Pass: DeserializeOwned>(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Option<(PeerId, Pass)> {
        if token.len() > LONGEST_TOKEN {
            return None;
        }
        let token = Base64UrlUnpadded::decode_vec(token).ok()?;
        let (said, signature) = token.split_last_chunk::<{ Self::BYTES }>()?;
        let own = self.0.clone().chain_update(said);
        own.verify(signature.into()).ok()?;
        let claims: Claims<Pass> = unpack(said)?;
        (now < claims.expires).then_some((claims.peer, claims.pass))
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

    const KEY: Key = Key::new([7; Key::BYTES]);
    const NOW: Timestamp = Timestamp::from_unix_millis(1_800_000_000_000);

    fn ana() -> PeerId {
        PeerId::from_random(1)
    }

    fn token() -> String {
        let token = Signer::new(&KEY).seal(ana(), vec![1_u32, 2], NOW);
        token.unwrap().expose().into()
    }

    fn opened(key: &Key, token: &str, now: Timestamp) -> Option<(PeerId, Vec<u32>)> {
        Signer::new(key).open(token, now)
    }

    #[test]
    fn a_token_opens_as_what_it_was_until_its_time_is_over() {
        let last = NOW.after(LIFE).before(Millis::new(1));
        for now in [NOW, last] {
            assert_eq!(opened(&KEY, &token(), now), Some((ana(), vec![1, 2])));
        }
        assert_eq!(opened(&KEY, &token(), NOW.after(LIFE)), None);
    }

    #[test]
    fn a_token_of_another_key_opens_nothing() {
        assert_eq!(opened(&Key::new([8; Key::BYTES]), &token(), NOW), None);
    }

    #[test]
    fn a_token_that_was_touched_anywhere_opens_nothing() {
        let token = token();
        for place in 0..token.len() {
            let mut touched = token.clone().into_bytes();
            touched[place] = if touched[place] == b'A' { b'B' } else { b'A' };
            let touched = String::from_utf8(touched).unwrap_or_default();
            assert_eq!(opened(&KEY, &touched, NOW), None, "{place}");
        }
    }

    #[test]
    fn what_is_no_token_opens_nothing() {
        let long = "a".repeat(LONGEST_TOKEN + 1);
        let token = token();
        let (half, longer) = (&token[..token.len() / 2], format!("{token}AAAA"));
        for text in ["", ".", "A", "AAAA", "é", half, &longer, &long] {
            assert_eq!(opened(&KEY, text, NOW), None, "{text}");
        }
    }

    #[test]
    fn nobody_can_print_a_key() {
        assert_eq!(format!("{KEY:?}"), "Key");
    }
}
