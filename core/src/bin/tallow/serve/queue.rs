//! Requests that wait for the network, and the thread that gathers them into batches.

use super::metrics::Metrics;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use tallow::vision::{Image, Limits};
use tallow::vision_learner::{GradCam, Prediction, Predictor};
use tallow::{Error, Result};
use tokio::sync::{mpsc, oneshot};

/// What is asked of a model.
pub(super) enum Question {
    /// The class of an image.
    Predict,
    /// The class, and where it is.
    Explain,
}

/// What comes back.
pub(super) struct Found {
    pub(super) prediction: Prediction,
    /// The image as the network sees it, and where the class is.
    pub(super) place: Option<(Image, GradCam)>,
}

/// A request.
pub(super) struct Job {
    pub(super) model: Arc<Predictor>,
    pub(super) question: Question,
    pub(super) bytes: Vec<u8>,
    pub(super) limits: Limits,
    pub(super) answer: oneshot::Sender<Result<Found>>,
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
                let (explain, predict): (Vec<Job>, Vec<Job>) =
                    gathered.drain(..).partition(|job| matches!(job.question, Question::Explain));
                for jobs in by_model(predict) {
                    let started = Instant::now();
                    let n = jobs.len();
                    together(jobs);
                    metrics.computed(n, started.elapsed());
                }
                for job in explain {
                    let started = Instant::now();
                    let found = guarded(|| explained(&job));
                    let _ = job.answer.send(found);
                    metrics.computed(1, started.elapsed());
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

/// Decodes and classifies the images of several requests together. One that cannot be read fails alone.
fn together(jobs: Vec<Job>) {
    use rayon::prelude::*;
    let Some(model) = jobs.first().map(|job| job.model.clone()) else { return };
    let read = |job: &Job| guarded(|| Image::decode(&job.bytes, job.limits));
    let decoded: Vec<Result<Image>> = jobs.par_iter().map(read).collect();
    let (mut images, mut asked) = (Vec::new(), Vec::new());
    for (job, image) in jobs.into_iter().zip(decoded) {
        match image {
            Ok(image) => {
                images.push(image);
                asked.push(job);
            }
            Err(error) => drop(job.answer.send(Err(error))),
        }
    }
    match guarded(|| model.predict_images(images)) {
        Ok(predictions) => {
            for (job, prediction) in asked.into_iter().zip(predictions) {
                let _ = job.answer.send(Ok(Found { prediction, place: None }));
            }
        }
        Err(error) => {
            let what = error.to_string();
            asked.into_iter().for_each(|job| drop(job.answer.send(Err(Error::Value(what.clone())))));
        }
    }
}

/// The class of one image, and where it is.
fn explained(job: &Job) -> Result<Found> {
    let image = Image::decode(&job.bytes, job.limits)?;
    let prediction = job.model.predict_image(&image)?;
    let cam = job.model.grad_cam(&image, prediction.index)?;
    let normalization = job.model.tfms().normalization();
    let steps = job.model.tfms().explain(image)?;
    let seen = steps.last().map(|step| step.image(normalization));
    Ok(Found { prediction, place: seen.map(|seen| (seen, cam)) })
}

/// A result of `work`, even if it panics: one bad request must not end the server.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let failed = |_| Err(Error::Value("the computation failed; the server's log says more".into()));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(failed)
}
