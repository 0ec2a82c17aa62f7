//! The language model.

use crate::{block, config};
use std::sync::{Arc, Mutex};
use tallow::data::{LanguageModelDataLoaders, TextBlock};
use tallow::event::{Event, Listener};
use tallow::text_learner::{
    LanguageModelLearner, PretrainedText, Writing, language_model_learner, load_language_model,
};
use tallow::train::{accuracy, perplexity};

/// Texts in which each word follows from the one before.
fn numbers() -> LanguageModelDataLoaders {
    let text = "one two three four five six seven eight nine ten";
    TextBlock::texts((0..60).map(|_| text)).min_freq(1).seq_len(8).language_model(4).unwrap()
}

/// A learner of them.
fn counting() -> LanguageModelLearner {
    let mut learner = language_model_learner(&numbers(), config().metrics([accuracy(), perplexity()])).unwrap();
    learner.fit_one_cycle(6, 2e-2).unwrap();
    learner
}

#[test]
fn it_learns_what_comes_next() {
    let learner = counting();
    let row = learner.recorder().rows.last().unwrap();
    assert!(row.metrics[0] > 0.95, "{:?}", row.metrics);
    assert!((row.metrics[1] - row.valid_loss.exp()).abs() < 1e-6 * row.metrics[1], "{:?}", row.metrics);

    // It begins at the beginning each time.
    let first = learner.validate().unwrap();
    assert_eq!(learner.validate().unwrap(), first);
    assert!((first.0 - row.valid_loss).abs() < 1e-12);

    let how = Writing { n_words: 3, temperature: 0.1, ..Writing::default() };
    assert_eq!(learner.predict("one two three", how).unwrap(), "one two three four five six");
    // Writing leaves no trace.
    assert_eq!(learner.predict("one two three four", how).unwrap(), "one two three four five six seven");
    assert_eq!(learner.validate().unwrap(), first);
    let any = |seed| learner.predict("one", Writing { n_words: 30, temperature: 3.0, seed, ..how }).unwrap();
    assert_eq!(any(1), any(1));
    assert_ne!(any(1), any(2));
    assert!(learner.predict("one", Writing { temperature: 0.0, ..how }).is_err());

    let folder = tempfile::tempdir().unwrap();
    learner.export(folder.path()).unwrap();
    let loaded = load_language_model(folder.path()).unwrap();
    assert_eq!(loaded.predict("one", Writing { seed: 1, n_words: 30, temperature: 3.0, ..how }).unwrap(), any(1));
}

#[test]
fn it_says_that_it_has_hardly_begun_to_read() {
    let notes: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = notes.clone();
    let listener = Listener::new(move |event| {
        if let Event::Note(note) = event {
            kept.lock().unwrap().push(note.to_string());
        }
    });
    let mut learner = language_model_learner(&numbers(), config().listener(listener)).unwrap();
    learner.fit_one_cycle(1, 1e-5).unwrap();
    // Eleven words that are equally frequent, with the one that begins a text, and those that never occur.
    let dls = learner.text_dls();
    let (texts, words) = (dls.train.dataset().texts().len() as f64, dls.procs().vocab.len() as f64);
    let by_hand = (11.0 * texts + words) / (texts + 1.0);
    assert!((dls.perplexity_by_frequency() - by_hand).abs() < 1e-9 * by_hand);
    assert!(notes.lock().unwrap().iter().any(|note| note.contains("hardly begun to read")), "{notes:?}");
    notes.lock().unwrap().clear();
    learner.fit_one_cycle(6, 2e-2).unwrap();
    assert!(notes.lock().unwrap().is_empty(), "{notes:?}");
}

#[test]
fn it_begins_with_another_model_of_other_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    let learner = counting();
    learner.save(&file).unwrap();
    let words = learner.text_dls().procs().vocab.clone();
    let more = "one two three four five six seven eight nine ten eleven";
    let dls = TextBlock::texts((0..40).map(|_| more)).min_freq(1).seq_len(8).language_model(4).unwrap();
    let mut other = language_model_learner(&dls, config().metrics([accuracy()])).unwrap();
    let published = PretrainedText::new(&file, words);
    let unknown = other.load_pretrained(&published).unwrap();
    assert!(unknown >= 1, "eleven is not unknown");
    assert!(other.params().trainable().len() < other.params().all().len());
    let how = Writing { n_words: 2, temperature: 0.1, ..Writing::default() };
    assert_eq!(other.predict("one two three", how).unwrap(), "one two three four five");
    assert!(other.load_encoder(&file).is_err());
    let small = language_model_learner(&block(200).language_model(4).unwrap(), config().size(8, 8, 1));
    assert!(small.unwrap().load_pretrained(&published).is_err());
}
