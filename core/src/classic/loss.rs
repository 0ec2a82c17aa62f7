//! Loss functions of linear classifiers.

/// A convex loss of a sample's scores, with its first and second derivatives.
pub(super) trait Loss: Sync {
    /// Scores per sample.
    fn outputs(&self) -> usize;

    /// The loss of one sample.
    fn value(&self, sample: usize, scores: &[f64]) -> f64;

    /// Writes the derivative by each score into `gradient`; and into `state` as many numbers as there are scores, from
    /// which the second derivatives follow.
    fn gradient(&self, sample: usize, scores: &[f64], gradient: &mut [f64], state: &mut [f64]);

    /// The second derivative of one sample's loss by scores `k` and `l`.
    fn hessian(&self, sample: usize, state: &[f64], k: usize, l: usize) -> f64;

    /// Writes the product of the Hessian and a direction into `out`.
    fn hessian_vector_product(&self, sample: usize, state: &[f64], direction: &[f64], out: &mut [f64]);
}

/// A loss whose samples count as much as their weights say.
pub(super) struct Weighted<L> {
    pub(super) loss: L,
    pub(super) weights: Vec<f64>,
}

impl<L: Loss> Loss for Weighted<L> {
    fn outputs(&self) -> usize {
        self.loss.outputs()
    }

    fn value(&self, sample: usize, scores: &[f64]) -> f64 {
        self.weights[sample] * self.loss.value(sample, scores)
    }

    fn gradient(&self, sample: usize, scores: &[f64], gradient: &mut [f64], state: &mut [f64]) {
        self.loss.gradient(sample, scores, gradient, state);
        gradient.iter_mut().for_each(|g| *g *= self.weights[sample]);
    }

    fn hessian(&self, sample: usize, state: &[f64], k: usize, l: usize) -> f64 {
        self.weights[sample] * self.loss.hessian(sample, state, k, l)
    }

    fn hessian_vector_product(&self, sample: usize, state: &[f64], direction: &[f64], out: &mut [f64]) {
        self.loss.hessian_vector_product(sample, state, direction, out);
        out.iter_mut().for_each(|out| *out *= self.weights[sample]);
    }
}

/// `ln(1 + exp(-z))` for samples of the second class, `ln(1 + exp(z))` for the first.
pub(super) struct Logistic(pub(super) Vec<bool>);

impl Loss for Logistic {
    fn outputs(&self) -> usize {
        1
    }

    fn value(&self, sample: usize, scores: &[f64]) -> f64 {
        let against = if self.0[sample] { -scores[0] } else { scores[0] };
        against.max(0.0) + (-against.abs()).exp().ln_1p()
    }

    fn gradient(&self, sample: usize, scores: &[f64], gradient: &mut [f64], state: &mut [f64]) {
        let against = if self.0[sample] { -scores[0] } else { scores[0] };
        let small = (-against.abs()).exp();
        let wrong = if against >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
        gradient[0] = if self.0[sample] { -wrong } else { wrong };
        // The product of the sigmoids of the score and of its negative.
        state[0] = small / ((1.0 + small) * (1.0 + small));
    }

    fn hessian(&self, _: usize, state: &[f64], _: usize, _: usize) -> f64 {
        state[0]
    }

    fn hessian_vector_product(&self, _: usize, state: &[f64], direction: &[f64], out: &mut [f64]) {
        out[0] = state[0] * direction[0];
    }
}

/// The cross-entropy of the softmax of the scores.
pub(super) struct Softmax {
    /// The place of each sample's class.
    pub(super) classes: Vec<usize>,
    pub(super) n_classes: usize,
}

impl Loss for Softmax {
    fn outputs(&self) -> usize {
        self.n_classes
    }

    // Where one class is nearly certain, differences from 1 are sums of the other classes' probabilities: as
    // differences they would be rounded to 0 long before the loss is.
    fn value(&self, sample: usize, scores: &[f64]) -> f64 {
        let own = scores[self.classes[sample]];
        let largest = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let all_but = |which: usize| others(scores, which).map(|z| (z - largest).exp()).sum::<f64>();
        if own == largest {
            all_but(self.classes[sample]).ln_1p()
        } else {
            (all_but(self.classes[sample]) + (own - largest).exp()).ln() + (largest - own)
        }
    }

    fn gradient(&self, sample: usize, scores: &[f64], gradient: &mut [f64], state: &mut [f64]) {
        state.copy_from_slice(scores);
        softmax(state);
        gradient.copy_from_slice(state);
        gradient[self.classes[sample]] = -others(state, self.classes[sample]).sum::<f64>();
    }

    fn hessian(&self, _: usize, state: &[f64], k: usize, l: usize) -> f64 {
        if k == l { state[k] * others(state, k).sum::<f64>() } else { -state[k] * state[l] }
    }

