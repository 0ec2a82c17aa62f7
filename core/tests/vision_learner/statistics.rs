//! Fine-tuning with the statistics that the body came with.

use crate::{stripes, trained};
use std::collections::BTreeMap;
use tallow::vision_learner::VisionLearner;

fn buffers(learner: &VisionLearner) -> BTreeMap<String, Vec<f32>> {
    let all = learner.params().state_dict().unwrap();
    let buffers = all.iter().filter(|(name, _)| name.contains("running_"));
    buffers.map(|(name, t)| (name.clone(), t.flatten_all().unwrap().to_vec1::<f32>().unwrap())).collect()
}

#[test]
fn fixed_statistics_stay_while_scales_and_weights_learn_and_the_heads_own_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let dls = stripes(folder.path());
    let mut learner = trained(&dls);
    learner.unfreeze().unwrap();
    learner.freeze_body_batch_norm(true);
    let (before, weights) = (buffers(&learner), learner.params().state_dict().unwrap());
    learner.fit(1, 1e-4).unwrap();
    for (name, values) in buffers(&learner) {
        assert_eq!(values == before[&name], !name.starts_with("head."), "{name}");
    }
    let after = learner.params().state_dict().unwrap();
    for name in ["_conv_stem.weight", "_bn0.weight", "_bn0.bias", "_blocks.9._bn1.weight", "_conv_head.weight"] {
        let moved =
            (&after[name] - &weights[name]).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(moved > 0.0, "{name}");
    }
    let fixed = buffers(&learner);
    learner.freeze_body_batch_norm(false);
    learner.fit(1, 1e-4).unwrap();
    assert!(buffers(&learner).iter().all(|(name, values)| *values != fixed[name]));
}

/// Without dropout and with statistics fixed, training and inference are the same function.
#[test]
fn a_batch_norm_with_fixed_statistics_computes_as_in_inference() {
    use candle_core::Device;
    use tallow::nn::{BatchNorm, Module, Params};
    use tallow::rng::Rng;
    let params = Params::new(&Rng::new(1), &Device::Cpu);
    let norm = BatchNorm::new(3, &params).unwrap();
    let xs = Rng::new(2).randn((4, 3, 5, 5), 2.0, &Device::Cpu).unwrap();
    norm.forward(&xs, true).unwrap();
    params.freeze_batch_norm(true);
    let diff = (norm.forward(&xs, true).unwrap() - norm.forward(&xs, false).unwrap()).unwrap();
    assert_eq!(diff.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap(), 0.0);
    params.freeze_batch_norm(false);
    let diff = (norm.forward(&xs, true).unwrap() - norm.forward(&xs, false).unwrap()).unwrap();
    assert!(diff.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap() > 0.1);
}
