//! Into how many lobbies random chat is divided, and who goes to which.
//!
//! The lobbies are the nodes of a tree: `global`, below it a lobby for each region, below each of them halves of
//! halves, `weur/2` and `weur/3`, then `weur/4` to `weur/7`. In use are the leaves. At low load that is `global`
//! alone, which serves every region that has no lobby of its own.
//!
//! - A lobby that has been over 60 % of its [`Budget`] for 30 s is split: `global` gives up the region that most of
//!   its people are in, any other gives way to its two halves. Where a region has many, as many of them are split at once
//!   as it takes to have them at half of their budgets: one by one would be too slow when a crowd comes.
//! - Who was in a lobby that was split goes to its halves, and nobody else is crowded by it.
//! - Lobbies that were split off are folded again when they and what they are folded into have together been
//!   under 25 % for two minutes. So what was just split is never folded, nor what was folded split, at the same load.
//! - A region changes once in 30 s at most, and each change has a version.

use std::fmt;
use std::iter;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::core::region::Region;
use crate::core::time::{Millis, Timestamp};

/// The name of a lobby: `global`, `weur`, `weur/2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LobbyName {
    /// That of all who have none of their own.
    Global,
    /// Part of a region: 1 is all of it, and n is 2 n and 2 n + 1.
    Part(Region, u16),
}

/// Mixes bits (Knuth: The art of computer programming, 6.4: the golden ratio).
const MIXES: u64 = 0x9e37_79b9_7f4a_7c15;

/// Parts are numbered below this: 512 lobbies for a region at most.
const MOST: u16 = 1_024;

impl LobbyName {
    /// That of all of a region.
    #[must_use]
    pub const fn of(region: Region) -> Self {
        Self::Part(region, 1)
    }

    /// Whose it is, if it is not everybody's.
    #[must_use]
    pub const fn region(self) -> Option<Region> {
        match self {
            Self::Global => None,
            Self::Part(region, _) => Some(region),
        }
    }

    /// Whether it is a part of another one.
    fn is_below(self, other: Self) -> bool {
        iter::successors(self.parent(), |lobby| lobby.parent()).any(|above| above == other)
    }

    /// What it is folded into.
    const fn parent(self) -> Option<Self> {
        match self {
            Self::Global => None,
            Self::Part(_, 1) => Some(Self::Global),
            Self::Part(region, number) => Some(Self::Part(region, number / 2)),
        }
    }

    /// The two that it is split into.
    fn halves(self) -> Option<[Self; 2]> {
        match self {
            Self::Part(region, number) if number < MOST / 2 => {
                Some([0, 1].map(|half| Self::Part(region, 2 * number + half)))
            }
            Self::Global | Self::Part(..) => None,
        }
    }
}

impl fmt::Display for LobbyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Part(region, 1) => f.write_str(region.name()),
            Self::Part(region, number) => write!(f, "{region}/{number}"),
        }
    }
}

/// The text names no lobby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotALobby;

impl fmt::Display for NotALobby {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a lobby is global, a region, or a region, a slash and a number from 2 to 1023")
    }
}

impl FromStr for LobbyName {
    type Err = NotALobby;

    fn from_str(text: &str) -> Result<Self, NotALobby> {
        if text == "global" {
            return Ok(Self::Global);
        }
        let (region, number) = match text.split_once('/') {
            // One spelling for each.
            Some((_, number)) if number.starts_with(['0', '+']) => return Err(NotALobby),
            Some((region, number)) => (region, number.parse().map_err(|_| NotALobby)?),
            None => (text, 1),
        };
        let fits = (1..MOST).contains(&number) && (number > 1 || !text.contains('/'));
        let region = region.parse().map_err(|_| NotALobby)?;
        fits.then_some(Self::Part(region, number)).ok_or(NotALobby)
    }
}

/// What a lobby has to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Messages that arrive and sockets that come and go, a second.
    pub messages: u32,
    /// Sockets that are open.
    pub sockets: u32,
}

impl Load {
    fn and(self, other: Self) -> Self {
        Self {
            messages: self.messages.saturating_add(other.messages),
            sockets: self.sockets.saturating_add(other.sockets),
        }
    }

    /// The part of it that falls to so many of all.
    fn part(self, some: u32, all: u32) -> Self {
        let part = |n: u32| {
            let part = u64::from(n) * u64::from(some) / u64::from(all.max(1));
            u32::try_from(part).unwrap_or(u32::MAX)
        };
        Self {
            messages: part(self.messages),
            sockets: part(self.sockets),
        }
    }
}

