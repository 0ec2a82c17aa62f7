//! `tallow text predict`: the classes of texts, and the words that decide.

use super::coloured::{summary, word_of};
use super::texts::EncodingName;
use crate::{model, say, say_csv, say_json};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use tallow::data::{Encoding, Table, TextProcs};
use tallow::interpret::Occlusion;
use tallow::text_learner::{TextPrediction, TextPredictor, load_text_classifier_on};
use tallow::words::{SPECIAL, UNK_ID};
use tallow::{Error, Result, device};
use tallow_io::csv;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Words that the network does not know all look the same to it; how many they are is told. With \
                  `--words` each word is left out in turn, and those are named without which the class is less \
                  probable (for it) or more (against it)."
)]
pub(crate) struct PredictArgs {
    /// The folder of a run of `tallow text`, or the model in it
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// A text, or several
    #[arg(value_name = "TEXT", required_unless_present = "file")]
    texts: Vec<String>,

    /// A file of texts: a table (CSV with a line of column names), or a .txt file with a text in each line
    #[arg(long, value_name = "FILE", conflicts_with = "texts")]
    file: Option<PathBuf>,

    /// The column of the table that has the text, or several that make it together [default: the only column]
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',', requires = "file")]
    text: Vec<String>,

    /// How the bytes of the file stand for characters
    #[arg(long, value_name = "NAME", value_enum, default_value = "utf-8", requires = "file")]
    encoding: EncodingName,

    /// Tell which words decide: each is left out in turn, which takes a prediction for each word
    #[arg(long)]
    words: bool,

    /// The file for the table with what is predicted [default: it is printed]
    #[arg(long, value_name = "FILE", requires = "file")]
    out: Option<PathBuf>,

    /// Replace the file of `--out` if it is there
    #[arg(long, requires = "out")]
    overwrite: bool,

    /// Print one JSON object for each text, a line each
    #[arg(long, conflicts_with = "file")]
    json: bool,

    /// Where to compute: auto, cpu, cuda, cuda:N or metal
    #[arg(long, env = "TALLOW_DEVICE", default_value = "auto", value_name = "DEVICE")]
    device: String,
}

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    if let Some(out) = args.out.as_ref().filter(|out| out.exists() && !args.overwrite) {
        return Err(Error::Usage(format!("{} is there already; `--overwrite` replaces it", out.display())));
    }
    if let Some(file) = args.texts.iter().find(|text| !text.contains(' ') && Path::new(text).is_file()) {
        return Err(Error::Usage(format!("`{file}` is a file, and no text: `--file {file}` reads the texts in it")));
    }
    let folder = model::folder_for(model::TEXTS, &args.model)?;
    let predictor = load_text_classifier_on(folder, &device::parse(&args.device)?)?;
    match &args.file {
        Some(file) => of_file(args, &predictor, file),
        None => args.texts.iter().try_for_each(|text| of_text(args, &predictor, text)),
    }
}

/// One text of the command line.
fn of_text(args: &PredictArgs, predictor: &TextPredictor, text: &str) -> Result<()> {
    let prediction = predictor.predict(text)?;
    let occlusion = if args.words { Some(Occlusion::of(predictor, text, None)?) } else { None };
    let (words, unknown) = counted(predictor.procs(), text);
    if args.json {
        let classes: Map<String, Value> =
            predictor.classes().iter().cloned().zip(prediction.probabilities.iter().map(|&p| p.into())).collect();
        let mut line = json!({
            "text": text, "class": prediction.class, "probability": prediction.probability, "probabilities": classes,
            "words": words, "unknown_words": unknown,
        });
        if let Some(occlusion) = occlusion {
            let falls = occlusion.words.iter().map(|word| json!({ "word": word.text.trim(), "fall": word.fall }));
            line["occlusion"] = falls.collect();
        }
        return say_json(&line);
    }
    let mut line = prediction.to_string();
    if args.texts.len() > 1 {
        line += &format!("  {}", beginning(text));
    }
    say(line)?;
    if let Some(occlusion) = occlusion {
        say(format!("  {}", summary(&occlusion, &prediction.class)))?;
    }
    if let Some(note) = note(words, unknown) {
        eprintln!("note: {note}");
    }
    Ok(())
}

/// The texts of a file, as a table with what is predicted.
fn of_file(args: &PredictArgs, predictor: &TextPredictor, file: &Path) -> Result<()> {
    let (table, texts) = read(args, file)?;
    let mut predictions = Vec::with_capacity(texts.len());
    let known: Vec<&String> = texts.iter().flatten().collect();
    let mut made = predictor.predict_texts(&known)?.into_iter();
    for text in &texts {
        predictions.push(if text.is_some() { made.next() } else { None });
    }
    let csv = table_of(args, predictor, &table, &texts, &predictions)?;
    let unread = texts.iter().filter(|text| text.is_none()).count();
    if unread > 0 {
        eprintln!("note: {unread} of {} rows have no text, and nothing is predicted of them", texts.len());
    }
    match &args.out {
        None => say_csv(&csv),
        Some(out) => {
            tallow_io::atomic::write(out, csv.as_bytes())?;
            say(format!("{} texts are in {}", texts.len() - unread, out.display()))
        }
    }
}

