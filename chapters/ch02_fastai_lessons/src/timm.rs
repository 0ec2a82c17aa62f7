//! timm's published tables: which models there are, how accurate and how fast they are.

use regex::Regex;
use std::path::Path;
use tallow::cli::Session;
use tallow::data::Table;
use tallow::{Error, Result};

/// The names of the published files.
const RESULTS: &str = "results-imagenet.csv";
const INFERENCE: &str = "benchmark-infer-amp-nhwc-pt111-cu113-rtx3090.csv";
const TRAINING: &str = "benchmark-train-amp-nhwc-pt111-cu113-rtx3090.csv";

/// The three tables, as published.
pub(crate) struct Published {
    /// A row for each set of weights: accuracy on ImageNet.
    pub(crate) results: Table,
    /// A row for each network: images per second on an RTX 3090, predicting.
    pub(crate) inference: Table,
    /// The same while training.
    pub(crate) training: Table,
}

/// A network with one of its sets of weights: a row of the joined table.
#[derive(Clone)]
pub(crate) struct Model {
    /// Its rows in the tables of speeds and of results.
    pub(crate) row: usize,
    pub(crate) result: usize,
    pub(crate) name: String,
    /// The name with the tag that says how the weights were trained.
    pub(crate) full_name: String,
    pub(crate) family: String,
    /// Images per second.
    pub(crate) speed: f64,
    /// Seconds per image.
    pub(crate) secs: f64,
    /// The side of the images that the speed was measured with, in pixels.
    pub(crate) img_size: f64,
    /// The side of those that the accuracy was measured with.
    pub(crate) accuracy_img_size: f64,
    /// Millions of parameters.
    pub(crate) params: f64,
    /// Accuracy in percent.
    pub(crate) top1: f64,
}

impl Published {
    /// The whole tables if they were fetched, else the extract that is part of the program.
    pub(crate) fn open(s: &mut Session) -> Result<Published> {
        match s.data.find("timm_results") {
            Ok(folder) => {
                s.data("timm's tables of results, Apache-2.0");
                Published::read(&folder)
            }
            Err(tallow_datasets::Error::Missing { .. }) => {
                s.data(
                    "an extract of timm's tables of results, Apache-2.0: the 77 networks of nine families that have \
                     both an accuracy and a speed, and the five most accurate models. `cargo xtask fetch-data --only \
                     timm_results` gets the whole tables",
                );
                Published::embedded()
            }
            Err(error) => Err(error.into()),
        }
    }

    fn read(folder: &Path) -> Result<Published> {
        let table = |name: &str| Table::read(folder.join(name));
        Ok(Published { results: table(RESULTS)?, inference: table(INFERENCE)?, training: table(TRAINING)? })
    }

    fn embedded() -> Result<Published> {
        let training = include_str!("../data/timm/benchmark-train-amp-nhwc-pt111-cu113-rtx3090.csv");
        let inference = include_str!("../data/timm/benchmark-infer-amp-nhwc-pt111-cu113-rtx3090.csv");
        Ok(Published {
            results: Table::from_csv(RESULTS, include_str!("../data/timm/results-imagenet.csv"))?,
            inference: Table::from_csv(INFERENCE, inference)?,
            training: Table::from_csv(TRAINING, training)?,
        })
    }
}

/// The table of results with names cut at the first dot, `levit_128s` of `levit_128s.fb_dist_in1k`, and the full ones
/// in a column `model_org`.
pub(crate) fn without_tags(results: &Table) -> Result<Table> {
    let model = results.place("model")?;
    let names: Vec<&str> = results.names().iter().map(String::as_str).chain(["model_org"]).collect();
    let mut rows = Vec::new();
    for row in 0..results.n_rows() {
        let full_name = text(results, row, model)?;
        let mut cells: Vec<&str> =
            (0..results.names().len()).map(|column| results.cell(row, column).unwrap_or_default()).collect();
        cells[model] = full_name.split('.').next().unwrap_or(full_name);
        cells.push(full_name);
        rows.push(cells);
    }
    Table::from_rows(&names, rows)
}

/// The family that a network's name begins with, `regnetx` of `regnetx_002`, as the source's `get_data` finds it.
pub(crate) fn family(name: &str) -> Result<Option<String>> {
    let head = pattern(r"^([a-z]+?(?:v2)?)(?:\d|_|$)")?;
    let Some(found) = head.captures(name) else { return Ok(None) };
    let mut family = String::from(&found[1]);
    if name.contains("in22") {
        family.push_str("_in22");
    }
    if pattern("resnet.*d")?.is_match(name) {
        family.push('d');
    }
    Ok(Some(family))
}

/// Joins speeds with accuracies by the names of the networks, which `results` has without tags, and keeps the families
/// that the source keeps: its `get_data`. `part` is `infer` or `train`.
pub(crate) fn get_data(part: &str, benchmark: &Table, results: &Table) -> Result<Vec<Model>> {
    let wanted = pattern("^re[sg]netd?|beit|convnext|levit|efficient|vit|vgg|swin")?;
    let column = |name: &str| benchmark.place(&format!("{part}_{name}"));
    let [speed, img_size] = [column("samples_per_sec")?, column("img_size")?];
    let (name, params) = (benchmark.place("model")?, benchmark.place("param_count")?);
    let (result_name, full_name) = (results.place("model")?, results.place("model_org")?);
    let accuracy_img_size = results.place("img_size")?;
    let top1 = results.place("top1")?;

    let mut models = Vec::new();
    for row in 0..benchmark.n_rows() {
        let network = text(benchmark, row, name)?;
        let Some(family) = family(network)?.filter(|family| wanted.is_match(family)) else { continue };
        // The source leaves out two networks with group normalisation, without saying why.
        if network.ends_with("gn") {
            continue;
        }
        for result in 0..results.n_rows() {
            if text(results, result, result_name)? != network {
                continue;
            }
            let speed = number(benchmark, row, speed)?;
            models.push(Model {
                row,
                result,
                name: String::from(network),
                full_name: String::from(text(results, result, full_name)?),
                family: family.clone(),
                speed,
                secs: 1.0 / speed,
                img_size: number(benchmark, row, img_size)?,
                accuracy_img_size: number(results, result, accuracy_img_size)?,
                params: number(benchmark, row, params)?,
                top1: number(results, result, top1)?,
            });
        }
    }
    Ok(models)
}

/// A regular expression of ours.
pub(crate) fn pattern(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|e| Error::Value(format!("`{pattern}` is no regular expression: {e}")))
}

fn text(table: &Table, row: usize, column: usize) -> Result<&str> {
    table.cell(row, column).ok_or_else(|| table.error(row, column, "a name is missing"))
}

fn number(table: &Table, row: usize, column: usize) -> Result<f64> {
    table.number(row, column)?.ok_or_else(|| table.error(row, column, "a number is missing"))
}
