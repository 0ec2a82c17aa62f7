//! Words: how a text becomes tokens, and tokens numbers.

mod affixes;
mod characters;
mod corpus;
mod english;
mod html;
mod readable;
mod rules;
mod special;
mod tokenizer;
mod url;
mod vocab;
mod word_piece;

pub use corpus::Corpus;
pub use english::english_tokens;
pub use readable::{marked_words, readable, readable_parts, without_marks};
pub use rules::Rule;
pub use special::{BOS, BOS_ID, EOS, FAKE, FLD, MAJ, PAD, PAD_ID, REP, SPECIAL, UNK, UNK_ID, UP, WREP};
pub use tokenizer::{Tokenizer, WordSplit};
pub use vocab::{TextVocab, VocabSize};
pub use word_piece::{Pieces, WordPiece};
