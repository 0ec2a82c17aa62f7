//! From texts to loaders.

use super::copies::copy_notes;
use super::dataset::TextDataset;
use super::loaders::{TextDataLoaders, TextLoader};
use super::procs::TextProcs;
use super::source::{HowToSplit, Source};
use super::stream::StreamDataset;
use super::stream_loaders::{LanguageModelDataLoaders, LanguageModelLoader};
use super::warnings::{class_warnings, text_warnings};
use crate::data::encoding::Encoding;
use crate::data::table::{Splitting, Table};
use crate::data::{Splitter, Vocab, balance};
use crate::error::{Error, Result};
use crate::event::{Event, Listener};
use crate::rng::Rng;
use crate::words::{TextVocab, Tokenizer, VocabSize};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Describes how texts become loaders: where they are, how they become numbers, and which of them are for validation.
/// fast.ai's `TextBlock` and `TextDataLoaders.from_csv`, `from_folder` and `from_df`.
///
/// ```no_run
/// use tallow::data::TextBlock;
///
/// # fn main() -> tallow::Result<()> {
/// let block = TextBlock::csv("reviews.csv").text("review").target("sentiment");
/// let lm = block.language_model(64)?;
/// let dls = block.vocab(lm.procs().vocab.clone()).dataloaders(64)?;
/// println!("{:?}, {} words", dls.classes().classes(), dls.procs().vocab.len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TextBlock {
    from: Origin,
    text: Vec<String>,
    target: Option<String>,
    encoding: Encoding,
    tokenizer: Tokenizer,
    size: VocabSize,
    vocab: Option<TextVocab>,
    seq_len: usize,
    backwards: bool,
    max_tokens: Option<usize>,
    splitting: Option<Splitting>,
    seed: u64,
    listener: Listener,
}

#[derive(Clone)]
enum Origin {
    File(PathBuf),
    Table(Arc<Table>),
    Folder(PathBuf),
    Memory(Arc<Vec<(String, Option<String>)>>),
}

impl TextBlock {
    /// Texts in columns of a CSV file ([`Table::read`]). By default the text is in the first column and the class in
    /// the second, a random fifth of the rows is for validation, and the seed is 42.
    pub fn csv(file: impl AsRef<Path>) -> TextBlock {
        TextBlock::new(Origin::File(file.as_ref().to_path_buf()))
    }

    /// Texts in columns of a table that was read already.
    pub fn table(table: Table) -> TextBlock {
        TextBlock::new(Origin::Table(Arc::new(table)))
    }

    /// Texts in files of their own, whose names end in `.txt`. Their folders say the classes, and the sides of the
    /// split if they are named as such ([`FolderLayout`](crate::data::FolderLayout)); else a random fifth is for
    /// validation.
    pub fn folder(folder: impl AsRef<Path>) -> TextBlock {
        TextBlock::new(Origin::Folder(folder.as_ref().to_path_buf()))
    }

