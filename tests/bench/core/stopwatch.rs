//! Single events, timed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What reading the clock twice takes, in the median of many times.
pub(crate) fn overhead() -> Duration {
    let mut all: Vec<_> = (0..100_001)
        .map(|_| {
            let since = Instant::now();
            since.elapsed()
        })
        .collect();
    all.sort_unstable();
    all[all.len() / 2]
}

/// How long each event took, in nanoseconds, by what it was.
#[derive(Default)]
pub(crate) struct Times(BTreeMap<&'static str, Vec<u32>>);

impl Times {
    pub(crate) fn note(&mut self, kind: &'static str, took: Duration) {
        let nanos = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX);
        self.0.entry(kind).or_default().push(nanos);
    }

    /// All of these kinds together.
    pub(crate) fn together(&self, kinds: impl Fn(&str) -> bool) -> Value {
        let of = self.0.iter().filter(|(kind, _)| kinds(kind));
        quantiles(of.flat_map(|(_, nanos)| nanos).copied().collect())
    }

    pub(crate) fn by_kind(&self) -> Value {
        let kinds = self.0.iter();
        kinds
            .map(|(&kind, nanos)| (kind.to_owned(), quantiles(nanos.clone())))
            .collect()
    }
}

fn quantiles(mut nanos: Vec<u32>) -> Value {
    nanos.sort_unstable();
    let last = nanos.len().saturating_sub(1);
    let quantile = |percent: usize| nanos.get((nanos.len() * percent / 100).min(last));
    let sum: u64 = nanos.iter().map(|&nanos| u64::from(nanos)).sum();
    json!({
        "events": nanos.len(),
        "mean": sum / nanos.len().max(1) as u64,
        "p50": quantile(50),
        "p95": quantile(95),
        "p99": quantile(99),
    })
}
