//! Into how many lobbies random chat is divided: scene by scene, and then whatever the load. No lobby, no clock.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

use std::collections::{BTreeMap, BTreeSet};

use echomingle::core::layout::{Budget, Layout, Load, Loads, LobbyName, Planner};
use echomingle::core::region::Region;
use echomingle::core::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

/// In milliseconds.
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// In thousandths of the budget: what has more is split.
const SPLIT: u32 = 600;
/// What has less is folded.
const FOLD: u32 = 250;

/// So many thousandths of the budget in messages.
fn messages(share: u32) -> Load {
    Load {
        messages: share,
        sockets: 0,
    }
}

/// One of which a message is a thousandth.
fn budget() -> Budget {
    let usual = Budget::default();
    Budget {
        most: Load {
            messages: 1_000,
            ..usual.most
        },
        ..usual
    }
}

/// So many thousandths of the budget in sockets.
fn sockets(share: u32) -> Load {
    Load {
        messages: 0,
        sockets: (share * 32_768).div_ceil(1_000),
    }
}

/// A planner on a virtual clock, and what it is told.
struct Scene {
    planner: Planner,
    loads: Loads,
    now: u64,
    load: fn(u32) -> Load,
}

impl Scene {
    fn new() -> Self {
        Self::in_terms_of(messages)
    }

    fn in_terms_of(load: fn(u32) -> Load) -> Self {
        Self {
            planner: Planner::default(),
            loads: Loads::default(),
            now: 0,
            load,
        }
    }

    /// Western Europe has a lobby of its own, since just now, and that is all that is busy.
    fn of_a_region() -> Self {
        let mut scene = Self::new();
        scene.does("global", 601);
        scene.people(&[(Region::Weur, 1)]);
        scene.after(0);
        assert_eq!(scene.after(30 * SECOND), ["global", "weur"]);
        scene.does("global", 0);
        scene.people(&[]);
        scene
    }

    /// Western Europe has so many lobbies, the last of them since just now.
    fn of_parts(many: usize) -> Self {
        let mut scene = Self::of_a_region();
        while scene.home(Region::Weur).len() < many {
            // One at a time.
            for (place, lobby) in scene.home(Region::Weur).into_iter().enumerate() {
                scene
                    .loads
                    .set(lobby, messages(if place == 0 { 601 } else { 500 }));
            }
            scene.after(30 * SECOND);
            assert!(scene.now < 12 * HOUR, "{many} take too long");
        }
        scene.loads.lobbies.clear();
        scene
    }

    /// A lobby has so many thousandths of its budget to do, from now on.
    fn does(&mut self, lobby: &str, share: u32) {
        let load = (self.load)(share);
        self.loads.set(lobby.parse().unwrap(), load);
    }

    /// The people who are in `global`, from now on.
    fn people(&mut self, people: &[(Region, u32)]) {
        self.loads.in_global = Default::default();
        for &(region, many) in people {
            self.loads.in_global[region as usize] = many;
        }
    }

    /// The lobbies in use when this has passed and all was looked at once.
    fn after(&mut self, millis: u64) -> Vec<String> {
        self.now += millis;
        let now = Timestamp::from_unix_millis(self.now);
        self.planner.review(&self.loads, &budget(), now);
        let lobbies = self.planner.layout().lobbies();
        lobbies.map(|lobby| lobby.to_string()).collect()
    }

    fn home(&self, region: Region) -> Vec<LobbyName> {
        self.planner.layout().home(region).collect()
    }
}

#[test]
fn at_low_load_there_is_only_global() {
    let mut scene = Scene::new();
    scene.people(&Region::ALL.map(|region| (region, 900)));
    for share in [0, 100, 600] {
        scene.does("global", share);
        for _ in 0..100 {
            assert_eq!(scene.after(MINUTE), ["global"]);
        }
    }
    assert_eq!(scene.planner.layout().version, 0);
    for region in Region::ALL {
        assert_eq!(scene.home(region), [LobbyName::Global]);
    }
}

#[test]
fn a_global_that_is_busy_for_thirty_seconds_gives_up_its_busiest_region() {
    let mut scene = Scene::new();
    scene.does("global", 601);
    scene.people(&[(Region::Enam, 4), (Region::Apac, 6), (Region::Me, 5)]);
    assert_eq!(scene.after(0), ["global"]);
    assert_eq!(scene.after(30 * SECOND - 1), ["global"]);
    assert_eq!(scene.planner.layout().version, 0);
    assert_eq!(scene.after(1), ["global", "apac"]);
    assert_eq!(scene.planner.layout().version, 1);
    assert_eq!(scene.home(Region::Apac), [LobbyName::of(Region::Apac)]);
    assert_eq!(scene.home(Region::Me), [LobbyName::Global]);
}

