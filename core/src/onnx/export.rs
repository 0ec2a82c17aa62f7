//! From a network to an ONNX file that was tried.

use super::emit::{Input, emit};
use super::file::{self, Model};
use super::fold::fold;
use super::graph::{Attribute, Constant, Dim, Graph, Kind, Node, Port, Values};
use super::run::run;
use crate::error::{Error, Result};
use crate::kernels;
use crate::kernels::trace::{Trace, trace};
use crate::nn::Module;
use crate::rng::Rng;
use crate::vision::Normalize;
use candle_core::{DType, Device, Tensor};
use std::collections::{BTreeMap, HashMap};
use std::mem::discriminant;
use std::path::{Path, PathBuf};

/// How a network is written as ONNX.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OnnxOptions {
    /// The height and width of the images; those that the model's transforms make if `None`.
    pub size: Option<[usize; 2]>,
    /// Takes images as bytes, `[N, H, W, 3]`, and normalises them inside of the graph.
    pub pixels: bool,
    /// Keeps weights with 16 bits: half the size, and probabilities that differ in the third digit.
    pub half: bool,
}

/// An ONNX file that was written.
#[derive(Debug, Clone, PartialEq)]
pub struct OnnxSummary {
    /// The file.
    pub file: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// The number of its operators.
    pub operators: usize,
    /// The inputs with their shapes, such as `images float32 [batch, 3, 224, 224]`.
    pub inputs: Vec<String>,
    /// The outputs with their shapes.
    pub outputs: Vec<String>,
    /// The largest difference of an output between the file, read back and run, and the network, on random inputs; for
    /// outputs above 1 as a share of the largest value that the output had.
    pub difference: f64,
}

/// What happens to the network's result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Finish {
    /// Scores, divided by a temperature, become probabilities of classes, of which one is right.
    Softmax(f64),
    /// Scores become a probability for each class.
    Sigmoid,
    /// They are what is predicted.
    Plain,
}

/// An input, and how a random one is made.
pub(crate) struct Sample<'a> {
    pub(crate) name: &'a str,
    /// Whether it holds whole numbers, and not numbers.
    pub(crate) whole: bool,
    /// The name of its second axis, if that is free as the first one is.
    pub(crate) free: Option<&'a str>,
    pub(crate) draw: Draw<'a>,
}

/// Makes a batch of a length.
pub(crate) type Draw<'a> = Box<dyn Fn(usize, &mut Rng) -> Result<Tensor> + 'a>;

/// A network that is to be written.
pub(crate) struct Work<'a> {
    pub(crate) inputs: Vec<Sample<'a>>,
    /// From inputs to scores.
    pub(crate) forward: &'a dyn Fn(&[Tensor]) -> Result<Tensor>,
    pub(crate) finish: Finish,
    /// The normalisation of images, if the file is to do it.
    pub(crate) pixels: Option<Normalize>,
    pub(crate) half: bool,
    /// A sentence for people.
    pub(crate) about: String,
    /// Notes by name.
    pub(crate) notes: BTreeMap<String, String>,
}

/// Probabilities may differ by this much from the network's, and by more where weights have 16 bits.
const TOLERANCE: [f64; 2] = [1e-4, 3e-2];

