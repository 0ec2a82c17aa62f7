//! Losses and metrics of masks against fast.ai 2.8.12: scores and masks are formulas of names, two batches each.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{assert_close, formula, formula_tensor, formula_var, values};
use tallow::kernels;
use tallow::metrics::PixelCounts;
use tallow::nn::losses::CrossEntropy;
use tallow::nn::{PixelLoss, SegmentationLoss};
use tallow::train::{self, Metric, pixel_classes, pixel_counts};

const BINARY_ARGMAX: [&str; 2] = [
    "010111110000000011101100110001011111100100011111010110110000",
    "101011100110001111101100101111110001100110110010001100110011",
];
const BINARY_TARGET: [&str; 2] = [
    "001000101001111110100011111011111100010101011000001111111001",
    "011110001110000111101101110100001011000001010000100111101111",
];
const MULTI_ARGMAX: [&str; 2] =
    ["030333112020230033131132130221203101130120002130000200210110", "132221120330302211123300332233"];
const MULTI_TARGET: [&str; 2] =
    ["102010313003333330311123332032233300030213032010102332332012", "122221102230001323202303220301"];
/// The void class of the four.
const VOID: u32 = 3;

fn digits(text: &str) -> Vec<u32> {
    text.bytes().map(|byte| u32::from(byte - b'0')).collect()
}

/// Scores `[2, C, 5, 6]` and masks `[2, 5, 6]` of batch `k`; of more than two classes the second has one picture.
fn batch(k: usize, classes: usize, dtype: DType) -> (Tensor, Tensor) {
    let scores = (formula_tensor(&format!("seg:{k}"), &[2, classes, 5, 6]) * 3.0).unwrap();
    let masks: Vec<u32> =
        formula(&format!("segt:{k}"), 60).iter().map(|u| ((u + 1.0) / 2.0 * classes as f64) as u32).collect();
    let masks = Tensor::from_vec(masks, (2, 5, 6), &Device::Cpu).unwrap();
    let pictures = if classes > 2 && k == 1 { 1 } else { 2 };
    let scores = scores.to_dtype(DType::F32).unwrap().to_dtype(dtype).unwrap();
    (scores.narrow(0, 0, pictures).unwrap(), masks.narrow(0, 0, pictures).unwrap())
}

fn batches(classes: usize) -> [(Tensor, Tensor); 2] {
    [0, 1].map(|k| batch(k, classes, DType::F32))
}

fn counts(predicted: &[&str; 2], actual: &[&str; 2], classes: usize, void: Option<u32>) -> PixelCounts {
    let mut counts = PixelCounts::new(classes, void).unwrap();
    for (predicted, actual) in predicted.iter().zip(actual) {
        counts.add(&digits(predicted), &digits(actual)).unwrap();
    }
    counts
}

#[track_caller]
fn close(ours: Option<f64>, fastais: f64) {
    assert_close("metric", &[ours.unwrap()], &[fastais], 1e-7);
}

#[test]
fn the_formula_makes_fastais_masks() {
    for (classes, argmax, target) in [(2, BINARY_ARGMAX, BINARY_TARGET), (4, MULTI_ARGMAX, MULTI_TARGET)] {
        for ((scores, masks), (argmax, target)) in batches(classes).iter().zip(argmax.iter().zip(target)) {
            assert_eq!(pixel_classes(scores).unwrap(), digits(argmax));
            assert_eq!(values(masks), digits(target).into_iter().map(f64::from).collect::<Vec<_>>());
        }
    }
}

#[test]
fn metrics_are_fastais() {
    let two = counts(&BINARY_ARGMAX, &BINARY_TARGET, 2, None);
    close(two.dice(1), 0.52307692);
    close(two.jaccard(1), 0.35416667);
    close(two.mean_dice(), 0.47972028);
    close(two.mean_jaccard(), 0.31661822);
    let mut first = PixelCounts::new(2, None).unwrap();
    first.add(&digits(BINARY_ARGMAX[0]), &digits(BINARY_TARGET[0])).unwrap();
    close(first.dice(1), 0.49230769);
    close(first.jaccard(1), 0.32653061);

    let four = counts(&MULTI_ARGMAX, &MULTI_TARGET, 4, None);
    close(four.mean_dice(), 0.31405372);
    close(four.mean_jaccard(), 0.18789555);
    for (class, [dice, jaccard]) in
        [[0.36, 0.2195122], [0.38888889, 0.24137931], [0.23809524, 0.13513514], [0.26923077, 0.15555556]]
            .into_iter()
            .enumerate()
    {
        close(four.dice(class as u32), dice);
        close(four.jaccard(class as u32), jaccard);
    }
    // A class that neither occurs nor is predicted has no part in a mean.
    let five = counts(&MULTI_ARGMAX, &MULTI_TARGET, 5, None);
    assert_eq!((five.dice(4), five.jaccard(4)), (None, None));
    close(five.mean_dice(), 0.31405372);
    close(five.mean_jaccard(), 0.18789555);
}