#[test]
fn who_is_on_the_way_out_of_global_does_not_count_twice() {
    let mut scene = Scene::new();
    scene.does("global", 1_000);
    scene.people(&[(Region::Weur, 60), (Region::Enam, 40)]);
    scene.after(0);
    assert_eq!(scene.after(30 * SECOND), ["global", "weur"]);
    for _ in 0..10 {
        assert_eq!(scene.after(10 * SECOND), ["global", "weur"]);
    }
    // 60 % of all that `global` does, and then more, is for those who stay.
    scene.people(&[(Region::Weur, 40), (Region::Enam, 60)]);
    assert_eq!(scene.after(0), ["global", "weur"]);
    assert_eq!(scene.after(30 * SECOND), ["global", "weur"]);
    scene.people(&[(Region::Weur, 39), (Region::Enam, 31), (Region::Sam, 30)]);
    assert_eq!(scene.after(0), ["global", "weur"]);
    assert_eq!(scene.after(30 * SECOND - 1), ["global", "weur"]);
    assert_eq!(scene.after(1), ["global", "enam", "weur"]);
}

#[test]
fn global_is_not_in_use_when_every_region_has_lobbies_of_its_own() {
    let mut scene = Scene::new();
    scene.does("global", 10_000);
    scene.people(&Region::ALL.map(|region| (region, 1)));
    scene.after(0);
    while scene.planner.layout().version < 9 {
        scene.after(30 * SECOND);
        assert!(scene.now < 10 * MINUTE, "nine regions need nine changes");
    }
    let names = Region::ALL.map(Region::name);
    assert_eq!(scene.after(0), names);
    assert!(!scene.planner.layout().has(LobbyName::Global));
    assert_eq!(scene.after(HOUR), names);
}

#[test]
fn a_lobby_that_is_busy_for_thirty_seconds_is_split_into_halves_and_they_into_theirs() {
    let mut scene = Scene::of_a_region();
    for (busy, [one, other]) in [
        ("weur", ["weur/2", "weur/3"]),
        ("weur/3", ["weur/6", "weur/7"]),
        ("weur/6", ["weur/12", "weur/13"]),
    ] {
        // That the others do something keeps them from being folded.
        for lobby in scene.home(Region::Weur) {
            scene.does(&lobby.to_string(), SPLIT);
        }
        let before = scene.after(30 * SECOND);
        scene.does(busy, SPLIT + 1);
        assert_eq!(scene.after(0), before);
        assert_eq!(scene.after(30 * SECOND - 1), before);
        let mut halves = scene.after(1);
        halves.retain(|lobby| !before.contains(lobby));
        assert_eq!(halves, [one, other]);
        assert!(!scene.planner.layout().has(busy.parse().unwrap()));
    }
    assert_eq!(
        scene.after(0),
        ["global", "weur/2", "weur/7", "weur/12", "weur/13"]
    );
}

#[test]
fn a_region_changes_once_in_thirty_seconds() {
    let mut scene = Scene::of_parts(2);
    scene.does("weur/2", 601);
    scene.does("weur/3", 601);
    let two = ["global", "weur/2", "weur/3"];
    assert_eq!(scene.after(0), two);
    assert_eq!(scene.after(30 * SECOND - 1), two);
    let three = ["global", "weur/3", "weur/4", "weur/5"];
    assert_eq!(scene.after(1), three);
    assert_eq!(scene.after(30 * SECOND - 1), three);
    assert_eq!(
        scene.after(1),
        ["global", "weur/4", "weur/5", "weur/6", "weur/7"]
    );
}

#[test]
fn a_region_has_512_lobbies_at_most() {
    let mut scene = Scene::of_parts(512);
    let all = scene.home(Region::Weur);
    for &lobby in &all {
        scene.loads.set(lobby, messages(1_000));
    }
    scene.after(MINUTE);
    scene.after(MINUTE);
    assert_eq!(scene.home(Region::Weur), all);
    assert_eq!(all.first(), Some(&LobbyName::Part(Region::Weur, 512)));
    assert_eq!(all.last(), Some(&LobbyName::Part(Region::Weur, 1_023)));
}

