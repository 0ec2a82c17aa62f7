//! A network for tables as an ONNX file.

use super::predictor::TabularPredictor;
use crate::data::TableTarget;
use crate::error::{Error, Result};
use crate::onnx::{Finish, OnnxOptions, OnnxSummary, Sample, Work};
use crate::rng::Rng;
use crate::train::Model;
use candle_core::Tensor;
use std::path::Path;

impl TabularPredictor {
    /// Writes the network as ONNX, for programs in other languages.
    ///
    /// The file takes `categories`, `[N, columns]` (the number of each cell's class), and `numbers`, `[N, columns]`,
    /// filled and normalised, as far as the model has such columns; the note `columns` has the columns in order with
    /// their classes, fills, means and deviations. It makes `scores` and `probabilities` of the classes in the note
    /// `classes`, or `predictions` of the columns in the note `targets`. `N` is free. Of the options only
    /// [`OnnxOptions::half`] matters.
    ///
    /// # Errors
    /// [`Error::File`] when the file, read back and run, does not say what the network says; [`Error::Io`] when it
    /// cannot be written. No file is left then.
    pub fn export_onnx(&self, file: impl AsRef<Path>, options: OnnxOptions) -> Result<OnnxSummary> {
        let (columns, target, device) = (self.encoding(), self.target(), self.device());
        let classes: Vec<usize> = columns.categories().iter().map(|column| column.classes.len()).collect();
        let n_numbers = columns.numbers().len();
        let codes = |n: usize, rng: &mut Rng| -> Result<Tensor> {
            let codes: Vec<u32> =
                (0..n).flat_map(|_| classes.iter().map(|&n| rng.below(n) as u32).collect::<Vec<_>>()).collect();
            Ok(Tensor::from_vec(codes, (n, classes.len()), device)?)
        };
        let numbers = |n: usize, rng: &mut Rng| -> Result<Tensor> {
            let numbers: Vec<f32> = (0..n * n_numbers).map(|_| rng.normal() as f32).collect();
            Ok(Tensor::from_vec(numbers, (n, n_numbers), device)?)
        };
        let mut inputs = Vec::new();
        if !classes.is_empty() {
            inputs.push(Sample { name: "categories", whole: true, free: None, draw: Box::new(codes) });
        }
        if n_numbers > 0 {
            inputs.push(Sample { name: "numbers", whole: false, free: None, draw: Box::new(numbers) });
        }
        let forward = |inputs: &[Tensor]| -> Result<Tensor> {
            let n = inputs[0].dim(0)?;
            let (codes, numbers) = match inputs {
                [codes, numbers] => (codes.clone(), numbers.clone()),
                [only] if n_numbers == 0 => (only.clone(), numbers(n, &mut Rng::new(0))?),
                _ => (codes(n, &mut Rng::new(0))?, inputs[0].clone()),
            };
            self.network().forward_inputs(&codes, &[numbers], false)
        };
        let json = |value: serde_json::Result<String>| {
            value.map_err(|e| Error::Value(format!("a note cannot be written: {e}")))
        };
        let mut notes = vec![("columns", json(serde_json::to_string(columns))?)];
        let (finish, task) = match target {
            TableTarget::Class { classes, .. } => {
                notes.push(("classes", json(serde_json::to_string(classes))?));
                (Finish::Softmax(1.0), "classification of rows")
            }
            TableTarget::Numbers(numbers) => {
                notes.push(("targets", json(serde_json::to_string(&target.columns()))?));
                if numbers.iter().any(|number| number.offset != 0.0) {
                    // In single precision they would take the digits with them.
                    let offsets: Vec<f64> = numbers.iter().map(|number| number.offset).collect();
                    notes.push(("add_to_outputs", json(serde_json::to_string(&offsets))?));
                }
                (Finish::Plain, "regression")
            }
        };
        notes.push(("task", task.into()));
        let work = Work {
            inputs,
            forward: &forward,
            finish,
            pixels: None,
            half: options.half,
            about: format!("a network for tables: {task} by {}", target.columns().join(", ")),
            notes: notes.into_iter().map(|(key, value)| (key.to_string(), value)).collect(),
        };
        work.write(file.as_ref())
    }
}
