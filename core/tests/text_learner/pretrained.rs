//! Published language models: fast.ai's `.pth` and `.pkl` files.

use crate::common::training::weights;
use std::fs;
use std::path::Path;
use tallow::data::TextBlock;
use tallow::models::AwdLstmConfig;
use tallow::models::weights::Weights;
use tallow::text_learner::{PretrainedText, TextConfig, language_model_learner, text_classifier_learner};

/// What `pickle.dump(words, file)` of Python 3.13 writes of the words of `lm.pth`, protocol 4.
const WORDS: &[u8] = b"\x80\x04\x95M\x00\x00\x00\x00\x00\x00\x00]\x94(\x8c\x05xxunk\x94\x8c\x05xxpad\x94\x8c\x05\
    xxbos\x94\x8c\x05xxeos\x94\x8c\x03the\x94\x8c\x04film\x94\x8c\x05caf\xc3\xa9\x94\x8c\x04good\x94\x8c\x03bad\x94\x8c\
    \x03odd\x94e.";

/// A folder as the archive of a published model leaves it: ten words, vectors of 3, layers of 4.
fn published(folder: &Path) -> PretrainedText {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/text_models/fixtures/lm.pth");
    fs::copy(model, folder.join("lstm_fwd.pth")).unwrap();
    fs::write(folder.join("itos_wt103.pkl"), WORDS).unwrap();
    PretrainedText::open(folder).unwrap()
}

fn config() -> TextConfig {
    TextConfig::default().network(AwdLstmConfig::classifier().size(3, 4, 2))
}

/// `good` and `film` are words of the published model; `strange` is not.
fn block() -> TextBlock {
    let text = |i: usize| (["a good film", "a strange film"][i % 2], ["up", "down"][i % 2]);
    TextBlock::labelled((0..20).map(text)).min_freq(3).valid_where(|i| i < 4)
}

#[test]
fn a_classifier_begins_with_the_published_encoder_and_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let published = published(folder.path());
    assert_eq!(published.words().tokens()[5..8], ["film", "café", "good"]);
    let mut learner = text_classifier_learner(&block().dataloaders(4).unwrap(), config()).unwrap();
    let head = learner.params().get("1.layers.1.2.weight").unwrap().var().as_detached_tensor();
    let unknown = learner.load_pretrained(&published).unwrap();
    let vocab = learner.text_dls().procs().vocab.clone();
    assert_eq!(unknown, vocab.tokens().iter().filter(|word| published.words().find(word).is_none()).count());
    // fast.ai's match_embeds: a word has its own vector, one that is new the mean of all.
    let old = Weights::open(published.weights()).unwrap().tensor("0.encoder.weight").unwrap();
    let new = learner.params().get("0.module.encoder.weight").unwrap().var().as_detached_tensor();
    let row = |word: &str| new.get(vocab.find(word).unwrap() as usize).unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(row("good"), old.get(7).unwrap().to_vec1::<f32>().unwrap());
    assert_eq!(row("strange"), old.mean(0).unwrap().to_vec1::<f32>().unwrap());
    // Layers are the file's, the head is as it was, and only the head is trained at first.
    let raw = |name: &str| Weights::open(published.weights()).unwrap().tensor(name).unwrap();
    let layer = learner.params().get("0.module.rnns.1.weight_hh_l0_raw").unwrap().var().as_detached_tensor();
    let same = |a: &candle_core::Tensor, b: &candle_core::Tensor| {
        a.flatten_all().unwrap().to_vec1::<f32>().unwrap() == b.flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    assert!(same(&layer, &raw("0.rnns.1.weight_hh_l0_raw")));
    assert!(same(&learner.params().get("1.layers.1.2.weight").unwrap().var().as_detached_tensor(), &head));
    let frozen = learner.params().all().into_iter().filter(|param| !param.trainable()).count();
    assert!(frozen >= 9, "{frozen}");
    learner.fit_gradually(1, 1e-2).unwrap();

    let mut model = language_model_learner(&block().language_model(2).unwrap(), config()).unwrap();
    assert_eq!(model.load_pretrained(&published).unwrap(), unknown);
    model.fit_one_cycle(1, 1e-2).unwrap();
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let published = published(folder.path());
    let dls = block().dataloaders(4).unwrap();
    let mut larger = text_classifier_learner(&dls, TextConfig::default().size(3, 5, 2)).unwrap();
    let before = weights(larger.params());
    let message = larger.load_pretrained(&published).unwrap_err().to_string();
    assert!(message.contains("does not fit the network"), "{message}");
    assert!(weights(larger.params()) == before);
    // More words than the table has vectors.
    let words = (0..10).map(|i| format!("word{i}")).chain(["good".to_string()]).collect::<Vec<_>>();
    let long = PretrainedText::new(published.weights(), words.into());
    let mut learner = text_classifier_learner(&dls, config()).unwrap();
    let message = learner.load_pretrained(&long).unwrap_err().to_string();
    assert!(message.contains("the list of words is longer than the table"), "{message}");

    let open = || PretrainedText::open(folder.path()).map(drop).unwrap_err().to_string();
    fs::write(folder.path().join("other.pth"), b"").unwrap();
    assert!(open().contains("holds 2 .pth files"), "{}", open());
    fs::remove_file(folder.path().join("itos_wt103.pkl")).unwrap();
    assert!(
        open().contains("holds no .pkl file, the list of words: a published") && open().contains("fetch-data"),
        "{}",
        open()
    );
    // `os.system("touch owned")`, and other calls, are never made.
    let call = |body: &[u8]| {
        fs::write(folder.path().join("itos_wt103.pkl"), body).unwrap();
        open()
    };
    let message = call(b"\x80\x03cos\nsystem\nX\x0b\x00\x00\x00touch owned\x85R.");
    assert!(message.contains("asks for `os.system`") && message.contains("refused"), "{message}");
    let message = call(b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0btouch owned\x85R.");
    assert!(message.contains("asks for `posix.system`"), "{message}");
    let message = call(b"\x80\x04]\x94(\x8c\x05xxunkK\x03e.");
    assert!(message.contains("not all is text"), "{message}");
    for (body, why) in [
        (&b"\x80\x03}."[..], "no list of texts"),
        (b"[\"xxunk\"]", "not a pickle"),
        (b"\x80\x04]\x94(\x8c\x05xxun", "cut short"),
        (b"\x80\x04]\x94(\x8c\x03thee.", "its first word should be `xxunk`"),
        (b"", "not a pickle"),
    ] {
        let message = call(body);
        assert!(message.contains(why) && message.contains("itos_wt103.pkl"), "{message}");
    }
    // A long text, many times over.
    let mut bomb = b"\x80\x04]\x94X\x00\x00\x10\x00".to_vec();
    bomb.extend(vec![b'x'; 1 << 20]);
    bomb.extend(b"\x94(".iter().copied().chain(b"h\x01".repeat(1000)).chain(*b"e."));
    assert!(call(&bomb).contains("multiplies itself") || call(&bomb).contains("damaged"), "{}", call(&bomb));
}
