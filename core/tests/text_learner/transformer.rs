//! A published encoder under a new head.

use crate::common::encoder::tiny_encoder;
use crate::common::training::{weights, written};
use crate::resume::Die;
use crate::reviews;
use rten::{Model, Value};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use std::path::Path;
use std::time::Duration;
use tallow::classic::{Estimator, LogisticRegression, Matrix, Probabilities};
use tallow::data::{TextBlock, TextDataLoaders};
use tallow::event::Listener;
use tallow::interpret::Occlusion;
use tallow::models::hub::{HubConfig, HubFile, MINILM, MINILM_FILES};
use tallow::onnx::OnnxOptions;
use tallow::optim::Lrs;
use tallow::text_learner::{
    PublishedEncoder, TextPredictor, TransformerConfig, TransformerLearner, load_text_classifier,
    transformer_classifier_learner,
};
use tallow::train::{Checkpoints, accuracy};
use tallow::{Error, Result, words::WordPiece};
use tallow_datasets::{DataFolder, Manifest};

const WORDS: [&str; 8] = ["great", "lovely", "fine", "superb", "dull", "awful", "poor", "tedious"];

fn encoder() -> (tempfile::TempDir, PublishedEncoder) {
    let folder = tempfile::tempdir().unwrap();
    tiny_encoder(folder.path(), &WORDS);
    let encoder = PublishedEncoder::open(folder.path()).unwrap();
    (folder, encoder)
}

fn dls(n: usize) -> TextDataLoaders {
    TextBlock::labelled(reviews(n)).min_freq(1).dataloaders(16).unwrap()
}

fn learner(n: usize, config: TransformerConfig) -> TransformerLearner {
    transformer_classifier_learner(&dls(n), &encoder().1, config.batch_size(16).metrics([accuracy()])).unwrap()
}

#[test]
fn it_learns_which_words_decide_and_is_the_same_when_loaded() {
    let mut learner = learner(400, TransformerConfig::default());
    learner.fit_one_cycle(12, Lrs::Each(vec![3e-3, 1e-2])).unwrap();
    let row = learner.recorder().rows.last().unwrap();
    assert!(row.metrics[0] > 0.95, "{}", row.metrics[0]);

    let folder = tempfile::tempdir().unwrap();
    learner.export(folder.path()).unwrap();
    let loaded = load_text_classifier(folder.path()).unwrap();
    let texts: Vec<String> = reviews(60).into_iter().map(|(text, _)| text).collect();
    let predictions = loaded.predict_texts(&texts).unwrap();
    assert_eq!(predictions, learner.predictor().predict_texts(&texts).unwrap());
    // Alone a text is as it is beside longer ones.
    for (text, among) in texts.iter().zip(&predictions) {
        let alone = loaded.predict(text).unwrap();
        assert!((alone.probabilities[0] - among.probabilities[0]).abs() < 1e-5, "{text}");
    }
    assert!(loaded.predict("").is_ok() && loaded.predict("\u{0} 電影 xyzzy").is_ok());
    assert!(loaded.predict_ids(&[vec![1]]).is_err() && loaded.procs().is_none());

    let occlusion = Occlusion::of(&loaded, "the film was  superb in the end", Some("pos")).unwrap();
    let words: Vec<&str> = occlusion.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(words, ["the", " film", " was", "  superb", " in", " the", " end"]);
    assert_eq!(occlusion.strongest(1)[0].text, "  superb");
    another_runtime_says_the_same(&loaded);
}

/// As ONNX, texts of several lengths side by side, in `rten`.
fn another_runtime_says_the_same(predictor: &TextPredictor) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("texts.onnx");
    let summary = predictor.export_onnx(&file, OnnxOptions::default()).unwrap();
    assert_eq!(summary.inputs, ["ids int64 [batch, tokens]"]);
    assert!(summary.difference < 1e-5, "{summary:?}");
    let texts: Vec<String> = reviews(9).into_iter().map(|(text, _)| text).chain([String::new()]).collect();
    let pieces = WordPiece::open(encoder().0.path().join("tokenizer.json")).unwrap().encode(&texts).unwrap();
    assert!(pieces.mask.contains(&false), "some are longer than others");
    let model = Model::load_file(&file).unwrap();
    let ids: Vec<i32> = pieces.ids.iter().map(|&id| id as i32).collect();
    let ids = NdTensor::from_data([pieces.texts, pieces.places], ids);
    let [output] =
        model.run_n([(model.input_ids()[0], ids.view().into())].into(), [model.output_ids()[1]], None).unwrap();
    let Value::FloatTensor(output) = output else { panic!("an output of another type") };
    let expected = predictor.predict_texts(&texts).unwrap().into_iter().flat_map(|one| one.probabilities);
    for (found, expected) in output.to_vec().into_iter().zip(expected) {
        assert!((f64::from(found) - expected).abs() < 1e-5, "{found} and {expected}");
    }
}

