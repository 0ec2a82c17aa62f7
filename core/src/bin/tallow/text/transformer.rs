//! A classifier that begins with a published encoder.

use super::network::NetworkArgs;
use crate::best::BestArgs;
use std::path::Path;
use tallow::Result;
use tallow::cli::Session;
use tallow::data::TextDataLoaders;
use tallow::interpret::plot_losses;
use tallow::models::hub::HubConfig;
use tallow::optim::Lrs;
use tallow::text_learner::{PublishedEncoder, TransformerConfig, TransformerLearner, transformer_classifier_learner};
use tallow::train::Metric;

/// By how much more slowly the encoder learns than the layer for the classes.
const SLOWER: f64 = 20.0;

/// The encoder of a folder, or the one that is known by its name.
pub(super) fn open(s: &mut Session, named: &Path) -> Result<PublishedEncoder> {
    let encoder = if named.to_str() == Some("minilm") && !named.is_dir() {
        let hub = HubConfig::from_env(&s.data).or_offline(s.offline);
        PublishedEncoder::minilm(s.data.root().join(named), &hub, &s.run.listener())?
    } else {
        PublishedEncoder::open(named)?
    };
    s.run.data(format!("the encoder in {}", encoder.weights().display()));
    Ok(encoder)
}

/// Trains the layer for the classes, or all of the network.
pub(super) fn train(
    network: &NetworkArgs,
    best: &BestArgs,
    s: &mut Session,
    dls: &TextDataLoaders,
    encoder: &PublishedEncoder,
    metrics: Vec<Metric>,
) -> Result<TransformerLearner> {
    let sizes = encoder.config();
    s.run.text(format!(
        "A transformer reads a text in pieces of words, {} layers of {} numbers for each piece, which were trained on \
         a large corpus before; a layer for the classes judges the mean of them.",
        sizes.num_hidden_layers, sizes.hidden_size
    ));
    let mut config = TransformerConfig::default()
        .max_tokens(network.max_pieces.into())
        .batch_size(network.batch_size.unwrap_or(32).into())
        .wd(network.wd)
        .metrics(metrics)
        .device(&s.device)
        .listener(s.run.listener())
        .checkpoints(s.checkpoints("classifier"));
    if network.frozen {
        config = config.normalize();
    }
    config = best.callbacks().into_iter().fold(config, TransformerConfig::boxed_callback);
    let mut learner = transformer_classifier_learner(dls, encoder, config)?;
    s.run.say(format!("{} parameters", learner.params().num_parameters()));
    if network.frozen {
        s.run.text(
            "The encoder stays as it is: each training text is read once, and logistic regression finds the best layer \
             for what it makes of them.",
        );
        learner.fit_head(1.0)?;
        return Ok(learner);
    }
    let epochs = if s.quick { 1 } else { network.epochs.into() };
    let head = network.lr.unwrap_or(1e-3);
    learner.fit_one_cycle(epochs, Lrs::Each(vec![head / SLOWER, head]))?;
    s.history("classifier", learner.recorder())?;
    best.say_kept(s, "classifier", learner.recorder(), epochs);
    s.run.figure("losses", "The losses of the classifier.", &plot_losses(learner.recorder()).into())?;
    Ok(learner)
}