    /// Texts in memory with a class each.
    pub fn labelled(texts: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> TextBlock {
        let texts = texts.into_iter().map(|(text, label)| (text.into(), Some(label.into())));
        TextBlock::new(Origin::Memory(Arc::new(texts.collect())))
    }

    /// Texts in memory without classes, for a language model.
    pub fn texts(texts: impl IntoIterator<Item = impl Into<String>>) -> TextBlock {
        TextBlock::new(Origin::Memory(Arc::new(texts.into_iter().map(|text| (text.into(), None)).collect())))
    }

    fn new(from: Origin) -> TextBlock {
        TextBlock {
            from,
            text: Vec::new(),
            target: None,
            encoding: Encoding::Utf8,
            tokenizer: Tokenizer::default(),
            size: VocabSize::default(),
            vocab: None,
            seq_len: 72,
            backwards: false,
            max_tokens: None,
            splitting: None,
            seed: 42,
            listener: Listener::default(),
        }
    }

    /// Sets the column that has the text. fast.ai's `text_col`.
    #[must_use]
    pub fn text(self, column: impl Into<String>) -> TextBlock {
        self.text_columns([column])
    }

    /// Sets several columns that make the text together, each marked as a field ([`TextProcs::joined`]).
    #[must_use]
    pub fn text_columns(self, columns: impl IntoIterator<Item = impl Into<String>>) -> TextBlock {
        TextBlock { text: columns.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets the column that has the class. fast.ai's `label_col`.
    #[must_use]
    pub fn target(self, column: impl Into<String>) -> TextBlock {
        TextBlock { target: Some(column.into()), ..self }
    }

    /// Sets the encoding of the files; UTF-8 by default.
    #[must_use]
    pub fn encoding(self, encoding: Encoding) -> TextBlock {
        TextBlock { encoding, ..self }
    }

    /// Sets how texts become tokens; by default by fast.ai's rules and as English words.
    #[must_use]
    pub fn tokenizer(self, tokenizer: Tokenizer) -> TextBlock {
        TextBlock { tokenizer, ..self }
    }

    /// Sets how often a token must occur to be known; 3 by default.
    #[must_use]
    pub fn min_freq(mut self, min_freq: usize) -> TextBlock {
        self.size.min_freq = min_freq;
        self
    }

    /// Sets how many tokens are known at most; 60,000 by default.
    #[must_use]
    pub fn max_vocab(mut self, max_vocab: usize) -> TextBlock {
        self.size.max_vocab = max_vocab;
        self
    }

    /// Sets the tokens that are known, such as those of a language model whose encoder is used. fast.ai's `text_vocab`.
    #[must_use]
    pub fn vocab(self, vocab: TextVocab) -> TextBlock {
        TextBlock { vocab: Some(vocab), ..self }
    }

    /// Sets the length of the chunks in which a network goes through a text; 72 by default.
    #[must_use]
    pub fn seq_len(self, seq_len: usize) -> TextBlock {
        TextBlock { seq_len, ..self }
    }

    /// Has texts read from the end to the beginning.
    #[must_use]
    pub fn backwards(self) -> TextBlock {
        TextBlock { backwards: true, ..self }
    }

    /// Sets how many tokens of a text a classifier reads, the last ones on its way. All by default, as in fast.ai,
    /// whose head uses the last 1440 of them; where a text of megabytes may be, a bound saves time and memory. A
    /// language model reads all.
    #[must_use]
    pub fn max_tokens(self, max_tokens: usize) -> TextBlock {
        TextBlock { max_tokens: Some(max_tokens), ..self }
    }

    /// Sets which texts are for validation, by any splitter. A file goes by its path, a row by its number from 0;
    /// labels are classes.
    #[must_use]
    pub fn split(self, splitter: impl Splitter + 'static) -> TextBlock {
        self.splitting(Splitting::Splitter(Arc::new(splitter)))
    }

    /// Sets which texts are for validation, by their number in the table, or among the sorted files, from 0:
    /// `|row| row % 5 == 0`.
    #[must_use]
    pub fn valid_where(self, judges: impl Fn(usize) -> bool + Send + Sync + 'static) -> TextBlock {
        self.splitting(Splitting::Rows(Arc::new(judges)))
    }

    /// Sets the column that gives the side of each row: `train`, `valid`, `test` and the like, or whether it is for
    /// validation. fast.ai's `valid_col`.
    #[must_use]
    pub fn valid_column(self, column: impl Into<String>) -> TextBlock {
        self.splitting(Splitting::Column(column.into()))
    }

    /// Sets the random share of the texts for validation; 0.2 by default. fast.ai's `valid_pct`.
    #[must_use]
    pub fn valid_pct(self, valid: f64) -> TextBlock {
        self.splitting(Splitting::Random(valid))
    }

    fn splitting(self, splitting: Splitting) -> TextBlock {
        TextBlock { splitting: Some(splitting), ..self }
    }

    /// Sets the one seed of the random split, of shuffling, and of a learner that is made from the loaders; 42 by
    /// default.
    #[must_use]
    pub fn seed(self, seed: u64) -> TextBlock {
        TextBlock { seed, ..self }
    }

    /// Sets who is told of what is left out, and of what looks wrong with the texts.
    #[must_use]
    pub fn listener(self, listener: Listener) -> TextBlock {
        TextBlock { listener, ..self }
    }

    /// Loaders for a classifier, in batches of `batch_size`. The vocabulary counts the texts for validation too, as
    /// fast.ai's does, but not those of a test set.
    ///
    /// # Errors
    /// When a file cannot be read or is in another encoding (line and byte are named), a column is not there, there is
    /// one class only or almost one for each text, or one side of the split is empty.
    pub fn dataloaders(&self, batch_size: usize) -> Result<TextDataLoaders> {
        let Source { texts, places, labels, sides, mut notes } = self.source(true)?;
        let known = sorted(&[&sides.train, &sides.valid]);
        let Numbered { procs, ids, tokens, warnings } = self.numbers(&texts, &places, &known, self.max_tokens)?;
        let label = |&i: &usize| labels[i].clone().unwrap_or_default();
        let classes = Vocab::new(known.iter().map(label));
        notes.extend(class_warnings(&classes, known.len()).map_err(|what| self.refuse(what, &classes))?);
        notes.extend(warnings);
        let targets = known.iter().map(|i| classes.index(&label(i))).collect::<Result<Vec<u32>>>()?;
        // `known` is sorted, so its items are found by halving.
        let at = |i: usize| known.binary_search(&i).unwrap_or_default();
        let valid: HashSet<usize> = sides.valid.iter().copied().collect();
        notes.extend(copy_notes(&tokens, |i| targets[i], |i| valid.contains(&known[i]), |i| places[known[i]].clone()));

        let dataset = |items: &[usize], ids: Vec<Vec<u32>>, labels: Vec<u32>| {
            let of = |from: &[String]| items.iter().map(|&i| from[i].clone()).collect();
            TextDataset::new(&procs, of(&texts), of(&places), ids, labels)
        };
        let side = |items: &[usize]| {
            let own = items.iter().map(|&i| ids[at(i)].clone()).collect();
            dataset(items, own, items.iter().map(|&i| targets[at(i)]).collect())
        };
        let rng = Rng::new(self.seed).stream("data");
        let train = TextLoader::train(side(&sides.train), &classes, batch_size, &rng)?;
        let valid = TextLoader::valid(side(&sides.valid), &classes, batch_size)?;
        let (test, strange): (Vec<usize>, Vec<usize>) =
            sides.test.iter().partition(|i| classes.index(&label(i)).is_ok());
        if let Some(&first) = strange.first() {
            let (n, class) = (strange.len(), label(&first));
            notes.push(format!(
                "{n} texts of the test set are of a class that nothing trains, such as `{class}`, and are left out"
            ));
        }
        let test = if test.is_empty() {
            None
        } else {
            let labels = test.iter().map(|i| classes.index(&label(i))).collect::<Result<Vec<u32>>>()?;
            let own: Vec<&String> = test.iter().map(|&i| &texts[i]).collect();
            Some(TextLoader::valid(dataset(&test, procs.ids_of(&own), labels), &classes, batch_size)?)
        };
        let dls = TextDataLoaders { train, valid, test, seed: self.seed, batch_size };
        let remedy = "accuracy alone says little, and balanced accuracy more";
        notes.extend(balance::warnings_with(&classes, &dls.counts(), remedy));
        self.tell(&notes);
        Ok(dls)
    }

    /// Loaders for a language model, which learns from all texts whatever their class is, in `batch_size` rows.
    ///
    /// # Errors
    /// As [`TextBlock::dataloaders`], but that no classes are needed; and when there are too few words for the rows.
    pub fn language_model(&self, batch_size: usize) -> Result<LanguageModelDataLoaders> {
        let Source { texts, places, sides, mut notes, .. } = self.source(false)?;
        let known = sorted(&[&sides.train, &sides.valid]);
        let Numbered { procs, ids, warnings, .. } = self.numbers(&texts, &places, &known, None)?;
        notes.extend(warnings);
        let rng = Rng::new(self.seed).stream("data");
        let side = |items: &[usize], is_train: bool| {
            let at = |&i: &usize| ids[known.binary_search(&i).unwrap_or_default()].clone();
            let stream = StreamDataset::new(&procs, items.iter().map(at).collect(), batch_size, is_train)?;
            LanguageModelLoader::new(stream, batch_size, &rng)
        };
        let (train, valid) = (side(&sides.train, true)?, side(&sides.valid, false)?);
        self.tell(&notes);
        Ok(LanguageModelDataLoaders { train, valid, seed: self.seed })
    }

    /// An error about the classes.
    fn refuse(&self, what: String, classes: &Vocab) -> Error {
        match &self.from {
            Origin::File(path) | Origin::Folder(path) => Error::file(path, what),
            _ => Error::label(classes.classes().join(", "), classes.n_classes(), what),
        }
    }

    fn tell(&self, notes: &[String]) {
        notes.iter().for_each(|note| self.listener.tell(Event::Note(note)));
    }

    /// The texts with their sides, and with classes if these are wanted.
    fn source(&self, classes: bool) -> Result<Source> {
        let default = Splitting::Random(0.2);
        let splitting = self.splitting.as_ref().unwrap_or(&default);
        let split = HowToSplit { splitting, is_chosen: self.splitting.is_some(), seed: self.seed };
        let of_table = |table: &Table| {
            let named = |place: usize, of_what: &str| match table.names().get(place) {
                Some(name) => Ok(name.clone()),
                None => Err(Error::config("target", format!("there is no second column for {of_what}; name it"))),
            };
            let text = if self.text.is_empty() { vec![named(0, "the text")?] } else { self.text.clone() };
            let target = match (&self.target, classes) {
                (_, false) => None,
                (Some(target), true) => Some(target.clone()),
                (None, true) => Some(named(1, "the class")?),
            };
            if let Some(twice) = target.as_ref().filter(|target| text.contains(target)) {
                let message = format!("the column `{twice}` is named as the text and as the class");
                return Err(Error::config("target", message));
            }
            Source::of_table(table, &text, target.as_deref(), &split)
        };
        match &self.from {
            Origin::File(file) => of_table(&Table::read_in(file, &[] as &[&str], self.encoding)?),
            Origin::Table(table) => of_table(table),
            Origin::Folder(_) | Origin::Memory(_) if !self.text.is_empty() || self.target.is_some() => {
                Err(Error::config("text", "columns are named, but the texts are in no table"))
            }
            Origin::Folder(folder) => Source::of_folder(folder, self.encoding, classes, &split),
            Origin::Memory(texts) => {
                if let (true, Some(i)) = (classes, texts.iter().position(|(_, label)| label.is_none())) {
                    return Err(Error::Value(format!("text {i} has no class, and a classifier needs one of each")));
                }
                Source::in_memory(texts, &split)
            }
        }
    }

    /// Makes numbers of the texts that are known.
    fn numbers(
        &self,
        texts: &[String],
        places: &[String],
        known: &[usize],
        max_tokens: Option<usize>,
    ) -> Result<Numbered> {
        if max_tokens == Some(0) {
            return Err(Error::config("max_tokens", "of 0 tokens nothing is read; fast.ai judges the last 1440"));
        }
        if self.seq_len == 0 {
            return Err(Error::config("seq_len", "chunks of 0 tokens hold nothing; fast.ai takes 72"));
        }
        let known: Vec<(&str, &str)> = known.iter().map(|&i| (texts[i].as_str(), places[i].as_str())).collect();
        let corpus = self.tokenizer.corpus(&known.iter().map(|(text, _)| *text).collect::<Vec<_>>());
        let vocab = self.vocab.clone().unwrap_or_else(|| TextVocab::fit(&corpus, self.size));
        let mut ids = vocab.encode(&corpus);
        let (tokenizer, seq_len, backwards) = (self.tokenizer.clone(), self.seq_len, self.backwards);
        let procs = Arc::new(TextProcs { tokenizer, vocab, seq_len, backwards, max_tokens });
        let warnings = text_warnings(&known, &ids, &procs);
        ids.iter_mut().for_each(|text| procs.prepare(text));
        Ok(Numbered { procs, ids, tokens: corpus.numbers().to_vec(), warnings })
    }
}

/// Texts as numbers.
struct Numbered {
    /// How they become these.
    procs: Arc<TextProcs>,
    /// What a network reads of each.
    ids: Vec<Vec<u32>>,
    /// All tokens of each, those that a network does not know too.
    tokens: Vec<Vec<u32>>,
    /// What looks wrong with the texts.
    warnings: Vec<String>,
}

/// All items of several sides, in their order.
fn sorted(sides: &[&Vec<usize>]) -> Vec<usize> {
    let mut all: Vec<usize> = sides.iter().flat_map(|side| side.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}