#[test]
fn shares_are_of_all_pixels_together() {
    let each = |k: usize, of: &dyn Fn(&PixelCounts) -> Option<f64>, void: Option<u32>| {
        let mut counts = PixelCounts::new(4, void).unwrap();
        counts.add(&digits(MULTI_ARGMAX[k]), &digits(MULTI_TARGET[k])).unwrap();
        of(&counts)
    };
    close(each(0, &|counts| counts.foreground_accuracy(0), None), 0.25);
    close(each(1, &|counts| counts.foreground_accuracy(0), None), 0.36363637);
    close(each(0, &PixelCounts::accuracy, Some(VOID)), 0.32432431);
    close(each(1, &PixelCounts::accuracy, Some(VOID)), 0.375);
    // fast.ai averages batches, weighted by their pictures, and has 0.34121621.
    close(counts(&MULTI_ARGMAX, &MULTI_TARGET, 4, Some(VOID)).accuracy(), 0.3442623);
}

#[test]
fn the_void_is_left_out_everywhere() {
    // Predicted, true, void 2: rows of one picture without its void pixels are the same.
    let (predicted, actual) = ([0, 1, 2, 1, 0, 2], [0, 1, 1, 2, 2, 2]);
    let mut with = PixelCounts::new(3, Some(2)).unwrap();
    with.add(&predicted, &actual).unwrap();
    let mut without = PixelCounts::new(3, None).unwrap();
    without.add(&predicted[..3], &actual[..3]).unwrap();
    assert_eq!(with.classes(), without.classes());
    // Void has no part in the means; that it was predicted where class 1 is counts against class 1.
    assert_eq!((with.dice(1), with.mean_dice()), (Some(2.0 / 3.0), Some((1.0 + 2.0 / 3.0) / 2.0)));
    assert_eq!((with.jaccard(1), with.mean_jaccard()), (Some(0.5), Some(0.75)));
    assert_eq!(with.foreground_accuracy(0), Some(0.5));
    // Nothing there, nothing to measure: fast.ai's Dice of two empty masks is None too.
    let mut empty = PixelCounts::new(2, Some(1)).unwrap();
    empty.add(&[0, 1], &[1, 1]).unwrap();
    assert_eq!((empty.accuracy(), empty.mean_dice(), empty.dice(1)), (None, None, None));
    assert_eq!((empty.dice(7), empty.jaccard(7), empty.foreground_accuracy(0)), (None, None, None));
    assert!(PixelCounts::new(2, Some(2)).is_err());
    assert!(empty.add(&[2], &[0]).is_err() && empty.add(&[0], &[2]).is_err() && empty.add(&[0], &[0, 1]).is_err());
    assert!(empty.merge(&PixelCounts::new(3, Some(1)).unwrap()).is_err());
}

#[test]
fn metrics_of_a_learner_take_scores() {
    let (scores, masks) = batch(0, 4, DType::F32);
    let of = |metric: Metric| metric.of(&scores, &masks).unwrap();
    let counted = |void| pixel_counts(&scores, &masks, void).unwrap();
    close(Some(of(train::pixel_accuracy(Some(VOID)))), 0.32432431);
    close(Some(of(train::foreground_accuracy(0, None))), 0.25);
    assert_eq!(of(train::dice_multi(None)), counted(None).mean_dice().unwrap());
    assert_eq!(of(train::jaccard_multi(Some(VOID))), counted(Some(VOID)).mean_jaccard().unwrap());
    assert_eq!(of(train::of_pixels("sky", None, |counts| counts.jaccard(0))), counted(None).jaccard(0).unwrap());
    let (scores, masks) = batch(0, 2, DType::F32);
    close(Some(train::dice().of(&scores, &masks).unwrap()), 0.49230769);
    close(Some(train::jaccard().of(&scores, &masks).unwrap()), 0.32653061);
    let nothing = Tensor::zeros((1, 2, 2, 2), DType::F32, &Device::Cpu).unwrap();
    let background = Tensor::zeros((1, 2, 2), DType::U32, &Device::Cpu).unwrap();
    assert!(train::dice().of(&nothing, &background).unwrap().is_nan());
    let message = train::dice().of(&(nothing / 0.0).unwrap(), &background).unwrap_err().to_string();
    assert!(message.contains("row 0, column 0 for class 0 is NaN"), "{message}");
    assert!(pixel_counts(&scores, &background, None).is_err());
}

/// The loss in f32 and f64, and its gradient against differences in f64.
fn check_loss(loss: &SegmentationLoss, classes: usize, k: usize, want: f64) {
    let (scores, masks) = batch(k, classes, DType::F64);
    assert_close("f64", &values(&loss.of(&scores, &masks).unwrap()), &[want], 1e-6);
    let narrow = Var::from_tensor(&scores.to_dtype(DType::F32).unwrap()).unwrap();
    let value = loss.of(&narrow, &masks).unwrap();
    assert_close("f32", &values(&value), &[want], 1e-6);
    let grads = kernels::backward(&value).unwrap();
    let plain = values(&scores);
    let differences: Vec<f64> = (0..plain.len())
        .map(|i| {
            let moved = |by: f64| {
                let mut plain = plain.clone();
                plain[i] += by;
                let scores = Tensor::from_vec(plain, scores.shape(), &Device::Cpu).unwrap();
                values(&loss.of(&scores, &masks).unwrap())[0]
            };
            (moved(1e-5) - moved(-1e-5)) / 2e-5
        })
        .collect();
    assert_close("gradient", &values(grads.get(&narrow).unwrap()), &differences, 1e-5);
}