#[test]
fn siblings_that_are_quiet_together_for_two_minutes_are_folded() {
    let mut scene = Scene::of_parts(4);
    for lobby in ["weur/4", "weur/5", "weur/6", "weur/7"] {
        scene.does(lobby, 125);
    }
    let four = ["global", "weur/4", "weur/5", "weur/6", "weur/7"];
    assert_eq!(scene.after(0), four);
    assert_eq!(scene.after(HOUR), four);
    scene.does("weur/7", 124);
    assert_eq!(scene.after(0), four);
    assert_eq!(scene.after(2 * MINUTE - 1), four);
    assert_eq!(scene.after(1), ["global", "weur/3", "weur/4", "weur/5"]);
    // Neighbours are no siblings, and a lobby is none of its sibling's halves.
    scene.does("weur/3", 0);
    scene.does("weur/4", 0);
    scene.does("weur/5", 250);
    scene.after(0);
    assert_eq!(scene.after(HOUR), ["global", "weur/3", "weur/4", "weur/5"]);
}

#[test]
fn a_short_burst_or_dip_changes_nothing() {
    let mut scene = Scene::of_parts(2);
    let before = scene.after(0);
    for _ in 0..10 {
        for (share, millis) in [
            (601, 30 * SECOND - 1),
            (600, 0),
            (124, 2 * MINUTE - 1),
            (125, 0),
        ] {
            scene.does("weur/2", share);
            scene.does("weur/3", share);
            assert_eq!(scene.after(0), before);
            assert_eq!(scene.after(millis), before);
        }
    }
    let mut scene = Scene::new();
    scene.people(&[(Region::Weur, 1)]);
    for _ in 0..10 {
        scene.does("global", 5_000);
        assert_eq!(scene.after(0), ["global"]);
        assert_eq!(scene.after(30 * SECOND - 1), ["global"]);
        scene.does("global", 600);
        assert_eq!(scene.after(0), ["global"]);
    }
}

#[test]
fn who_is_still_in_the_parent_counts_when_its_halves_are_folded() {
    let mut scene = Scene::of_parts(2);
    scene.does("weur/2", 50);
    scene.does("weur/3", 50);
    scene.does("weur", 150);
    let two = ["global", "weur/2", "weur/3"];
    assert_eq!(scene.after(0), two);
    assert_eq!(scene.after(HOUR), two);
    scene.does("weur", 149);
    assert_eq!(scene.after(0), two);
    assert_eq!(scene.after(2 * MINUTE), ["global", "weur"]);
}

#[test]
fn a_region_folds_into_global_only_if_both_are_quiet_together() {
    let mut scene = Scene::of_a_region();
    scene.does("weur", 1);
    scene.does("global", 249);
    let two = ["global", "weur"];
    assert_eq!(scene.after(0), two);
    assert_eq!(scene.after(HOUR), two);
    scene.does("weur", 249);
    scene.does("global", 1);
    assert_eq!(scene.after(0), two);
    assert_eq!(scene.after(HOUR), two);
    scene.does("global", 0);
    assert_eq!(scene.after(0), two);
    assert_eq!(scene.after(2 * MINUTE - 1), two);
    assert_eq!(scene.after(1), ["global"]);
}

#[test]
fn global_takes_one_region_at_a_time_and_the_quietest_first() {
    let mut scene = Scene::new();
    scene.does("global", 2_000);
    scene.people(&[(Region::Weur, 1), (Region::Enam, 1)]);
    scene.after(0);
    scene.after(30 * SECOND);
    scene.after(0);
    assert_eq!(scene.after(30 * SECOND), ["global", "enam", "weur"]);
    scene.does("global", 0);
    scene.does("enam", 20);
    scene.does("weur", 10);
    scene.after(0);
    assert_eq!(scene.after(2 * MINUTE), ["global", "enam"]);
    assert_eq!(scene.after(0), ["global", "enam"]);
    assert_eq!(scene.after(2 * MINUTE - 1), ["global", "enam"]);
    assert_eq!(scene.after(1), ["global"]);
}

#[test]
fn who_is_on_the_way_to_global_counts_when_another_region_is_to_follow() {
    let mut scene = Scene::new();
    scene.does("global", 2_000);
    scene.people(&[(Region::Weur, 1), (Region::Enam, 1)]);
    scene.after(0);
    scene.after(30 * SECOND);
    scene.after(0);
    assert_eq!(scene.after(30 * SECOND), ["global", "enam", "weur"]);
    scene.does("global", 0);
    scene.does("enam", 150);
    scene.does("weur", 100);
    scene.after(0);
    // Whoever is in a call stays for as long as it lasts.
    assert_eq!(scene.after(2 * MINUTE), ["global", "enam"]);
    scene.after(0);
    assert_eq!(scene.after(HOUR), ["global", "enam"]);
    scene.does("weur", 0);
    scene.does("global", 99);
    scene.after(0);
    assert_eq!(scene.after(2 * MINUTE), ["global"]);
}

