//! The learner that fine-tunes a published encoder.

use super::encoder::PublishedEncoder;
use super::piece_dataset::{PieceLoader, in_batches};
use super::predictor::{TextPrediction, TextPredictor};
use super::recipe::{self, TRANSFORMER_CLASSIFIER, TransformerRecipe};
use super::shared;
use crate::classic::{Estimator, LogisticRegression, Matrix};
use crate::data::{DataLoaders, TextDataLoaders};
use crate::error::{Error, Result};
use crate::event::{Event, Listener};
use crate::fingerprint::Fingerprint;
use crate::models::BertClassifier;
use crate::models::weights::Weights;
use crate::nn::losses;
use crate::optim::Lrs;
use crate::train::export::{self, Exported};
use crate::train::{Learner, LearnerSettings, learner_settings};
use crate::words::WordPiece;
use candle_core::{DType, Device, Tensor};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;

/// The settings of a [`TransformerLearner`] besides its data. By default it reads 64 pieces of a text, 32 texts at a
/// time, and the layer for the classes sees the mean of a text's vectors.
pub struct TransformerConfig {
    max_tokens: usize,
    batch_size: usize,
    normalize: bool,
    common: LearnerSettings,
}

impl Default for TransformerConfig {
    fn default() -> TransformerConfig {
        TransformerConfig { max_tokens: 64, batch_size: 32, normalize: false, common: LearnerSettings::default() }
    }
}

impl TransformerConfig {
    /// Sets how many pieces of a text are read, from its beginning; 64 by default, 512 at most. A text longer than that
    /// loses its end, and the listener is told how many do.
    #[must_use]
    pub fn max_tokens(self, max_tokens: usize) -> TransformerConfig {
        TransformerConfig { max_tokens, ..self }
    }

    /// Sets how many texts there are in a batch; 32 by default.
    #[must_use]
    pub fn batch_size(self, batch_size: usize) -> TransformerConfig {
        TransformerConfig { batch_size, ..self }
    }

    /// Makes a text's vector one of length 1 before the layer for the classes, as sentence-transformers does. It suits
    /// an encoder that stays as it is ([`TransformerLearner::fit_head`]).
    #[must_use]
    pub fn normalize(self) -> TransformerConfig {
        TransformerConfig { normalize: true, ..self }
    }
}

learner_settings!(TransformerConfig);

/// A [`Learner`] that knows what it learns from: texts and their classes, by way of a published encoder. It
/// dereferences to a plain learner, so it can do all that one can.
pub struct TransformerLearner {
    learner: Learner,
    network: Arc<BertClassifier>,
    dls: TextDataLoaders,
    recipe: TransformerRecipe,
    pieces: WordPiece,
    device: Device,
    listener: Listener,
}

/// A learner for these texts that begins with a published encoder: BERT or one of its relatives, the mean of a text's
/// vectors, and a new layer for the classes; cross entropy as the loss.
///
/// ```no_run
/// use tallow::data::TextBlock;
/// use tallow::text_learner::{
///     PublishedEncoder, TransformerConfig, load_text_classifier, transformer_classifier_learner,
/// };
///
/// # fn main() -> tallow::Result<()> {
/// let dls = TextBlock::csv("reviews.csv").text("text").target("label").dataloaders(32)?;
/// let encoder = PublishedEncoder::open("datasets/downloads/minilm")?;
/// let mut learner = transformer_classifier_learner(&dls, &encoder, TransformerConfig::default())?;
/// learner.fine_tune(3)?;
/// println!("{}", learner.predict("What a film!")?);
/// learner.export("model")?;
/// println!("{}", load_text_classifier("model")?.predict("What a film!")?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When a setting is out of its range, the weights do not fit the network, or the device cannot hold it.
pub fn transformer_classifier_learner(
    dls: &TextDataLoaders,
    encoder: &PublishedEncoder,
    config: TransformerConfig,
) -> Result<TransformerLearner> {
    let TransformerConfig { max_tokens, batch_size, normalize, common } = config;
    if max_tokens > encoder.config().max_position_embeddings {
        let most = encoder.config().max_position_embeddings;
        return Err(Error::config(
            "max_tokens",
            format!("expected at most {most}, which the encoder knows, got {max_tokens}"),
        ));
    }
    let pieces = encoder.pieces().clone().max_tokens(max_tokens)?;
    let (device, seed) = common.device_and_seed(dls.seed());
    let recipe =
        TransformerRecipe { network: encoder.config().clone(), tokenizer: pieces.to_json()?, max_tokens, normalize };
    let params = shared::params(seed, &device);
    let n_classes = dls.classes().n_classes();
    let network = Arc::new(BertClassifier::new(&recipe.network, n_classes, normalize, &params)?);
    network.load_encoder(&Weights::open(encoder.weights())?)?;
    network.split_groups()?;
    let rng = crate::rng::Rng::new(dls.seed()).stream("data");
    let train = PieceLoader::new(&dls.train, &pieces, batch_size, Some(&rng), &device)?;
    let valid = PieceLoader::new(&dls.valid, &pieces, batch_size, None, &device)?;
    let cut = train.cut + valid.cut;
    if cut > 0 {
        let all = dls.train.n_items() + dls.valid.n_items();
        let note = format!("{cut} of {all} texts have more than {max_tokens} pieces, and are read up to there");
        common.listener.tell(Event::Note(&note));
    }
    let fingerprint = Fingerprint::default()
        .with("the network", format!("{TRANSFORMER_CLASSIFIER}, {:?}, normalize {normalize}", recipe.network))
        .with("the encoder", &tallow_io::hash::file(encoder.weights())?.sha256[..16])
        .with("pieces", max_tokens);
    let listener = common.listener.clone();
    let loaders = DataLoaders { train: train.loader, valid: valid.loader };
    let learner = common.configure(Learner::new(loaders, network.clone(), &params, losses::cross_entropy), fingerprint);
    Ok(TransformerLearner { learner, network, dls: dls.clone(), recipe, pieces, device, listener })
}

