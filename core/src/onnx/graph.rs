//! An ONNX graph in memory: nodes, their constants, inputs and outputs.

use crate::error::{Error, Result};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;

/// Operators that depend on each other by the names of their values.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Graph {
    /// In an order in which they can be computed.
    pub(super) nodes: Vec<Node>,
    /// The constants: ONNX's initializers.
    pub(super) constants: BTreeMap<String, Constant>,
    pub(super) inputs: Vec<Port>,
    pub(super) outputs: Vec<Port>,
}

/// An operator with one result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// ONNX's name of the operator.
    pub(super) op: String,
    /// An empty name is an optional input that is left out.
    pub(super) inputs: Vec<String>,
    pub(super) output: String,
    pub(super) attributes: Vec<(String, Attribute)>,
}

/// A setting of an operator.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Attribute {
    Int(i64),
    Ints(Vec<i64>),
    Float(f32),
    Text(String),
}

/// A tensor that is part of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Constant {
    pub(super) dims: Vec<usize>,
    pub(super) values: Values,
}

/// Row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    Float(Vec<f32>),
    /// Numbers that are kept with 16 bits in the file.
    Half(Vec<half::f16>),
    Int(Vec<i64>),
}

/// An input or output.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) dims: Vec<Dim>,
}

/// The type of an input's or output's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Float,
    Byte,
    Int,
}

/// A length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dim {
    Fixed(usize),
    /// Any, under a name.
    Any(String),
}

/// What the first dimension of inputs and outputs is called.
pub(super) const BATCH: &str = "batch";

impl Dim {
    pub(super) fn batch() -> Dim {
        Dim::Any(BATCH.into())
    }
}

impl Attribute {
    /// Numbers as a list.
    pub(super) fn ints(values: &[usize]) -> Attribute {
        Attribute::Ints(values.iter().map(|&value| value as i64).collect())
    }
}

impl Constant {
    /// A copy of a tensor, in `f32`.
    ///
    /// # Errors
    /// When it cannot be copied to the CPU.
    pub(super) fn of(tensor: &Tensor) -> Result<Constant> {
        let values = tensor.detach().to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        Ok(Constant { dims: tensor.dims().to_vec(), values: Values::Float(values) })
    }

    /// A list of whole numbers.
    pub(super) fn ints(values: &[i64]) -> Constant {
        Constant { dims: vec![values.len()], values: Values::Int(values.to_vec()) }
    }

    /// One number.
    pub(super) fn scalar(value: f32) -> Constant {
        Constant { dims: Vec::new(), values: Values::Float(vec![value]) }
    }

    /// The numbers, if they are of 32 bits.
    pub(super) fn floats(&self) -> Option<&[f32]> {
        match &self.values {
            Values::Float(values) => Some(values),
            _ => None,
        }
    }

    /// As a tensor on the CPU: `f32`, or `i64`.
    ///
    /// # Errors
    /// When there are not as many numbers as the shape says.
    pub(super) fn tensor(&self) -> Result<Tensor> {
        let dims = self.dims.as_slice();
        Ok(match &self.values {
            Values::Float(values) => Tensor::from_slice(values, dims, &Device::Cpu)?,
            Values::Half(values) => {
                let values: Vec<f32> = values.iter().map(|value| value.to_f32()).collect();
                Tensor::from_slice(&values, dims, &Device::Cpu)?
            }
            Values::Int(values) => Tensor::from_slice(values, dims, &Device::Cpu)?,
        })
    }
}

impl Graph {
    /// Adds an operator whose result is named after it, and returns the name.
    pub(super) fn node(&mut self, op: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        let output = format!("{}_{}", op.to_lowercase(), self.nodes.len());
        self.nodes.push(Node {
            op: op.into(),
            inputs: inputs.iter().map(|&name| name.into()).collect(),
            output: output.clone(),
            attributes: attributes.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
        });
        output
    }

    /// Adds a constant, under `name` or if another has it under one like it, and returns its name.
    pub(super) fn constant(&mut self, name: &str, constant: Constant) -> String {
        let mut names = (0usize..).map(|i| if i == 0 { name.to_string() } else { format!("{name}.{i}") });
        let same = |name: &String| self.constants.get(name).is_none_or(|there| *there == constant);
        let name = names.find(same).unwrap_or_default();
        self.constants.insert(name.clone(), constant);
        name
    }

    /// How often a value is used, as an output of the graph too.
    pub(super) fn uses(&self, name: &str) -> usize {
        let inputs = self.nodes.iter().flat_map(|node| &node.inputs);
        let outputs = self.outputs.iter().map(|port| &port.name);
        inputs.chain(outputs).filter(|used| *used == name).count()
    }

    /// Leaves out what no output needs: operators and constants.
    pub(super) fn prune(&mut self) {
        let mut needed: std::collections::HashSet<String> = self.outputs.iter().map(|port| port.name.clone()).collect();
        let mut kept = Vec::with_capacity(self.nodes.len());
        for node in self.nodes.drain(..).rev() {
            if needed.contains(&node.output) {
                needed.extend(node.inputs.iter().cloned());
                kept.push(node);
            }
        }
        kept.reverse();
        self.nodes = kept;
        self.constants.retain(|name, _| needed.contains(name));
    }

    /// Checks that every operator comes after those whose results it needs, and that no name is given twice.
    ///
    /// # Errors
    /// [`Error::Value`] with the first name for which it is not so.
    pub(super) fn check(&self) -> Result<()> {
        let inputs = self.inputs.iter().map(|port| &port.name);
        let mut known: std::collections::HashSet<&String> = self.constants.keys().collect();
        for name in inputs {
            if !known.insert(name) {
                return Err(Error::Value(format!("the graph has two values named `{name}`")));
            }
        }
        for node in &self.nodes {
            if let Some(name) = node.inputs.iter().find(|name| !name.is_empty() && !known.contains(name)) {
                return Err(Error::Value(format!(
                    "the operator {} needs `{name}`, which nothing before it makes",
                    node.op
                )));
            }
            if !known.insert(&node.output) {
                return Err(Error::Value(format!("the graph has two values named `{}`", node.output)));
            }
        }
        match self.outputs.iter().find(|port| !known.contains(&port.name)) {
            Some(port) => Err(Error::Value(format!("nothing makes the output `{}`", port.name))),
            None => Ok(()),
        }
    }
}
