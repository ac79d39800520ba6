//! The same, while the directory splits and folds the lobbies by their load. People come in crowds, by what an instance
//! of the Worker was told last, however old that is.
//!
//! Lobbies are tiny here, so that a few people make it too many: then chance alone moves more of them than there is
//! between too many and few, and the layout never rests while they meet. That it does is tested with larger ones.

use std::cell::Cell;
use std::fmt::Debug;

use echomingle::core::layout::{Budget, Layout, Load};
use echomingle::core::time::Millis;
use proptest::test_runner::{RngSeed, TestRunner};

use super::*;

/// Of six sockets four are too many for 5 s, and one is few for 10 s.
const TINY: &str = "1000 6 5 10";
/// In thousandths of the budget: what has more is split.
const SPLIT: u32 = 600;
/// What has less is folded.
const FOLD: u32 = 250;
/// How often others visit the page, at least.
const VISITS: u64 = 5_000;
/// The longest time between two looks at the layout then.
const LOOKS: u64 = 10_000 + VISITS;
/// For how long a lobby of which nothing is heard is taken to have its people still.
const PRESENT: u64 = 10 * 60_000;

#[derive(Debug, Clone)]
enum Turn {
    /// So many come from a region, by what an instance of the Worker knows and these bits, and look for somebody.
    Come(usize, usize, u32, u8),
    /// So many go for good, from this one on.
    Go(u8, u8),
    /// All but so many go for good, and then little happens for a while.
    Ebb(u8, u64),
    /// One of the lobbies that there are is thrown out of memory.
    Sleep(u8),
    Does(Step),
}

/// How many there are of each region.
type People = [u32; Region::COUNT];

/// People who come and go.
struct Tide {
    world: World,
    /// Whether the network is as it should be, and nobody goes who may be waited for.
    at_ease: bool,
    splits: u32,
    folds: u32,
    /// When the layout changed last.
    changed: u64,
    /// Who is where, and since when nobody has come or gone.
    heads: BTreeMap<LobbyName, (u64, BTreeSet<PeerId>)>,
    /// What people each lobby told of, when.
    told: BTreeMap<LobbyName, Vec<(u64, People)>>,
    /// Who looks for somebody where that is not to be, since when.
    misplaced: BTreeMap<PeerId, u64>,
}

impl Tide {
    fn new(dice: Vec<u8>) -> Self {
        let mut world = World::new(0, dice);
        world.several.budget = Budget::configured(Some(TINY));
        Self {
            world,
            at_ease: false,
            splits: 0,
            folds: 0,
            changed: 0,
            heads: BTreeMap::new(),
            told: BTreeMap::new(),
            misplaced: BTreeMap::new(),
        }
    }

    fn at_ease(budget: &str) -> Self {
        let mut tide = Self::new(vec![0]);
        tide.world.several.client = Box::new(|_| Some(CLIENT));
        tide.world.several.budget = Budget::configured(Some(budget));
        tide.at_ease = true;
        tide
    }

    fn layout(&self) -> &Layout {
        self.world.several.directory.layout()
    }

    /// The longest that it takes until everything is folded that may be, if nothing else happens: one after another,
    /// each after its time and the next look.
    fn until_folded(&self) -> u64 {
        let each = self.world.several.budget.under.get() + LOOKS;
        each * self.layout().lobbies().count() as u64
    }

    fn comes(&mut self, region: Region, instance: usize, random: u64) {
        let lobby = self.world.several.visits(instance, region, random);
        let peer = self.world.comes(lobby, region, false);
        self.world.finds(peer, Mode::Video, &[], Prepared::Nothing);
        self.looks();
    }

    fn goes(&mut self, mut from: u8, many: usize) {
        for _ in 0..many {
            let step = Step::Drops(from, true);
            if self.at_ease && self.world.disappoints(&step) {
                from = from.wrapping_add(1);
            } else {
                self.world.does(step);
            }
        }
    }