impl Work<'_> {
    /// Writes the file.
    ///
    /// # Errors
    /// [`Error::Value`] when the network does something that ONNX has no operator for, or the file does not compute
    /// what the network does; [`Error::Io`] when it cannot be written. There is no file then.
    pub(crate) fn write(&self, path: &Path) -> Result<OnnxSummary> {
        let model = Model { graph: self.graph()?, about: self.about.clone(), notes: self.notes.clone() };
        let bytes = file::to_bytes(&model);
        let read = file::from_bytes(&bytes).map_err(|why| Error::file(path, format!("was not written: it {why}")))?;
        read.graph.check()?;
        let difference = self.difference(&read.graph)?;
        let tolerance = TOLERANCE[usize::from(self.half)];
        if difference.is_nan() || difference > tolerance {
            let message = format!(
                "was not written: it differs from the network by {difference:.1e}, where at most {tolerance:.0e} is \
                 rounding"
            );
            return Err(Error::file(path, message));
        }
        tallow_io::atomic::write(path, &bytes)?;
        Ok(OnnxSummary {
            file: path.to_path_buf(),
            bytes: bytes.len() as u64,
            operators: read.graph.nodes.len(),
            inputs: read.graph.inputs.iter().map(Port::to_string).collect(),
            outputs: read.graph.outputs.iter().map(Port::to_string).collect(),
            difference,
        })
    }

    fn graph(&self) -> Result<Graph> {
        let (inputs, output, seen) = self.traced(2, 1)?;
        let (_, _, again) = self.traced(3, 2)?;
        same(&seen, &again, &inputs)?;
        let names = self.inputs.iter().zip(&inputs);
        let named: Vec<Input<'_>> = names
            .map(|(sample, tensor)| {
                let kind = if sample.whole { Kind::Int } else { Kind::Float };
                Input { tensor, name: sample.name, kind, free: sample.free }
            })
            .collect();
        let (mut graph, last) = emit(&seen, &named, &output)?;
        self.end(&mut graph, &last, &output.dims()[1..]);
        fold(&mut graph);
        if let Some(normalize) = &self.pixels {
            from_pixels(&mut graph, normalize);
        }
        if self.half {
            halve(&mut graph);
        }
        graph.check()?;
        Ok(graph)
    }

    /// Runs the network on a batch, and returns its inputs, its result and what it did.
    fn traced(&self, batch: usize, seed: u64) -> Result<(Vec<Tensor>, Tensor, Trace)> {
        let inputs = self.draw(batch, seed)?;
        let (output, trace) = trace(|| kernels::no_grad(|| (self.forward)(&inputs)));
        Ok((inputs, output?, trace))
    }

    fn draw(&self, batch: usize, seed: u64) -> Result<Vec<Tensor>> {
        let mut rng = Rng::new(seed);
        self.inputs.iter().map(|sample| (sample.draw)(batch, &mut rng)).collect()
    }

    /// Names the result, and adds probabilities.
    fn end(&self, graph: &mut Graph, last: &str, dims: &[usize]) {
        let dims: Vec<Dim> = [Dim::batch()].into_iter().chain(dims.iter().map(|&n| Dim::Fixed(n))).collect();
        let port = |name: &str| Port { name: name.into(), kind: Kind::Float, dims: dims.clone() };
        let (scores, name) =
            if self.finish == Finish::Plain { ("predictions", None) } else { ("scores", Some("probabilities")) };
        rename(graph, last, scores);
        graph.outputs.push(port(scores));
        let Some(name) = name else { return };
        let probabilities = match self.finish {
            Finish::Softmax(temperature) => {
                let scaled = if temperature == 1.0 {
                    scores.to_string()
                } else {
                    let factor = graph.constant("inverse_temperature", Constant::scalar((1.0 / temperature) as f32));
                    graph.node("Mul", &[scores, &factor], &[])
                };
                graph.node("Softmax", &[&scaled], &[("axis", Attribute::Int(1))])
            }
            _ => graph.node("Sigmoid", &[scores], &[]),
        };
        rename(graph, &probabilities, name);
        graph.outputs.push(port(name));
    }

    /// The largest difference between what the graph and what the network say of other random inputs.
    fn difference(&self, graph: &Graph) -> Result<f64> {
        let (mut largest, mut scales) = (0f64, Vec::new());
        for (batch, seed) in [(3, 3), (1, 4)] {
            let inputs = self.draw(batch, seed)?;
            let mut given = HashMap::new();
            for (sample, tensor) in self.inputs.iter().zip(&inputs) {
                let tensor = tensor.to_device(&Device::Cpu)?;
                given.insert(sample.name.to_string(), if sample.whole { tensor.to_dtype(DType::I64)? } else { tensor });
            }
            // Bytes in place of the numbers that they are normalised to.
            let inputs = match (&self.pixels, graph.inputs.first()) {
                (Some(normalize), Some(port)) => {
                    let (bytes, numbers) = random_pixels(batch, &inputs[0], normalize, seed)?;
                    given = HashMap::from([(port.name.clone(), bytes)]);
                    vec![numbers.to_device(inputs[0].device())?]
                }
                _ => inputs,
            };
            let found = run(graph, &given)?;
            let scores = kernels::no_grad(|| (self.forward)(&inputs))?.to_device(&Device::Cpu)?;
            let expected = match self.finish {
                Finish::Softmax(temperature) => candle_nn::ops::softmax(&(scores / temperature)?, 1)?,
                Finish::Sigmoid => candle_nn::ops::sigmoid(&scores)?,
                Finish::Plain => scores,
            };
            let last = found.last().ok_or_else(|| Error::Value("the graph has no output".into()))?;
            if last.dims() != expected.dims() {
                return Err(Error::Value(format!(
                    "the graph makes {:?}, the network {:?}",
                    last.dims(),
                    expected.dims()
                )));
            }
            let numbers = |tensor: &Tensor| -> Result<Vec<f32>> { Ok(tensor.flatten_all()?.to_vec1()?) };
            let (found, expected) = (numbers(last)?, numbers(&expected)?);
            // Each number of a sample by itself: a table's targets may be prices and shares.
            let each = expected.len() / batch;
            scales.resize(each, 1f32);
            for (i, b) in expected.iter().enumerate() {
                scales[i % each] = scales[i % each].max(b.abs());
            }
            let offs = found.iter().zip(&expected).enumerate().map(|(i, (a, b))| (a - b).abs() / scales[i % each]);
            for off in offs {
                if off.is_nan() {
                    return Ok(f64::NAN);
                }
                largest = largest.max(off.into());
            }
        }
        Ok(largest)
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            Kind::Float => "float32",
            Kind::Byte => "uint8",
            Kind::Int => "int64",
        };
        let dim = |dim: &Dim| match dim {
            Dim::Fixed(n) => n.to_string(),
            Dim::Any(name) => name.clone(),
        };
        let dims: Vec<String> = self.dims.iter().map(dim).collect();
        write!(f, "{} {kind} [{}]", self.name, dims.join(", "))
    }
}

