//! The classifier.

use crate::{block, config, reviews};
use tallow::data::{Show, Shown};
use tallow::text_learner::{
    language_model_learner, load_language_model, load_text_classifier, text_classifier_learner,
};
use tallow::train::{accuracy, perplexity};

#[test]
fn it_learns_which_words_decide() {
    let dls = block(600).dataloaders(16).unwrap();
    let mut learner = text_classifier_learner(&dls, config().metrics([accuracy()])).unwrap();
    learner.fit_one_cycle(8, 2e-2).unwrap();
    let row = learner.recorder().rows.last().unwrap();
    assert!(row.metrics[0] > 0.95, "{}", row.metrics[0]);

    // Texts of all lengths, in the order in which they are asked for.
    let texts: Vec<String> = reviews(60).into_iter().map(|(text, _)| text).collect();
    let predictions = learner.predict_texts(&texts).unwrap();
    let right = predictions.iter().zip(reviews(60)).filter(|(prediction, (_, class))| prediction.class == *class);
    assert!(right.count() > 54);
    for (text, prediction) in texts.iter().zip(&predictions) {
        let alone = learner.predict(text).unwrap();
        assert_eq!(alone.class, prediction.class);
        let near = alone.probabilities.iter().zip(&prediction.probabilities).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(near, "{alone:?} alone, {prediction:?} among others");
        assert!((alone.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
    // Nothing but its beginning, and words that nobody knows.
    assert!(learner.predict("").is_ok() && learner.predict("xyzzy \u{0} plugh").is_ok());

    let folder = tempfile::tempdir().unwrap();
    learner.export(folder.path()).unwrap();
    let loaded = load_text_classifier(folder.path()).unwrap();
    assert_eq!(loaded.classes(), ["neg", "pos"]);
    assert_eq!(loaded.predict_texts(&texts).unwrap(), predictions);
    assert!(load_language_model(folder.path()).err().unwrap().to_string().contains("text_classifier"));

    let shown = learner.show_results(5).unwrap();
    assert_eq!((shown.rows.len(), shown.columns.len()), (5, 4));
    assert!(shown.rows.iter().filter(|row| row[1] == row[2]).count() >= 4, "{:?}", shown.rows);
    assert!(matches!(dls.train.shown(3).unwrap(), Shown::Table(_)));
}

#[test]
fn it_begins_with_the_encoder_of_a_language_model() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("encoder.safetensors");
    let texts = block(600).language_model(16).unwrap();
    let mut model = language_model_learner(&texts, config().metrics([accuracy(), perplexity()])).unwrap();
    model.fit_one_cycle(2, 1e-2).unwrap();
    model.save_encoder(&file).unwrap();

    // The same words, which are not counted anew.
    let dls = block(600).vocab(texts.procs().vocab.clone()).dataloaders(16).unwrap();
    let mut learner = text_classifier_learner(&dls, config().metrics([accuracy()])).unwrap();
    assert_eq!(learner.load_encoder(&file).unwrap(), 0);
    let frozen = || learner.params().all().into_iter().filter(|param| !param.trainable()).count();
    assert!(frozen() > 8);
    learner.fit_gradually(8, 1e-1).unwrap();
    assert!(learner.params().trainable().len() > 8);
    assert_eq!(learner.recorder().rows.len(), 11);
    assert!(learner.recorder().rows[10].metrics[0] > 0.8, "{:?}", learner.recorder().rows);

    // Fewer words, and others.
    let mut other = reviews(80);
    other.extend((0..40).map(|i| (format!("cats like fish and word{i}"), "pos")));
    let dls = tallow::data::TextBlock::labelled(other).min_freq(1).seq_len(8).dataloaders(16).unwrap();
    let mut learner = text_classifier_learner(&dls, config()).unwrap();
    let unknown = learner.load_encoder(&file).unwrap();
    assert!(unknown >= 43, "{unknown} unknown words");
    // An encoder of another size, and none at all.
    let mut larger = text_classifier_learner(&dls, config().size(12, 17, 2)).unwrap();
    assert!(larger.load_encoder(&file).unwrap_err().to_string().contains("does not fit the network"));
    learner.save(folder.path().join("all.safetensors")).unwrap();
    let message = learner.load_encoder(folder.path().join("all.safetensors")).unwrap_err().to_string();
    assert!(message.contains("save_encoder"), "{message}");
}