    fn does(&mut self, turn: Turn) {
        match turn {
            Turn::Come(region, instance, random, many) => {
                for place in 0..u64::from(many) {
                    self.comes(REGIONS[region], instance, u64::from(random) + place);
                }
            }
            Turn::Go(from, many) => self.goes(from, many.into()),
            Turn::Ebb(stay, millis) => {
                self.goes(0, self.world.people.len().saturating_sub(stay.into()));
                self.passes(millis);
            }
            Turn::Sleep(lobby) => {
                let all = self.world.several.names();
                if let Some(place) = usize::from(lobby).checked_rem(all.len()) {
                    self.world.several.lobby(all[place]).sleeps();
                }
            }
            Turn::Does(Step::Passes(millis)) => self.passes(millis),
            Turn::Does(step) => self.world.does(step),
        }
        self.looks();
    }

    /// Time passes from one moment to the next, and others visit the page.
    fn passes(&mut self, millis: u64) {
        let until = self.world.now() + millis;
        while self.world.now() < until {
            let now = self.world.now();
            self.world.several.visits(0, Region::Oc, 0);
            let next = self.world.several.next().unwrap_or(until);
            let next = next.clamp(now + 1, now + VISITS).min(until);
            self.world.passes(next - now);
            self.looks();
        }
    }

    /// Likewise, and once a minute somebody else comes to each lobby in which people are, and goes: of a lobby of which
    /// nothing is heard for ten minutes the people are forgotten.
    fn goes_on(&mut self, millis: u64) {
        let until = self.world.now() + millis;
        while self.world.now() < until {
            let alive = self
                .heads
                .iter()
                .filter(|(_, (_, there))| !there.is_empty());
            for lobby in alive.map(|(&lobby, _)| lobby).collect::<Vec<_>>() {
                let guest = self.world.several.connects(lobby, Region::Oc);
                self.world.several.drops(guest);
            }
            self.passes((until - self.world.now()).min(60_000));
        }
    }

    /// Takes note of who is where, and of how the layout has changed.
    fn looks(&mut self) {
        let now = self.world.now();
        let several = &mut self.world.several;
        let changes = std::mem::take(&mut several.changed);
        for (at, report) in several.told.drain(..) {
            let told = self.told.entry(report.lobby).or_default();
            told.push((at, report.people));
        }
        let mut heads: BTreeMap<LobbyName, BTreeSet<PeerId>> = BTreeMap::new();
        for (&peer, (lobby, _)) in &several.at {
            heads.entry(*lobby).or_default().insert(peer);
        }
        for lobby in several.names() {
            let there = heads.remove(&lobby).unwrap_or_default();
            let known = self.heads.entry(lobby).or_default();
            if known.1 != there {
                *known = (now, there);
            }
        }
        for (at, [before, after]) in &changes {
            serves_all(after);
            let many = |layout: &Layout| layout.lobbies().count();
            self.splits += u32::from(many(after) > many(before));
            self.folds += u32::from(many(after) < many(before));
            self.changed = *at;
            if self.at_ease {
                self.has_its_reason(*at, before, after);
            }
        }
        let layout = self.world.several.directory.layout();
        let misplaced = self.world.people.iter().filter(|(peer, person)| {
            let at = self.world.several.at.get(peer);
            let serves = |&(lobby, region)| layout.serves(lobby, region);
            person.search.is_some() && !at.is_none_or(serves)
        });
        let since = |peer| self.misplaced.get(peer).copied().unwrap_or(now);
        self.misplaced = misplaced.map(|(peer, _)| (*peer, since(peer))).collect();
        if self.at_ease {
            self.is_as_told();
        }
    }

    /// What changes is told within 5 s, and who is misplaced within a minute. It has gone when a way is over.
    fn is_as_told(&self) {
        let now = self.world.now();
        for (&lobby, (since, there)) in &self.heads {
            if since + TOLD + WAY <= now {
                let told = self.told(lobby, now + LEG);
                assert_eq!(told.iter().sum::<u32>() as usize, there.len(), "{lobby}");
            }
        }
        for (peer, since) in &self.misplaced {
            assert!(now < since + RARELY + TOLD + WAY, "{peer} is misplaced");
        }
    }

