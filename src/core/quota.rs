//! How much one network may ask for: a token bucket for each, as many as fit.
//!
//! It is in the memory of one instance of the Worker, and Cloudflare runs several and ends them when it
//! likes: a brake, and no wall. It counts where nothing that counts for all of them is bound ([`Counted::name`]).

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::core::rate::{Bucket, Limit};
use crate::core::time::{Millis, Timestamp};

/// What is counted. The limits are those of `wrangler.toml`, where a minute is counted at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// WebSockets that are opened. After a deploy a house full of people opens all of its own at once.
    Connections,
    /// Answers with relays, and passes. A page asks once in ten minutes, and a room full of people may reload.
    Relays,
}

impl Counted {
    /// How the rate limiter is bound that counts for a whole location of Cloudflare (Cloudflare: Workers, Rate
    /// Limiting).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "CONNECTIONS",
            Self::Relays => "RELAYS",
        }
    }

    /// How many there may be of one network.
    #[must_use]
    pub const fn limit(self) -> Limit {
        match self {
            Self::Connections => Limit {
                burst: 300,
                per_second: 5,
            },
            Self::Relays => Limit {
                burst: 60,
                per_second: 1,
            },
        }
    }
}

/// Networks that are remembered. Whoever has not asked for a minute need not be.
pub const MAX_NETWORKS: usize = 4_096;

/// What is left to each network.
#[derive(Debug)]
pub struct Quota {
    limit: Limit,
    buckets: BTreeMap<Network, Bucket>,
}

/// An IPv4 address, or the first 64 bits of an IPv6 address, of which the others are the host's own choice
/// (RFC 4291, section 2.5.1). No network begins with as many zeros as the number of an IPv4 address (section 2.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network(u64);

impl Quota {
    /// Nobody has asked yet.
    #[must_use]
    pub const fn new(limit: Limit) -> Self {
        Self {
            limit,
            buckets: BTreeMap::new(),
        }
    }

    /// Takes one from what is left to a network.
    ///
    /// # Errors
    /// Nothing is left. The span after which there is something.
    pub fn take(&mut self, network: Network, now: Timestamp) -> Result<(), Millis> {
        let known = self.buckets.get(&network).copied();
        let mut bucket = known.unwrap_or(Bucket::full(now));
        bucket.take(1, self.limit, now)?;
        if known.is_none() && self.buckets.len() >= MAX_NETWORKS {
            self.forget(now);
        }
        self.buckets.insert(network, bucket);
        Ok(())
    }

    /// Makes place: those whose bucket is full are as good as new, and else the one that is next to.
    fn forget(&mut self, now: Timestamp) {
        self.buckets.retain(|_, bucket| !bucket.is_full(now));
        if self.buckets.len() >= MAX_NETWORKS {
            let fullest = self.buckets.iter().min_by_key(|&(_, bucket)| bucket);
            if let Some((&network, _)) = fullest {
                self.buckets.remove(&network);
            }
        }
    }
}

impl Network {
    /// That of an address; together, as if it were 0.0.0.0, whoever comes without a readable one.
    #[must_use]
    pub fn of(address: Option<&str>) -> Self {
        let address = address.and_then(|text| text.parse().ok());
        Self(
            match address.map(|address: IpAddr| address.to_canonical()) {
                Some(IpAddr::V4(address)) => address.to_bits().into(),
                Some(IpAddr::V6(address)) => (address.to_bits() >> 64) as u64,
                None => 0,
            },
        )
    }

    /// What a rate limiter knows it by.
    #[must_use]
    pub fn key(self) -> String {
        format!("{:x}", self.0)
    }
}

