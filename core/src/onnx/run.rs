//! Running a graph, operator by operator as ONNX's specification has them: the check of a file that was written.

use super::graph::{Attribute, Graph, Node};
use crate::error::{Error, Result};
use crate::kernels::{self, Activation, BatchNormOptions, BatchStats, ConvParams, Pool};
use candle_core::{DType, Device, Tensor};
use std::collections::HashMap;

/// The outputs of a graph for these inputs, in its order.
///
/// # Errors
/// When an operator is unknown or its inputs do not suit it.
pub(super) fn run(graph: &Graph, inputs: &HashMap<String, Tensor>) -> Result<Vec<Tensor>> {
    let mut values = inputs.clone();
    for (name, constant) in &graph.constants {
        values.insert(name.clone(), constant.tensor()?);
    }
    for node in &graph.nodes {
        let result = Operator { node, values: &values }.run().map_err(|e| {
            Error::Value(format!("the operator {} that makes `{}` cannot be computed: {e}", node.op, node.output))
        })?;
        values.insert(node.output.clone(), result);
    }
    graph.outputs.iter().map(|port| named(&values, &port.name).cloned()).collect()
}

fn named<'v>(values: &'v HashMap<String, Tensor>, name: &str) -> Result<&'v Tensor> {
    values.get(name).ok_or_else(|| Error::Value(format!("there is no value `{name}`")))
}

struct Operator<'g> {
    node: &'g Node,
    values: &'g HashMap<String, Tensor>,
}