    /// The people of a lobby, as the directory may know at a moment.
    fn told(&self, lobby: LobbyName, by: u64) -> People {
        let mut told = self.told.get(&lobby).into_iter().flatten().rev();
        let last = told.find(|(at, _)| at + LEG <= by);
        let last = last.filter(|(at, _)| by < at + LEG + PRESENT);
        last.map_or([0; Region::COUNT], |&(_, people)| people)
    }

    fn share(&self, people: usize) -> u32 {
        let sockets = people.try_into().unwrap();
        self.world.several.budget.share(Load {
            messages: 0,
            sockets,
        })
    }

    /// No lobby is split but for too many who were told of, nor folded but for few; and that for some time.
    fn has_its_reason(&self, at: u64, before: &Layout, after: &Layout) {
        // What arrives in the same moment may come before this, or after it.
        let told = |lobby, by: u64| [by.saturating_sub(1), by].map(|by| self.told(lobby, by));
        let holds = |reason: &dyn Fn(u64) -> bool, span: Millis| {
            let then = at.saturating_sub(span.get());
            let arrived = self.told.values().flatten().map(|(at, _)| at + LEG);
            let arrived = arrived.filter(|at| (then.saturating_sub(LOOKS)..then).contains(at));
            reason(at) && arrived.chain([then]).any(reason)
        };
        let budget = &self.world.several.budget;
        for region in Region::ALL {
            let [old, new] = [before, after].map(|it| it.home(region).collect::<BTreeSet<_>>());
            let gone: Vec<_> = old.difference(&new).copied().collect();
            let come: Vec<_> = new.difference(&old).copied().collect();
            match (&gone[..], &come[..]) {
                ([], _) => assert_eq!(old, new),
                (&[lobby], &[LobbyName::Part(..), ..]) => {
                    let stays = |place: usize, by| {
                        // Others may have had to leave since then.
                        by < at || before.serves(lobby, Region::ALL[place])
                    };
                    let stay = |by, people: People| {
                        let stay = (0..Region::COUNT).filter(|&place| stays(place, by));
                        stay.map(|place| people[place] as usize).sum()
                    };
                    let busy = |by: u64| {
                        let mut told = told(lobby, by).into_iter();
                        told.any(|people| self.share(stay(by, people)) > SPLIT)
                    };
                    assert!(holds(&busy, budget.over), "{lobby} was split at {at}");
                }
                (_, &[into]) => {
                    let below = self.told.keys().copied();
                    let below = below.filter(|&lobby| is_below(lobby, into, region, before));
                    let below: Vec<_> = below.collect();
                    let few = |by: u64| {
                        let there = |people: People| people.iter().sum::<u32>() as usize;
                        let fewest =
                            |&lobby: &LobbyName| told(lobby, by).map(there).into_iter().min();
                        self.share(below.iter().filter_map(fewest).sum()) < FOLD
                    };
                    assert!(holds(&few, budget.under), "{gone:?} were folded at {at}");
                }
                other => panic!("no change that there is: {other:?}"),
            }
        }
    }

    /// Nobody is left in a lobby that is not in use.
    fn all_are_where_they_belong(&self) {
        let layout = self.layout();
        for (lobby, (_, there)) in &self.heads {
            assert!(there.is_empty() || layout.has(*lobby), "{lobby}: {there:?}");
        }
    }