#[test]
fn sockets_count_like_messages() {
    for load in [messages, sockets] {
        let mut scene = Scene::in_terms_of(load);
        scene.people(&[(Region::Oc, 1)]);
        scene.does("global", 600);
        scene.after(0);
        assert_eq!(scene.after(HOUR), ["global"]);
        scene.does("global", 601);
        scene.after(0);
        assert_eq!(scene.after(30 * SECOND), ["global", "oc"]);
        scene.does("oc", 600);
        scene.after(0);
        assert_eq!(scene.after(HOUR), ["global", "oc"]);
        scene.does("oc", 601);
        scene.after(0);
        let halves = ["global", "oc/2", "oc/3"];
        assert_eq!(scene.after(30 * SECOND), halves);
        scene.does("oc", 0);
        scene.does("oc/2", 125);
        scene.does("oc/3", 125);
        scene.after(0);
        assert_eq!(scene.after(HOUR), halves);
        scene.does("oc/3", 100);
        scene.after(0);
        assert_eq!(scene.after(2 * MINUTE), ["global", "oc"]);
    }
    // The more of both, and not both together.
    let mut scene = Scene::of_parts(2);
    scene.loads.set(
        "weur/2".parse().unwrap(),
        Load {
            messages: 600,
            sockets: 600 * 32,
        },
    );
    let before = scene.after(0);
    assert_eq!(scene.after(HOUR), before);
}

/// Bits that look random, the same each time (Vigna: SplitMix64).
fn random_bits(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::from_fn(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(bits ^ (bits >> 31))
    })
}

/// How often each lobby is chosen of 20,000 times.
fn draws(choose: impl Fn(u64) -> LobbyName) -> BTreeMap<LobbyName, usize> {
    let mut hits = BTreeMap::new();
    for bits in random_bits(3).take(DRAWS) {
        *hits.entry(choose(bits)).or_insert(0) += 1;
    }
    hits
}

const DRAWS: usize = 20_000;

#[test]
fn of_any_two_lobbies_the_less_busy_one_is_chosen_the_more_often_the_less_it_is() {
    for shares in [
        &[100, 300][..],
        &[300, 100],
        &[0, 500],
        &[500, 400, 100],
        &[250, 250, 250, 500, 750],
        &[100, 200, 300, 400, 500, 600, 50],
    ] {
        let mut scene = Scene::of_parts(shares.len());
        let home = scene.home(Region::Weur);
        for (&lobby, &share) in home.iter().zip(shares) {
            scene.loads.set(lobby, messages(share));
        }
        scene.after(MINUTE);
        let hits = draws(|bits| scene.planner.layout().choose(Region::Weur, bits));
        let pairs = (shares.len() * (shares.len() - 1) / 2) as f64;
        for (place, lobby) in home.iter().enumerate() {
            let mut others = shares.to_vec();
            let own = f64::from(others.remove(place) + 1);
            let beats = others.iter().map(|&other| f64::from(other + 1));
            let chance: f64 = beats.map(|other| other / (own + other)).sum();
            let fair = DRAWS as f64 * chance / pairs;
            let hits = hits.get(lobby).copied().unwrap_or_default() as f64;
            let off = (hits - fair).abs();
            assert!(
                off < fair * 0.1 + 30.0,
                "{lobby} of {shares:?}: {hits}, {fair}"
            );
        }
    }
}

#[test]
fn until_a_change_has_shown_its_effect_who_is_to_come_counts() {
    let mut scene = Scene::of_parts(2);
    scene.does("weur/2", 700);
    scene.does("weur/3", 300);
    scene.after(0);
    scene.after(30 * SECOND);
    // Nobody is there yet, and half of 700 are on the way to each.
    scene.does("weur/2", 0);
    for quiet in [0, 29 * SECOND] {
        scene.after(quiet);
        let hits = draws(|bits| scene.planner.layout().choose(Region::Weur, bits));
        for (lobby, hits) in hits {
            let off = hits.abs_diff(DRAWS / 3);
            assert!(off < DRAWS / 20, "{lobby}: {hits}");
        }
    }
    scene.after(SECOND);
    let hits = draws(|bits| scene.planner.layout().choose(Region::Weur, bits));
    let busy = hits.get(&"weur/3".parse().unwrap()).copied();
    assert!(busy.unwrap_or_default() < DRAWS / 50, "{hits:?}");
}

