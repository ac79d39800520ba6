//! Keeps count of what comes about: a line in the log for some of it, a data point for all of it.

use wasm_bindgen::prelude::*;

use super::bindings::{Dataset, Env, dataset, log_sampling};
use super::platform::now;
use crate::core::note::{Note, sampling};
use crate::core::rate::{Bucket, Limit};

/// What a client is told of mistakes is counted so often and no more: it can make as many as it likes.
const MISTAKES: Limit = Limit {
    burst: 60,
    per_second: 1,
};

#[wasm_bindgen(inline_js = "
export const keep = (line, sampling, dataset) => {
  if (sampling && Math.random() * sampling < 1) console.log(line);
  if (!dataset) return;
  const { event, ...facts } = JSON.parse(line);
  const values = Object.values(facts);
  const words = values.filter((value) => typeof value === 'string');
  const numbers = values.filter((value) => typeof value !== 'string').map(Number);
  try {
    dataset.writeDataPoint({ indexes: [event], blobs: [event, ...words], doubles: numbers });
  } catch {}
};
")]
extern "C" {
    /// A line for one of so many, and a data point (Cloudflare: Workers Analytics Engine).
    fn keep(line: &str, sampling: u32, dataset: Option<&Dataset>);
}

/// Where notes go.
pub(super) struct Journal {
    sampling: u32,
    dataset: Option<Dataset>,
    mistakes: Bucket,
}

impl Journal {
    /// As it is configured.
    pub(super) fn new(env: &Env) -> Self {
        Self {
            sampling: sampling(log_sampling(env).as_deref()),
            dataset: dataset(env),
            mistakes: Bucket::full(now()),
        }
    }

    /// Something came about.
    pub(super) fn count(&mut self, note: Note) {
        if matches!(note, Note::Refused { .. }) && self.mistakes.take(1, MISTAKES, now()).is_err() {
            return;
        }
        if let Ok(line) = serde_json::to_string(&note) {
            keep(&line, self.sampling, self.dataset.as_ref());
        }
    }
}