impl Operator<'_> {
    fn run(&self) -> Result<Tensor> {
        let xs = self.input(0)?;
        Ok(match self.node.op.as_str() {
            "Conv" => {
                let pads = self.four("pads")?;
                let windows = ConvParams {
                    stride: self.two("strides")?,
                    padding: [[pads[0], pads[2]], [pads[1], pads[3]]],
                    dilation: self.two("dilations")?,
                    groups: self.int("group", 1)?,
                };
                self.image(|xs| Ok(kernels::conv2d(xs, self.input(1)?, self.optional(2), &windows)?))?
            }
            "BatchNormalization" => {
                let (mean, var) = (self.input(3)?.clone(), self.input(4)?.clone());
                let stats = BatchStats { mean, var, count: 0, spread: None };
                let eps = self.float("epsilon", 1e-5)?;
                let options = BatchNormOptions { eps: eps.into(), training: false, activation: Activation::None };
                let norm =
                    |xs: &Tensor| Ok(kernels::batch_norm(xs, self.input(1)?, self.input(2)?, &stats, &options, None)?);
                if xs.rank() == 4 { self.image(norm)? } else { norm(xs)? }
            }
            "LayerNormalization" => {
                let eps = self.float("epsilon", 1e-5)?;
                kernels::layer_norm(xs, self.input(1)?, self.input(2)?, eps.into())?
            }
            "Shape" => {
                let dims = &xs.dims()[self.int("start", 0)?..self.int("end", xs.rank())?];
                let dims: Vec<i64> = dims.iter().map(|&n| n as i64).collect();
                Tensor::from_vec(dims.clone(), dims.len(), &Device::Cpu)?
            }
            "Slice" => match (self.numbers(1)?.as_slice(), self.numbers(2)?.as_slice(), self.numbers(3)?.as_slice()) {
                (&[0], &[end], &[0]) if (1..=xs.dims()[0] as i64).contains(&end) => xs.narrow(0, 0, end as usize)?,
                _ => return Err(Error::Value("only the first rows of a table are known here".into())),
            },
            "Equal" => xs.broadcast_eq(self.input(1)?)?,
            "Max" => xs.broadcast_maximum(self.input(1)?)?,
            "ReduceL2" => xs.sqr()?.sum_keepdim(xs.rank() - 1)?.sqrt()?,
            "Relu" => xs.relu()?,
            "Sigmoid" => kernels::activate(xs, Activation::Sigmoid)?,
            "Tanh" => xs.tanh()?,
            "Sin" => xs.sin()?,
            "Cos" => xs.cos()?,
            "Sqrt" => xs.sqrt()?,
            "LeakyRelu" => kernels::activate(xs, Activation::LeakyRelu(self.float("alpha", 0.01)?))?,
            "Gelu" => match self.text("approximate") {
                Some("tanh") => kernels::activate(xs, Activation::GeluTanh)?,
                _ => kernels::activate(xs, Activation::Gelu)?,
            },
            "HardSigmoid" => self.hard_sigmoid(xs, self.float("alpha", 0.2)?, self.float("beta", 0.5)?)?,
            "HardSwish" => (xs * self.hard_sigmoid(xs, 1.0 / 6.0, 0.5)?)?,
            "Clip" => xs.broadcast_maximum(self.input(1)?)?.broadcast_minimum(self.input(2)?)?,
            "Add" => xs.broadcast_add(self.input(1)?)?,
            "Sub" => xs.broadcast_sub(self.input(1)?)?,
            "Mul" => xs.broadcast_mul(self.input(1)?)?,
            "Div" => xs.broadcast_div(self.input(1)?)?,
            "Concat" => {
                let all: Vec<&Tensor> =
                    (0..self.node.inputs.len()).map(|i| self.input(i)).collect::<Result<Vec<_>>>()?;
                let axis = self.axis("axis", xs.rank())?;
                Tensor::cat(&all, axis)?.contiguous()?
            }
            "MaxPool" => {
                let pool = self.pool()?;
                self.image(|xs| Ok(kernels::max_pool2d(xs, &pool)?))?
            }
            "AveragePool" => {
                let (pool, border) = (self.pool()?, self.int("count_include_pad", 0)? == 1);
                self.image(|xs| Ok(kernels::avg_pool2d(xs, &pool, border)?))?
            }
            "GlobalAveragePool" => xs.mean_keepdim((2, 3))?,
            "GlobalMaxPool" => xs.max_keepdim(3)?.max_keepdim(2)?,
            "DepthToSpace" => {
                if self.text("mode") != Some("CRD") {
                    return Err(Error::Value("only the mode CRD is known here".into()));
                }
                let r = self.int("blocksize", 1)?;
                self.image(|xs| Ok(kernels::pixel_shuffle(xs, r)?))?
            }
            "Flatten" => xs.flatten_from(self.int("axis", 1)?)?,
            "Reshape" => self.reshape(xs)?,
            "Transpose" => {
                let axes = self.ints("perm")?;
                xs.permute(axes)?.contiguous()?
            }
            "Unsqueeze" => {
                let mut axes = self.numbers(1)?;
                axes.sort_unstable();
                axes.into_iter().try_fold(xs.clone(), |xs, axis| xs.unsqueeze(axis as usize))?
            }
            "ReduceSum" => {
                let axes = self.numbers(1)?;
                let axis = |axis: i64| if axis < 0 { xs.rank() - axis.unsigned_abs() as usize } else { axis as usize };
                let axes: Vec<usize> = axes.into_iter().map(axis).collect();
                if self.int("keepdims", 1)? == 1 { xs.sum_keepdim(axes)? } else { xs.sum(axes)? }
            }
            "Gemm" => {
                if self.int("transB", 0)? != 1 {
                    return Err(Error::Value("only a transposed weight is known here".into()));
                }
                let ys = xs.matmul(&self.input(1)?.t()?)?;
                self.optional(2).map_or(Ok(ys.clone()), |bias| ys.broadcast_add(bias))?
            }
            "MatMul" => xs.contiguous()?.broadcast_matmul(&self.input(1)?.contiguous()?)?,
            "Gather" => self.gather(xs)?,
            "Softmax" => candle_nn::ops::softmax(xs, self.axis("axis", xs.rank())?)?,
            "Cast" => match self.int("to", 0)? {
                1 => xs.to_dtype(DType::F32)?,
                other => return Err(Error::Value(format!("the type {other} is not known here"))),
            },
            _ => return Err(Error::Value("it is not known here".into())),
        })
    }

    /// An operation of ours, which are channels-last, on a channels-first image.
    fn image(&self, f: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let ys = f(&kernels::channels_last(self.input(0)?)?)?;
        Ok(kernels::channels_first(&ys)?.contiguous()?)
    }

    fn hard_sigmoid(&self, xs: &Tensor, alpha: f32, beta: f32) -> Result<Tensor> {
        Ok(xs.affine(alpha.into(), beta.into())?.clamp(0f32, 1f32)?)
    }

    fn pool(&self) -> Result<Pool> {
        // Without pads there are none.
        let pads = if self.attribute("pads").is_some() { self.four("pads")? } else { [0; 4] };
        if [pads[0], pads[1]] != [pads[2], pads[3]] {
            return Err(Error::Value(format!("pads that differ: {pads:?}")));
        }
        let ceil_mode = self.int("ceil_mode", 0)? == 1;
        let padding = [pads[0], pads[1]];
        Ok(Pool { kernel: self.two("kernel_shape")?, stride: self.two("strides")?, padding, ceil_mode })
    }

    fn reshape(&self, xs: &Tensor) -> Result<Tensor> {
        let shape = self.numbers(1)?;
        let kept = |i: usize| xs.dims().get(i).copied().unwrap_or(0);
        let mut dims: Vec<usize> =
            shape.iter().enumerate().map(|(i, &n)| if n == 0 { kept(i) } else { n.max(1) as usize }).collect();
        if let Some(free) = shape.iter().position(|&n| n == -1) {
            dims[free] = xs.elem_count() / dims.iter().product::<usize>().max(1);
        }
        Ok(xs.reshape(dims)?)
    }

    fn gather(&self, xs: &Tensor) -> Result<Tensor> {
        let axis = self.int("axis", 0)?;
        let ids = self.input(1)?;
        let length = *xs.dims().get(axis).unwrap_or(&0);
        let list = ids.flatten_all()?.to_vec1::<i64>()?;
        let list: Option<Vec<u32>> =
            list.iter().map(|&id| u32::try_from(id).ok().filter(|&id| (id as usize) < length)).collect();
        let Some(list) = list else { return Err(Error::Value(format!("a number that is not below {length}"))) };
        let n = list.len();
        let picked = xs.contiguous()?.index_select(&Tensor::from_vec(list, n, &Device::Cpu)?, axis)?;
        let dims = [&xs.dims()[..axis], ids.dims(), &xs.dims()[axis + 1..]].concat();
        Ok(picked.reshape(dims)?)
    }

    fn input(&self, i: usize) -> Result<&Tensor> {
        let name = self.node.inputs.get(i).ok_or_else(|| Error::Value(format!("it has no input number {i}")))?;
        named(self.values, name)
    }

    fn optional(&self, i: usize) -> Option<&Tensor> {
        self.values.get(self.node.inputs.get(i)?)
    }

    /// The whole numbers that an input holds.
    fn numbers(&self, i: usize) -> Result<Vec<i64>> {
        Ok(self.input(i)?.flatten_all()?.to_vec1::<i64>()?)
    }

    fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.node.attributes.iter().find(|(of, _)| of == name).map(|(_, value)| value)
    }

    fn int(&self, name: &str, otherwise: usize) -> Result<usize> {
        match self.attribute(name) {
            None => Ok(otherwise),
            Some(Attribute::Int(i)) => usize::try_from(*i).map_err(|_| odd(name)),
            Some(_) => Err(odd(name)),
        }
    }

    /// An axis, which may be counted from the last.
    fn axis(&self, name: &str, rank: usize) -> Result<usize> {
        match self.attribute(name) {
            Some(Attribute::Int(i)) if *i < 0 => rank.checked_sub(i.unsigned_abs() as usize).ok_or_else(|| odd(name)),
            _ => self.int(name, 0),
        }
    }

    fn float(&self, name: &str, otherwise: f32) -> Result<f32> {
        match self.attribute(name) {
            None => Ok(otherwise),
            Some(Attribute::Float(value)) => Ok(*value),
            Some(_) => Err(odd(name)),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.attribute(name) {
            Some(Attribute::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn ints(&self, name: &str) -> Result<Vec<usize>> {
        match self.attribute(name) {
            Some(Attribute::Ints(ints)) => {
                ints.iter().map(|&i| usize::try_from(i)).collect::<std::result::Result<_, _>>().map_err(|_| odd(name))
            }
            _ => Err(odd(name)),
        }
    }

    fn two(&self, name: &str) -> Result<[usize; 2]> {
        self.ints(name)?.try_into().map_err(|_| odd(name))
    }

    fn four(&self, name: &str) -> Result<[usize; 4]> {
        self.ints(name)?.try_into().map_err(|_| odd(name))
    }
}

fn odd(name: &str) -> Error {
    Error::Value(format!("its attribute `{name}` is missing or odd"))
}