#[test]
fn who_was_in_a_lobby_that_is_not_in_use_goes_to_what_became_of_it() {
    let scene = Scene::of_parts(5);
    let layout = scene.planner.layout();
    let names = |lobbies: &[&str]| -> BTreeSet<LobbyName> {
        lobbies.iter().map(|lobby| lobby.parse().unwrap()).collect()
    };
    let all: BTreeSet<_> = scene.home(Region::Weur).into_iter().collect();
    assert_eq!(
        all,
        names(&["weur/5", "weur/6", "weur/7", "weur/8", "weur/9"])
    );
    for lobby in ["global", "weur", "enam", "enam/2"] {
        let lobby = lobby.parse().unwrap();
        let hits = draws(|bits| layout.choose_from(lobby, Region::Weur, bits));
        assert_eq!(hits.into_keys().collect::<BTreeSet<_>>(), all, "{lobby}");
    }
    for &lobby in &all {
        let LobbyName::Part(region, number) = lobby else {
            panic!("{lobby} is nobody's");
        };
        // Was split: what is below it, and nothing else.
        let parent = LobbyName::Part(region, number / 2);
        let below = all.iter().copied().filter(|&other| {
            let LobbyName::Part(_, other) = other else {
                return false;
            };
            let up = std::iter::successors(Some(other), |n| Some(n / 2));
            up.take_while(|&n| n > 0).any(|n| n == number / 2)
        });
        let hits = draws(|bits| layout.choose_from(parent, Region::Weur, bits));
        assert_eq!(
            hits.into_keys().collect::<BTreeSet<_>>(),
            below.collect::<BTreeSet<_>>()
        );
        // Was folded: what it is a part of now.
        for part in [2 * number, 4 * number + 3] {
            let part = LobbyName::Part(region, part);
            let hits = draws(|bits| layout.choose_from(part, Region::Weur, bits));
            assert_eq!(hits.into_keys().collect::<Vec<_>>(), [lobby]);
        }
    }
}

#[test]
fn a_crowd_that_comes_at_once_splits_as_many_as_it_takes() {
    for (many, busy, then) in [
        (4, 601, 5),
        (4, 750, 6),
        (4, 876, 8),
        (4, 2_000, 8),
        (8, 650, 11),
    ] {
        let mut scene = Scene::of_parts(many);
        let version = scene.planner.layout().version;
        for lobby in scene.home(Region::Weur) {
            scene.loads.set(lobby, messages(busy));
        }
        scene.after(0);
        scene.after(30 * SECOND);
        assert_eq!(scene.home(Region::Weur).len(), then, "{many} of {busy}");
        assert_eq!(scene.planner.layout().version, version + 1);
    }
}

#[test]
fn a_lobby_that_is_chosen_is_one_of_the_region() {
    let mut scene = Scene::of_parts(5);
    scene.does("global", 1_300);
    scene.people(&[(Region::Enam, 1), (Region::Apac, 1)]);
    scene.after(0);
    scene.after(30 * SECOND);
    let layout = scene.planner.layout();
    let home = scene.home(Region::Weur);
    assert_eq!(home.len(), 5);
    for bits in random_bits(2).take(1_000).chain([0, 1, u64::MAX]) {
        assert!(home.contains(&layout.choose(Region::Weur, bits)));
        assert_eq!(
            layout.choose(Region::Apac, bits),
            LobbyName::of(Region::Apac)
        );
        assert_eq!(layout.choose(Region::Sam, bits), LobbyName::Global);
    }
}

#[test]
fn lobbies_that_are_equally_busy_are_chosen_equally_often() {
    for many in [1, 2, 3, 5, 8, 13, 100] {
        let mut scene = Scene::of_parts(many);
        scene.after(MINUTE);
        let hits = draws(|bits| scene.planner.layout().choose(Region::Weur, bits));
        assert_eq!(hits.len(), many);
        let fair = DRAWS / many;
        for (lobby, hits) in hits {
            assert!(
                fair.abs_diff(hits) * 100 <= fair * if many < 100 { 10 } else { 30 },
                "{lobby} of {many}: {hits} of {fair}"
            );
        }
    }
}

/// From now on a region has so much to do, and it is looked at every so many seconds.
#[derive(Debug, Clone)]
struct Step {
    region: Region,
    demand: Load,
    seconds: u64,
    every: u64,
}

/// People of all regions who spread evenly over their lobbies, and take their time. It knows the layout's promises
/// by heart, and holds it to them at each look.
struct World {
    planner: Planner,
    budget: Budget,
    now: u64,
    demand: [Load; Region::COUNT],
    /// Which part of a region's people is where.
    places: [BTreeMap<LobbyName, f64>; Region::COUNT],
    /// In how many milliseconds half of those go who are to go.
    half_life: f64,
    /// When each region changed last.
    changed: BTreeMap<Region, u64>,
    /// What is seen to be too busy, since when.
    over: BTreeMap<LobbyName, u64>,
    /// What is seen to be quiet together, since when: by the first of them.
    under: BTreeMap<LobbyName, u64>,
}

