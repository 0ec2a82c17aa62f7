//! Requests that wait for the network, and the thread that gathers them into batches.

use super::metrics::Metrics;
use super::served::{Answered, Asked, Served, failed};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// What is wanted of a model.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Its answer.
    Predict,
    /// What the answer comes from.
    Explain,
    /// The classes of all pixels.
    Mask,
    /// Photos like one.
    Similar,
}

/// A request.
pub(super) struct Job {
    pub(super) model: Arc<dyn Served>,
    pub(super) question: Question,
    pub(super) asked: Asked,
    pub(super) answer: oneshot::Sender<Answered>,
}

/// The end of the queue at which requests come in.
pub(super) struct Queue {
    jobs: mpsc::Sender<Job>,
}

/// The queue is full.
pub(super) struct Full;

impl Queue {
    /// Starts the thread that computes. All requests share it, and rayon's threads behind it.
    pub(super) fn start(most: usize, batch: usize, metrics: Arc<Metrics>) -> Queue {
        let (jobs, mut waiting) = mpsc::channel::<Job>(most);
        std::thread::spawn(move || {
            let mut gathered = Vec::with_capacity(batch);
            while waiting.blocking_recv_many(&mut gathered, batch) > 0 {
                metrics.waiting(waiting.len());
                // Nobody waits for the answer to a client that has left.
                gathered.retain(|job: &Job| !job.answer.is_closed());
                let (alone, together): (Vec<Job>, Vec<Job>) =
                    gathered.drain(..).partition(|job| job.question != Question::Predict);
                for jobs in by_model(together).into_iter().chain(alone.into_iter().map(|job| vec![job])) {
                    let started = Instant::now();
                    let n = jobs.len();
                    answer(jobs);
                    metrics.computed(n, started.elapsed());
                }
            }
        });
        Queue { jobs }
    }

    /// Puts a request at the end, unless the queue is full.
    pub(super) fn put(&self, job: Job) -> std::result::Result<(), Full> {
        self.jobs.try_send(job).map_err(|_| Full)
    }
}

/// Jobs of one model each, in order.
fn by_model(jobs: Vec<Job>) -> Vec<Vec<Job>> {
    let mut groups: Vec<Vec<Job>> = Vec::new();
    for job in jobs {
        match groups.iter_mut().find(|group| Arc::ptr_eq(&group[0].model, &job.model)) {
            Some(group) => group.push(job),
            None => groups.push(vec![job]),
        }
    }
    groups
}

/// Answers jobs of one model and one kind, each of them, whatever happens: one bad request must not end the server.
fn answer(jobs: Vec<Job>) {
    let Some((model, question)) = jobs.first().map(|job| (job.model.clone(), job.question)) else { return };
    let (asked, answers): (Vec<Asked>, Vec<_>) = jobs.into_iter().map(|job| (job.asked, job.answer)).unzip();
    let mut found = answered(&*model, question, &asked).into_iter();
    for answer in answers {
        let _ = answer.send(found.next().unwrap_or_else(nothing));
    }
}

/// The answers to all questions. Where one of several makes the computation panic, each is asked by itself.
fn answered(model: &dyn Served, question: Question, asked: &[Asked]) -> Vec<Answered> {
    let found = catch_unwind(AssertUnwindSafe(|| match question {
        Question::Predict => model.predict(asked),
        Question::Explain => asked.iter().map(|asked| model.explain(asked)).collect(),
        Question::Mask => asked.iter().map(|asked| model.mask(asked)).collect(),
        Question::Similar => asked.iter().map(|asked| model.similar(asked)).collect(),
    }));
    match found {
        Ok(found) => found,
        Err(_) if asked.len() > 1 => asked.chunks(1).flat_map(|one| answered(model, question, one)).collect(),
        Err(_) => vec![nothing()],
    }
}

fn nothing() -> Answered {
    Err(failed("the computation failed; the server's log says more"))
}

#[cfg(test)]
mod tests {
    use super::super::served::{Answer, Body, Takes};
    use super::*;
    use serde_json::{Value, json};

    /// Panics where a request holds `bad`.
    struct Fragile;

    impl Served for Fragile {
        fn about(&self) -> Value {
            json!({})
        }

        fn takes(&self) -> Takes {
            Takes::Text
        }

        fn predict(&self, asked: &[Asked]) -> Vec<Answered> {
            assert!(asked.iter().all(|asked| &asked.body.bytes[..] != b"bad"));
            asked.iter().map(|_| Ok(Answer::Json(json!({})))).collect()
        }
    }

    #[test]
    fn a_request_that_makes_the_computation_panic_fails_alone() {
        let asked = |text: &'static str| Asked { body: Body { kind: String::new(), bytes: text.into() }, top: None };
        let found = answered(&Fragile, Question::Predict, &["good", "bad", "fine"].map(asked));
        assert_eq!(found.iter().map(Result::is_ok).collect::<Vec<bool>>(), [true, false, true]);
    }
}
