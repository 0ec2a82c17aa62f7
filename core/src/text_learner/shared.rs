//! What both kinds of learners do when they are made, exported and loaded.

use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::models::AwdLstmConfig;
use crate::nn::Params;
use crate::rng::Rng;
use crate::train::Recorder;
use crate::train::export::Exported;
use candle_core::Device;
use std::collections::BTreeMap;
use std::path::Path;

/// Parameters for a new network.
pub(super) fn params(seed: u64, device: &Device) -> Params {
    Params::new(&Rng::new(seed).stream("network"), device)
}

/// What shapes training besides the data.
pub(super) fn fingerprint(kind: &str, network: &AwdLstmConfig) -> Fingerprint {
    Fingerprint::default().with("the network", format!("{kind}, {network:?}"))
}

/// The validation loss and the metrics of the epoch that the weights are of.
pub(super) fn metrics(recorder: &Recorder) -> BTreeMap<String, f64> {
    let mut metrics = BTreeMap::new();
    if let Some(row) = recorder.kept_row() {
        metrics.insert("valid_loss".to_string(), row.valid_loss);
        metrics.extend(recorder.metric_names.iter().cloned().zip(row.metrics.iter().copied()));
    }
    metrics
}

/// Puts an exported folder's tensors into a network.
pub(super) fn load_weights(folder: &Path, params: &Params, exported: &Exported) -> Result<()> {
    params.load_state_dict(&exported.weights).map_err(|e| {
        let what = format!("its tensors do not fit its network: {e}; export the model again, or update this program");
        Error::file(folder, what)
    })
}