impl World {
    fn new(half_life: u64) -> Self {
        Self {
            planner: Planner::default(),
            budget: budget(),
            now: 0,
            demand: Default::default(),
            places: std::array::from_fn(|_| BTreeMap::from([(LobbyName::Global, 1.0)])),
            half_life: (half_life * SECOND) as f64,
            changed: BTreeMap::new(),
            over: BTreeMap::new(),
            under: BTreeMap::new(),
        }
    }

    /// Does a step, with what is done at each look.
    fn does(&mut self, step: &Step, mut looks: impl FnMut(&mut Self, u64)) {
        self.demand[step.region as usize] = step.demand;
        for _ in 0..step.seconds.div_ceil(step.every) {
            looks(self, step.every * SECOND);
        }
    }

    /// Time passes, and people move to where they belong.
    fn passes(&mut self, millis: u64) {
        self.now += millis;
        let stay = 0.5_f64.powf(millis as f64 / self.half_life);
        for (places, region) in self.places.iter_mut().zip(Region::ALL) {
            let home: Vec<_> = self.planner.layout().home(region).collect();
            let fair = (1.0 - stay) / home.len() as f64;
            for part in places.values_mut() {
                *part *= stay;
            }
            for lobby in home {
                *places.entry(lobby).or_default() += fair;
            }
            places.retain(|_, part| *part > 1e-9);
        }
    }

    fn loads(&self) -> Loads {
        let mut loads = Loads::default();
        for (places, demand) in self.places.iter().zip(self.demand) {
            for (&lobby, part) in places {
                let mut load = loads.of(lobby);
                load.messages += (f64::from(demand.messages) * part).round() as u32;
                load.sockets += (f64::from(demand.sockets) * part).round() as u32;
                loads.set(lobby, load);
            }
        }
        loads.in_global = std::array::from_fn(|place| {
            let part = self.places[place].get(&LobbyName::Global);
            let part = part.copied().unwrap_or_default();
            (f64::from(self.demand[place].sockets) * part).round() as u32
        });
        loads
    }

    fn looks(&mut self, after: u64) {
        self.passes(after);
        let loads = self.loads();
        let before = self.planner.layout().clone();
        self.remembers(&before, &loads);
        let now = Timestamp::from_unix_millis(self.now);
        let says = self.planner.review(&loads, &self.budget, now);
        let changes = self.changes(&before, &loads);
        let after = self.planner.layout();
        assert_eq!(after.version, before.version + changes);
        assert_eq!(says, changes > 0);
        is_whole(after);
    }

    /// Takes note of since when what could change is as it is.
    fn remembers(&mut self, layout: &Layout, loads: &Loads) {
        let busy = layout.lobbies().filter(|&lobby| {
            let load = loads.of(lobby);
            self.budget.share(match lobby {
                LobbyName::Global => staying(load, loads, layout),
                LobbyName::Part(..) => load,
            }) > SPLIT
        });
        keep(&mut self.over, busy.collect(), self.now);
        let quiet = folds(layout).into_iter().filter(|&(lobby, parent)| {
            let below = below(loads, layout, lobby, parent);
            self.budget.share(below) < FOLD
        });
        let quiet = quiet.map(|(lobby, _)| lobby).collect();
        keep(&mut self.under, quiet, self.now);
    }

