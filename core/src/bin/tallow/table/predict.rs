//! `tallow table predict`: the rows of a table, or one row.

use crate::{model, say};
use std::path::{Path, PathBuf};
use tallow::data::TableRow;
use tallow::tabular_learner::{TabularPredictor, load_tabular_on};
use tallow::{Error, Result, device};

#[derive(Debug, clap::Args)]
pub(crate) struct PredictArgs {
    /// The folder of a run of `tallow table`, or the model in it
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// A table with the columns that the model was trained on, CSV
    #[arg(value_name = "FILE", required_unless_present = "set")]
    file: Option<PathBuf>,

    /// One cell of a single row to predict, once for each column; a column without one is missing
    #[arg(long, value_name = "COLUMN=VALUE", conflicts_with_all = ["file", "out"], value_parser = cell)]
    set: Vec<(String, String)>,

    /// The file for the table with what is predicted [default: it is printed]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace the file of `--out` if it is there
    #[arg(long, requires = "out")]
    overwrite: bool,

    /// Where to compute: auto, cpu, cuda, cuda:N or metal
    #[arg(long, env = "TALLOW_DEVICE", default_value = "auto", value_name = "DEVICE")]
    device: String,
}

fn cell(text: &str) -> std::result::Result<(String, String), String> {
    let pair = text.split_once('=').map(|(column, value)| (column.trim().to_string(), value.trim().to_string()));
    pair.filter(|(column, _)| !column.is_empty()).ok_or_else(|| "expected COLUMN=VALUE, such as age=39".into())
}

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let predictor = load_tabular_on(model::folder_for(model::TABLES, &args.model)?, &device::parse(&args.device)?)?;
    match &args.file {
        Some(file) => table(&predictor, file, args),
        None => {
            let column = |at: usize| &args.set[at].0;
            if let Some(twice) = (1..args.set.len()).find(|&at| (0..at).any(|before| column(before) == column(at))) {
                return Err(Error::Usage(format!("`--set` names the column `{}` twice", column(twice))));
            }
            let row = args.set.iter().fold(TableRow::new(), |row, (column, value)| row.with(column, value));
            say(predictor.predict(&row)?.to_string())
        }
    }
}

fn table(predictor: &TabularPredictor, file: &Path, args: &PredictArgs) -> Result<()> {
    if let Some(out) = args.out.as_ref().filter(|out| out.exists() && !args.overwrite) {
        return Err(Error::Usage(format!("{} is there already; `--overwrite` replaces it", out.display())));
    }
    let table = predictor.read(file)?;
    let predictions = predictor.predict_table(&table)?;
    let csv = predictor.predictions_csv(&table, &predictions);
    let noted = predictions.iter().filter(|prediction| !prediction.notes.is_empty()).count();
    if noted > 0 {
        let n = predictions.len();
        eprintln!("note: {noted} of {n} rows have cells that are missing or unknown in training; see their notes");
    }
    match &args.out {
        None => say(csv.trim_end()),
        Some(out) => {
            tallow_io::atomic::write(out, csv.as_bytes())?;
            say(format!("{} rows are in {}", predictions.len(), out.display()))
        }
    }
}
