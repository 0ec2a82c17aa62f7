//! From the operations of a forward pass to the operators of a graph.
//!
//! Our images are channels-last and ONNX's are not. Each value therefore remembers how it lies: what image operators
//! make lies channels-first under a channels-last name, and is turned around only where an operator wants it so.

use super::graph::{Attribute, Constant, Dim, Graph, Kind, Port, Values};
use crate::error::{Error, Result};
use crate::kernels::trace::{Operation, Trace};
use crate::kernels::{Activation, Pool};
use candle_core::{Tensor, TensorId};
use std::collections::HashMap;

/// A tensor of the forward pass in the graph.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) name: String,
    /// In the forward pass, the batch included.
    dims: Vec<usize>,
    /// Whether the graph has this image channels-first where the forward pass has it channels-last.
    first: bool,
}

/// An input of the network in the graph.
pub(super) struct Input<'a> {
    pub(super) tensor: &'a Tensor,
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    /// The name of the second axis, if it is free too.
    pub(super) free: Option<&'a str>,
}

/// The graph of a forward pass from `inputs` to `output`, and the name of the output, which is of rank 1, 2 or, for
/// images, 4 and channels-first. The first axis of everything is the batch.
///
/// # Errors
/// [`Error::Value`] when an operation has no form in ONNX.
pub(super) fn emit(trace: &Trace, inputs: &[Input<'_>], output: &Tensor) -> Result<(Graph, String)> {
    let (graph, values, turned, pixels) = (Graph::default(), HashMap::new(), HashMap::new(), HashMap::new());
    let mut emitter = Emitter { graph, trace, values, turned, pixels };
    for input in inputs {
        let dims = input.tensor.dims();
        let mut all: Vec<Dim> = dims.iter().map(|&n| Dim::Fixed(n)).collect();
        all[0] = Dim::batch();
        if let Some(name) = input.free {
            all[1] = Dim::Any(name.into());
        }
        let port = Port { name: input.name.into(), kind: input.kind, dims: all };
        emitter.graph.inputs.push(port);
        let value = Value { name: input.name.into(), dims: dims.to_vec(), first: false };
        emitter.values.insert(input.tensor.id(), value);
    }
    for traced in &trace.operations {
        let mut value = emitter.operation(&traced.operation, traced.result.dims())?;
        value.dims = traced.result.dims().to_vec();
        emitter.values.insert(traced.result.id(), value);
    }
    let last = emitter.value(output)?;
    let name = emitter.as_it_is(&last);
    Ok((emitter.graph, name))
}

pub(super) struct Emitter<'a> {
    pub(super) graph: Graph,
    trace: &'a Trace,
    values: HashMap<TensorId, Value>,
    /// The other layout of values that were turned around, by name.
    turned: HashMap<String, String>,
    /// Of `[N, C]` the `[N, C, 1, 1]` that it was made of, by name.
    pixels: HashMap<String, String>,
}

