//! Batches against fastai's: sorted and padded for a classifier, a stream for a language model.

use crate::polarity::{FastaiSplit, reviews};
use serde_json::Value;
use std::collections::HashSet;
use tallow::candle::Tensor;
use tallow::data::{DataLoader, LanguageModelDataLoaders, Show, Shown, TextBlock, TextDataLoaders, pad_chunks};
use tallow::words::{TextVocab, Tokenizer};

fn reference() -> Value {
    serde_json::from_str(include_str!("batches.json")).unwrap()
}

fn table(json: &Value) -> Vec<Vec<u32>> {
    serde_json::from_value(json.clone()).unwrap()
}

#[test]
fn padding_is_first_and_by_chunks() {
    for (lengths, expected) in reference()["pads"].as_object().unwrap() {
        let lengths: Vec<u32> = serde_json::from_str(lengths).unwrap();
        let texts: Vec<Vec<u32>> = lengths.iter().map(|&n| (2..2 + n).collect()).collect();
        let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        let rows: Vec<Vec<u32>> = pad_chunks(&texts, 72).unwrap().to_vec2().unwrap();
        // What is in front, the text, and what is behind it.
        for ((row, text), spans) in rows.iter().zip(&texts).zip(table(expected)) {
            let padding = |n: u32| vec![1; n as usize];
            let expected = [padding(spans[0]), text.to_vec(), padding(spans[2])].concat();
            assert_eq!((row, text.len() as u32), (&expected, spans[1]), "{lengths:?}");
        }
    }
    // fastai: pad_input_chunk of lengths 11, 8, 7, 3, 1 with seq_len 4.
    let texts: [&[u32]; 5] = [&[9; 11], &[9; 8], &[9; 7], &[9; 3], &[9; 1]];
    let fronts = pad_chunks(&texts, 4).unwrap().to_vec2::<u32>().unwrap();
    let fronts: Vec<usize> = fronts.iter().map(|row| row.iter().take_while(|&&id| id == 1).count()).collect();
    assert_eq!(fronts, [0, 0, 4, 8, 8]);
}

/// Texts of the numbers 0, 1, ..., those of each as many as said, twice: for training, and for validation.
fn streams(lengths: &[usize], rows: usize, seq_len: usize) -> LanguageModelDataLoaders {
    let mut next = 0..;
    let texts: Vec<Vec<String>> =
        lengths.iter().map(|&n| next.by_ref().take(n).map(|i| i.to_string()).collect()).collect();
    let words = texts.concat();
    let texts: Vec<String> = texts.iter().map(|words| words.join(" ")).collect();
    let n = texts.len();
    let block = TextBlock::texts([texts.clone(), texts].concat()).tokenizer(Tokenizer::spaces());
    let block = block.vocab(TextVocab::from(words)).seq_len(seq_len).valid_where(move |i| i >= n);
    block.language_model(rows).unwrap()
}

type Rows = Vec<Vec<u32>>;

fn batches(loader: &DataLoader, epoch: usize) -> Vec<(Rows, Rows)> {
    let rows = |xs: &Tensor| xs.to_vec2().unwrap();
    loader.epoch(epoch).map(|batch| batch.unwrap()).map(|batch| (rows(&batch.xs), rows(&batch.ys))).collect()
}

#[test]
fn a_stream_is_cut_as_fastai_cuts_it() {
    for case in reference()["streams"].as_array().unwrap() {
        let number = |name: &str| case[name].as_u64().unwrap() as usize;
        let lengths: Vec<usize> = serde_json::from_value(case["doc_lengths"].clone()).unwrap();
        let dls = streams(&lengths, number("bs"), number("seq_len"));
        let got = batches(dls.valid.loader(), 0);
        assert_eq!(dls.valid.dataset().row_length(), number("row_length"));
        assert_eq!((got.len(), got.last().unwrap().0[0].len()), (number("batches"), number("last_length")));
        for (j, (xs, ys)) in got.iter().enumerate() {
            assert_eq!((xs, ys), (&table(&case["x"][j]), &table(&case["y"][j])), "{}, batch {j}", case["name"]);
        }
    }
    assert!(TextBlock::texts(["a b", "c"]).valid_where(|i| i == 1).language_model(8).is_err());
}

#[test]
fn texts_of_a_stream_are_shuffled_whole_and_anew_in_each_epoch() {
    let lengths = [5, 9, 1, 17, 30, 12, 7, 22];
    let dls = streams(&lengths, 4, 8);
    let loader = dls.train.loader();
    let rows = |epoch: usize| -> Vec<u32> {
        let batches = batches(loader, epoch);
        (0..4).flat_map(|row| batches.iter().flat_map(|(xs, _)| xs[row].clone()).collect::<Vec<u32>>()).collect()
    };
    let (first, second) = (rows(0), rows(1));
    assert!(first != second && first == rows(0));
    // 100 of the 103 tokens; a text's words follow each other, and it begins where another ends.
    assert_eq!((first.len(), first.iter().collect::<HashSet<_>>().len()), (100, 100));
    let starts: Vec<u32> = lengths.iter().scan(0, |at, &n| Some(std::mem::replace(at, *at + n as u32))).collect();
    for pair in first.windows(2).filter(|pair| pair[1] != pair[0] + 1) {
        assert!(starts.contains(&pair[1]), "{pair:?}");
    }
    // Any epoch can be gone through again from any batch on, by any number of workers.
    let again: Vec<_> = loader.clone().workers(3).epoch_from(1, 2).map(|batch| batch.unwrap().xs).collect();
    let again: Vec<Vec<Vec<u32>>> = again.iter().map(|xs| xs.to_vec2().unwrap()).collect();
    let whole: Vec<Vec<Vec<u32>>> = batches(loader, 1).into_iter().map(|(xs, _)| xs).collect();
    assert_eq!(again, whole[2..]);
}