impl Deref for TransformerLearner {
    type Target = Learner;

    fn deref(&self) -> &Learner {
        &self.learner
    }
}

impl DerefMut for TransformerLearner {
    fn deref_mut(&mut self) -> &mut Learner {
        &mut self.learner
    }
}

impl TransformerLearner {
    /// The loaders of the texts, which know their classes. The learner's own batches are of pieces.
    pub fn text_dls(&self) -> &TextDataLoaders {
        &self.dls
    }

    /// The network.
    pub fn network(&self) -> &BertClassifier {
        &self.network
    }

    /// Trains encoder and head together for `n_epochs`, in one cycle: the encoder at up to 5e-5, the head at up to
    /// 1e-3.
    ///
    /// # Errors
    /// As [`Learner::fit`].
    pub fn fine_tune(&mut self, n_epochs: usize) -> Result<()> {
        self.unfreeze()?;
        self.fit_one_cycle(n_epochs, Lrs::Each(vec![5e-5, 1e-3]))
    }

    /// Fits the layer for the classes alone, to its optimum: logistic regression with scikit-learn's `C` on what the
    /// encoder makes of the training texts, each of which is read once.
    ///
    /// # Errors
    /// When a class has no training text, or the user stops.
    pub fn fit_head(&mut self, c: f64) -> Result<()> {
        let train = self.dls.train.dataset();
        let features = self.features(train.texts())?;
        let classes: Vec<u32> = (0..features.len()).flat_map(|i| train.targets().of(i).iter().copied()).collect();
        let model = LogisticRegression::new().c(c).fit(&Matrix::from_rows(&features)?, &classes)?;
        let rows: Vec<Vec<f64>> = (0..model.coef().rows()).map(|row| model.coef().row(row).to_vec()).collect();
        let (weight, bias): (Vec<f64>, Vec<f64>) = match &rows[..] {
            // One score decides between two classes, which here have one each.
            [one] => {
                let half = |sign: f64| one.iter().map(move |w| sign * w / 2.0);
                let bias = model.intercept()[0] / 2.0;
                (half(-1.0).chain(half(1.0)).collect(), vec![-bias, bias])
            }
            rows => (rows.concat(), model.intercept().to_vec()),
        };
        for (name, values) in [("classifier.weight", weight), ("classifier.bias", bias)] {
            let param = self.params().get(name)?;
            let values = Tensor::from_vec(values, param.dims(), &Device::Cpu)?;
            param.var().set(&values.to_dtype(DType::F32)?.to_device(&self.device)?)?;
        }
        Ok(())
    }

    /// What the layer for the classes sees of texts: a vector each, in their order.
    ///
    /// # Errors
    /// When there are no texts, or the user stops.
    pub fn features(&self, texts: &[impl AsRef<str>]) -> Result<Vec<Vec<f64>>> {
        let pieces = self.pieces.encode_each(texts)?;
        let listener = &self.listener;
        let task = listener.task("features of texts", pieces.len());
        let features = in_batches(&pieces, &self.device, |ids, done| {
            listener.stop_if_interrupted()?;
            task.progress(done, "");
            self.network.features(ids, false)
        })?;
        drop(task);
        Ok(features)
    }

    /// The class of a text.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn predict(&self, text: &str) -> Result<TextPrediction> {
        self.predictor().predict(text)
    }

    /// A predictor for texts. It shares the network with this learner, now and later.
    pub fn predictor(&self) -> TextPredictor {
        let classes = self.dls.classes().classes().to_vec();
        TextPredictor::of_pieces(self.network.clone(), self.pieces.clone(), classes, &self.device)
    }

    /// Writes the trained network, its tokenizer and classes to a folder for [`super::load_text_classifier`], with the
    /// validation loss and the metrics of the epoch that its weights are of.
    ///
    /// # Errors
    /// When a weight is not a finite number, or a file cannot be written.
    pub fn export(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        let exported = Exported {
            kind: TRANSFORMER_CLASSIFIER.to_string(),
            recipe: recipe::to_json(folder, &self.recipe)?,
            vocab: self.dls.classes().classes().to_vec(),
            metrics: shared::metrics(self.recorder()),
            weights: self.params().state_dict()?,
        };
        export::export(folder, &exported)
    }
}