impl Emitter<'_> {
    fn operation(&mut self, operation: &Operation, result: &[usize]) -> Result<Value> {
        Ok(match operation {
            // The graph's channels-first images are our channels-last ones.
            Operation::ChannelsLast { xs } => match self.value(xs)? {
                xs if xs.first => return Err(unknown("images that are turned around twice")),
                xs => Value { first: true, ..xs },
            },
            Operation::ChannelsFirst { xs } => {
                let name = self.channels_first(xs)?;
                plain(name)
            }
            Operation::Conv2d { xs, weight, bias, windows, residual, activation } => {
                let xs = self.channels_first(xs)?;
                let mut inputs = vec![xs, self.constant(weight, "conv.weight")?];
                if let Some(bias) = bias {
                    inputs.push(self.constant(bias, "conv.bias")?);
                }
                let [[top, bottom], [left, right]] = windows.padding;
                let attributes = [
                    ("kernel_shape", Attribute::ints(&weight.dims()[2..])),
                    ("strides", Attribute::ints(&windows.stride)),
                    ("pads", Attribute::ints(&[top, left, bottom, right])),
                    ("dilations", Attribute::ints(&windows.dilation)),
                    ("group", Attribute::Int(windows.groups as i64)),
                ];
                let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
                let ys = image(self.graph.node("Conv", &inputs, &attributes));
                self.finish(ys, residual.as_ref(), *activation)?
            }
            Operation::BatchNorm { xs, weight, bias, mean, var, eps, residual, activation } => {
                let value = self.value(xs)?;
                let xs = if value.dims.len() == 4 { self.channels_first(xs)? } else { value.name };
                let weight = self.constant(weight, "norm.weight")?;
                let bias = self.constant(bias, "norm.bias")?;
                let mean = self.constant(mean, "norm.running_mean")?;
                let var = self.constant(var, "norm.running_var")?;
                let epsilon = [("epsilon", Attribute::Float(*eps as f32))];
                let ys = self.graph.node("BatchNormalization", &[&xs, &weight, &bias, &mean, &var], &epsilon);
                let ys = Value { name: ys, dims: Vec::new(), first: value.dims.len() == 4 };
                self.finish(ys, residual.as_ref(), *activation)?
            }
            Operation::LayerNorm { xs, weight, bias, eps } => {
                let xs = self.channels_last(xs)?;
                let (weight, bias) = (self.constant(weight, "norm.weight")?, self.constant(bias, "norm.bias")?);
                let attributes = [("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(*eps as f32))];
                plain(self.graph.node("LayerNormalization", &[&xs, &weight, &bias], &attributes))
            }
            Operation::Linear { xs, weight, bias } => self.linear(xs, weight, bias.as_ref())?,
            Operation::Activate { xs, activation } => {
                let xs = self.value(xs)?;
                self.activate(xs, *activation)
            }
            Operation::Add { a, b } => self.both("Add", a, b)?,
            Operation::Product { a, b } => self.both("Mul", a, b)?,
            Operation::Affine { xs, scale, shift } => {
                let xs = self.value(xs)?;
                let scale = self.graph.constant("scale", Constant::scalar(*scale as f32));
                let shift = self.graph.constant("shift", Constant::scalar(*shift as f32));
                let scaled = self.graph.node("Mul", &[&xs.name, &scale], &[]);
                Value { name: self.graph.node("Add", &[&scaled, &shift], &[]), ..xs }
            }
            Operation::Scale { xs, factors } => self.scale(xs, factors)?,
            Operation::SumLast { xs } => {
                let xs = self.channels_last(xs)?;
                let axes = self.graph.constant("last_axis", Constant::ints(&[-1]));
                plain(self.graph.node("ReduceSum", &[&xs, &axes], &[("keepdims", Attribute::Int(0))]))
            }
            Operation::Cat { xs } => {
                let images = xs.iter().any(|xs| self.values.get(&xs.id()).is_some_and(|value| value.first));
                let names = xs.iter().map(|xs| if images { self.channels_first(xs) } else { self.channels_last(xs) });
                let names = names.collect::<Result<Vec<_>>>()?;
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let axis = Attribute::Int(if images { 1 } else { -1 });
                Value { name: self.graph.node("Concat", &names, &[("axis", axis)]), dims: Vec::new(), first: images }
            }
            Operation::MaxPool2d { xs, pool } => {
                let xs = self.channels_first(xs)?;
                image(self.graph.node("MaxPool", &[&xs], &windows(pool)))
            }
            Operation::AvgPool2d { xs, pool, count_include_pad } => {
                let xs = self.channels_first(xs)?;
                let mut attributes = windows(pool);
                attributes.push(("count_include_pad", Attribute::Int(i64::from(*count_include_pad))));
                image(self.graph.node("AveragePool", &[&xs], &attributes))
            }
            Operation::AdaptiveAvgPool2d { xs, size } => self.adaptive_mean(xs, *size)?,
            Operation::AdaptiveMaxPool2d { xs, size: [1, 1] } => {
                let xs = self.channels_first(xs)?;
                image(self.graph.node("GlobalMaxPool", &[&xs], &[]))
            }
            Operation::GlobalAvgPool2d { xs } => {
                let xs = self.channels_first(xs)?;
                let means = self.graph.node("GlobalAveragePool", &[&xs], &[]);
                plain(self.flatten_pixel(&means))
            }
            Operation::ConcatPool2d { xs } => {
                let xs = self.channels_first(xs)?;
                let largest = self.graph.node("GlobalMaxPool", &[&xs], &[]);
                let means = self.graph.node("GlobalAveragePool", &[&xs], &[]);
                let both = self.graph.node("Concat", &[&largest, &means], &[("axis", Attribute::Int(1))]);
                plain(self.flatten(&both))
            }
            Operation::PixelShuffle { xs, r } => {
                let xs = self.channels_first(xs)?;
                let attributes = [("blocksize", Attribute::Int(*r as i64)), ("mode", Attribute::Text("CRD".into()))];
                image(self.graph.node("DepthToSpace", &[&xs], &attributes))
            }
            Operation::UpsampleNearest2d { xs, size } => self.nearest(xs, *size)?,
            Operation::Embedding { table, ids } => {
                let (table, ids) = (self.constant(table, "embedding.weight")?, self.value(ids)?.name);
                plain(self.graph.node("Gather", &[&table, &ids], &[("axis", Attribute::Int(0))]))
            }
            Operation::PositionEmbedding { table, ids } => {
                let (table, ids) = (self.constant(table, "positions.weight")?, self.value(ids)?.name);
                let places =
                    self.graph.node("Shape", &[&ids], &[("start", Attribute::Int(1)), ("end", Attribute::Int(2))]);
                let zero = self.graph.constant("first_place", Constant::ints(&[0]));
                plain(self.graph.node("Slice", &[&table, &zero, &places, &zero], &[]))
            }
            Operation::FirstEmbedding { table, .. } => {
                let row = self.graph.constant("first_row", Constant::of(&table.narrow(0, 0, 1)?.unsqueeze(0)?)?);
                plain(row)
            }
            Operation::Attention { q, k, v, heads, ids } => self.attention([q, k, v], *heads, ids)?,
            Operation::MaskedMean { xs, ids } => self.masked_mean(xs, ids)?,
            Operation::Normalize { xs } => {
                let xs = self.value(xs)?.name;
                let axes = self.graph.constant("last_axis", Constant::ints(&[-1]));
                let least = self.graph.constant("least_length", Constant::scalar(1e-12));
                let lengths = self.graph.node("ReduceL2", &[&xs, &axes], &[]);
                let lengths = self.graph.node("Max", &[&lengths, &least], &[]);
                plain(self.graph.node("Div", &[&xs, &lengths], &[]))
            }
            Operation::Column { xs, column } => {
                let xs = self.value(xs)?.name;
                let column = Constant { dims: Vec::new(), ..Constant::ints(&[*column as i64]) };
                let column = self.graph.constant("column", column);
                plain(self.graph.node("Gather", &[&xs, &column], &[("axis", Attribute::Int(1))]))
            }
            Operation::Reshape { xs } => self.reshape(xs, result)?,
            Operation::EmbeddedNumbers { xs, frequencies, weight, bias } => {
                self.embedded_numbers(xs, [frequencies, weight, bias], result)?
            }
            Operation::AdaptiveMaxPool2d { size, .. } => {
                return Err(unknown(&format!("adaptive max pooling to {size:?}")));
            }
        })
    }

    /// The value of a tensor: what an operation made, or a constant.
    pub(super) fn value(&mut self, tensor: &Tensor) -> Result<Value> {
        if let Some(value) = self.values.get(&tensor.id()) {
            return Ok(value.clone());
        }
        let name = self.constant(tensor, "constant")?;
        Ok(Value { name, dims: tensor.dims().to_vec(), first: false })
    }

    /// A tensor that no operation made, under the name that it has in the network.
    fn constant(&mut self, tensor: &Tensor, otherwise: &str) -> Result<String> {
        let name = self.trace.names.get(&tensor.id()).map_or(otherwise, String::as_str);
        Ok(self.graph.constant(name, Constant::of(tensor)?))
    }

    /// The name of an image channels-first, for operators that want it so.
    fn channels_first(&mut self, xs: &Tensor) -> Result<String> {
        let value = self.value(xs)?;
        Ok(if value.first { value.name } else { self.turn(&value.name, [0, 3, 1, 2]) })
    }

    /// The name of a tensor in the layout of the forward pass.
    fn channels_last(&mut self, xs: &Tensor) -> Result<String> {
        let value = self.value(xs)?;
        Ok(self.as_it_is(&value))
    }

    fn as_it_is(&mut self, value: &Value) -> String {
        if value.first { self.turn(&value.name, [0, 2, 3, 1]) } else { value.name.clone() }
    }

    fn turn(&mut self, name: &str, axes: [usize; 4]) -> String {
        if let Some(turned) = self.turned.get(name) {
            return turned.clone();
        }
        let turned = self.graph.node("Transpose", &[name], &[("perm", Attribute::ints(&axes))]);
        self.turned.insert(name.into(), turned.clone());
        self.turned.insert(turned.clone(), name.into());
        turned
    }

    /// `activation(xs + residual)`.
    fn finish(&mut self, xs: Value, residual: Option<&Tensor>, activation: Activation) -> Result<Value> {
        let xs = match residual {
            None => xs,
            Some(residual) => {
                let residual = if xs.first { self.channels_first(residual)? } else { self.channels_last(residual)? };
                Value { name: self.graph.node("Add", &[&xs.name, &residual], &[]), ..xs }
            }
        };
        Ok(self.activate(xs, activation))
    }

    fn activate(&mut self, xs: Value, activation: Activation) -> Value {
        let graph = &mut self.graph;
        let mut one = |op: &str, attributes: &[(&str, Attribute)]| graph.node(op, &[&xs.name], attributes);
        let name = match activation {
            Activation::None => return xs,
            Activation::Relu => one("Relu", &[]),
            Activation::LeakyRelu(slope) => one("LeakyRelu", &[("alpha", Attribute::Float(slope))]),
            Activation::Sigmoid => one("Sigmoid", &[]),
            Activation::Tanh => one("Tanh", &[]),
            Activation::Gelu => one("Gelu", &[("approximate", Attribute::Text("none".into()))]),
            Activation::GeluTanh => one("Gelu", &[("approximate", Attribute::Text("tanh".into()))]),
            Activation::HardSwish => one("HardSwish", &[]),
            Activation::HardSigmoid => {
                one("HardSigmoid", &[("alpha", Attribute::Float(1.0 / 6.0)), ("beta", Attribute::Float(0.5))])
            }
            Activation::Silu => {
                let gate = one("Sigmoid", &[]);
                graph.node("Mul", &[&xs.name, &gate], &[])
            }
            Activation::Relu6 => {
                let [low, high] =
                    [("zero", 0.0), ("six", 6.0)].map(|(name, value)| graph.constant(name, Constant::scalar(value)));
                graph.node("Clip", &[&xs.name, &low, &high], &[])
            }
        };
        Value { name, ..xs }
    }

    fn linear(&mut self, xs: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Value> {
        let rank = self.value(xs)?.dims.len();
        let xs = self.channels_last(xs)?;
        let bias = bias.map(|bias| self.constant(bias, "linear.bias")).transpose()?;
        if rank == 2 {
            let weight = self.constant(weight, "linear.weight")?;
            let inputs: Vec<&str> = [xs.as_str(), &weight].into_iter().chain(bias.as_deref()).collect();
            return Ok(plain(self.graph.node("Gemm", &inputs, &[("transB", Attribute::Int(1))])));
        }
        let name = self.trace.names.get(&weight.id()).map_or("linear.weight", String::as_str);
        let weight = self.graph.constant(&format!("{name}.transposed"), Constant::of(&weight.t()?.contiguous()?)?);
        let ys = self.graph.node("MatMul", &[&xs, &weight], &[]);
        Ok(plain(match bias {
            Some(bias) => self.graph.node("Add", &[&ys, &bias], &[]),
            None => ys,
        }))
    }

    /// An elementwise operator of two tensors, in the layout of the first.
    fn both(&mut self, op: &str, a: &Tensor, b: &Tensor) -> Result<Value> {
        let a = self.value(a)?;
        let b = if a.first { self.channels_first(b)? } else { self.channels_last(b)? };
        Ok(Value { name: self.graph.node(op, &[&a.name, &b], &[]), ..a })
    }

    /// Factors for each channel, `[C]`, or for each channel of each image, `[N, C]`.
    fn scale(&mut self, xs: &Tensor, factors: &Tensor) -> Result<Value> {
        let xs = self.value(xs)?;
        let between = xs.dims.len().saturating_sub(2);
        if factors.rank() == 1 {
            let mut dims = vec![1; xs.dims.len()];
            let channel = if xs.first { 1 } else { xs.dims.len() - 1 };
            dims[channel] = factors.elem_count();
            // A view of a parameter has no name in the trace.
            let factors = Constant { dims, ..Constant::of(factors)? };
            let factors = self.graph.constant("channel_scale", factors);
            return Ok(Value { name: self.graph.node("Mul", &[&xs.name, &factors], &[]), ..xs });
        }
        let factors = self.value(factors)?.name;
        if let Some(pixel) = self.pixels.get(&factors).filter(|_| xs.first) {
            return Ok(Value { name: self.graph.node("Mul", &[&xs.name, pixel], &[]), ..xs });
        }
        // `[N, C]` to `[N, C, 1, 1]`, or to `[N, 1, 1, C]`.
        let axes: Vec<i64> = (0..between as i64).map(|axis| if xs.first { axis + 2 } else { axis + 1 }).collect();
        let axes = self.graph.constant("factor_axes", Constant::ints(&axes));
        let factors = self.graph.node("Unsqueeze", &[&factors, &axes], &[]);
        Ok(Value { name: self.graph.node("Mul", &[&xs.name, &factors], &[]), ..xs })
    }

    /// `[N, C, 1, 1]` to `[N, C]`.
    fn flatten_pixel(&mut self, name: &str) -> String {
        let flat = self.flatten(name);
        self.pixels.insert(flat.clone(), name.into());
        flat
    }

    fn flatten(&mut self, name: &str) -> String {
        self.graph.node("Flatten", &[name], &[("axis", Attribute::Int(1))])
    }

    /// Means over windows that cover the image, whatever its size: windows of one size where they are, else the two
    /// matrices that average rows and columns.
    fn adaptive_mean(&mut self, xs: &Tensor, size: [usize; 2]) -> Result<Value> {
        let from = [self.value(xs)?.dims[1], self.value(xs)?.dims[2]];
        let xs = self.channels_first(xs)?;
        if from == size {
            return Ok(image(xs));
        }
        if size == [1, 1] {
            return Ok(image(self.graph.node("GlobalAveragePool", &[&xs], &[])));
        }
        if from.iter().zip(size).all(|(from, to)| from % to == 0) {
            let step = Attribute::ints(&[from[0] / size[0], from[1] / size[1]]);
            let attributes = [("kernel_shape", step.clone()), ("strides", step)];
            return Ok(image(self.graph.node("AveragePool", &[&xs], &attributes)));
        }
        let means = |from: usize, to: usize| {
            let mut matrix = vec![0.0; to * from];
            for (row, shares) in matrix.chunks_exact_mut(from).enumerate() {
                let window = row * from / to..((row + 1) * from).div_ceil(to);
                let share = 1.0 / window.len() as f32;
                shares[window].fill(share);
            }
            matrix
        };
        let rows = Constant { dims: vec![size[0], from[0]], values: Values::Float(means(from[0], size[0])) };
        let columns = Tensor::from_vec(means(from[1], size[1]), (size[1], from[1]), &candle_core::Device::Cpu)?;
        let rows = self.graph.constant("mean_of_rows", rows);
        let columns = self.graph.constant("mean_of_columns", Constant::of(&columns.t()?.contiguous()?)?);
        let ys = self.graph.node("MatMul", &[&rows, &xs], &[]);
        Ok(image(self.graph.node("MatMul", &[&ys, &columns], &[])))
    }

    /// The nearest pixel, by number: other runtimes round places between two pixels in ways of their own.
    fn nearest(&mut self, xs: &Tensor, size: [usize; 2]) -> Result<Value> {
        let dims = self.value(xs)?.dims;
        let mut ys = self.channels_first(xs)?;
        for (axis, to) in size.into_iter().enumerate() {
            let from = dims[1 + axis];
            if from == to {
                continue;
            }
            let scale = from as f32 / to as f32;
            let places: Vec<i64> = (0..to).map(|at| ((at as f32 * scale) as usize).min(from - 1) as i64).collect();
            let places = self.graph.constant("nearest", Constant::ints(&places));
            ys = self.graph.node("Gather", &[&ys, &places], &[("axis", Attribute::Int(2 + axis as i64))]);
        }
        Ok(image(ys))
    }

    fn reshape(&mut self, xs: &Tensor, result: &[usize]) -> Result<Value> {
        let xs = self.value(xs)?;
        if xs.dims.first() != result.first() {
            return Err(unknown(&format!("a change of shape from {:?} to {result:?}", xs.dims)));
        }
        // Images of one pixel are the same in both layouts.
        let pixel = |dims: &[usize]| dims.len() == 4 && dims[1] == 1 && dims[2] == 1;
        match result {
            [_, 1, 1, _] if self.pixels.contains_key(&xs.name) => Ok(image(self.pixels[&xs.name].clone())),
            [_, 1, 1, c] if xs.dims.len() == 2 => {
                let shape = self.graph.constant("one_pixel", Constant::ints(&[0, *c as i64, 1, 1]));
                Ok(image(self.graph.node("Reshape", &[&xs.name, &shape], &[])))
            }
            [_, _] if xs.first && pixel(&xs.dims) => Ok(plain(self.flatten_pixel(&xs.name))),
            [_, _] if xs.dims.len() > 2 => {
                let name = self.as_it_is(&xs);
                Ok(plain(self.flatten(&name)))
            }
            _ => {
                let name = self.as_it_is(&xs);
                let rest = result[1..].iter().map(|&n| n as i64);
                let shape = Constant::ints(&[0].into_iter().chain(rest).collect::<Vec<_>>());
                let shape = self.graph.constant("shape", shape);
                Ok(plain(self.graph.node("Reshape", &[&name, &shape], &[])))
            }
        }
    }

    /// As [`crate::models::EmbeddedNumbers`] computes it.
    fn embedded_numbers(&mut self, xs: &Tensor, constants: [&Tensor; 3], result: &[usize]) -> Result<Value> {
        let xs = self.value(xs)?.name;
        let [frequencies, weight, bias] =
            [(constants[0], "frequencies"), (constants[1], "weight"), (constants[2], "bias")]
                .map(|(tensor, name)| self.constant(tensor, name));
        let last = self.graph.constant("behind", Constant::ints(&[2]));
        let columns = self.graph.node("Transpose", &[&xs], &[("perm", Attribute::Ints(vec![1, 0]))]); // [C, N]
        let columns = self.graph.node("Unsqueeze", &[&columns, &last], &[]);
        let angles = self.graph.node("Mul", &[&columns, &frequencies?], &[]); // [C, N, k]
        let waves = ["Sin", "Cos"].map(|op| self.graph.node(op, &[&angles], &[]));
        let waves = self.graph.node("Concat", &[&waves[0], &waves[1]], &[("axis", Attribute::Int(2))]);
        let vectors = self.graph.node("MatMul", &[&waves, &weight?], &[]);
        let vectors = self.graph.node("Add", &[&vectors, &bias?], &[]);
        let vectors = self.graph.node("Relu", &[&vectors], &[]);
        let rows = self.graph.node("Transpose", &[&vectors], &[("perm", Attribute::Ints(vec![1, 0, 2]))]);
        let shape = self.graph.constant("row", Constant::ints(&[0, result[1] as i64]));
        Ok(plain(self.graph.node("Reshape", &[&rows, &shape], &[])))
    }
}

pub(super) fn plain(name: String) -> Value {
    Value { name, dims: Vec::new(), first: false }
}

fn image(name: String) -> Value {
    Value { name, dims: Vec::new(), first: true }
}

fn windows(pool: &Pool) -> Vec<(&'static str, Attribute)> {
    let [vertical, horizontal] = pool.padding;
    vec![
        ("kernel_shape", Attribute::ints(&pool.kernel)),
        ("strides", Attribute::ints(&pool.stride)),
        ("pads", Attribute::ints(&[vertical, horizontal, vertical, horizontal])),
        ("ceil_mode", Attribute::Int(i64::from(pool.ceil_mode))),
    ]
}

fn unknown(what: &str) -> Error {
    Error::Value(format!("{what} cannot be written as ONNX"))
}