fn polarity() -> Option<TextBlock> {
    let (texts, labels) = reviews()?;
    let labels = labels.into_iter().map(|is_positive| if is_positive { "pos" } else { "neg" });
    Some(TextBlock::labelled(texts.into_iter().zip(labels)))
}

#[test]
fn batches_of_the_reviews_are_fastais() {
    let Some(block) = polarity() else { return };
    let dls: TextDataLoaders = block.split(FastaiSplit { n_valid: 2132 }).dataloaders(64).unwrap();
    let n = (dls.train.n_items(), dls.valid.n_items(), dls.train.loader().n_batches(), dls.valid.loader().n_batches());
    assert_eq!(n, (8530, 2132, 133, 34));
    assert_eq!((dls.classes().classes(), dls.procs().vocab.len()), (&["neg", "pos"].map(String::from)[..], 7216));
    let reference = reference();
    let order: Vec<usize> = serde_json::from_value(reference["order"].clone()).unwrap();
    assert_eq!(dls.valid.loader().order(0)[..40], order);
    let batch = dls.valid.loader().one_batch().unwrap();
    assert_eq!((batch.xs.dims(), batch.ys.dims()), (&[64, 58][..], &[64][..]));
    let (xs, rows) = (batch.xs.to_vec2::<u32>().unwrap(), table(&reference["rows"]));
    assert_eq!((&xs[0], &xs[1], &xs[63]), (&rows[0], &rows[1], &rows[2]));
    let labels: Vec<u32> = serde_json::from_value(reference["labels"].clone()).unwrap();
    assert_eq!(batch.ys.to_vec1::<u32>().unwrap(), labels);

    // Texts to train with come in batches of about one length, each once but for those of a short last batch.
    let order = dls.train.loader().order(3);
    assert_eq!(order.iter().collect::<HashSet<_>>().len(), 8530);
    let lengths = dls.train.dataset().lengths();
    assert_eq!(lengths[order[0]], *lengths.iter().max().unwrap());
    let padded: usize = dls.train.loader().epoch(3).map(|batch| batch.unwrap().xs.elem_count()).sum();
    let words: usize = order[..133 * 64].iter().map(|&i| lengths[i]).sum();
    assert!(padded as f64 / (words as f64) < 1.05, "{padded} places for {words} words");

    let Shown::Table(shown) = dls.valid.shown(2).unwrap() else { panic!("texts are shown as a table") };
    assert_eq!((shown.columns.join(" "), shown.rows.len()), ("text class".into(), 2));
    assert!(shown.rows[0][0].starts_with("xxbos ") && shown.rows[0][1] == "neg");
    let other = dls.test_dl(&["A fine film!".into(), String::new()]).unwrap();
    let batch = other.loader().one_batch().unwrap();
    assert_eq!((other.loader().order(0), batch.xs.dims()), (vec![0, 1], &[2, 5][..]));
}

#[test]
fn the_stream_of_the_reviews_is_fastais() {
    let Some(block) = polarity() else { return };
    let dls = block.split(FastaiSplit { n_valid: 1066 }).language_model(64).unwrap();
    let (train, valid) = (&dls.train, &dls.valid);
    assert_eq!((train.dataset().texts().len(), valid.dataset().texts().len()), (9596, 1066));
    assert_eq!((train.loader().n_batches(), valid.loader().n_batches()), (49, 6));
    assert_eq!((train.dataset().row_length(), valid.dataset().row_length()), (3500, 390));
    let batch = valid.loader().one_batch().unwrap();
    assert_eq!(batch.xs.dims(), [64, 72]);
    // Counted with numpy on fastai's tokens.
    let by_frequency = dls.perplexity_by_frequency();
    assert!((by_frequency - 473.198_218).abs() < 1e-5, "{by_frequency}");
    let reference = reference();
    for (got, name) in [(&batch.xs, "lm_x"), (&batch.ys, "lm_y")] {
        let rows: Vec<Vec<u32>> = got.to_vec2().unwrap();
        for (row, expected) in rows.iter().zip(table(&reference[name])) {
            assert_eq!(row[..24], expected);
        }
    }
    let Shown::Table(shown) = valid.shown(1).unwrap() else { panic!("a stream is shown as a table") };
    assert_eq!(shown.rows[0][0].split_once(' ').unwrap().1, shown.rows[0][1].rsplit_once(' ').unwrap().0);
}
