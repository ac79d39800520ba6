//! What Cloudflare bills, as in tests/bench/match/price.js: its pages Pricing of Workers and of Durable Objects, in
//! copies that were read on 2026-11-21.

use serde_json::{Value, json};

const USD_A_WORKER_REQUEST: f64 = 0.3e-6;
const USD_AN_OBJECT_REQUEST: f64 = 0.15e-6;
const MESSAGES_A_REQUEST: f64 = 20.0;
const USD_A_GB_SECOND: f64 = 12.5e-6;
const OBJECT_GB: f64 = 0.128;
const USD_A_ROW: f64 = 1e-6;
const HOURS_A_MONTH: f64 = 730.0;

/// For how long an object is held to be busy with one event. workerd takes 0.23 ms of CPU for each
/// (docs/performance/match.json: 9.48 ms for 41 messages).
pub(crate) const MILLIS_AN_EVENT: u64 = 1;

/// What was asked of the platform.
#[derive(Debug, Default, Clone)]
pub(crate) struct Usage {
    pub(crate) worker_requests: u64,
    /// Upgrades, to lobbies.
    pub(crate) upgrades: u64,
    /// Frames that arrived.
    pub(crate) messages: u64,
    pub(crate) alarms: u64,
    pub(crate) alarms_set: u64,
    /// Lobbies' reports, moves, and the askings of Workers for the layout.
    pub(crate) calls_between: u64,
    /// Rows that the directory wrote.
    pub(crate) kept: u64,
    /// Milliseconds in which lobbies or the directory ran, or waited for an answer.
    pub(crate) active: u64,
}

impl Usage {
    /// What all of it costs where so many hours were spent online.
    pub(crate) fn bill(&self, person_hours: f64, hours: f64) -> Value {
        let requests = (self.upgrades + self.alarms + self.calls_between) as f64
            + self.messages as f64 / MESSAGES_A_REQUEST;
        let gb_seconds = self.active as f64 / 1_000.0 * OBJECT_GB;
        let rows = (self.alarms_set + self.kept) as f64;
        let parts = [
            (
                "workerRequests",
                self.worker_requests as f64 * USD_A_WORKER_REQUEST,
            ),
            ("objectRequests", requests * USD_AN_OBJECT_REQUEST),
            ("duration", gb_seconds * USD_A_GB_SECOND),
            ("rows", rows * USD_A_ROW),
        ];
        let monthly = |usd: f64| usd / person_hours * 1_000.0 * HOURS_A_MONTH;
        let sum: f64 = parts.iter().map(|(_, usd)| usd).sum();
        let shares = parts.iter();
        json!({
            "workerRequestsAnHour": self.worker_requests as f64 / hours,
            "objectRequestsAnHour": requests / hours,
            "gbSecondsAnHour": gb_seconds / hours,
            "rowsAnHour": rows / hours,
            "usdAMonthFor1000": monthly(sum),
            "ofWhich": shares.map(|&(name, usd)| (name.to_owned(), json!(monthly(usd)))).collect::<Value>(),
            "messages": self.messages,
            "alarms": self.alarms,
            "alarmsSet": self.alarms_set,
            "upgrades": self.upgrades,
            "callsBetweenObjects": self.calls_between,
            "activeMillis": self.active,
        })
    }
}
