//! What may be chosen of a network for texts and its training.

use crate::{settings, values};
use std::path::PathBuf;

#[derive(Debug, clap::Args, serde::Serialize)]
#[command(next_help_heading = "Training")]
pub(super) struct NetworkArgs {
    /// Epochs; with the encoder of a language model those of the whole network, after three in which its parts are
    /// unfrozen one by one
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) epochs: u16,

    /// The highest learning rate [default: 0.01; with `--encoder` 0.001 for the layer of the classes, and always a
    /// twentieth of it for the encoder]
    #[arg(long, value_name = "RATE", value_parser = values::positive)]
    pub(super) lr: Option<f64>,

    /// Weight decay
    #[arg(long, value_name = "RATE", default_value_t = 0.01, value_parser = values::not_negative)]
    pub(super) wd: f64,

    /// Texts in a batch [default: 64; with `--encoder` 32]
    #[arg(long, value_name = "N", value_parser = values::batch)]
    pub(super) batch_size: Option<u16>,

    /// Begin with a published transformer instead of an AWD-LSTM: a folder with model.safetensors, config.json and
    /// tokenizer.json, or `minilm`, which is searched in the data folder, in the Hub's cache and on the Hub (91 MB)
    #[arg(long, value_name = "FOLDER|NAME", conflicts_with_all = ["size", "drop_mult", "language_model", "pretrained"])]
    #[serde(serialize_with = "settings::some_path")]
    pub(super) encoder: Option<PathBuf>,

    /// Leave the encoder as it is, and fit the layer for the classes alone, by logistic regression: minutes become
    /// seconds
    #[arg(long, requires = "encoder", conflicts_with_all = ["epochs", "lr", "batch_size", "wd"])]
    pub(super) frozen: bool,

    /// How many pieces of a text the encoder reads, from its beginning
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(3..=512),
          requires = "encoder")]
    pub(super) max_pieces: u16,

    /// The length of words' vectors, the width of the layers, and their number [default: 100,256,3; that of a
    /// pretrained model, fast.ai's: 400,1152,3]
    #[arg(long, value_name = "WORD,WIDTH,LAYERS", value_parser = size, conflicts_with = "pretrained")]
    pub(super) size: Option<(u16, u16, u16)>,

    /// By what the dropouts of fast.ai's classifier are multiplied
    #[arg(long, value_name = "FACTOR", default_value_t = 0.5, value_parser = drop_mult)]
    pub(super) drop_mult: f64,

    /// First train a language model on all texts for so many epochs, and begin with its encoder
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) language_model: Option<u16>,

    /// The highest learning rate of the language model
    #[arg(long, value_name = "RATE", default_value_t = 1e-2, value_parser = values::positive,
          requires = "language_model")]
    pub(super) language_model_lr: f64,

    /// Begin with a published language model of fast.ai's: the folder with its .pth and .pkl file, or `wt103_fwd` or
    /// `wt103_bwd` of the data folder
    #[arg(long, value_name = "FOLDER|NAME")]
    #[serde(serialize_with = "settings::some_path")]
    pub(super) pretrained: Option<PathBuf>,

    /// How many texts of validation are looked at word by word to see which words decide; 0 leaves that out
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(super) words: u16,
}

fn size(text: &str) -> std::result::Result<(u16, u16, u16), String> {
    let numbers: Option<Vec<u16>> = text.split(',').map(|n| n.trim().parse::<u16>().ok().filter(|&n| n > 0)).collect();
    match numbers.as_deref() {
        Some(&[word, width, layers]) => Ok((word, width, layers)),
        _ => Err("expected three numbers above 0, such as 100,256,3".into()),
    }
}

/// Of fast.ai's largest dropout, 0.5, no more than all can be dropped.
fn drop_mult(text: &str) -> std::result::Result<f64, String> {
    let factor = text.parse().ok().filter(|factor| (0.0..2.0).contains(factor));
    factor.ok_or_else(|| "expected a number from 0 to below 2, such as 0.5".into())
}
