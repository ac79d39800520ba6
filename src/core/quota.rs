//! How many answers with relays one network is given: a token bucket for each, as many as fit.
//!
//! It is in the memory of one instance of the Worker, and Cloudflare runs several and ends them when it
//! likes. So it is a brake on whoever collects credentials, and no wall: what a credential is good for is
//! limited by its short life, and what all of them cost by the provider.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::core::time::{Millis, Timestamp};

/// Answers that one network may have at once: a room full of people behind one router, who all reload.
pub const BURST: u32 = 60;
/// After how many milliseconds it may have another. A page asks once in ten minutes.
pub const MILLIS_AN_ANSWER: u64 = 1_000;
/// Networks that are remembered. Whoever has not asked for a minute need not be.
pub const MAX_NETWORKS: usize = 4_096;

/// What is left to each network.
#[derive(Debug, Default)]
pub struct Quota {
    /// When its bucket will be full again (see [`crate::core::rate`]).
    full_at: BTreeMap<Network, Timestamp>,
}

/// An IPv4 address, or the first 64 bits of an IPv6 address, of which the others are the host's own choice
/// (RFC 4291, section 2.5.1). No network begins with as many zeros as the number of an IPv4 address (section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Network(u64);

impl Quota {
    /// Takes one answer from what is left to the network of this address.
    ///
    /// # Errors
    /// Nothing is left. The span after which there is something.
    pub fn take(&mut self, address: Option<&str>, now: Timestamp) -> Result<(), Millis> {
        let network = Network::of(address);
        let full_at = self.full_at.get(&network).map_or(now, |&at| at.max(now));
        let owed = full_at.since(now).get() + MILLIS_AN_ANSWER;
        let most = u64::from(BURST) * MILLIS_AN_ANSWER;
        if owed > most {
            return Err(Millis::new(owed - most));
        }
        if self.full_at.len() >= MAX_NETWORKS {
            self.forget(now);
        }
        self.full_at.insert(network, now.after(Millis::new(owed)));
        Ok(())
    }

    /// Makes place: those whose bucket is full are as good as new, and else the one that is next to.
    fn forget(&mut self, now: Timestamp) {
        self.full_at.retain(|_, &mut at| at > now);
        if self.full_at.len() >= MAX_NETWORKS {
            let fullest = self.full_at.iter().min_by_key(|&(_, at)| at);
            if let Some((&network, _)) = fullest {
                self.full_at.remove(&network);
            }
        }
    }
}

impl Network {
    /// Together, as if it were 0.0.0.0, whoever comes without a readable address.
    fn of(address: Option<&str>) -> Self {
        let address = address.and_then(|text| text.parse().ok());
        Self(
            match address.map(|address: IpAddr| address.to_canonical()) {
                Some(IpAddr::V4(address)) => address.to_bits().into(),
                Some(IpAddr::V6(address)) => (address.to_bits() >> 64) as u64,
                None => 0,
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    fn served(quota: &mut Quota, address: &str, now: u64) -> u32 {
        let tries = 0..2 * BURST;
        tries
            .filter(|_| quota.take(Some(address), at(now)).is_ok())
            .count() as u32
    }

    #[test]
    fn a_network_is_served_at_once_and_then_steadily() {
        let mut quota = Quota::default();
        assert_eq!(served(&mut quota, "192.0.2.1", 5), BURST);
        for n in 1..=100 {
            let now = 5 + n * MILLIS_AN_ANSWER;
            assert_eq!(served(&mut quota, "192.0.2.1", now), 1, "{n}");
        }
    }

    #[test]
    fn whoever_is_refused_is_told_when_to_come_again() {
        let mut quota = Quota::default();
        served(&mut quota, "192.0.2.1", 0);
        let wait = quota.take(Some("192.0.2.1"), at(100)).unwrap_err();
        assert_eq!(wait, Millis::new(MILLIS_AN_ANSWER - 100));
        let later = at(100).after(wait);
        assert_eq!(quota.take(Some("192.0.2.1"), later), Ok(()));
    }

    #[test]
    fn one_network_is_one_whichever_of_its_addresses_asks() {
        for (one, another) in [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
            ("192.0.2.1", "::ffff:192.0.2.1"),
            ("nonsense", ""),
        ] {
            let mut quota = Quota::default();
            assert_eq!(served(&mut quota, one, 0), BURST, "{one}");
            assert_eq!(served(&mut quota, another, 0), 0, "{another}");
        }
    }

    #[test]
    fn nobody_pays_for_another_network() {
        let mut quota = Quota::default();
        for address in ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"] {
            assert_eq!(served(&mut quota, address, 0), BURST, "{address}");
        }
        let everybody = (0..BURST).all(|_| quota.take(None, at(0)).is_ok());
        assert!(everybody && quota.take(None, at(0)).is_err());
    }

    #[test]
    fn memory_is_bounded_and_the_greediest_are_remembered() {
        let mut quota = Quota::default();
        assert_eq!(served(&mut quota, "192.0.2.1", 0), BURST);
        for n in 0..2 * MAX_NETWORKS as u32 {
            let address = std::net::Ipv4Addr::from_bits(n).to_string();
            assert_eq!(quota.take(Some(&address), at(0)), Ok(()), "{address}");
            assert!(quota.full_at.len() <= MAX_NETWORKS);
        }
        assert!(quota.take(Some("192.0.2.1"), at(0)).is_err());
        let full = at(u64::from(BURST) * MILLIS_AN_ANSWER);
        assert_eq!(quota.take(Some("192.0.2.1"), full), Ok(()));
        assert_eq!(quota.full_at.len(), 1);
    }
}
