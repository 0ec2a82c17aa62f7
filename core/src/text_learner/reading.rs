//! Whether a language model has begun to read.

use crate::error::Result;
use crate::event::{Event, Listener};
use crate::train::{Callback, TrainState};

/// A perplexity that is a larger share than this of the one that words' frequencies alone have
/// ([`crate::data::LanguageModelDataLoaders::perplexity_by_frequency`]) is that of a network which hardly reads. At
/// 0.73 of it an encoder kept a classifier from learning, at 0.32 it helped (`docs/language_models.md`).
const SHARE: f64 = 0.5;

/// Tells the listener at a fit's end if the network knows little more than how frequent words are.
pub(super) struct ReadingCheck {
    pub(super) by_frequency: f64,
    pub(super) listener: Listener,
}

impl Callback for ReadingCheck {
    fn after_fit(&mut self, state: &mut TrainState) -> Result<()> {
        let Some(row) = state.recorder.rows.last() else { return Ok(()) };
        let perplexity = row.valid_loss.exp();
        if perplexity > SHARE * self.by_frequency {
            let note = format!(
                "the language model has hardly begun to read: its perplexity is {perplexity:.0}, where that of words' \
                 frequencies alone is {:.0}. A classifier would learn nothing from such an encoder, or worse. Train in \
                 more steps: with smaller batches, for more epochs",
                self.by_frequency
            );
            self.listener.tell(Event::Note(&note));
        }
        Ok(())
    }
}