#[test]
fn losses_are_fastais() {
    let of = |of: PixelLoss| SegmentationLoss { of, ..SegmentationLoss::default() };
    let void = || SegmentationLoss::default().void(VOID);
    for (k, [plain, ignored, dice, focal]) in
        [[2.0858855, 2.2170339, 5.8950186, 1.725786], [2.1460967, 1.9474217, 2.7447591, 1.8423145]]
            .into_iter()
            .enumerate()
    {
        check_loss(&SegmentationLoss::default(), 4, k, plain);
        check_loss(&void(), 4, k, ignored);
        check_loss(&of(PixelLoss::focal()), 4, k, focal);
        // fast.ai's is the sum over the pictures.
        check_loss(&of(PixelLoss::dice()), 4, k, dice / [2.0, 1.0][k]);
    }
}

#[test]
fn weights_and_the_void_count_as_they_say() {
    let weights = vec![1.0, 0.5, 4.0, 2.0];
    let (scores, masks) = batch(0, 4, DType::F64);
    let rows = scores.permute((0, 2, 3, 1)).unwrap().reshape((60, 4)).unwrap();
    let labels = masks.flatten_all().unwrap();
    let plain = CrossEntropy { weights: Some(weights.clone()), ..CrossEntropy::default() };
    let want = values(&plain.of(&rows, &labels).unwrap())[0];
    let weighted = |of: PixelLoss| SegmentationLoss { of, weights: Some(weights.clone()), void: None };
    check_loss(&weighted(PixelLoss::CrossEntropy), 4, 0, want);
    assert_eq!(
        weighted(PixelLoss::CrossEntropy).weight_of(&masks).unwrap(),
        digits(MULTI_TARGET[0]).iter().map(|&class| weights[class as usize]).sum::<f64>()
    );
    let counted = digits(MULTI_TARGET[0]).iter().filter(|&&class| class != VOID).count() as f64;
    for (of, weight) in [(PixelLoss::CrossEntropy, counted), (PixelLoss::focal(), counted), (PixelLoss::dice(), 2.0)] {
        let loss = SegmentationLoss { of, ..SegmentationLoss::default() }.void(VOID);
        assert_eq!(loss.weight_of(&masks).unwrap(), weight);
        // What void pixels' scores are makes no difference.
        let is_void = masks.eq(VOID).unwrap().unsqueeze(1).unwrap().broadcast_as(scores.shape()).unwrap();
        let others = is_void.where_cond(&formula_tensor("other", scores.dims()), &scores).unwrap();
        let [a, b] = [&scores, &others].map(|scores| values(&loss.of(scores, &masks).unwrap()));
        assert_close("void", &a, &b, 1e-12);
        // Where all is void there is nothing to learn, and no NaN either.
        let all_void = (masks.zeros_like().unwrap() + f64::from(VOID)).unwrap();
        let var = formula_var("x", scores.dims(), DType::F32);
        let nothing = loss.of(&var, &all_void).unwrap();
        let grads = kernels::backward(&nothing).unwrap();
        assert!(values(grads.get(&var).unwrap()).iter().all(|g| g.is_finite()), "{of:?}");
    }
    // A focal loss without its focus is the mean cross entropy; another gamma than 2 goes another way.
    let mean = values(&SegmentationLoss::default().of(&scores, &masks).unwrap())[0];
    let focal = |gamma: f64| SegmentationLoss { of: PixelLoss::Focal { gamma }, ..SegmentationLoss::default() };
    check_loss(&focal(0.0), 4, 0, mean);
    let near = values(&focal(2.0 + 1e-9).of(&scores, &masks).unwrap())[0];
    check_loss(&focal(2.0), 4, 0, near);
}

#[test]
fn wrong_masks_are_refused() {
    let (scores, masks) = batch(0, 4, DType::F32);
    let loss = SegmentationLoss::default();
    let message = loss.of(&scores, &masks.narrow(1, 0, 4).unwrap()).unwrap_err().to_string();
    assert!(message.contains("[2, 4, 4, 6]") || message.contains("[2, 4, 6]"), "{message}");
    let message = loss.of(&scores, &(&masks + 2.0).unwrap()).unwrap_err().to_string();
    assert!(message.contains("class 5"), "{message}");
    assert!(loss.of(&scores, &masks.to_dtype(DType::F32).unwrap()).is_err());
    let two = SegmentationLoss { weights: Some(vec![1.0; 2]), ..SegmentationLoss::default() };
    assert!(two.of(&scores, &masks).is_err() && two.weight_of(&masks).is_err());
}