    /// Counts what changed, all of which had to have its reason and its time.
    fn changes(&mut self, before: &Layout, loads: &Loads) -> u32 {
        let after = self.planner.layout();
        let (mut changes, mut out_of_global, mut into_global) = (0, 0, 0);
        for region in Region::ALL {
            let [old, new] =
                [before, after].map(|layout| layout.home(region).collect::<BTreeSet<_>>());
            if old == new {
                continue;
            }
            changes += 1;
            let last = self.changed.insert(region, self.now);
            assert!(last.is_none_or(|at| at + 30 * SECOND <= self.now));
            let gone: Vec<_> = old.difference(&new).copied().collect();
            let come: Vec<_> = new.difference(&old).copied().collect();
            use LobbyName::{Global, Part};
            let folded = match (&gone[..], &come[..]) {
                ([Global], [Part(_, 1)]) => {
                    out_of_global += 1;
                    let people = loads.in_global[region as usize];
                    for other in Region::ALL {
                        if before.serves(Global, other) {
                            assert!(loads.in_global[other as usize] <= people);
                        }
                    }
                    false
                }
                (split @ [Part(..), ..], halves) if halves.len() == 2 * split.len() => {
                    let expected = split.iter().flat_map(|lobby| match lobby {
                        Part(own, n) => [2 * n, 2 * n + 1].map(|n| Part(*own, n)),
                        Global => panic!("{split:?} became {halves:?}"),
                    });
                    assert_eq!(expected.collect::<BTreeSet<_>>(), &new - &old);
                    self.splits_as_many_as_it_takes(&old, split, loads);
                    false
                }
                ([Part(_, 1)], [Global]) => {
                    into_global += 1;
                    true
                }
                ([Part(_, a), Part(_, b)], [Part(_, n)]) => {
                    assert_eq!([*a, *b], [2 * n, 2 * n + 1]);
                    true
                }
                other => panic!("no change that there is: {other:?}"),
            };
            let since = if folded { &self.under } else { &self.over };
            let span = if folded { 2 * MINUTE } else { 30 * SECOND };
            for lobby in if folded { &gone[..1] } else { &gone[..] } {
                let since = since.get(lobby);
                assert!(
                    since.is_some_and(|at| at + span <= self.now),
                    "{gone:?} became {come:?} at {}, {lobby} ready since {since:?}",
                    self.now
                );
            }
        }
        assert!(out_of_global <= 1 && into_global <= 1);
        changes
    }

    /// Of a region's lobbies: until all of them would have half of their budgets, or none is left that could be split,
    /// and one in any case.
    fn splits_as_many_as_it_takes(
        &self,
        old: &BTreeSet<LobbyName>,
        split: &[LobbyName],
        loads: &Loads,
    ) {
        let shares = old.iter().map(|&lobby| self.budget.share(loads.of(lobby)));
        let all: u32 = shares.sum();
        let many = (old.len() + split.len()) as u32;
        let ripe = self.over.iter().filter(|&(lobby, &at)| {
            let small = matches!(lobby, LobbyName::Part(_, n) if *n < 512);
            small && old.contains(lobby) && at + 30 * SECOND <= self.now
        });
        assert!(many * 500 >= all || ripe.count() == split.len());
        assert!(split.len() == 1 || (many - 1) * 500 < all);
    }

    /// Looks until nothing has changed for an hour.
    fn settles(&mut self) {
        let start = self.now;
        let mut last = start;
        while self.now < last + HOUR {
            let before = self.planner.layout().version;
            self.looks(10 * SECOND);
            if self.planner.layout().version != before {
                last = self.now;
            }
            assert!(self.now < start + 24 * HOUR, "there is no end to it");
        }
    }
}

/// Keeps since when each of these is what it is, and forgets all others.
fn keep(known: &mut BTreeMap<LobbyName, u64>, those: BTreeSet<LobbyName>, now: u64) {
    known.retain(|lobby, _| those.contains(lobby));
    for lobby in those {
        known.entry(lobby).or_insert(now);
    }
}

/// What `global` has to do for those who have no lobby of their own.
fn staying(load: Load, loads: &Loads, layout: &Layout) -> Load {
    let people = loads.in_global.into_iter().map(u64::from);
    let all: u64 = people.clone().sum();
    let stay = Region::ALL.map(|region| layout.serves(LobbyName::Global, region));
    let stay: u64 = people
        .zip(stay)
        .filter(|&(_, stay)| stay)
        .map(|(n, _)| n)
        .sum();
    let part = |n: u32| (u64::from(n) * stay / all.max(1)) as u32;
    Load {
        messages: part(load.messages),
        sockets: part(load.sockets),
    }
}

/// What could be folded if it were quiet: the first of each, and what it would be folded into.
fn folds(layout: &Layout) -> Vec<(LobbyName, LobbyName)> {
    let fold = |lobby| match lobby {
        LobbyName::Part(_, 1) => Some((lobby, LobbyName::Global)),
        LobbyName::Part(region, n) if n % 2 == 0 => layout
            .has(LobbyName::Part(region, n + 1))
            .then_some((lobby, LobbyName::Part(region, n / 2))),
        _ => None,
    };
    layout.lobbies().filter_map(fold).collect()
}

