//! fast.ai's tokens that are no words.

/// A word that is not in the vocabulary.
pub const UNK: &str = "xxunk";
/// Padding, which makes texts of a batch equally long.
pub const PAD: &str = "xxpad";
/// The beginning of a text.
pub const BOS: &str = "xxbos";
/// The end of a text.
pub const EOS: &str = "xxeos";
/// The beginning of a field, where a text comes from several columns; the field's number follows.
pub const FLD: &str = "xxfld";
/// A character that is there several times: how often and which follow.
pub const REP: &str = "xxrep";
/// A word that is there several times: how often and which follow.
pub const WREP: &str = "xxwrep";
/// The next word was written in capitals.
pub const UP: &str = "xxup";
/// The next word began with a capital.
pub const MAJ: &str = "xxmaj";

/// All of them, in the order in which they begin a vocabulary. fast.ai's `defaults.text_spec_tok`.
pub const SPECIAL: [&str; 9] = [UNK, PAD, BOS, EOS, FLD, REP, WREP, UP, MAJ];

/// What fills a vocabulary up, so that its size is a multiple of eight.
pub const FAKE: &str = "xxfake";

/// The number of [`UNK`] in every vocabulary.
pub const UNK_ID: u32 = 0;
/// The number of [`PAD`] in every vocabulary.
pub const PAD_ID: u32 = 1;
/// The number of [`BOS`] in every vocabulary.
pub const BOS_ID: u32 = 2;
