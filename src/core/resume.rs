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

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::core::id::PeerId;
use crate::core::redacted::Redacted;
use crate::core::seal::Seal;
use crate::core::time::{Millis, Timestamp};

pub use crate::core::seal::Key;

/// For how long a lost seat is kept.
pub const GRACE: Millis = Millis::new(15_000);
/// For how long it is kept when its page said that it goes away: a reload comes back at once, and a
/// closed tab never does.
pub const SHORT_GRACE: Millis = Millis::new(4_000);
/// For how long a socket that somebody else's token claims may take to show that it lives.
pub const PROOF: Millis = Millis::new(2_000);
/// For how long a token can be used. A call that lasts longer ends with the next deploy.
const LIFE: Millis = Millis::new(24 * 60 * 60 * 1_000);
/// And one by which somebody moves to another object.
const AT_ONCE: Millis = Millis::new(60 * 1_000);

/// For how long a seat is kept.
#[must_use]
pub const fn grace(goes_away: bool) -> Millis {
    if goes_away { SHORT_GRACE } else { GRACE }
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

    /// The next seat whose owner had its time to show that it lives, and since when that counts: a sign of
    /// life from before the claim proves nothing.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<(PeerId, Timestamp)> {
        let &(until, seat) = self.due.first()?;
        (until <= now).then(|| {
            self.due.pop_first();
            (seat, until.before(PROOF))
        })
    }

    /// When somebody is looked for next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        Some(self.due.first()?.0)
    }
}

/// Makes and reads the tokens of one object.
#[derive(Debug)]
pub(super) struct Signer(Seal);

impl Signer {
    /// By the key of this object, made once and kept in its storage.
    pub(super) fn new(key: &Key) -> Self {
        Self(Seal::new(key))
    }

    /// The token of a seat.
    pub(super) fn seal<Pass: Serialize>(
        &self,
        peer: PeerId,
        pass: Pass,
        now: Timestamp,
    ) -> Option<Redacted> {
        self.0.close((peer, pass), now.after(LIFE))
    }

    /// The token of a seat that is to be taken at once.
    pub(super) fn seal_for_now<Pass: Serialize>(
        &self,
        peer: PeerId,
        pass: Pass,
        now: Timestamp,
    ) -> Option<Redacted> {
        self.0.close((peer, pass), now.after(AT_ONCE))
    }

    /// Whose seat a token stands for, and what it was; nothing for a token that is not of this object or
    /// whose time is over.
    pub(super) fn open<Pass: DeserializeOwned>(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Option<(PeerId, Pass)> {
        self.0.open(token, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key::new([7; Key::BYTES]);
    const NOW: Timestamp = Timestamp::from_unix_millis(1_800_000_000_000);

    #[test]
    fn a_token_brings_its_seat_back_for_a_day() {
        let (signer, ana) = (Signer::new(&KEY), PeerId::from_random(1));
        let token = signer.seal(ana, vec![1_u32, 2], NOW).unwrap();
        let token = token.expose();
        let last = NOW.after(LIFE).before(Millis::new(1));
        for now in [NOW, last] {
            assert_eq!(signer.open(token, now), Some((ana, vec![1_u32, 2])));
        }
        assert_eq!(signer.open::<Vec<u32>>(token, NOW.after(LIFE)), None);
    }
}