/// Where somebody is, is nobody's business.
impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    const LIMIT: Limit = Counted::Relays.limit();
    const BURST: u32 = LIMIT.burst;
    const MILLIS_AN_ANSWER: u64 = 1_000 / LIMIT.per_second as u64;

    fn served(quota: &mut Quota, address: &str, now: u64) -> u32 {
        let network = Network::of(Some(address));
        let tries = 0..2 * BURST;
        tries
            .filter(|_| quota.take(network, at(now)).is_ok())
            .count() as u32
    }

    #[test]
    fn a_network_is_served_at_once_and_then_steadily() {
        let mut quota = Quota::new(LIMIT);
        assert_eq!(served(&mut quota, "192.0.2.1", 5), BURST);
        for n in 1..=100 {
            let now = 5 + n * MILLIS_AN_ANSWER;
            assert_eq!(served(&mut quota, "192.0.2.1", now), 1, "{n}");
        }
    }

    #[test]
    fn whoever_is_refused_is_told_when_to_come_again() {
        let mut quota = Quota::new(LIMIT);
        served(&mut quota, "192.0.2.1", 0);
        let wait = quota
            .take(Network::of(Some("192.0.2.1")), at(100))
            .unwrap_err();
        assert_eq!(wait, Millis::new(MILLIS_AN_ANSWER - 100));
        let later = at(100).after(wait);
        assert_eq!(quota.take(Network::of(Some("192.0.2.1")), later), Ok(()));
    }

    #[test]
    fn one_network_is_one_whichever_of_its_addresses_asks() {
        for (one, another) in [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
            ("192.0.2.1", "::ffff:192.0.2.1"),
            ("nonsense", ""),
        ] {
            let mut quota = Quota::new(LIMIT);
            assert_eq!(served(&mut quota, one, 0), BURST, "{one}");
            assert_eq!(served(&mut quota, another, 0), 0, "{another}");
        }
    }

    #[test]
    fn nobody_pays_for_another_network() {
        let mut quota = Quota::new(LIMIT);
        for address in ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"] {
            assert_eq!(served(&mut quota, address, 0), BURST, "{address}");
        }
        let everybody = (0..BURST).all(|_| quota.take(Network::of(None), at(0)).is_ok());
        assert!(everybody && quota.take(Network::of(None), at(0)).is_err());
    }

    #[test]
    fn memory_is_bounded_and_the_greediest_are_remembered() {
        let mut quota = Quota::new(LIMIT);
        assert_eq!(served(&mut quota, "192.0.2.1", 0), BURST);
        for n in 0..2 * MAX_NETWORKS as u32 {
            let address = std::net::Ipv4Addr::from_bits(n).to_string();
            assert_eq!(
                quota.take(Network::of(Some(&address)), at(0)),
                Ok(()),
                "{address}"
            );
            assert!(quota.buckets.len() <= MAX_NETWORKS);
        }
        assert!(quota.take(Network::of(Some("192.0.2.1")), at(0)).is_err());
        let full = at(u64::from(BURST) * MILLIS_AN_ANSWER);
        assert_eq!(quota.take(Network::of(Some("192.0.2.2")), full), Ok(()));
        assert_eq!(quota.buckets.len(), 1);
    }

    #[test]
    fn nobody_can_print_a_network() {
        assert_eq!(format!("{:?}", Network::of(Some("192.0.2.1"))), "Network");
        assert_eq!(Network::of(Some("192.0.2.1")).key(), "c0000201");
    }

    /// Counted here or there, the same many are served.
    #[test]
    fn the_limits_are_those_of_the_configuration() {
        let configuration = include_str!("../../wrangler.toml");
        for counted in [Counted::Connections, Counted::Relays] {
            let Limit { burst, per_second } = counted.limit();
            let limiter = format!("name = \"{}\"", counted.name());
            let simple = format!("simple = {{ limit = {burst}, period = 60 }}");
            let (_, rest) = configuration.split_once(&limiter).unwrap();
            let lines = rest.lines().take_while(|line| !line.starts_with("[["));
            assert!(lines.into_iter().any(|line| line == simple), "{simple}");
            assert_eq!(burst, 60 * per_second);
        }
    }
}
