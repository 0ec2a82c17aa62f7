//! The learners for texts: a language model, and a classifier that begins with the language model's encoder.

mod rnn;

pub use rnn::{ModelResetter, RnnRegularizer};
