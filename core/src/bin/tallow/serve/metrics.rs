//! What the server did, in Prometheus' text format.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the histogram's buckets, in seconds.
const BOUNDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// The status codes that are counted by themselves.
const CODES: [u16; 12] = [200, 400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 500];

/// Counters.
#[derive(Default)]
pub(super) struct Metrics {
    codes: [AtomicU64; CODES.len()],
    others: AtomicU64,
    images: AtomicU64,
    batches: AtomicU64,
    computing_micros: AtomicU64,
    waiting: AtomicU64,
    buckets: [AtomicU64; BOUNDS.len()],
    requests: AtomicU64,
    request_micros: AtomicU64,
}

impl Metrics {
    /// Counts an answer to a request for a prediction.
    pub(super) fn answered(&self, code: u16, took: Duration) {
        let place = CODES.iter().position(|known| *known == code);
        place.map_or(&self.others, |place| &self.codes[place]).fetch_add(1, Relaxed);
        self.requests.fetch_add(1, Relaxed);
        self.request_micros.fetch_add(took.as_micros() as u64, Relaxed);
        if let Some(bucket) = BOUNDS.iter().position(|bound| took.as_secs_f64() <= *bound) {
            self.buckets[bucket].fetch_add(1, Relaxed);
        }
    }

    /// Counts a batch of `n` images.
    pub(super) fn computed(&self, n: usize, took: Duration) {
        self.images.fetch_add(n as u64, Relaxed);
        self.batches.fetch_add(1, Relaxed);
        self.computing_micros.fetch_add(took.as_micros() as u64, Relaxed);
    }

    /// How many requests are in the queue.
    pub(super) fn waiting(&self, n: usize) {
        self.waiting.store(n as u64, Relaxed);
    }

    /// All of it, as Prometheus reads it.
    pub(super) fn text(&self) -> String {
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        let seconds = |micros: &AtomicU64| get(micros) as f64 / 1e6;
        let mut text = String::new();
        let head = |text: &mut String, name: &str, kind: &str, help: &str| {
            let _ = write!(text, "# HELP tallow_{name} {help}\n# TYPE tallow_{name} {kind}\n");
        };
        head(&mut text, "responses_total", "counter", "Answers to requests for predictions, by status code.");
        let others = (String::from("other"), get(&self.others));
        for (code, n) in CODES.iter().zip(&self.codes).map(|(code, n)| (code.to_string(), get(n))).chain([others]) {
            if n > 0 {
                let _ = writeln!(text, "tallow_responses_total{{code=\"{code}\"}} {n}");
            }
        }
        for (name, kind, help, value) in [
            ("images_total", "counter", "Requests that were computed.", get(&self.images) as f64),
            ("batches_total", "counter", "Batches of requests.", get(&self.batches) as f64),
            ("computing_seconds_total", "counter", "Time for decoding and computing.", seconds(&self.computing_micros)),
            (
                "waiting_requests",
                "gauge",
                "Requests in the queue when the last batch began.",
                get(&self.waiting) as f64,
            ),
        ] {
            head(&mut text, name, kind, help);
            let _ = writeln!(text, "tallow_{name} {value}");
        }
        head(&mut text, "response_seconds", "histogram", "From a request's arrival to its answer.");
        let mut below = 0;
        for (bound, n) in BOUNDS.iter().zip(&self.buckets) {
            below += get(n);
            let _ = writeln!(text, "tallow_response_seconds_bucket{{le=\"{bound}\"}} {below}");
        }
        let (n, sum) = (get(&self.requests), seconds(&self.request_micros));
        let _ = writeln!(text, "tallow_response_seconds_bucket{{le=\"+Inf\"}} {n}");
        let _ = writeln!(text, "tallow_response_seconds_sum {sum}\ntallow_response_seconds_count {n}");
        text
    }
}
