//! A table of a network's layers: fast.ai's `learn.summary()`.

use crate::error::Result;
use crate::kernels;
use crate::nn::{Module, Observation, Param, ParamKind, Params, observe};
use candle_core::{DType, Tensor};
use std::collections::BTreeMap;
use std::fmt;

/// The layers of a network, in the order in which they ran.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The shape of the input.
    pub input: Vec<usize>,
    /// A row for each layer that ran.
    pub rows: Vec<Row>,
    /// Trainable and frozen parameters.
    pub parameters: usize,
    /// Those of them that an optimizer moves.
    pub trainable: usize,
    /// The multiply-adds for the whole batch.
    pub multiply_adds: u64,
    /// Parameters and buffers in memory.
    pub bytes: usize,
}

/// A layer in a [`Summary`].
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The prefix of its parameters' names; empty if it has none.
    pub name: String,
    /// PyTorch's name of its type.
    pub layer: &'static str,
    /// The shape of its result, images as `[N, C, H, W]`.
    pub output: Vec<usize>,
    /// The number of its parameters, without buffers.
    pub parameters: usize,
    /// Those of them that an optimizer moves.
    pub trainable: usize,
}

/// Summarises a network by a forward pass, in inference mode, over zeros of the shape `input`. `params` are the
/// network's.
///
/// # Errors
/// When the network does not take this shape.
pub fn summary(network: &dyn Module, params: &Params, input: &[usize]) -> Result<Summary> {
    let zeros = Tensor::zeros(input, DType::F32, params.device())?;
    let (result, seen) = observe(|| kernels::no_grad(|| network.forward(&zeros, false)));
    result?;
    let all = params.all();
    let by_name: BTreeMap<&str, &Param> = all.iter().map(|param| (param.name(), param)).collect();
    let sum = |params: &[&Param]| params.iter().map(|param| param.elem_count()).sum::<usize>();
    let row = |seen: &Observation| {
        let own: Vec<&Param> = seen.params.iter().filter_map(|name| by_name.get(name.as_str()).copied()).collect();
        let own: Vec<&Param> = own.into_iter().filter(|param| param.kind() != ParamKind::Buffer).collect();
        let moving: Vec<&Param> = own.iter().copied().filter(|param| param.trainable()).collect();
        let name = seen.params.first().and_then(|name| name.rsplit_once('.')).map_or("", |(name, _)| name);
        Row {
            name: name.to_string(),
            layer: seen.layer,
            output: seen.output.clone(),
            parameters: sum(&own),
            trainable: sum(&moving),
        }
    };
    Ok(Summary {
        input: input.to_vec(),
        rows: seen.iter().map(row).collect(),
        parameters: params.num_parameters(),
        trainable: params.trainable().iter().map(Param::elem_count).sum(),
        multiply_adds: seen.iter().map(|seen| seen.multiply_adds).sum(),
        bytes: all.iter().map(|param| 4 * param.elem_count()).sum(),
    })
}

/// A table, as fast.ai prints it.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = |dims: &[usize]| dims.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
        let wide = |length: fn(&Row) -> usize, least: usize| self.rows.iter().map(length).fold(least, usize::max);
        let (names, layers) = (wide(|row| row.name.len(), 4), wide(|row| row.layer.len(), 5));
        let line = |f: &mut fmt::Formatter<'_>, [name, layer, output, parameters, trainable]: [&str; 5]| {
            let line = format!("{name:names$}  {layer:layers$}  {output:20}  {parameters:>12}  {trainable}");
            writeln!(f, "{}", line.trim_end())
        };
        writeln!(f, "Input: {}", shape(&self.input))?;
        line(f, ["Name", "Layer", "Output shape", "Parameters", "Trainable"])?;
        for row in &self.rows {
            let trainable = match row.trainable {
                _ if row.parameters == 0 => "",
                0 => "no",
                n if n == row.parameters => "yes",
                _ => "in part",
            };
            let parameters = if row.parameters == 0 { String::new() } else { thousands(row.parameters) };
            line(f, [&row.name, row.layer, &shape(&row.output), &parameters, trainable])?;
        }
        writeln!(f)?;
        writeln!(f, "Parameters: {}", thousands(self.parameters))?;
        writeln!(f, "Trainable:  {}", thousands(self.trainable))?;
        writeln!(f, "Frozen:     {}", thousands(self.parameters - self.trainable))?;
        writeln!(f, "Size:       {:.1} MB", self.bytes as f64 / 1e6)?;
        writeln!(f, "Work:       {:.3} G multiply-adds", self.multiply_adds as f64 / 1e9)
    }
}

/// `12,345,678`
fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<String> = digits.as_bytes().rchunks(3).rev().map(|c| String::from_utf8_lossy(c).into()).collect();
    groups.join(",")
}
