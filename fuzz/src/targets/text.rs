//! Tables, and texts as words and pieces of words.

use super::{Target, words};
use tallow::data::{LabelTable, Table, TableBlock, TableColumns};
use tallow::words::{Tokenizer, WordPiece, english_tokens};

pub(super) const TABLE: Target = Target {
    name: "table",
    seeds: |_| {
        let texts = ["a,b,c\n1,x,2026-01-31\n2,,2025-12-01\n,y,\n", "a;b\n\"1;2\";\"x\"\"y\"\n3,5;z\n", "a\tb\n1\t2\n"];
        texts.map(|text| text.as_bytes().to_vec()).to_vec()
    },
    tokens: &[b"\"", b"\"\"", b";", b"\t", b"\r", b"#N/A", b"?", b"1e400", b"\xef\xbb\xbf"],
    structure: None,
    run: |input, folder| {
        let file = folder.join("a.csv");
        std::fs::write(&file, input).map_err(|e| e.to_string())?;
        let table = Table::read(&file);
        if let Ok(table) = &table {
            let text = std::str::from_utf8(input).map_err(|_| "a table of bytes that are not UTF-8".to_string())?;
            if table.n_rows() > text.lines().count() + text.matches('\r').count() {
                return Err(format!("{} rows out of {} lines", table.n_rows(), text.lines().count()));
            }
        }
        let Ok(table) = table else { return words(table) };
        // The last column from the others, as numbers where it has numbers.
        let Some(target) = table.names().last().cloned() else { return Err("a table without columns".into()) };
        let dls = TableBlock::table(table).target(&target).valid_where(|row| row % 3 == 0).dataloaders(4);
        if let Ok(dls) = &dls {
            for batch in dls.train.loader().epoch(0) {
                let batch = batch.map_err(|e| format!("a batch that cannot be made: {e}"))?;
                let numbers = std::iter::once(&batch.xs).chain(&batch.more_xs).filter(|xs| xs.dtype().is_float());
                for xs in numbers {
                    let sum = xs.abs().and_then(|xs| xs.sum_all()?.to_scalar::<f32>()).map_err(|e| e.to_string())?;
                    if !sum.is_finite() {
                        return Err(format!("a batch of numbers that add up to {sum}"));
                    }
                }
            }
        }
        words(dls.map(|_| ()))
    },
};

pub(super) const LABELS: Target = Target {
    name: "labels",
    seeds: |_| {
        let texts =
            ["file,label,is_valid\na.jpg,cat,False\nb.jpg,dog,True\n", "image;tags;group\na.png;x y;1\nb.png;y;2\n"];
        texts.map(|text| text.as_bytes().to_vec()).to_vec()
    },
    tokens: &[b"\"", b",", b"valid", b"label", b"../a.jpg", b"/a.jpg", b"C:\\a"],
    structure: None,
    run: |input, folder| {
        let file = folder.join("labels.csv");
        std::fs::write(&file, input).map_err(|e| e.to_string())?;
        let photos = folder.join("photos");
        for name in ["a.jpg", "b.jpg", "c.jpg", "cat/d.png", "train/e.png"].map(|name| photos.join(name)) {
            let made = name.parent().map_or(Ok(()), std::fs::create_dir_all);
            made.and_then(|()| std::fs::write(&name, "")).map_err(|e| e.to_string())?;
        }
        let images = LabelTable::read(&file, &TableColumns::default()).and_then(|table| table.images_in(&photos));
        if let Ok(images) = &images
            && let Some(image) = images.images.iter().find(|image| !image.file.starts_with(&photos))
        {
            return Err(format!("{} is outside of the folder", image.file.display()));
        }
        words(images.map(|_| ()))
    },
};

pub(super) const WORDS: Target = Target {
    name: "words",
    seeds: |_| {
        let texts = [
            "It's well-known (don't ask). See www.fast.ai, or mail to a.b@c.org!!! :-) $5.20 10km U.S. e.g.",
            "Straße, naïve café\u{301} 日本語 🙂\u{200d} \t\n\n  <br /> &amp; xxunk SHOUTING aaaaaah yes yes yes yes",
        ];
        texts.map(|text| text.as_bytes().to_vec()).to_vec()
    },
    tokens: &[b"'", b"...", b"http://", b"@", b"\xe2\x80\x99", b"-", b"<br />", b"\xc2\xa0", b"XX", b"1,000"],
    structure: None,
    run: |input, _| {
        let text = String::from_utf8_lossy(input);
        let tokens = english_tokens(&text);
        // No character is lost but single spaces between tokens.
        let all = |text: &str| text.chars().filter(|&c| c != ' ').collect::<String>();
        if all(&text) != all(&tokens.concat()) {
            return Err(format!("tokens {tokens:?} of {text:?}"));
        }
        let by_rules = Tokenizer::default().tokens(&text);
        Ok(format!("{} {}", by_rules.len().min(4), by_rules.iter().take(2).cloned().collect::<String>()))
    },
};

pub(super) const PIECES: Target = Target {
    name: "pieces",
    seeds: |_| {
        let vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "the", "cat", "##s"];
        let vocab: serde_json::Map<_, _> =
            vocab.iter().zip(0..).map(|(word, id)| ((*word).into(), id.into())).collect();
        let model = serde_json::json!({ "type": "WordPiece", "vocab": vocab, "unk_token": "[UNK]",
            "continuing_subword_prefix": "##", "max_input_chars_per_word": 100 });
        // With marks around a text, without which an empty one has no pieces, and without.
        let marks = serde_json::json!({ "type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2] });
        let whole = |marks: Option<&serde_json::Value>| {
            let whole = serde_json::json!({ "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
                "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                    "strip_accents": null, "lowercase": true },
                "pre_tokenizer": { "type": "BertPreTokenizer" }, "post_processor": marks, "decoder": null,
                "model": model });
            whole.to_string().into_bytes()
        };
        vec![whole(Some(&marks)), whole(None)]
    },
    tokens: &[b"\"BPE\"", b"\"Regex\":\"(\"", b"\"vocab\":{", b"[CLS]", b"\"added_tokens\":["],
    structure: Some(super::json::changed),
    run: |input, _| {
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(input) else { return Ok("not JSON".into()) };
        let pieces = WordPiece::from_json(&json);
        let batch = |pieces: WordPiece| {
            let pieces = pieces.max_tokens(3 + input.len() % 8)?;
            let batch = pieces.encode(&["The cats \u{0} sat", "", "a a a a a a a a a a a a"])?;
            WordPiece::from_json(&pieces.to_json()?)?;
            Ok(batch)
        };
        let batch = pieces.and_then(batch);
        if let Ok(batch) = &batch
            && (batch.ids.len() != 3 * batch.places || batch.mask.len() != batch.ids.len() || batch.places > 10)
        {
            return Err(format!("{} places of 3 texts, {} long", batch.ids.len(), batch.places));
        }
        words(batch.map(|_| ()))
    },
};
