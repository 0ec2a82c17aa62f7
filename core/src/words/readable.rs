//! From tokens back to what people read.

use super::special::{BOS, EOS, FAKE, FLD, MAJ, PAD, REP, UP, WREP};

/// Tokens with the marks of fast.ai's rules undone: capitals are capitals again, and what was repeated is. fast.ai's
/// `decode_spec_tokens`, which forgets no count: after `xxrep 3 !` it repeats the next words too. Ours counts anew.
pub fn without_marks(tokens: &[impl AsRef<str>]) -> Vec<String> {
    let mut words = Vec::with_capacity(tokens.len());
    let mut pending = Pending::Nothing;
    for token in tokens.iter().map(AsRef::as_ref) {
        pending = match (token, pending) {
            (MAJ, _) => Pending::Capital,
            (UP, _) => Pending::Capitals,
            (REP, _) => Pending::Count { of_words: false },
            (WREP, _) => Pending::Count { of_words: true },
            // A mark without a number is left out, and so is what stands in the number's place.
            (_, Pending::Count { of_words }) => {
                token.parse().map_or(Pending::Nothing, |n: usize| Pending::Repeat { of_words, n: n.min(MOST_REPEATED) })
            }
            (word, pending) => {
                match pending {
                    Pending::Capital => words.push(capitalized(word)),
                    Pending::Capitals => words.push(word.to_uppercase()),
                    Pending::Repeat { of_words: false, n } => words.push(word.repeat(n)),
                    Pending::Repeat { of_words: true, n } => words.extend(std::iter::repeat_n(word.to_string(), n)),
                    Pending::Nothing | Pending::Count { .. } => words.push(word.to_string()),
                }
                Pending::Nothing
            }
        };
    }
    words
}

/// What the marks so far say of the next word.
enum Pending {
    Nothing,
    Capital,
    Capitals,
    /// The next token is the number of times.
    Count {
        of_words: bool,
    },
    Repeat {
        of_words: bool,
        n: usize,
    },
}

/// A network may write any number after `xxrep`.
const MOST_REPEATED: usize = 1000;

/// Tokens as a text to read: without marks, padding and `xxbos`, and with spaces where English has them. The original
/// spacing is not known any more, so this is a guess at it.
///
/// ```
/// let tokens = "xxbos xxmaj it 's well - made , \" really \" ( is n't it ? ) xxrep 3 !".split(' ');
/// let text = tallow::words::readable(&tokens.collect::<Vec<_>>());
/// assert_eq!(text, "It's well-made, \"really\" (isn't it?)!!!");
/// ```
pub fn readable(tokens: &[impl AsRef<str>]) -> String {
    readable_parts(&[tokens]).concat()
}

/// The text of [`readable`] in parts, one for each row of tokens; a part begins with the space that is before it.
///
/// ```
/// let parts = [&["xxbos", "xxmaj", "good"][..], &["is", "n't"], &["it"]];
/// assert_eq!(tallow::words::readable_parts(&parts), ["Good", " isn't", " it"]);
/// ```
pub fn readable_parts<T: AsRef<str>>(parts: &[&[T]]) -> Vec<String> {
    let (mut glues, mut in_quotes) = (true, false);
    let written = |tokens: &&[T]| {
        let mut text = String::new();
        for word in without_marks(tokens) {
            if [BOS, EOS, PAD, FAKE].contains(&word.as_str()) {
                continue;
            }
            let is_quote = word == "\"";
            let closes = is_quote && in_quotes;
            if !(glues || closes || joins_before(&word)) {
                text.push(' ');
            }
            text.push_str(&word.replace('▁', " "));
            in_quotes ^= is_quote;
            glues = (is_quote && !closes) || joins_after(&word);
        }
        text
    };
    parts.iter().map(written).collect()
}

/// Tokens in rows that mean something by themselves: each word with the marks before it that say how it is written, and
/// marks of the whole text (`xxbos`, fields) each with the word that follows. The tokens of all rows are those of the
/// text, in order.
///
/// ```
/// let tokens = ["xxbos", "xxup", "good", "xxrep", "3", "!"];
/// let words = tallow::words::marked_words(&tokens);
/// assert_eq!(words, [&tokens[..3], &tokens[3..]]);
/// ```
pub fn marked_words<T: AsRef<str>>(tokens: &[T]) -> Vec<&[T]> {
    let (mut words, mut start, mut at) = (Vec::new(), 0, 0);
    while at < tokens.len() {
        at += match tokens[at].as_ref() {
            BOS | MAJ | UP => 1,
            // What follows is a number.
            FLD | REP | WREP => 2,
            _ => {
                words.push(&tokens[start..=at]);
                start = at + 1;
                1
            }
        };
    }
    if start < tokens.len() {
        words.push(&tokens[start..]);
    }
    words
}

/// Whether no space comes before: after a word, `'s` and `n't`, and marks that close.
fn joins_before(word: &str) -> bool {
    let is_ending = ["n't", "n’t", "-", "/"].contains(&word) || (word.len() > 1 && word.starts_with(['\'', '’']));
    is_ending || word.chars().all(|c| ".,;:!?)]}%…”".contains(c))
}

fn joins_after(word: &str) -> bool {
    ["-", "/", "(", "[", "{", "$", "#", "“", "‘", "\n"].contains(&word)
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(chars.as_str().to_lowercase().chars()).collect()
}