    /// Nothing is left to be split or to be folded.
    fn is_at_rest(&self) {
        let layout = self.layout();
        let there = |lobby: &LobbyName| self.heads.get(lobby).map_or(0, |(_, there)| there.len());
        for lobby in layout.lobbies() {
            let stay = self
                .world
                .several
                .at
                .values()
                .filter(|(at, region)| *at == lobby && layout.serves(lobby, *region));
            assert!(self.share(stay.count()) <= SPLIT, "{lobby} is too busy");
            let LobbyName::Part(region, number) = lobby else {
                continue;
            };
            let into = match number {
                1 => LobbyName::Global,
                _ if layout.has(LobbyName::Part(region, number ^ 1)) => {
                    LobbyName::Part(region, number / 2)
                }
                _ => continue,
            };
            let below = self.heads.keys();
            let below = below.filter(|&&lobby| is_below(lobby, into, region, layout));
            assert!(
                self.share(below.map(there).sum()) >= FOLD,
                "{lobby} is needless"
            );
        }
    }
}

/// Whether those of a lobby would be in this one sooner or later, if it were in use again for a region.
fn is_below(lobby: LobbyName, top: LobbyName, region: Region, layout: &Layout) -> bool {
    match (top, lobby) {
        (LobbyName::Global, LobbyName::Global) => true,
        (LobbyName::Global, LobbyName::Part(own, _)) => {
            own == region || layout.serves(LobbyName::Global, own)
        }
        (LobbyName::Part(..), LobbyName::Global) => false,
        (LobbyName::Part(_, top), LobbyName::Part(own, number)) => {
            let up = |&number: &u16| (number > top).then_some(number / 2);
            own == region && std::iter::successors(Some(number), up).any(|number| number == top)
        }
    }
}

/// Every region has lobbies that serve it, which are all of `global`, or of its own and nothing twice.
fn serves_all(layout: &Layout) {
    const ALL: u16 = 512;
    for region in Region::ALL {
        let home: Vec<_> = layout.home(region).collect();
        let serves = |&lobby: &LobbyName| layout.has(lobby) && layout.serves(lobby, region);
        assert!(home.iter().all(serves), "{region}: {home:?}");
        let part = |lobby: &LobbyName| match lobby {
            LobbyName::Global => ALL,
            LobbyName::Part(_, number) => ALL >> number.ilog2(),
        };
        assert_eq!(home.iter().map(part).sum::<u16>(), ALL, "{home:?}");
    }
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let come = (0..REGIONS.len(), 0..3_usize, any::<u32>(), 1..9_u8);
    let turn = prop_oneof![
        5 => come.prop_map(|(region, instance, random, many)| {
            Turn::Come(region, instance, random, many)
        }),
        2 => (any::<u8>(), 1..30_u8).prop_map(|(from, many)| Turn::Go(from, many)),
        2 => (0..3_u8, 10_000..90_000_u64).prop_map(|(stay, millis)| Turn::Ebb(stay, millis)),
        1 => any::<u8>().prop_map(Turn::Sleep),
        12 => step(32).prop_map(Turn::Does),
    ];
    prop::collection::vec(turn, 20..80)
}

/// How many cases of each property are tried.
const CASES: u32 = 60;

/// Runs a property, and makes sure that lobbies are split and folded in a good part of the cases.
fn holds<T: Debug>(all: &impl Strategy<Value = T>, property: impl Fn(T) -> Tide) {
    let config = ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    };
    let (split, folded) = (Cell::new(0), Cell::new(0));
    let outcome = TestRunner::new(config).run(all, |input| {
        let tide = property(input);
        split.set(split.get() + u32::from(tide.splits > 0));
        folded.set(folded.get() + u32::from(tide.folds > 0));
        Ok(())
    });
    outcome.unwrap();
    let (split, folded) = (split.get(), folded.get());
    assert!(split > CASES / 3 && folded > CASES / 4, "{split}, {folded}");
}