/// What one lobby can take, and when there are to be more of them or fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// All that it can take.
    pub most: Load,
    /// For how long it may be over 60 % of that.
    pub over: Millis,
    /// For how long some have to be under 25 % together.
    pub under: Millis,
}

impl Default for Budget {
    /// A Durable Object takes some 1,000 requests a second (Cloudflare: Durable Objects, Limits), of which a fifth is left
    /// for what comes all at once, and 32,768 sockets (the same, `acceptWebSocket`).
    fn default() -> Self {
        Self {
            most: Load {
                messages: 800,
                sockets: 32_768,
            },
            over: Millis::new(30_000),
            under: Millis::new(120_000),
        }
    }
}

impl Budget {
    const SPLIT: u32 = 600;
    /// How much of its budget a lobby is to have where several are split.
    const EASY: u32 = 500;
    const FOLD: u32 = 250;

    /// As it is configured, `messages sockets over under`: two numbers and two times in seconds. Where nothing or
    /// nonsense is configured, the default.
    #[must_use]
    pub fn configured(text: Option<&str>) -> Self {
        let numbers = text.unwrap_or_default().split_whitespace();
        let numbers: Vec<Option<u32>> = numbers.map(|number| number.parse().ok()).collect();
        let seconds = |number: u32| Millis::new(u64::from(number) * 1_000);
        match numbers[..] {
            [Some(messages), Some(sockets), Some(over), Some(under)]
                if messages > 0 && sockets > 0 =>
            {
                Self {
                    most: Load { messages, sockets },
                    over: seconds(over),
                    under: seconds(under),
                }
            }
            _ => Self::default(),
        }
    }

    /// How much of it a load is, in thousandths.
    #[must_use]
    pub fn share(&self, load: Load) -> u32 {
        let share = |n: u32, most: u32| {
            let share = u64::from(n) * 1_000 / u64::from(most.max(1));
            u32::try_from(share).unwrap_or(u32::MAX)
        };
        share(load.messages, self.most.messages).max(share(load.sockets, self.most.sockets))
    }
}

/// The lobbies in use, and how busy each is: what Workers and lobbies know of it all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Counts the changes.
    pub version: u32,
    /// In thousandths of the budget, in order. `global` has no place here: it serves whoever has nothing else.
    shares: Vec<(LobbyName, u32)>,
}

impl Layout {
    /// The lobbies of a region, which are never none.
    pub fn home(&self, region: Region) -> impl Iterator<Item = LobbyName> {
        let own = self.shares.iter().map(|&(lobby, _)| lobby);
        let own = own.filter(move |lobby| lobby.region() == Some(region));
        let none = !self.has_own(region);
        own.chain(none.then_some(LobbyName::Global))
    }

    fn has_own(&self, region: Region) -> bool {
        let mut all = self.shares.iter();
        all.any(|(lobby, _)| lobby.region() == Some(region))
    }

    fn share(&self, lobby: LobbyName) -> Option<u32> {
        of(&self.shares, lobby)
    }

    /// Whether who is of this region and looks for somebody in this lobby may do so there. In any that is in use,
    /// but that `global` is for those alone who have no other.
    #[must_use]
    pub fn serves(&self, lobby: LobbyName, region: Region) -> bool {
        match lobby {
            LobbyName::Global => !self.has_own(region),
            LobbyName::Part(..) => self.share(lobby).is_some(),
        }
    }

    /// Whether a lobby is in use.
    #[must_use]
    pub fn has(&self, lobby: LobbyName) -> bool {
        match lobby {
            LobbyName::Global => Region::ALL.into_iter().any(|region| !self.has_own(region)),
            LobbyName::Part(..) => self.share(lobby).is_some(),
        }
    }

    /// One of two lobbies of a region that random bits choose, by chance the less busy one, the more so the less it is
    /// (Mitzenmacher: The power of two choices in randomized load balancing, 2001). Not always that one: all who choose
    /// know the same old news, and would crowd it by turns.
    #[must_use]
    pub fn choose(&self, region: Region, random: u64) -> LobbyName {
        self.choose_of(self.home(region).collect(), random)
    }