/// A file as a table, and the text of each row, if it has one.
fn read(args: &PredictArgs, file: &Path) -> Result<(Table, Vec<Option<String>>)> {
    let encoding = Encoding::from(args.encoding);
    if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt")) {
        if !args.text.is_empty() {
            return Err(Error::Usage("a .txt file has a text in each line, and no columns: leave `--text` out".into()));
        }
        let text = encoding.read(file)?;
        let lines: Vec<String> = text.lines().map(|line| line.trim().to_string()).collect();
        if lines.iter().all(String::is_empty) {
            return Err(Error::file(file, "is empty; expected a text in each line"));
        }
        let rows = lines.iter().enumerate().map(|(i, text)| [(i + 1).to_string(), text.clone()]);
        let table = Table::from_rows(&["line", "text"], rows)?;
        return Ok((table, lines.into_iter().map(|line| Some(line).filter(|line| !line.is_empty())).collect()));
    }
    let table = Table::read_in(file, &[] as &[&str], encoding)?;
    let columns = match (args.text.as_slice(), table.names()) {
        ([], [_]) => vec![0],
        ([], names) => {
            let names = names.join(", ");
            return Err(Error::Usage(format!("name the column of the text by `--text`; the columns are {names}")));
        }
        (named, _) => named.iter().map(|name| table.place(name)).collect::<Result<Vec<usize>>>()?,
    };
    let text = |row: usize| {
        let cells: Vec<Option<&str>> = columns.iter().map(|&column| table.cell(row, column)).collect();
        let has_one = cells.iter().any(Option::is_some);
        has_one.then(|| TextProcs::joined(&cells.iter().map(|cell| cell.unwrap_or_default()).collect::<Vec<_>>()))
    };
    let texts = (0..table.n_rows()).map(text).collect();
    Ok((table, texts))
}

/// The table's own columns, then what is predicted.
fn table_of(
    args: &PredictArgs,
    predictor: &TextPredictor,
    table: &Table,
    texts: &[Option<String>],
    predictions: &[Option<TextPrediction>],
) -> Result<String> {
    let quoted = |cell: &str| if cell.parse::<f64>().is_ok() { cell.to_string() } else { csv::text(cell).into_owned() };
    let mut heads: Vec<String> = table.names().iter().map(|name| quoted(name)).collect();
    heads.push("predicted".into());
    heads.extend(predictor.classes().iter().map(|class| quoted(&format!("probability of {class}"))));
    heads.extend(args.words.then(|| "words".to_string()));
    heads.push("notes".into());
    let mut rows = vec![heads];
    for (i, (text, prediction)) in texts.iter().zip(predictions).enumerate() {
        let cells = (0..table.names().len()).map(|column| table.cell(i, column).unwrap_or_default());
        let mut row: Vec<String> = cells.map(quoted).collect();
        let (Some(text), Some(prediction)) = (text, prediction) else {
            row.resize(row.len() + 1 + predictor.classes().len() + usize::from(args.words), String::new());
            row.push("no text".into());
            rows.push(row);
            continue;
        };
        row.push(quoted(&prediction.class));
        row.extend(prediction.probabilities.iter().map(|p| format!("{p:.6}")));
        if args.words {
            let occlusion = Occlusion::of(predictor, text, None)?;
            let words = occlusion.strongest(5);
            let words: Vec<String> = words.iter().map(|word| format!("{} {:+.3}", word_of(word), word.fall)).collect();
            row.push(quoted(&words.join("; ")));
        }
        row.push(unknown_words(predictor, text).unwrap_or_default());
        rows.push(row);
    }
    Ok(csv::to_string(rows))
}

/// How many words a text has, and how many of them the network does not know.
fn counted(procs: Option<&TextProcs>, text: &str) -> (usize, usize) {
    // Pieces of words make every word.
    let Some(procs) = procs else { return (text.split_whitespace().count(), 0) };
    let tokens = procs.tokenizer.tokens(text);
    let words: Vec<&String> = tokens.iter().filter(|token| !SPECIAL.contains(&token.as_str())).collect();
    (words.len(), procs.vocab.ids(&words).iter().filter(|&&id| id == UNK_ID).count())
}

/// What should be known of the words of a text: how many of them the network does not know.
pub(crate) fn unknown_words(predictor: &TextPredictor, text: &str) -> Option<String> {
    let (words, unknown) = counted(predictor.procs(), text);
    note(words, unknown)
}

/// What should be known of a text of which so many words are unknown.
fn note(words: usize, unknown: usize) -> Option<String> {
    match (words, unknown) {
        (0, _) => Some("no words: only the beginning of a text is judged".into()),
        (_, 0) => None,
        (n, unknown) => Some(format!("{unknown} of {n} words are unknown to the network")),
    }
}

fn beginning(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST { line } else { line.chars().take(LONGEST).chain(['…']).collect() }
}