#[test]
fn the_best_head_is_that_of_logistic_regression() {
    for classes in [2, 3] {
        let texts = reviews(120).into_iter().enumerate().map(|(i, (text, class))| {
            let class = if classes == 3 && i % 3 == 0 { "other" } else { class };
            (format!("{text} {}", if class == "other" { "quiz" } else { "" }), class)
        });
        let dls = TextBlock::labelled(texts).min_freq(1).dataloaders(16).unwrap();
        let config = TransformerConfig::default().normalize();
        let mut learner = transformer_classifier_learner(&dls, &encoder().1, config).unwrap();
        let train = dls.train.dataset();
        let features = learner.features(train.texts()).unwrap();
        assert!(features.iter().all(|row| (row.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-5));
        let labels: Vec<u32> = (0..features.len()).map(|i| train.targets().of(i)[0]).collect();
        let features = Matrix::from_rows(&features).unwrap();
        let model = LogisticRegression::new().c(10.0).fit(&features, &labels).unwrap();
        learner.fit_head(10.0).unwrap();
        let want = model.probabilities(&features).unwrap();
        for (i, prediction) in learner.predictor().predict_texts(train.texts()).unwrap().iter().enumerate() {
            let off = prediction.probabilities.iter().zip(want.row(i)).map(|(a, b)| (a - b).abs());
            assert!(off.fold(0.0, f64::max) < 1e-5, "{prediction:?} is not {:?}", want.row(i));
        }
        another_runtime_says_the_same(&learner.predictor());
    }
}

#[test]
fn a_killed_run_ends_bit_for_bit_as_an_undisturbed_one() {
    let story = |folder: &Path, config: TransformerConfig, resume: bool, dies: bool| -> Result<_> {
        let checkpoints = Checkpoints { file: folder.join("network.safetensors"), every: Duration::ZERO, resume };
        let mut learner = learner(120, config.callback(Die(dies)).checkpoints(checkpoints));
        learner.fine_tune(3)?;
        Ok((weights(learner.params()), written(learner.recorder())))
    };
    let (whole, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let undisturbed = story(whole.path(), TransformerConfig::default(), false, false).unwrap();
    let died = story(killed.path(), TransformerConfig::default(), false, true).unwrap_err();
    assert_eq!(died.to_string(), "killed");
    let other = TransformerConfig::default().max_tokens(8);
    let error = story(killed.path(), other, true, false).unwrap_err().to_string();
    assert!(error.contains("pieces was 64"), "{error}");
    assert!(story(killed.path(), TransformerConfig::default(), true, false).unwrap() == undisturbed);
}

#[test]
fn texts_become_pieces_as_berts_do() {
    let (folder, _) = encoder();
    let pieces = WordPiece::open(folder.path().join("tokenizer.json")).unwrap();
    // Of `tokenizers` 0.23.3 in Python, with the same file.
    for (text, ids) in [
        ("Superb!", vec![2, 59, 1, 3]),
        ("Ünder fine", vec![2, 24, 43, 33, 34, 47, 58, 3]),
        ("", vec![2, 3]),
        ("a\u{0}b\tc", vec![2, 4, 31, 6, 3]),
        ("電影", vec![2, 1, 1, 3]),
    ] {
        assert_eq!(pieces.encode(&[text]).unwrap().ids, ids, "{text:?}");
    }
    let cut = pieces.clone().max_tokens(5).unwrap().encode(&["fine ".repeat(9), "dull".into()]).unwrap();
    assert_eq!((cut.cut, cut.places, cut.texts), (1, 5, 2));
    assert_eq!(cut.ids, [2, 58, 58, 58, 3, 2, 60, 3, 0, 0]);
    assert_eq!(cut.mask.iter().filter(|is_text| **is_text).count(), 8);
    let again = WordPiece::from_json(&pieces.to_json().unwrap()).unwrap();
    assert_eq!(again.encode(&["superb"]).unwrap(), pieces.encode(&["superb"]).unwrap());
    assert!(pieces.max_tokens(2).is_err());
}

#[test]
fn folders_that_hold_no_encoder_are_refused() {
    let (folder, encoder) = encoder();
    let file = |name: &str| folder.path().join(name);
    let refused = |words: &str| {
        let error = PublishedEncoder::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let config = std::fs::read_to_string(file("config.json")).unwrap();
    for (from, to, words) in [
        ("\"vocab_size\":64", "\"vocab_size\":640", "shape Some([64, 24])"),
        ("\"vocab_size\":64", "\"vocab_size\":60", "tokenizer knows 64 pieces"),
        ("\"hidden_size\":24", "\"hidden_size\":25", "do not divide 25"),
        ("\"hidden_size\":24", "\"hidden_size\":99999999999", "at most"),
        ("\"gelu\"", "\"relu\"", "gelu"),
        ("{", "", "is no configuration of a BERT model"),
    ] {
        assert!(config.contains(from), "{config}");
        std::fs::write(file("config.json"), config.replacen(from, to, 1)).unwrap();
        refused(words);
    }
    std::fs::write(file("config.json"), &config).unwrap();
    let tokenizer = std::fs::read_to_string(file("tokenizer.json")).unwrap();
    std::fs::write(file("tokenizer.json"), "{}").unwrap();
    refused("is no tokenizer");
    std::fs::write(file("tokenizer.json"), tokenizer.replace("[PAD]", "[FILL]")).unwrap();
    refused("piece 0 is not `[PAD]`");
    std::fs::write(file("tokenizer.json"), &tokenizer).unwrap();
    // One layer more than there are weights for.
    std::fs::write(file("config.json"), config.replacen("\"num_hidden_layers\":2", "\"num_hidden_layers\":3", 1))
        .unwrap();
    let deeper = PublishedEncoder::open(folder.path()).unwrap();
    assert!(transformer_classifier_learner(&dls(60), &deeper, TransformerConfig::default()).is_err());
    std::fs::remove_file(file("model.safetensors")).unwrap();
    refused("holds no encoder");
    let long = TransformerConfig::default().max_tokens(65);
    let error = transformer_classifier_learner(&dls(60), &encoder, long).err().unwrap().to_string();
    assert!(error.contains("at most 64"), "{error}");
}

#[test]
fn an_encoder_is_found_in_the_hubs_cache_without_a_network() {
    let machine = tempfile::tempdir().unwrap();
    let home = machine.path().as_os_str().to_owned();
    let data = DataFolder::resolve(Some(&machine.path().join("data")));
    let hub = HubConfig::from_lookup(&data, |name| (name == "HOME").then(|| home.clone())).or_offline(true);
    let quiet = Listener::default();
    // As sentence_transformers leaves them: a commit's folder, and the branch that stands at it.
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let repo = |name: &str| hub.cache.join(format!("models--{}", name.replace('/', "--")));
    tiny_encoder(&repo("someone/tiny").join("snapshots").join(commit), &WORDS);
    std::fs::create_dir(repo("someone/tiny").join("refs")).unwrap();
    std::fs::write(repo("someone/tiny").join("refs/main"), commit).unwrap();
    let tiny = MINILM_FILES.map(|file| HubFile { repo: "someone/tiny", bytes: None, sha256: None, ..file });
    let found = PublishedEncoder::fetch(&tiny, &hub, &quiet).unwrap();
    assert!(found.weights().starts_with(repo("someone/tiny")));
    assert_eq!(found.config(), encoder().1.config());
    let other = tiny.map(|file| HubFile { repo: "someone/else", ..file });
    let error = PublishedEncoder::fetch(&other, &hub, &quiet).unwrap_err().to_string();
    assert!(error.contains("config.json of someone/else") && !error.contains("fetch-data"), "{error}");

    // The one that has a name: what is not it is refused, and the data folder comes first.
    let minilm = data.root().join("minilm");
    let missing = PublishedEncoder::minilm(&minilm, &hub, &quiet).unwrap_err();
    assert!(matches!(missing, Error::Hub { .. }) && missing.to_string().contains("--only minilm"), "{missing}");
    tiny_encoder(&repo(MINILM).join("snapshots/main"), &WORDS);
    let damaged = PublishedEncoder::minilm(&minilm, &hub, &quiet).unwrap_err().to_string();
    assert!(damaged.contains("is damaged: expected 612 bytes"), "{damaged}");
    tiny_encoder(&minilm, &WORDS);
    assert!(PublishedEncoder::minilm(&minilm, &hub, &quiet).unwrap().weights().starts_with(&minilm));
}

#[test]
fn the_hubs_minilm_is_that_of_the_list_of_datasets() {
    let manifest = Manifest::builtin().unwrap();
    let entries = &manifest.get("minilm").unwrap().files;
    assert_eq!(entries.len(), MINILM_FILES.len());
    for (entry, file) in entries.iter().zip(MINILM_FILES) {
        assert_eq!((&*entry.name, Some(entry.bytes), entry.sha256.as_deref()), (file.file, file.bytes, file.sha256));
        assert!(entry.sources[0].url().ends_with(&format!("{}/resolve/main/{}", file.repo, file.file)));
    }
}