    /// Likewise for who comes from a lobby: of those that it was divided into, or that it was folded into.
    #[must_use]
    pub fn choose_from(&self, lobby: LobbyName, region: Region, random: u64) -> LobbyName {
        let near = |&other: &LobbyName| other.is_below(lobby) || lobby.is_below(other);
        let heirs: Vec<_> = self.home(region).filter(near).collect();
        if heirs.is_empty() {
            return self.choose(region, random);
        }
        self.choose_of(heirs, random)
    }

    fn choose_of(&self, lobbies: Vec<LobbyName>, random: u64) -> LobbyName {
        let many = lobbies.len() as u64;
        let one = random % many;
        let other = (one + 1 + (random >> 32) % many.saturating_sub(1).max(1)) % many;
        let busy = |place: u64| {
            let share = self.share(lobbies[place as usize]).unwrap_or_default();
            u64::from(share) + 1
        };
        // Other bits of them than those above.
        let dice = (random.wrapping_mul(MIXES) >> 32) % (busy(one) + busy(other));
        let less = if dice < busy(one) { other } else { one };
        lobbies[less as usize]
    }

    /// How many lobbies are in use beside `global`.
    pub(super) const fn many(&self) -> usize {
        self.shares.len()
    }

    /// The lobbies in use, in order.
    pub fn lobbies(&self) -> impl Iterator<Item = LobbyName> {
        let global = self.has(LobbyName::Global).then_some(LobbyName::Global);
        let own = self.shares.iter().map(|&(lobby, _)| lobby);
        global.into_iter().chain(own)
    }
}

/// The layout as an instance of the Worker knows it.
#[derive(Debug, Clone)]
pub struct Known {
    layout: Layout,
    said: Option<Timestamp>,
}

impl Known {
    /// For how long a later layout is not given up for an older one, which the directory has where it lost all that it
    /// knew: lobbies remind it of what was.
    const HOLDS: Millis = Millis::new(60_000);

    /// Nothing is known.
    #[must_use]
    pub const fn nothing() -> Self {
        Self {
            layout: Layout {
                version: 0,
                shares: Vec::new(),
            },
            said: None,
        }
    }

    /// The directory says so.
    pub fn hear(&mut self, layout: Layout, now: Timestamp) {
        let later = layout.version >= self.layout.version;
        let old = |said: Timestamp| said.after(Self::HOLDS) <= now;
        if later || self.said.is_none_or(old) {
            self.layout = layout;
            self.said = Some(now);
        }
    }

    /// As it was said.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }
}

/// What each lobby has to do, and how many people of each region are in `global`, which alone has several.
#[derive(Debug, Clone, Default)]
pub struct Loads {
    /// Of each that has something to do, in order.
    pub lobbies: Vec<(LobbyName, Load)>,
    /// In the order of [`Region::ALL`].
    pub in_global: [u32; Region::COUNT],
}

impl Loads {
    /// A lobby has this to do.
    pub fn set(&mut self, lobby: LobbyName, load: Load) {
        match place(&self.lobbies, lobby) {
            Ok(place) => self.lobbies[place].1 = load,
            Err(place) => self.lobbies.insert(place, (lobby, load)),
        }
    }

    /// What a lobby has to do.
    #[must_use]
    pub fn of(&self, lobby: LobbyName) -> Load {
        of(&self.lobbies, lobby).unwrap_or_default()
    }
}

/// The layout, and what it is about to become.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planner {
    layout: Layout,
    /// Which have too much to do, since when.
    over: Vec<(LobbyName, Timestamp)>,
    /// Which could be folded into their parent, since when: the parent of two, or the only one of a region.
    under: Vec<(LobbyName, Timestamp)>,
    /// When each region changed last, in the order of [`Region::ALL`].
    changed: [Option<Timestamp>; Region::COUNT],
}

impl Planner {
    /// The layout as it is.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Goes on from a layout that was made before this one, and is a later one.
    pub fn remember(&mut self, layout: Layout) {
        if layout.version > self.layout.version {
            *self = Self {
                layout,
                ..Self::default()
            };
        }
    }

    /// Looks at how busy all are, and changes the layout where it is time to. Says whether it did.
    pub fn review(&mut self, loads: &Loads, budget: &Budget, now: Timestamp) -> bool {
        let before = self.layout.version;
        let changed = self.changed;
        for (lobby, share) in &mut self.layout.shares {
            let busy = budget.share(loads.of(*lobby));
            let changed = lobby.region().and_then(|region| changed[region as usize]);
            *share = match changed {
                // Who is to come is on the way.
                Some(at) if now < at.after(budget.over) => busy.max(*share),
                Some(_) | None => busy,
            };
        }
        self.split(loads, budget, now);
        self.fold(loads, budget, now);
        self.layout.version != before
    }

