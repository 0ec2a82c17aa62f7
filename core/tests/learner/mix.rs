//! Mixup and cutmix: inputs and targets are mixed in the same proportion.

use crate::common::{assert_close, params, values};
use candle_core::{DType, Device, Tensor};
use std::sync::{Arc, Mutex};
use tallow::Result;
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::nn::Sequential;
use tallow::nn::losses::cross_entropy;
use tallow::rng::Rng;
use tallow::train::{Callback, CutMix, Learner, Mixup, TrainState, accuracy};

/// Batches of inputs and targets as the network sees them.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<(Tensor, Tensor)>>>);

impl Callback for Seen {
    fn after_loss(&mut self, state: &mut TrainState) -> Result<()> {
        let (Some(xs), Some(ys)) = (&state.xs, &state.ys) else { panic!("no batch") };
        self.0.lock().unwrap().push((xs.clone(), ys.clone()));
        Ok(())
    }
}

const LABELS: [u32; 20] = [0, 1, 2, 2, 1, 0, 0, 0, 1, 2, 1, 2, 0, 1, 1, 2, 0, 2, 1, 0];

/// Images of 6 x 5 whose channel `c` is 1 where the label is `c` and 0 elsewhere: the mean of a channel is the
/// probability of a class, mixed or not.
fn batches(callback: impl Callback + 'static) -> Vec<(Tensor, Tensor)> {
    let pixels: Vec<f32> =
        LABELS.iter().flat_map(|&label| (0..3).flat_map(move |c| [f32::from(u8::from(c == label)); 30])).collect();
    let xs = Tensor::from_vec(pixels, (20, 3, 6, 5), &Device::Cpu).unwrap();
    let data = TensorDataset::new(&xs, &Tensor::new(&LABELS, &Device::Cpu).unwrap()).unwrap();
    let loader = || DataLoader::new(data.clone(), 10).unwrap();
    let params = params(1);
    let network = Sequential::new(&params).flatten().linear(90, 3).unwrap();
    let seen = Seen::default();
    let dls = DataLoaders { train: loader(), valid: loader() };
    let learner = Learner::new(dls, network, &params, cross_entropy).metrics([accuracy()]);
    learner.callback(callback).callback(seen.clone()).fit(50, 1e-3).unwrap();
    seen.0.lock().unwrap().clone()
}

/// The probability that is left to each item's own label.
fn own_shares(ys: &Tensor, first: usize) -> Vec<f64> {
    values(ys).chunks(3).zip(&LABELS[first..]).map(|(row, &label)| row[label as usize]).collect()
}

#[test]
fn mixup_blends_images_and_targets_alike() {
    let rng = Rng::new(1);
    let seen = batches(Mixup::new(3, &rng));
    let mut shares = Vec::new();
    for (i, (xs, ys)) in seen.iter().enumerate() {
        assert_eq!((xs.dims(), ys.dims()), (&[10, 3, 6, 5][..], &[10, 3][..]));
        let everywhere = ys.reshape((10, 3, 1, 1)).unwrap().broadcast_as(xs.shape()).unwrap();
        assert_close("pixels", &values(xs), &values(&everywhere), 1e-6);
        assert_close("sums", &values(&ys.sum(1).unwrap()), &[1.0; 10], 1e-6);
        shares.extend(own_shares(ys, 10 * (i % 2)));
    }
    // The item's own part is never the smaller one.
    assert!(shares.iter().all(|&share| share >= 0.5 - 1e-6));
    // max(L, 1-L) of L from Beta(.4, .4) has mean 0.8244 (scipy: quad(lambda x: 2*x*beta(.4,.4).pdf(x), .5, 1)); two of
    // five partners or more have the same label, so that its share is 1.
    let mixed = shares.iter().filter(|&&share| share < 1.0 - 1e-6).count();
    assert!((400..700).contains(&mixed), "{mixed} of 1000 were mixed with another class");
    // The same seed draws the same, another seed another.
    let same = batches(Mixup::new(3, &rng));
    assert_eq!(values(&seen[7].0), values(&same[7].0));
    assert_ne!(values(&seen[7].1), values(&batches(Mixup::new(3, &Rng::new(2)))[7].1));
    assert_ne!(values(&seen[0].1), values(&seen[2].1));
}

#[test]
fn cutmix_pastes_one_rectangle_and_mixes_targets_by_area() {
    let seen = batches(CutMix::new(3, &Rng::new(1)));
    let mut areas = Vec::new();
    for (xs, ys) in &seen {
        let means = xs.mean((2, 3)).unwrap();
        assert_close("areas", &values(&means), &values(ys), 1e-6);
        // Each pixel is one image's or the other's, none a blend.
        assert!(values(xs).iter().all(|&v| v == 0.0 || v == 1.0));
        // Pasted pixels are those where the image differs from its first pixel's class: one rectangle, the same for
        // all.
        let shares = values(ys);
        areas.extend(shares.chunks(3).map(|row| row.iter().copied().fold(0.0, f64::max)));
    }
    assert!(areas.iter().any(|&share| share < 0.7) && areas.iter().all(|&share| share >= 0.5 - 1e-6 || share > 0.0));
    let sizes: std::collections::BTreeSet<u64> = areas.iter().map(|a| (a * 30.0).round() as u64).collect();
    assert!(sizes.len() > 5, "{sizes:?}");
}

#[test]
fn what_cannot_be_mixed_is_refused() {
    let refused = |callback: Box<dyn Fn() -> Learner>| callback().fit(1, 0.1).unwrap_err().to_string();
    let make = |shape: &'static [usize]| {
        let xs = Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let data = TensorDataset::new(&xs, &Tensor::new(&[0u32, 5], &Device::Cpu).unwrap()).unwrap();
        let loader = || DataLoader::new(data.clone(), 2).unwrap();
        let params = params(1);
        let network = Sequential::new(&params).flatten().linear(4, 6).unwrap();
        Learner::new(DataLoaders { train: loader(), valid: loader() }, network, &params, cross_entropy)
    };
    let rng = Rng::new(1);
    let (first, second) = (rng.clone(), rng);
    let error = refused(Box::new(move || make(&[2, 4]).callback(Mixup::new(3, &first))));
    assert!(error.contains("label 5") && error.contains("3 classes"), "{error}");
    let error = refused(Box::new(move || make(&[2, 4]).callback(CutMix::new(6, &second))));
    assert!(error.contains("[N, C, H, W]") && error.contains("[2, 4]"), "{error}");
}