/// All that a lobby would have to do sooner or later if this one were folded into it: what it has to do now, and
/// what all below it have that are in use no longer, or would not be.
fn below(loads: &Loads, layout: &Layout, lobby: LobbyName, parent: LobbyName) -> Load {
    let is_below = |&&(other, _): &&(LobbyName, Load)| match (other, parent) {
        (LobbyName::Global, _) => parent == LobbyName::Global,
        (LobbyName::Part(region, _), LobbyName::Global) => {
            Some(region) == lobby.region() || layout.serves(LobbyName::Global, region)
        }
        (LobbyName::Part(region, n), LobbyName::Part(own, top)) => {
            let up = std::iter::successors(Some(n), |n| Some(n / 2));
            region == own && up.take_while(|&n| n > 0).any(|n| n == top)
        }
    };
    let all = loads.lobbies.iter().filter(is_below);
    all.fold(Load::default(), |sum, (_, load)| Load {
        messages: sum.messages + load.messages,
        sockets: sum.sockets + load.sockets,
    })
}

/// Everybody has a lobby, and nobody has both a lobby and a part of it.
fn is_whole(layout: &Layout) {
    let mut all = BTreeSet::new();
    for region in Region::ALL {
        let home: Vec<_> = layout.home(region).collect();
        // 512 is all of it.
        let mut covered = 0;
        for &lobby in &home {
            covered += match lobby {
                LobbyName::Global => 512,
                LobbyName::Part(own, n) => {
                    assert_eq!(own, region);
                    assert!((1..1_024).contains(&n));
                    let up = std::iter::successors(Some(n / 2), |n| Some(n / 2));
                    for n in up.take_while(|&n| n > 0) {
                        assert!(!home.contains(&LobbyName::Part(region, n)));
                    }
                    512 >> n.ilog2()
                }
            };
            assert!(layout.has(lobby) && layout.serves(lobby, region));
        }
        assert_eq!(covered, 512, "{home:?}");
        let own = !home.contains(&LobbyName::Global);
        assert_eq!(layout.serves(LobbyName::Global, region), !own);
        all.extend(home);
    }
    assert_eq!(layout.lobbies().collect::<BTreeSet<_>>(), all);
    assert_eq!(layout.lobbies().count(), all.len());
}

fn step() -> impl Strategy<Value = Step> {
    let share = || {
        prop_oneof![
            2 => Just(0),
            3 => 0..150_u32,
            3 => 100..700_u32,
            2 => select(vec![120, 125, 240, 249, 250, 600, 601, 1_200, 1_202]),
            2 => 0..6_000_u32,
        ]
    };
    let regions = prop_oneof![
        2 => select(vec![Region::Weur, Region::Enam]),
        1 => select(&Region::ALL[..]),
    ];
    let seconds = prop_oneof![1 => 1..60_u64, 3 => 60..900_u64];
    (regions, share(), share(), seconds, 1..=10_u64).prop_map(
        |(region, some, others, seconds, every)| Step {
            region,
            demand: Load {
                messages: messages(some).messages,
                // There is no message without somebody who sends it.
                sockets: sockets(others).sockets.max(some),
            },
            seconds,
            every,
        },
    )
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn every_change_has_its_reason_and_its_time(
        steps in prop::collection::vec(step(), 1..24),
        half_life in prop_oneof![Just(20), 1..2_000_u64],
    ) {
        let mut world = World::new(half_life);
        for step in steps {
            world.does(&step, World::looks);
        }
    }

    #[test]
    fn under_steady_load_the_layout_comes_to_rest_and_nothing_is_too_busy_or_needless(
        steps in prop::collection::vec(step(), 1..20),
        half_life in prop_oneof![Just(20), 1..300_u64],
    ) {
        let mut world = World::new(half_life);
        for step in steps {
            world.does(&step, World::looks);
        }
        world.settles();
        let loads = world.loads();
        let layout = world.planner.layout();
        for lobby in layout.lobbies() {
            let load = loads.of(lobby);
            prop_assert!(world.budget.share(load) <= SPLIT, "{lobby} has {load:?}");
        }
        for (lobby, parent) in folds(layout) {
            let load = below(&loads, layout, lobby, parent);
            prop_assert!(world.budget.share(load) >= FOLD, "{lobby} has {load:?}");
        }
    }

    #[test]
    fn a_planner_that_was_packed_goes_on_as_if_nothing_had_happened(
        steps in prop::collection::vec((step(), any::<bool>()), 1..20),
    ) {
        let mut world = World::new(20);
        let mut packed = Planner::default();
        for (step, packs) in steps {
            world.does(&step, |world, after| {
                world.looks(after);
                let now = Timestamp::from_unix_millis(world.now);
                if packs {
                    let text = serde_json::to_string(&packed).unwrap();
                    packed = serde_json::from_str(&text).unwrap();
                }
                packed.review(&world.loads(), &world.budget, now);
                assert_eq!(packed, world.planner);
            });
        }
    }
}
