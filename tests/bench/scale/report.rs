//! What a run comes to.

use serde_json::{Value, json};

use crate::simulation::Simulation;

/// What this thread has taken of the processor.
pub(crate) fn cpu_seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = told.split_whitespace().next();
    let nanos: Option<f64> = nanos.and_then(|nanos| nanos.parse().ok());
    nanos.unwrap_or_default() / 1e9
}

impl Simulation {
    pub(crate) fn result(&self, cpu_seconds: f64) -> Value {
        let (tally, setup) = (&self.tally, &self.setup);
        let hours = setup.measured as f64 / 3_600_000.0;
        let person_hours = tally.person_seconds as f64 / 3_600.0;
        let lobbies = self.objects.iter();
        let busiest = lobbies.clone().map(|it| it.busy.a_second());
        let storms = lobbies.clone().map(|it| it.busy.after_a_kill());
        let frames = lobbies.clone().map(|it| it.frames.a_second());
        let left: u64 = lobbies
            .map(|it| {
                let stats = it.lobby.stats();
                u64::from(stats.online + stats.waiting + stats.calls)
            })
            .sum();
        let a_call = tally.moves as f64 / tally.met.max(1) as f64;
        let [open, particular, text] = &tally.waits_by;
        json!({
            "people": setup.people,
            "seed": setup.seed,
            "signalsASide": setup.signals,
            "virtual": {
                "daySeconds": setup.day / 1_000,
                "measuredSeconds": setup.measured / 1_000,
                "fillingSeconds": setup.begins() / 1_000,
            },
            "online": { "most": tally.most_online, "mean": person_hours / hours },
            "calls": tally.met,
            "sessions": tally.arrivals,
            "waitMs": {
                "all": tally.waits.summary(),
                "videoOpen": open.summary(),
                "videoParticular": particular.summary(),
                "text": text.summary(),
                "gaveUp": tally.gave_up,
                "besideSomebodySuitable": tally.stranded.summary(),
            },
            "busiest": {
                "lobby": busiest.fold(0.0, f64::max),
                "lobbyFrames": frames.fold(0.0, f64::max),
                "lobbyAfterAKill": storms.fold(0.0, f64::max),
                "directory": self.directory.busy.a_second(),
            },
            "lobbies": { "most": tally.most_lobbies, "splits": tally.splits, "folds": tally.folds },
            "moves": {
                "all": tally.moves,
                "aCall": a_call,
                "aSession": tally.moves as f64 / tally.arrivals.max(1) as f64,
            },
            "ownRegion": tally.own_region.value(),
            "sharedInterest": tally.shared.value(),
            "cost": tally.usage.bill(person_hours, hours),
            "faults": {
                "resumed": tally.resumed,
                "lobbiesKilled": tally.lobbies_killed,
                "directoryKilled": tally.directory_killed,
                "ended": tally.ended,
                "refused": tally.refused,
            },
            "checks": {
                "toldOfASecond": tally.told_of_a_second,
                "longestHalfCallSeconds": tally.longest_half_call,
                "longestStrandedSeconds": tally.longest_stranded,
                "strandedForMoreThan5Seconds": tally.stranded_for_5,
                "leftWhenAllHaveGone": left,
            },
            "history": tally.history,
            "cpuSeconds": cpu_seconds,
        })
    }
}