/// Writes any network as ONNX that computes with this library's layers: what PyTorch's `torch.onnx.export` does. The
/// file takes `xs`, like `sample` but with a free first axis, and makes `predictions`.
///
/// ```
/// use tallow::candle::{DType, Device, Tensor};
/// use tallow::nn::{Params, Sequential};
/// use tallow::onnx;
/// # fn main() -> tallow::Result<()> {
/// # let file = std::env::temp_dir().join(format!("tallow-onnx-{}.onnx", std::process::id()));
/// let params = Params::new(&tallow::rng::Rng::new(42), &Device::Cpu);
/// let net = Sequential::new(&params).linear(784, 30)?.relu().linear(30, 1)?;
/// let summary = onnx::export(&net, &Tensor::zeros((1, 784), DType::F32, &Device::Cpu)?, &file)?;
/// assert_eq!(summary.inputs, ["xs float32 [batch, 784]"]);
/// assert_eq!(summary.operators, 3); // Gemm, Relu, Gemm
/// # std::fs::remove_file(&file).ok();
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Shape`] when `sample` is no batch of numbers; [`Error::Value`] when the network does something that ONNX
/// has no operator for, or that does not go through this library's layers and [`kernels`]; [`Error::File`] when the
/// file, read back and run, does not say what the network says; [`Error::Io`] when it cannot be written. No file is
/// left then.
pub fn export(network: &dyn Module, sample: &Tensor, file: impl AsRef<Path>) -> Result<OnnxSummary> {
    let dims = sample.dims().to_vec();
    if dims.len() < 2 || dims.contains(&0) || sample.dtype() != DType::F32 {
        return Err(Error::shape(format!("expected a batch of numbers, got {:?} {dims:?}", sample.dtype()), &dims));
    }
    let draw = |n: usize, rng: &mut Rng| -> Result<Tensor> {
        let dims = [&[n], &dims[1..]].concat();
        let values: Vec<f32> = (0..dims.iter().product()).map(|_| rng.normal() as f32).collect();
        Ok(Tensor::from_vec(values, dims, sample.device())?)
    };
    let work = Work {
        inputs: vec![Sample { name: "xs", whole: false, free: None, draw: Box::new(draw) }],
        forward: &|inputs| network.forward(&inputs[0], false),
        finish: Finish::Plain,
        pixels: None,
        half: false,
        about: "a network of tallow".into(),
        notes: BTreeMap::new(),
    };
    work.write(file.as_ref())
}

/// Checks that two runs did the same with the same constants. If candle computed something between our operations, it
/// would stand in the file as a constant, which it is not.
fn same(a: &Trace, b: &Trace, inputs: &[Tensor]) -> Result<()> {
    let changed =
        || Error::Value("the network does other things from one batch to the next: it cannot be written".into());
    if a.operations.len() != b.operations.len() {
        return Err(changed());
    }
    let mut made: std::collections::HashSet<_> = inputs.iter().map(Tensor::id).collect();
    for (a, b) in a.operations.iter().zip(&b.operations) {
        if discriminant(&a.operation) != discriminant(&b.operation) {
            return Err(changed());
        }
        for (x, y) in a.operation.inputs().into_iter().zip(b.operation.inputs()) {
            let constant = !made.contains(&x.id());
            if constant && x.id() != y.id() && (x.dims() != y.dims() || Constant::of(x)? != Constant::of(y)?) {
                let message = format!("the network computes the input of {} out of our sight", a.operation.name());
                return Err(Error::Value(message));
            }
        }
        made.insert(a.result.id());
    }
    Ok(())
}

/// Gives a value another name, wherever it stands.
fn rename(graph: &mut Graph, from: &str, to: &str) {
    let change = |name: &mut String| {
        if name == from {
            to.clone_into(name);
        }
    };
    for node in &mut graph.nodes {
        node.inputs.iter_mut().for_each(change);
        change(&mut node.output);
    }
}

/// The input as bytes, channels-last, as programs have pictures, and the normalisation as the first operators.
fn from_pixels(graph: &mut Graph, normalize: &Normalize) {
    let Some(port) = graph.inputs.first_mut() else { return };
    let name = std::mem::replace(&mut port.name, "pixels".into());
    port.kind = Kind::Byte;
    port.dims[1..].rotate_left(1);
    let (scale, shift) = scale_and_shift(normalize);
    let each = |values: [f32; 3]| Constant { dims: vec![1, 3, 1, 1], values: Values::Float(values.to_vec()) };
    let (scale, shift) = (graph.constant("pixel_scale", each(scale)), graph.constant("pixel_shift", each(shift)));
    let node = |op: &str, inputs: &[&str], output: &str, attributes: Vec<(String, Attribute)>| Node {
        op: op.into(),
        inputs: inputs.iter().map(|&name| name.into()).collect(),
        output: output.into(),
        attributes,
    };
    let first = [
        node("Cast", &["pixels"], "pixels_float", vec![("to".into(), Attribute::Int(1))]),
        node("Transpose", &["pixels_float"], "pixels_first", vec![("perm".into(), Attribute::ints(&[0, 3, 1, 2]))]),
        node("Mul", &["pixels_first", &scale], "pixels_scaled", Vec::new()),
        node("Add", &["pixels_scaled", &shift], &name, Vec::new()),
    ];
    graph.nodes.splice(0..0, first);
}

/// `(byte / 255 - mean) / std` as `byte * scale + shift`.
fn scale_and_shift(normalize: &Normalize) -> ([f32; 3], [f32; 3]) {
    let Normalize { mean, std } = normalize;
    let scale = std::array::from_fn(|c| (1.0 / (255.0 * f64::from(std[c]))) as f32);
    let shift = std::array::from_fn(|c| (-f64::from(mean[c]) / f64::from(std[c])) as f32);
    (scale, shift)
}

/// Random bytes `[N, H, W, 3]` for an input `[N, 3, H, W]`, and what they are normalised to.
fn random_pixels(batch: usize, like: &Tensor, normalize: &Normalize, seed: u64) -> Result<(Tensor, Tensor)> {
    let &[_, _, h, w] = like.dims() else { return Err(Error::shape("expected images", like.dims())) };
    let mut rng = Rng::new(seed);
    let bytes: Vec<u8> = (0..batch * h * w * 3).map(|_| rng.below(256) as u8).collect();
    let (scale, shift) = scale_and_shift(normalize);
    let bytes = Tensor::from_vec(bytes, (batch, h, w, 3), &Device::Cpu)?;
    let numbers = bytes.to_dtype(DType::F32)?.broadcast_mul(&Tensor::new(&scale, &Device::Cpu)?)?;
    let numbers = numbers.broadcast_add(&Tensor::new(&shift, &Device::Cpu)?)?.permute((0, 3, 1, 2))?.contiguous()?;
    Ok((bytes, numbers))
}

/// Keeps tables of numbers with 16 bits, and widens them where they are used. Single numbers and short lists stay.
fn halve(graph: &mut Graph) {
    const SHORT: usize = 4096;
    let mut casts = Vec::new();
    let names: Vec<String> = graph.constants.keys().cloned().collect();
    for name in names {
        let Some(constant) = graph.constants.get(&name) else { continue };
        let Some(values) = constant.floats().filter(|values| values.len() >= SHORT) else { continue };
        let values = Values::Half(values.iter().map(|&value| half::f16::from_f32(value)).collect());
        let constant = Constant { dims: constant.dims.clone(), values };
        graph.constants.remove(&name);
        let short = graph.constant(&format!("{name}.f16"), constant);
        let attributes = vec![("to".into(), Attribute::Int(1))];
        casts.push(Node { op: "Cast".into(), inputs: vec![short], output: name, attributes });
    }
    graph.nodes.splice(0..0, casts);
}
