//! Where in the world somebody is, as coarsely as Durable Objects can be placed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A location hint (Cloudflare: Durable Objects, Data location).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Region {
    /// Western North America.
    Wnam,
    /// Eastern North America.
    Enam,
    /// South America.
    Sam,
    /// Western Europe. Also where nothing is known of somebody.
    #[default]
    Weur,
    /// Eastern Europe.
    Eeur,
    /// Asia and the Pacific.
    Apac,
    /// Oceania.
    Oc,
    /// Africa.
    Afr,
    /// The Middle East.
    Me,
}

impl Region {
    /// How many there are.
    pub const COUNT: usize = 9;

    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Wnam,
        Self::Enam,
        Self::Sam,
        Self::Weur,
        Self::Eeur,
        Self::Apac,
        Self::Oc,
        Self::Afr,
        Self::Me,
    ];

    /// The hint, as the platform spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wnam => "wnam",
            Self::Enam => "enam",
            Self::Sam => "sam",
            Self::Weur => "weur",
            Self::Eeur => "eeur",
            Self::Apac => "apac",
            Self::Oc => "oc",
            Self::Afr => "afr",
            Self::Me => "me",
        }
    }

    /// The region of a visitor, from what the platform knows of its address (Cloudflare: Workers, the `cf` object of
    /// a request): the code of the continent, and degrees east, where continents have two regions.
    #[must_use]
    pub fn of(continent: &str, longitude: &str) -> Self {
        // To the degree is near enough, and reading floating-point numbers takes 10 KiB of tables.
        let degrees = longitude.split('.').next();
        let degrees: Option<i32> = degrees.and_then(|degrees| degrees.parse().ok());
        let east_of = |west: i32| degrees.is_some_and(|east| east > west);
        match continent {
            "NA" if east_of(-100) => Self::Enam,
            "NA" => Self::Wnam,
            "SA" | "AN" => Self::Sam,
            "EU" if east_of(19) => Self::Eeur,
            "AS" if east_of(60) => Self::Apac,
            "AS" => Self::Me,
            "OC" => Self::Oc,
            "AF" => Self::Afr,
            _ => Self::Weur,
        }
    }

    /// How far another one is: 0 for itself, more the longer a message takes, by the sea cables between them.
    #[must_use]
    pub fn distance(self, other: Self) -> usize {
        use Region::{Afr, Apac, Eeur, Enam, Me, Oc, Sam, Weur, Wnam};
        let nearest = match self {
            Wnam => [Wnam, Enam, Sam, Weur, Apac, Oc, Eeur, Me, Afr],
            Enam => [Enam, Wnam, Weur, Sam, Eeur, Me, Apac, Afr, Oc],
            Sam => [Sam, Enam, Wnam, Weur, Eeur, Afr, Me, Oc, Apac],
            Weur => [Weur, Eeur, Enam, Me, Wnam, Afr, Apac, Sam, Oc],
            Eeur => [Eeur, Weur, Me, Enam, Afr, Wnam, Apac, Sam, Oc],
            Apac => [Apac, Oc, Me, Wnam, Eeur, Weur, Enam, Afr, Sam],
            Oc => [Oc, Apac, Wnam, Enam, Me, Sam, Weur, Eeur, Afr],
            Afr => [Afr, Weur, Eeur, Me, Enam, Apac, Wnam, Sam, Oc],
            Me => [Me, Eeur, Weur, Apac, Afr, Enam, Wnam, Oc, Sam],
        };
        let place = nearest.iter().position(|&region| region == other);
        place.unwrap_or(Self::COUNT)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotARegion;

impl FromStr for Region {
    type Err = NotARegion;

    fn from_str(text: &str) -> Result<Self, NotARegion> {
        let mut all = Self::ALL.into_iter();
        all.find(|region| region.name() == text).ok_or(NotARegion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_nearest_to_itself_and_knows_how_far_each_is() {
        for region in Region::ALL {
            assert_eq!(region.distance(region), 0);
            let mut all = Region::ALL.map(|other| region.distance(other));
            all.sort_unstable();
            assert_eq!(all, std::array::from_fn(|place| place), "{region}");
            assert_eq!(region.name().parse(), Ok(region));
        }
        assert_eq!("WEUR".parse::<Region>(), Err(NotARegion));
    }

    #[test]
    fn a_visitor_is_where_its_address_is() {
        for (continent, longitude, region) in [
            ("NA", "-122.4", Region::Wnam),
            ("NA", "-74.0", Region::Enam),
            ("SA", "-46.6", Region::Sam),
            ("EU", "2.3", Region::Weur),
            ("EU", "30.5", Region::Eeur),
            ("EU", "", Region::Weur),
            ("AS", "139.7", Region::Apac),
            ("AS", "46.7", Region::Me),
            ("OC", "151.2", Region::Oc),
            ("AF", "3.4", Region::Afr),
            ("T1", "", Region::Weur),
            ("", "", Region::Weur),
        ] {
            assert_eq!(Region::of(continent, longitude), region, "{continent}");
        }
    }
}