    fn split(&mut self, loads: &Loads, budget: &Budget, now: Timestamp) {
        let layout = &self.layout;
        let busy = |lobby: LobbyName| match lobby {
            // Who is to leave is on the way.
            LobbyName::Global => {
                let stay = |region: &Region| !layout.has_own(*region);
                let people = |region: Region| loads.in_global[region as usize];
                let staying = Region::ALL.into_iter().filter(stay).map(people).sum();
                let load = loads.of(lobby);
                load.part(staying, loads.in_global.iter().sum())
            }
            LobbyName::Part(..) => loads.of(lobby),
        };
        let over = layout.lobbies();
        let over = over.filter(|&lobby| budget.share(busy(lobby)) > Budget::SPLIT);
        let over: Vec<_> = over.collect();
        since(&mut self.over, over, now);
        for lobby in ripe(&self.over, budget.over, now) {
            match lobby {
                LobbyName::Global => {
                    let candidates = Region::ALL.into_iter();
                    let candidates = candidates.filter(|&region| {
                        !self.layout.has_own(region) && self.settled(region, budget, now)
                    });
                    let people = |region: &Region| loads.in_global[*region as usize];
                    if let Some(region) = candidates.max_by_key(people) {
                        self.change(region, &[lobby], &[LobbyName::of(region)], now);
                    }
                }
                LobbyName::Part(region, _) => {
                    if self.settled(region, budget, now) {
                        let those = self.to_split(region, loads, budget, now);
                        let halves = those.iter().filter_map(|lobby| lobby.halves());
                        let halves: Vec<_> = halves.flatten().collect();
                        if !halves.is_empty() {
                            self.change(region, &those, &halves, now);
                        }
                    }
                }
            }
        }
    }

    /// As many lobbies of a region as have to be split for all of them to be at ease.
    fn to_split(
        &self,
        region: Region,
        loads: &Loads,
        budget: &Budget,
        now: Timestamp,
    ) -> Vec<LobbyName> {
        let home = self.layout.home(region);
        let shares = home.map(|lobby| budget.share(loads.of(lobby)));
        let (many, all) = shares.fold((0, 0_u32), |(many, all), share| {
            (many + 1, all.saturating_add(share))
        });
        let more = all.div_ceil(Budget::EASY).saturating_sub(many).max(1);
        let over = ripe(&self.over, budget.over, now).into_iter();
        let over = over.filter(|lobby| lobby.region() == Some(region) && lobby.halves().is_some());
        over.take(more as usize).collect()
    }

    fn fold(&mut self, loads: &Loads, budget: &Budget, now: Timestamp) {
        // What each would have to do with all that is below it: those count, too, who are still in what was split, and
        // who are on the way from what was folded before.
        let mut below = Loads::default();
        for &(lobby, load) in &loads.lobbies {
            let own = lobby.region().is_some_and(|own| self.layout.has_own(own));
            let up = iter::successors(Some(lobby), |lobby| lobby.parent());
            for top in up.filter(|&top| !own || top != LobbyName::Global) {
                below.set(top, below.of(top).and(load));
            }
        }
        let mut quiet = Vec::new();
        for &(lobby, _) in &self.layout.shares {
            let (LobbyName::Part(region, number), Some(parent)) = (lobby, lobby.parent()) else {
                continue;
            };
            let twin = LobbyName::Part(region, number ^ 1);
            if number > 1 && (number % 2 == 1 || !self.layout.has(twin)) {
                continue;
            }
            let share = budget.share(match number {
                1 => below.of(lobby).and(below.of(parent)),
                _ => below.of(parent),
            });
            if share < Budget::FOLD {
                quiet.push((lobby, share));
            }
        }
        let under = quiet.iter().map(|&(lobby, _)| lobby);
        since(&mut self.under, under.collect(), now);
        // Of those that would be folded into `global` only the quietest.
        let ready = ripe(&self.under, budget.under, now);
        let into_global = |lobby: &LobbyName| lobby.parent() == Some(LobbyName::Global);
        let settled = |lobby: &LobbyName| {
            let region = lobby.region();
            region.is_some_and(|region| self.settled(region, budget, now))
        };
        let all = ready.iter().copied().filter(into_global).filter(settled);
        let quietest = all.min_by_key(|&lobby| of(&quiet, lobby));
        let mut global_took = false;
        for lobby in ready {
            let LobbyName::Part(region, number) = lobby else {
                continue;
            };
            if !self.settled(region, budget, now) || number == 1 && quietest != Some(lobby) {
                continue;
            }
            match lobby.parent() {
                Some(LobbyName::Global) => {
                    global_took = true;
                    self.change(region, &[lobby], &[], now);
                }
                Some(parent) => {
                    let twin = LobbyName::Part(region, number + 1);
                    self.change(region, &[lobby, twin], &[parent], now);
                }
                None => {}
            }
        }
        if global_took {
            // It has more to do from now on, which is to be seen first.
            self.under
                .retain(|(lobby, _)| lobby.parent() != Some(LobbyName::Global));
        }
    }

