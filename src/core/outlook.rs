//! What a lobby knows of all others, and when it tells of itself.
//!
//! The rule of this file: it is a timetable. Nothing is told while nothing changes; what changed is told within five
//! seconds and at most every five seconds; and who waits alone is told of after a second and a half, and again after as
//! long as it has waited, 2.5 seconds at least and a minute at most. An object that slept does not remember what it told
//! and tells it again. `global`, where it is all there is, tells of who is alone with what changes, or once a minute.

use crate::core::id::PeerId;
use crate::core::layout::{Layout, LobbyName};
use crate::core::queue::PARTICULAR;
use crate::core::region::Region;
use crate::core::time::{Millis, Timestamp};

/// The shortest time between two reports of what has changed.
const EVERY: Millis = Millis::new(5_000);
/// How long a change waits for others to be told with it: who comes searches, and who searches meets somebody.
const TOGETHER: Millis = Millis::new(2_000);
/// The shortest time between any two reports, which is so much for each so many lobbies: the directory hears of fewer
/// than that in a second, however many there are.
const BREATH: Millis = Millis::new(1_000);
const HEARD_IN_A_BREATH: usize = 600;
/// After how long somebody who waits alone is told of: when it is open to anybody, and nobody was there.
pub(super) const ALONE: Millis = PARTICULAR;
/// The shortest time until it is told of again, and the longest.
const AGAIN: Millis = Millis::new(2_500);
const RARELY: Millis = Millis::new(60_000);
/// For how long a lobby goes by a layout that it was told.
const HOLDS: Millis = Millis::new(60_000);
/// How many of those who wait alone are told of at once. There are more only where people who have just met wait
/// for others.
pub(super) const MOST_ALONE: usize = 32;

/// How often something happens.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Which five seconds it counts.
    slot: u64,
    count: u32,
    /// Of the five seconds before.
    before: u32,
}

impl Meter {
    const SLOT: u64 = 5_000;

    fn turn(&mut self, now: Timestamp) {
        let slot = now.unix_millis() / Self::SLOT;
        if slot != self.slot {
            self.before = if slot == self.slot + 1 { self.count } else { 0 };
            (self.slot, self.count) = (slot, 0);
        }
    }

    /// It happened.
    pub(super) fn count(&mut self, now: Timestamp) {
        self.turn(now);
        self.count += 1;
    }

    /// How many times a second it does, of late.
    pub(super) fn a_second(&mut self, now: Timestamp) -> u32 {
        self.turn(now);
        self.before.max(self.count).div_ceil(5)
    }
}

/// One lobby's view of the others.
#[derive(Debug)]
pub(super) struct Outlook {
    pub(super) name: LobbyName,
    /// Whether there is anybody to tell.
    several: bool,
    layout: Option<(Layout, Timestamp)>,
    /// Whether that is later than what was said last.
    later: bool,
    /// Since when something is to be told.
    changed: Option<Timestamp>,
    told: Option<Timestamp>,
    /// Who was told to be alone, and when that is told again.
    alone: Vec<PeerId>,
    again: Option<Timestamp>,
    pub(super) messages: Meter,
    pub(super) searches: Meter,
}

impl Outlook {
    /// Nothing is known yet.
    pub(super) fn new(name: LobbyName, several: bool) -> Self {
        Self {
            name,
            several,
            layout: None,
            later: false,
            changed: None,
            told: None,
            alone: Vec::new(),
            again: None,
            messages: Meter::default(),
            searches: Meter::default(),
        }
    }

    /// Something is not as it was told.
    pub(super) fn changes(&mut self, now: Timestamp) {
        self.changed.get_or_insert(now);
    }

    /// When to tell next, where `next` is when the first one after a moment begins to be alone. `waits` says of
    /// somebody whether it still does.
    pub(super) fn due(
        &self,
        next: impl Fn(Option<Timestamp>) -> Option<Timestamp>,
        waits: impl Fn(PeerId) -> bool,
    ) -> Option<Timestamp> {
        if !self.several {
            return None;
        }
        let breath = self.breath();
        let after = |at: Timestamp, span| self.told.map_or(at, |told| at.max(told.after(span)));
        let changed = self.changed.map(|at| after(at.after(TOGETHER), EVERY));
        let left = self.alone.iter().any(|&peer| !waits(peer));
        let left = self.told.filter(|_| left).map(|told| told.after(breath));
        let alone = next(self.told).map(|at| after(at, breath));
        let again = self.again.map(|at| after(at, breath));
        [changed, left, alone, again].into_iter().flatten().min()
    }

    /// The shortest time between two reports. Where there is `global` alone, who is alone there has nowhere to go, and
    /// whoever is left in another lobby is sent to it.
    fn breath(&self) -> Millis {
        match &self.layout {
            Some((known, _)) if known.many() == 0 && self.name == LobbyName::Global => RARELY,
            Some((known, _)) => {
                Millis::new(BREATH.get() * (1 + known.many() / HEARD_IN_A_BREATH) as u64)
            }
            None => BREATH,
        }
    }

    /// It is told, of these who are alone: the last of them has been for so long.
    pub(super) fn tells(
        &mut self,
        alone: impl IntoIterator<Item = PeerId>,
        shortest: Option<Millis>,
        now: Timestamp,
    ) {
        self.told = Some(now);
        self.changed = None;
        self.alone = alone.into_iter().collect();
        self.again = shortest.map(|waited| now.after(waited.max(AGAIN).min(RARELY)));
    }

    /// Who came from another lobby for somebody is alone here as well: it was told of there, and is to be told of anew.
    pub(super) fn misses(&mut self, now: Timestamp) {
        self.again = Some(now);
    }

    /// This is how all stand. What is older than what is known already comes late, or all was lost there: the
    /// directory is told in any case, and knows which.
    pub(super) fn hears(&mut self, layout: Layout, now: Timestamp) {
        let known = self.layout.as_ref();
        self.later = known.is_some_and(|(known, _)| known.version > layout.version);
        if self.later {
            self.again = Some(now);
        } else {
            self.layout = Some((layout, now));
        }
    }

    /// The layout that the directory may have lost.
    pub(super) fn reminder(&self) -> Option<Layout> {
        let (layout, _) = self.layout.as_ref().filter(|_| self.later)?;
        Some(layout.clone())
    }

    /// Where to look for somebody who suits, if not here.
    pub(super) fn elsewhere(
        &self,
        region: Region,
        random: u64,
        now: Timestamp,
    ) -> Option<LobbyName> {
        let (layout, at) = self.layout.as_ref()?;
        let holds = now.since(*at) < HOLDS && !layout.serves(self.name, region);
        holds.then(|| layout.choose_from(self.name, region, random))
    }
}
