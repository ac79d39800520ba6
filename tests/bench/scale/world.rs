//! The world as it is assumed to be: who is where, when, how far from whom, and what people like.

use std::f64::consts::TAU;

use echomingle::core::protocol::Mode;
use echomingle::core::region::Region;
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

/// Of all people, by region, and the hours by which its clocks are before those of Greenwich.
const REGIONS: [(Region, f64, f64); Region::COUNT] = [
    (Region::Wnam, 0.12, -8.0),
    (Region::Enam, 0.20, -5.0),
    (Region::Sam, 0.10, -3.0),
    (Region::Weur, 0.22, 1.0),
    (Region::Eeur, 0.10, 3.0),
    (Region::Apac, 0.16, 8.0),
    (Region::Oc, 0.02, 10.0),
    (Region::Afr, 0.04, 2.0),
    (Region::Me, 0.04, 3.5),
];
/// When most of a region are online, by its own clocks, and which part of them twelve hours later.
const PEAK_HOUR: f64 = 21.0;
const LEAST: f64 = 0.25;

/// Where `global` and the directory are; any other lobby is where its people are.
pub(crate) const CENTRE: Region = Region::Enam;

/// One way between two regions, in milliseconds.
pub(crate) const fn near_millis() -> u64 {
    10
}
const A_STEP: u64 = 30;

/// Of ten who come so many want video.
const VIDEO: f64 = 0.9;
/// Of ten so many name interests: one to three, each out of 1,000 by Zipf's law.
const PARTICULAR: f64 = 0.3;
const MOST_NAMED: usize = 3;
const INTERESTS: usize = 1_000;

/// How long a message takes from one region to another one, in milliseconds.
pub(crate) fn delay(from: Region, to: Region) -> u64 {
    near_millis() + A_STEP * from.distance(to) as u64
}

/// Which part of its peak a region has at this hour of its own clocks.
fn curve(hour: f64) -> f64 {
    let height = f64::midpoint(1.0, (TAU * (hour - PEAK_HOUR) / 24.0).cos());
    LEAST + (1.0 - LEAST) * height
}

/// How many are online where.
pub(crate) struct World {
    /// In all regions, at the busiest hour of the world.
    people: f64,
    /// A day may take less than one.
    day_millis: f64,
    busiest: f64,
    zipf: Vec<f64>,
}

impl World {
    pub(crate) fn new(people: u32, day_millis: u64) -> Self {
        let whole = |hour: f64| -> f64 {
            let regions = REGIONS.iter();
            regions
                .map(|(_, share, east)| share * curve(hour + east))
                .sum()
        };
        let minutes = (0..24 * 60).map(|minute| whole(f64::from(minute) / 60.0));
        let mut sum = 0.0;
        let weights = (1..=INTERESTS).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self {
            people: f64::from(people),
            day_millis: day_millis as f64,
            busiest: minutes.fold(0.0, f64::max),
            zipf: weights.collect(),
        }
    }

    /// The hour of the world's day, in Greenwich.
    pub(crate) fn hour(&self, millis: f64) -> f64 {
        millis / self.day_millis * 24.0
    }

    /// So many are to be online in this region, after so many milliseconds.
    pub(crate) fn online(&self, region: Region, millis: f64) -> f64 {
        let all = REGIONS.iter();
        let of = all.filter(|(name, ..)| *name == region);
        let parts = of.map(|(_, share, east)| share * curve(self.hour(millis) + east));
        self.people * parts.sum::<f64>() / self.busiest
    }

    /// What somebody looks for.
    pub(crate) fn wish(&self, random: &mut Xoshiro256PlusPlus) -> (Mode, Vec<u16>) {
        let mode = if random.random_bool(VIDEO) {
            Mode::Video
        } else {
            Mode::Text
        };
        let named = if random.random_bool(PARTICULAR) {
            random.random_range(1..=MOST_NAMED)
        } else {
            0
        };
        let all = self.zipf.last().copied().unwrap_or_default();
        let draw = |_| {
            let place = random.random::<f64>() * all;
            self.zipf.partition_point(|&sum| sum <= place) as u16
        };
        let mut interests: Vec<_> = (0..named).map(draw).collect();
        interests.sort_unstable();
        interests.dedup();
        (mode, interests)
    }
}