    /// Whether the last change of a region has shown its effect.
    fn settled(&self, region: Region, budget: &Budget, now: Timestamp) -> bool {
        let changed = self.changed[region as usize];
        changed.is_none_or(|at| at.after(budget.over) <= now)
    }

    fn change(&mut self, region: Region, from: &[LobbyName], to: &[LobbyName], now: Timestamp) {
        let shares = &mut self.layout.shares;
        let before = from.iter().filter_map(|&lobby| of(shares, lobby));
        let before = before.fold(0, u32::saturating_add);
        shares.retain(|(lobby, _)| !from.contains(lobby));
        for &lobby in to {
            if let Err(place) = place(shares, lobby) {
                shares.insert(place, (lobby, before / to.len() as u32));
            }
        }
        self.changed[region as usize] = Some(now);
        self.layout.version += 1;
    }
}

/// Where a lobby is in a list that is in order, or would be.
fn place<T>(all: &[(LobbyName, T)], lobby: LobbyName) -> Result<usize, usize> {
    all.binary_search_by_key(&lobby, |&(known, _)| known)
}

/// What is known of it.
fn of<T: Copy>(all: &[(LobbyName, T)], lobby: LobbyName) -> Option<T> {
    let place = place(all, lobby).ok()?;
    Some(all[place].1)
}

/// Keeps since when each of these is what it is, and forgets all others.
fn since(known: &mut Vec<(LobbyName, Timestamp)>, those: Vec<LobbyName>, now: Timestamp) {
    let before = std::mem::take(known);
    let those = those.into_iter();
    *known = those
        .map(|lobby| (lobby, of(&before, lobby).unwrap_or(now)))
        .collect();
}

/// Those who have been what they are for so long.
fn ripe(known: &[(LobbyName, Timestamp)], span: Millis, now: Timestamp) -> Vec<LobbyName> {
    let known = known.iter().filter(|&(_, at)| at.after(span) <= now);
    known.map(|&(lobby, _)| lobby).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lobby_has_one_name_and_reads_back() {
        for text in ["global", "weur", "weur/2", "me/1023", "afr/16"] {
            let name: LobbyName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
        }
        for text in [
            "",
            "Global",
            "global/2",
            "weur/1",
            "weur/0",
            "weur/02",
            "weur/+2",
            "weur/1024",
            "weur/",
            "weur/2/",
            "/2",
            "mars",
            "weur/65538",
            "weur 2",
        ] {
            assert_eq!(text.parse::<LobbyName>(), Err(NotALobby), "{text}");
        }
    }

    #[test]
    fn a_later_layout_is_given_up_for_an_older_one_after_a_minute() {
        let of_version = |version| Layout {
            version,
            ..Layout::default()
        };
        let mut known = Known::nothing();
        let at = Timestamp::from_unix_millis;
        for (version, millis, expected) in [
            (7, 1_000, 7),
            (2, 60_999, 7),
            (7, 61_000, 7),
            (2, 120_999, 7),
            (2, 121_000, 2),
            (8, 121_001, 8),
        ] {
            known.hear(of_version(version), at(millis));
            assert_eq!(known.layout().version, expected, "{millis}");
        }
    }

    #[test]
    fn a_budget_is_four_numbers() {
        let told = Budget::configured(Some("10 100 3 5"));
        assert_eq!(
            told.most,
            Load {
                messages: 10,
                sockets: 100
            }
        );
        assert_eq!((told.over.get(), told.under.get()), (3_000, 5_000));
        for nonsense in [
            None,
            Some(""),
            Some("10 100 3"),
            Some("0 1 2 3"),
            Some("a b c d"),
        ] {
            assert_eq!(Budget::configured(nonsense), Budget::default());
        }
    }
}