    fn hessian_vector_product(&self, _: usize, state: &[f64], direction: &[f64], out: &mut [f64]) {
        let likeliest = (1..state.len()).fold(0, |best, k| if state[k] > state[best] { k } else { best });
        let from = direction[likeliest];
        let mean: f64 = state.iter().zip(direction).map(|(p, d)| p * (d - from)).sum();
        for ((out, p), d) in out.iter_mut().zip(state).zip(direction) {
            *out = p * ((d - from) - mean);
        }
    }
}

/// All values but one.
fn others(values: &[f64], but: usize) -> impl Iterator<Item = f64> {
    values[..but].iter().chain(&values[but + 1..]).copied()
}

/// The square of how far a score falls short of 1 on its own side.
pub(super) struct SquaredHinge(pub(super) Vec<bool>);

/// What rounding may leave of a score of about 1. Whether a sample that is short by less is short at all is not known,
/// and so nothing must be built on its curving the objective: a step would be held back by samples that are not there.
const ROUNDING: f64 = 1e-14;

impl SquaredHinge {
    fn short(&self, sample: usize, score: f64) -> f64 {
        (if self.0[sample] { 1.0 - score } else { 1.0 + score }).max(0.0)
    }
}

impl Loss for SquaredHinge {
    fn outputs(&self) -> usize {
        1
    }

    fn value(&self, sample: usize, scores: &[f64]) -> f64 {
        self.short(sample, scores[0]).powi(2)
    }

    fn gradient(&self, sample: usize, scores: &[f64], gradient: &mut [f64], state: &mut [f64]) {
        let short = self.short(sample, scores[0]);
        gradient[0] = if self.0[sample] { -2.0 * short } else { 2.0 * short };
        state[0] = if short > ROUNDING { 2.0 } else { 0.0 };
    }

    fn hessian(&self, _: usize, state: &[f64], _: usize, _: usize) -> f64 {
        state[0]
    }

    fn hessian_vector_product(&self, _: usize, state: &[f64], direction: &[f64], out: &mut [f64]) {
        out[0] = state[0] * direction[0];
    }
}

/// `1 / (1 + exp(-z))`, without overflow.
pub(super) fn sigmoid(z: f64) -> f64 {
    let small = (-z.abs()).exp();
    if z >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}

/// Scores become probabilities, in place.
pub(super) fn softmax(scores: &mut [f64]) {
    let largest = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|p| *p /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gradients and Hessians against differences of the values.
    fn agrees_with_differences(loss: &impl Loss, sample: usize, scores: &[f64]) {
        let n = loss.outputs();
        let (mut gradient, mut state) = (vec![0.0; n], vec![0.0; n]);
        loss.gradient(sample, scores, &mut gradient, &mut state);
        let h = 1e-5;
        for k in 0..n {
            let moved = |by: f64| {
                let mut scores = scores.to_vec();
                scores[k] += by;
                let (mut gradient, mut unused) = (vec![0.0; n], vec![0.0; n]);
                loss.gradient(sample, &scores, &mut gradient, &mut unused);
                (loss.value(sample, &scores), gradient)
            };
            let (up, down) = (moved(h), moved(-h));
            assert!((gradient[k] - (up.0 - down.0) / (2.0 * h)).abs() < 1e-8);
            let mut direction = vec![0.0; n];
            direction[k] = 1.0;
            let mut product = vec![0.0; n];
            loss.hessian_vector_product(sample, &state, &direction, &mut product);
            for (l, product) in product.into_iter().enumerate() {
                assert!((loss.hessian(sample, &state, k, l) - (up.1[l] - down.1[l]) / (2.0 * h)).abs() < 1e-8);
                assert!((loss.hessian(sample, &state, k, l) - product).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn derivatives_are_those_of_the_values() {
        for sample in 0..2 {
            for score in [-3.0, -0.2, 0.7, 2.5] {
                agrees_with_differences(&Logistic(vec![false, true]), sample, &[score]);
                agrees_with_differences(&SquaredHinge(vec![false, true]), sample, &[score]);
            }
            let softmax = || Softmax { classes: vec![0, 2], n_classes: 3 };
            agrees_with_differences(&softmax(), sample, &[0.3, -1.2, 2.0]);
            let weighted = Weighted { loss: softmax(), weights: vec![0.3, 2.5] };
            agrees_with_differences(&weighted, sample, &[0.3, -1.2, 2.0]);
        }
    }

    #[test]
    fn extreme_scores_stay_finite() {
        assert_eq!(Logistic(vec![true]).value(0, &[-1e300]), 1e300);
        assert_eq!(Logistic(vec![true]).value(0, &[1e300]), 0.0);
        assert_eq!([sigmoid(-800.0), sigmoid(800.0), sigmoid(0.0)], [0.0, 1.0, 0.5]);
        let softmax = Softmax { classes: vec![1], n_classes: 2 };
        assert_eq!(softmax.value(0, &[1e300, 0.0]), 1e300);
    }
}
