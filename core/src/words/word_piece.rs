//! Pieces of words, as published encoders read them.

use crate::error::{Error, Result};
use std::path::{Path, PathBuf};
use tokenizers::{Encoding, PaddingParams, Tokenizer, TruncationParams};

/// A published tokenizer in its `tokenizer.json`: what BERT and its relatives read (WordPiece). Hugging Face's
/// `AutoTokenizer`.
#[derive(Debug, Clone)]
pub struct WordPiece {
    path: PathBuf,
    tokenizer: Tokenizer,
    max_tokens: usize,
}

/// Texts in numbers, those of a batch as long as its longest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    /// The number of each piece, `[N · T]`.
    pub ids: Vec<u32>,
    /// Which of them belong to a text, `[N · T]`; the others are padding.
    pub mask: Vec<bool>,
    /// Texts.
    pub texts: usize,
    /// Pieces of each, padding included.
    pub places: usize,
    /// Texts that were longer than [`WordPiece::max_tokens`], and lost their ends.
    pub cut: usize,
}

impl WordPiece {
    /// The tokenizer in this file, for texts of up to 64 pieces.
    ///
    /// # Errors
    /// When the file cannot be read, or does not describe a tokenizer.
    pub fn open(path: impl AsRef<Path>) -> Result<WordPiece> {
        let path = path.as_ref().to_path_buf();
        let bytes = tallow_io::read::bytes(&path, tallow_io::read::NOTES).map_err(Error::io(&path))?;
        let not_one = |e| {
            let what = format!("is no tokenizer: {e}; expected the `tokenizer.json` that is beside published weights");
            Error::file(&path, what)
        };
        let tokenizer = Tokenizer::from_bytes(bytes).map_err(not_one)?;
        WordPiece::of(path.clone(), tokenizer)
    }

    /// The tokenizer that [`WordPiece::to_json`] gave, for texts of up to 64 pieces.
    ///
    /// # Errors
    /// When it does not describe a tokenizer.
    pub fn from_json(json: &serde_json::Value) -> Result<WordPiece> {
        let tokenizer = Tokenizer::from_bytes(json.to_string())
            .map_err(|e| Error::Value(format!("the model's tokenizer cannot be read: {e}")))?;
        WordPiece::of(PathBuf::from("the model's tokenizer"), tokenizer)
    }

    /// What a `tokenizer.json` holds.
    ///
    /// # Errors
    /// When the tokenizer cannot be written as JSON.
    pub fn to_json(&self) -> Result<serde_json::Value> {
        let text = self.tokenizer.to_string(false).map_err(|e| Error::file(&self.path, e.to_string()))?;
        serde_json::from_str(&text).map_err(|e| Error::file(&self.path, e.to_string()))
    }

    fn of(path: PathBuf, mut tokenizer: Tokenizer) -> Result<WordPiece> {
        tokenizer.with_padding(None::<PaddingParams>);
        if tokenizer.token_to_id("[PAD]") != Some(0) {
            let what = "is a tokenizer whose piece 0 is not `[PAD]`, as BERT's is; others are not supported";
            return Err(Error::file(path, what));
        }
        WordPiece { path, tokenizer, max_tokens: 0 }.max_tokens(64)
    }

    /// At most so many pieces of a text, the two that enclose it included; what is behind them is left out, and
    /// [`Pieces::cut`] counts such texts.
    ///
    /// # Errors
    /// When it is not in 3..=512.
    pub fn max_tokens(mut self, max_tokens: usize) -> Result<WordPiece> {
        if !(3..=512).contains(&max_tokens) {
            let message = format!("expected a length in 3..=512, got {max_tokens}");
            return Err(Error::config("max_tokens", message));
        }
        self.max_tokens = max_tokens;
        let truncation = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
        match self.tokenizer.with_truncation(Some(truncation)) {
            Ok(_) => Ok(self),
            Err(e) => Err(Error::file(&self.path, format!("is a tokenizer that cannot cut texts: {e}"))),
        }
    }

    /// The most pieces that are read of a text.
    pub(crate) fn longest(&self) -> usize {
        self.max_tokens
    }

    /// How many pieces there are.
    pub fn vocab_size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// The pieces of each text, of whatever length.
    ///
    /// # Errors
    /// When the tokenizer refuses a text.
    pub fn encode_each(&self, texts: &[impl AsRef<str>]) -> Result<Vec<Pieces>> {
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        let refused = |e| Error::Value(format!("{} refuses a text: {e}", self.path.display()));
        let encoded = self.tokenizer.encode_batch(texts, true).map_err(refused)?;
        Ok(encoded.iter().map(of_one).collect())
    }

    /// The pieces of a batch of texts.
    ///
    /// # Errors
    /// When there is no text, or the tokenizer refuses one.
    pub fn encode(&self, texts: &[impl AsRef<str>]) -> Result<Pieces> {
        let each = self.encode_each(texts)?;
        Pieces::batch(&each.iter().collect::<Vec<_>>())
    }
}

impl Pieces {
    /// Several texts together, filled up behind their ends.
    ///
    /// # Errors
    /// When there is none, or a text has no pieces, of which a network could make nothing but NaN.
    pub fn batch(parts: &[&Pieces]) -> Result<Pieces> {
        let Some(places) = parts.iter().map(|part| part.places).max() else {
            return Err(Error::Value("expected at least one text, got none".into()));
        };
        if parts.iter().any(|part| part.places == 0) {
            let what = "a text has no pieces; leave empty texts out, or use a tokenizer that puts marks around a text \
                        (a `post_processor`)";
            return Err(Error::Value(what.into()));
        }
        let mut batch = Pieces { ids: Vec::new(), mask: Vec::new(), texts: 0, places, cut: 0 };
        for part in parts {
            for (ids, mask) in part.ids.chunks(part.places).zip(part.mask.chunks(part.places)) {
                batch.ids.extend(ids.iter().copied().chain(std::iter::repeat_n(0, places - ids.len())));
                batch.mask.extend(mask.iter().copied().chain(std::iter::repeat_n(false, places - mask.len())));
            }
            batch.texts += part.texts;
            batch.cut += part.cut;
        }
        Ok(batch)
    }
}

fn of_one(encoding: &Encoding) -> Pieces {
    let ids = encoding.get_ids().to_vec();
    let (places, cut) = (ids.len(), usize::from(!encoding.get_overflowing().is_empty()));
    Pieces { mask: vec![true; places], ids, texts: 1, places, cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_pieces_is_refused_in_a_batch() {
        let json = serde_json::json!({ "version": "1.0", "pre_tokenizer": { "type": "BertPreTokenizer" },
            "model": { "type": "WordPiece", "vocab": { "[PAD]": 0, "[UNK]": 1, "the": 2 }, "unk_token": "[UNK]",
                "continuing_subword_prefix": "##", "max_input_chars_per_word": 100 } });
        let pieces = WordPiece::from_json(&json).unwrap();
        assert_eq!(pieces.encode(&["the the", "the"]).unwrap().ids, [2, 2, 2, 0]);
        for texts in [&["the", ""][..], &[""]] {
            let error = pieces.encode(texts).unwrap_err().to_string();
            assert!(error.contains("a text has no pieces"), "{error}");
        }
    }
}