/// After the last event the network is as it should be, and people meet as they do in any layout. What the directory
/// believes of lobbies that are empty by now it forgets after ten minutes, and folds one after the other. Then the
/// layout does not change any more, and who waits is told of once a minute at least, and is where the layout wants it.
#[test]
fn nobody_is_lost_or_misplaced_whatever_is_split_and_folded() {
    holds(&(dice(), turns()), |(dice, turns)| {
        let mut tide = Tide::new(dice);
        for turn in turns {
            if !matches!(turn, Turn::Does(Step::Wiped(_))) {
                tide.does(turn);
            }
        }
        let counts = (tide.splits, tide.folds);
        tide.world.is_reliable();
        tide.passes(GONE + SPOKEN_FOR + RARELY + 3 * (TOLD + WAY) + WAY);
        tide.world.nobody_is_lost();
        tide.world.nobody_is_stranded();
        tide.goes_on(PRESENT);
        tide.goes_on(tide.until_folded());
        let rests = tide.world.now();
        tide.goes_on(RARELY + TOLD + WAY);
        tide.is_at_rest();
        assert!(tide.changed <= rests, "there is no end to it");
        assert_eq!(tide.misplaced, BTreeMap::new());
        tide.world.nobody_is_lost();
        tide.world.nobody_is_stranded();
        (tide.splits, tide.folds) = counts;
        tide
    });
}

/// As long as nothing is lost and nobody goes who is waited for, people wait no longer than in a layout that stays,
/// nobody is where it is not to be for more than a minute, and the layout changes for what there is.
#[test]
fn on_a_network_as_it_should_be_every_change_has_its_reason_and_nobody_waits_for_it() {
    holds(&turns(), |turns| {
        let mut tide = Tide::at_ease(TINY);
        for turn in turns {
            match turn {
                Turn::Does(step) if tide.world.disappoints(&step) => {}
                // What was to be told is told later by an object that was thrown out of memory.
                Turn::Does(Step::Sleeps(_) | Step::Forgets(_)) | Turn::Sleep(_) => {}
                turn => tide.does(turn),
            }
        }
        tide.passes(PARTICULAR + 1_000 + WAY + TOLD + WAY);
        tide.world.nobody_is_lost();
        tide.world.nobody_is_stranded();
        tide
    });
}

/// Ninety people of two regions are too many for two lobbies of this size, and few enough for four. They come for ten
/// minutes, talk for twenty seconds, and look for somebody else. Then three are left.
#[test]
fn under_steady_load_the_layout_comes_to_rest_and_people_are_where_it_wants_them() {
    for seed in [1, 2] {
        let mut tide = Tide::at_ease("1000 60 30 120");
        let mut bits = noise(seed);
        let mut lives = |tide: &mut Tide, many: usize, seconds: u64| {
            for _ in 0..seconds {
                for peer in tide.world.people.keys().copied().collect::<Vec<_>>() {
                    let person = &tide.world.people[&peer];
                    let free = person.search.is_none() && !person.on_the_way;
                    if bits(600) == 0 || tide.world.people.len() > many {
                        let mut all = tide.world.people.keys();
                        let place = all.position(|it| *it == peer).unwrap();
                        tide.world
                            .does(Step::Drops(place.try_into().unwrap(), true));
                    } else if free && bits(20) == 0 {
                        tide.world.finds(peer, Mode::Video, &[], Prepared::Nothing);
                    }
                }
                while tide.world.people.len() < many {
                    let region = REGIONS[bits(2) as usize];
                    tide.comes(region, bits(3) as usize, bits(u64::MAX));
                }
                tide.passes(1_000);
            }
        };
        lives(&mut tide, 90, 6 * 60);
        let rests = tide.world.now();
        lives(&mut tide, 90, 12 * 60);
        assert!(tide.changed <= rests, "{} after {rests}", tide.changed);
        assert_eq!(tide.folds, 0, "what was split for good reason is folded");
        assert!(tide.layout().lobbies().count() > 2);
        tide.is_at_rest();
        tide.all_are_where_they_belong();
        let folded = tide.world.now() + TOLD + tide.until_folded();
        lives(&mut tide, 3, 12 * 60);
        assert!(tide.changed <= folded, "{} after {folded}", tide.changed);
        assert!(tide.layout().lobbies().eq([LobbyName::Global]));
        tide.all_are_where_they_belong();
    }
}

/// Random bits that are the same each time (Marsaglia: Xorshift RNGs, 2003), below a number.
fn noise(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut bits = seed;
    move |most| {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        bits % most
    }
}
