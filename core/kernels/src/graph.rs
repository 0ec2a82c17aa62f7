//! Recording operations for the backward pass.
//!
//! Outside of [`recorded`] every operation becomes a part of candle's own graph, and `loss.backward()` works as with
//! any candle operation. But candle's `backward` begins each gradient as a tensor of zeros and adds to it, several
//! passes over memory for every activation, and holds all activations until the end. Inside of [`recorded`] our
//! operations are written down on a tape of our own instead, which hands gradients on as they are and frees
//! activations on the way back; for candle's graph the whole passage is then a single operation. candle's operations
//! may stand between ours: the tape runs candle's `backward` for them.

use super::row_gradient::RowSums;
use super::values::Values;
use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Layout, Result, Shape, Tensor, TensorId};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// From an operation's result and its gradient to the gradients of the inputs. The flags say which inputs want one.
type Back = Box<dyn Fn(&Tensor, &Tensor, &[bool]) -> Result<Vec<Option<Tensor>>> + Send + Sync>;

/// Is told a variable and its gradient.
type Ready = Box<dyn FnMut(TensorId, &Tensor)>;

thread_local! {
    static TAPE: RefCell<Option<Tape>> = const { RefCell::new(None) };
    static NO_GRAD: Cell<bool> = const { Cell::new(false) };
    /// Who hears of gradients as they become known.
    static READY: RefCell<Option<Ready>> = const { RefCell::new(None) };
    /// Where [`backward`] collects the gradients of variables, past candle's sums.
    static COLLECTED: RefCell<Option<Collected>> = const { RefCell::new(None) };
}

/// Gradients of variables.
#[derive(Default)]
struct Collected {
    whole: HashMap<TensorId, Tensor>,
    /// Of some rows of a table, with the key under which the numbers of the rows will be.
    rows: HashMap<TensorId, (Tensor, RowSums)>,
}

/// Sets a thread's state for as long as this lives, and puts the old one back even after a panic.
struct Scope<F: FnMut()>(F);

impl<F: FnMut()> Drop for Scope<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Runs `f` without recording gradients; activations are freed as soon as they are used. PyTorch's `torch.no_grad()`.
pub fn no_grad<T>(f: impl FnOnce() -> T) -> T {
    let before = NO_GRAD.replace(true);
    let _scope = Scope(|| NO_GRAD.set(before));
    f()
}

/// Whether gradients are recorded: false inside [`no_grad`]. PyTorch's `torch.is_grad_enabled()`.
pub fn grad_enabled() -> bool {
    !NO_GRAD.get()
}

/// Runs `f` as on a thread of its own, with or without gradients: a thread that waits for others in the middle of one
/// network's pass may begin with another network, which must not see the first one's tape or gradients.
pub(super) fn apart<T>(gradients: bool, f: impl FnOnce() -> T) -> T {
    let mut before = Some((TAPE.take(), COLLECTED.take(), READY.take(), NO_GRAD.replace(!gradients)));
    let _scope = Scope(|| {
        if let Some((tape, collected, ready, no_grad)) = before.take() {
            TAPE.set(tape);
            COLLECTED.set(collected);
            READY.set(ready);
            NO_GRAD.set(no_grad);
        }
    });
    f()
}

/// Runs a network's forward pass `f` and records it on a tape, which saves memory and time in the backward pass. The
/// result belongs to candle's graph like any other tensor; its gradient can be computed once, as in PyTorch without
/// `retain_graph`.
///
/// # Errors
/// The errors of `f`.
pub fn recorded<E>(f: impl FnOnce() -> std::result::Result<Tensor, E>) -> std::result::Result<Tensor, E>
where
    E: From<candle_core::Error>,
{
    if !grad_enabled() || TAPE.with_borrow(Option::is_some) {
        return f();
    }
    TAPE.set(Some(Tape::default()));
    let _scope = Scope(|| TAPE.set(None));
    let out = f()?;
    match TAPE.take() {
        Some(tape) => Ok(tape.close(out)?),
        None => Ok(out),
    }
}

/// Computes the gradients of a loss: the same as candle's `loss.backward()`, but without adding each parameter's
/// gradient to zeros first. PyTorch's `loss.backward()`.
///
/// # Errors
/// The errors of the operations' backward passes.
pub fn backward(loss: &Tensor) -> Result<GradStore> {
    let before = COLLECTED.replace(Some(Collected::default()));
    let mut before = Some(before);
    let mut scope = Scope(|| {
        if let Some(before) = before.take() {
            COLLECTED.set(before);
        }
    });
    let mut grads = loss.backward()?;
    let collected = COLLECTED.take().unwrap_or_default();
    (scope.0)();
    for (id, grad) in collected.whole {
        let grad = match grads.get_id(id) {
            Some(other) => super::zip::sum(other, &grad)?,
            None => grad,
        };
        grads.insert_id(id, grad);
    }
    for (id, (key, sums)) in collected.rows {
        let grad = match grads.get_id(id) {
            Some(whole) => sums.plus_dense(whole)?,
            None => {
                let (rows, values) = sums.tensors()?;
                grads.insert(&key, rows);
                values
            }
        };
        grads.insert_id(id, grad);
    }
    Ok(grads)
}

/// Computes the gradients of a loss as [`backward`] does, and tells `ready` of those of a [`recorded`] passage's
/// variables while the rest is being computed, from the last layer to the first: the moment to send them to other
/// machines. A variable that is used outside of the passage too gets another gradient in the end, a tensor with another
/// id than the one that `ready` was told.
///
/// # Errors
/// The errors of [`backward`].
pub fn backward_with(loss: &Tensor, ready: impl FnMut(TensorId, &Tensor) + 'static) -> Result<GradStore> {
    let mut before = Some(READY.replace(Some(Box::new(ready))));
    let _scope = Scope(|| READY.set(before.take().flatten()));
    backward(loss)
}

/// Keeps the gradient of some rows of the variable `id` for [`backward`], which will give the numbers of the rows under
/// `key`. Gives it back if nothing collects.
pub(super) fn collect_rows(id: TensorId, key: &Tensor, sums: RowSums) -> Option<RowSums> {
    COLLECTED.with_borrow_mut(|collected| {
        let Some(collected) = collected else { return Some(sums) };
        let sums = match collected.rows.remove(&id) {
            Some((_, others)) => others.plus(&sums),
            None => sums,
        };
        collected.rows.insert(id, (key.clone(), sums));
        None
    })
}

/// The result of an operation on CPU tensors: `values` in `shape`, with `back(result, gradient, wanted)` as the way
/// to its inputs' gradients. Values have the type of the first input, and gradients that of theirs: what was computed
/// in `f32` for tensors of `bf16` is rounded here.
pub(super) fn record(
    inputs: &[&Tensor],
    values: impl Into<Values>,
    shape: impl Into<Shape>,
    back: impl Fn(&Tensor, &Tensor, &[bool]) -> Result<Vec<Option<Tensor>>> + Send + Sync + 'static,
) -> Result<Tensor> {
    let dtype = inputs.first().map_or(DType::F32, |first| first.dtype());
    record_as(dtype, inputs, values, shape, back)
}

/// [`record`] with a result of any type.
pub(super) fn record_as(
    dtype: DType,
    inputs: &[&Tensor],
    values: impl Into<Values>,
    shape: impl Into<Shape>,
    back: impl Fn(&Tensor, &Tensor, &[bool]) -> Result<Vec<Option<Tensor>>> + Send + Sync + 'static,
) -> Result<Tensor> {
    let shape = shape.into();
    let dtypes: Vec<DType> = inputs.iter().map(|t| t.dtype()).collect();
    let values = values.into().of_type(dtype);
    if !tracked(inputs) {
        return values.tensor(shape);
    }
    let wanted: Vec<bool> = inputs.iter().map(|t| t.track_op()).collect();
    let back: Back = if dtype == DType::BF16 || dtypes.contains(&DType::BF16) {
        Box::new(move |ys, grad, wanted| {
            let grads = back(ys, grad, wanted)?.into_iter().zip(&dtypes);
            grads.map(|(grad, dtype)| grad.map(|grad| of_type(grad, *dtype)).transpose()).collect()
        })
    } else {
        Box::new(back)
    };
    TAPE.with_borrow_mut(|tape| match tape {
        Some(tape) => {
            // A variable, so that whatever candle makes of it is tracked too.
            let out = values.variable(shape)?;
            tape.push(inputs, wanted, out.clone(), back);
            Ok(out)
        }
        None => graft(inputs, wanted, values, shape, back),
    })
}

/// A tensor's values in another type, if they are not in it.
fn of_type(tensor: Tensor, dtype: DType) -> Result<Tensor> {
    if tensor.dtype() == dtype {
        return Ok(tensor);
    }
    super::with_stored(&tensor, |values| Ok(values.in_type(dtype)))?.tensor(tensor.shape())
}

/// Whether an operation on these tensors has to keep what its backward pass needs.
pub(super) fn tracked(inputs: &[&Tensor]) -> bool {
    grad_enabled() && inputs.iter().any(|t| t.track_op())
}

/// What a passage of operations computed, in order.
#[derive(Default)]
struct Tape {
    nodes: Vec<Node>,
    /// Results of the nodes: their gradients come from the nodes that use them.
    outputs: HashSet<TensorId>,
    /// Variables from outside: parameters, mostly.
    leaves: Vec<Tensor>,
    leaf_ids: HashSet<TensorId>,
    /// Whether anything but candle's own operations was written down.
    ours: bool,
}

struct Node {
    inputs: Vec<TensorId>,
    wanted: Vec<bool>,
    output: Tensor,
    back: Back,
}

impl Tape {
    fn push(&mut self, inputs: &[&Tensor], wanted: Vec<bool>, output: Tensor, back: Back) {
        inputs.iter().filter(|t| t.track_op()).for_each(|t| self.know(t));
        self.ours = true;
        self.outputs.insert(output.id());
        self.nodes.push(Node { inputs: inputs.iter().map(|t| t.id()).collect(), wanted, output, back });
    }

    /// Makes sure that the tape can hand a gradient on to `tensor`.
    fn know(&mut self, tensor: &Tensor) {
        let id = tensor.id();
        if self.outputs.contains(&id) || self.leaf_ids.contains(&id) {
            return;
        }
        if tensor.is_variable() {
            self.leaf_ids.insert(id);
            self.leaves.push(tensor.clone());
            return;
        }
        // candle's operations lead here, from our results and from variables.
        let ends: Vec<Tensor> = tensor.sorted_nodes().into_iter().filter(|t| t.is_variable()).cloned().collect();
        ends.iter().for_each(|end| self.know(end));
        self.outputs.insert(id);
        let (inputs, wanted) = (ends.iter().map(Tensor::id).collect(), vec![true; ends.len()]);
        let back = Box::new(move |tensor: &Tensor, grad: &Tensor, _: &[bool]| {
            let mut grads = tensor.mul(grad)?.sum_all()?.backward()?;
            Ok(ends.iter().map(|end| grads.remove(end)).collect())
        });
        self.nodes.push(Node { inputs, wanted, output: tensor.clone(), back });
    }

    /// Makes one operation of the whole tape, from the leaves to `out`.
    fn close(mut self, out: Tensor) -> Result<Tensor> {
        if !self.ours || !out.track_op() || (out.is_variable() && !self.outputs.contains(&out.id())) {
            return Ok(out);
        }
        self.know(&out);
        let values = super::with_stored(&out, |values| Ok(values.to_values()))?;
        let (leaves, id) = (std::mem::take(&mut self.leaves), out.id());
        let inputs: Vec<&Tensor> = leaves.iter().collect();
        let ids: Vec<TensorId> = leaves.iter().map(Tensor::id).collect();
        // The node after which a leaf's gradient is whole, on the way back: the first that uses it.
        let mut whole_after: HashMap<usize, Vec<TensorId>> = HashMap::new();
        let mut seen = HashSet::new();
        for (number, node) in self.nodes.iter().enumerate() {
            for id in node.inputs.iter().filter(|id| self.leaf_ids.contains(id)) {
                if seen.insert(*id) {
                    whole_after.entry(number).or_default().push(*id);
                }
            }
        }
        let nodes = Mutex::new(Some(self.nodes));
        let back = move |_: &Tensor, grad: &Tensor, _: &[bool]| {
            let Some(nodes) = nodes.lock().unwrap_or_else(PoisonError::into_inner).take() else {
                candle_core::bail!(
                    "backward went through a recorded network a second time; its activations are gone: compute the \
                     forward pass again"
                )
            };
            let mut grads = HashMap::from([(id, grad.clone())]);
            for (number, node) in nodes.into_iter().enumerate().rev() {
                if let Some(grad) = grads.remove(&node.output.id()) {
                    for (id, grad) in node.inputs.iter().zip((node.back)(&node.output, &grad, &node.wanted)?) {
                        if let Some(grad) = grad {
                            add_to(&mut grads, *id, grad)?;
                        }
                    }
                }
                let whole = whole_after.get(&number).into_iter().flatten();
                whole.for_each(|id| tell(*id, grads.get(id)));
            }
            Ok(ids.iter().map(|id| grads.remove(id)).collect())
        };
        graft(&inputs, vec![true; inputs.len()], values, out.shape().clone(), Box::new(back))
    }
}

/// Tells who listens that a variable's gradient is known.
fn tell(id: TensorId, grad: Option<&Tensor>) {
    READY.with_borrow_mut(|ready| {
        if let (Some(ready), Some(grad)) = (ready, grad) {
            ready(id, grad);
        }
    });
}

fn add_to(grads: &mut HashMap<TensorId, Tensor>, id: TensorId, grad: Tensor) -> Result<()> {
    let sum = match grads.remove(&id) {
        Some(other) => super::zip::sum(&other, &grad)?,
        None => grad,
    };
    grads.insert(id, sum);
    Ok(())
}

/// Puts an operation with any number of inputs into candle's graph, whose operations have at most three: a chain of
/// one-element tensors runs through the inputs to the result, and on the way back each link hands its input the
/// gradient that the result's backward pass has left for it.
fn graft(inputs: &[&Tensor], wanted: Vec<bool>, values: Values, shape: Shape, back: Back) -> Result<Tensor> {
    let grads: Slots = Arc::new(Mutex::new(Vec::new()));
    let mut chain: Option<Tensor> = None;
    for (slot, input) in inputs.iter().enumerate().filter(|(slot, _)| wanted[*slot]) {
        let link = Link { slot, grads: grads.clone() };
        chain = Some(match chain {
            None => input.apply_op1(link)?,
            Some(chain) => chain.apply_op2(input, link)?,
        });
    }
    let out = (values.storage(), shape);
    match chain {
        Some(chain) => chain.apply_op1(Grafted { out: Mutex::new(Some(out)), wanted, back, grads }),
        None => candle_core::bail!("an operation without inputs has no gradient"),
    }
}

/// The gradients of an operation's inputs, between its backward pass and theirs.
type Slots = Arc<Mutex<Vec<Option<Tensor>>>>;

struct Link {
    slot: usize,
    grads: Slots,
}

impl Link {
    /// The gradient left for the input, if candle is to add it up.
    fn take(&self, input: &Tensor) -> Result<Option<Tensor>> {
        let mut grads = self.grads.lock().unwrap_or_else(PoisonError::into_inner);
        let grad = grads.get_mut(self.slot).and_then(Option::take);
        if input.is_variable() {
            return COLLECTED.with_borrow_mut(|collected| match (collected, grad) {
                (Some(collected), Some(grad)) => add_to(&mut collected.whole, input.id(), grad).map(|()| None),
                (_, grad) => Ok(grad),
            });
        }
        // candle insists on a gradient for what is not a variable.
        Ok(Some(match grad {
            Some(grad) => grad,
            None => input.zeros_like()?,
        }))
    }
}

/// What links hold and hand back: nothing.
fn nothing() -> (CpuStorage, Shape) {
    (CpuStorage::F32(vec![0.0]), 1.into())
}

impl CustomOp1 for Link {
    fn name(&self) -> &'static str {
        "link"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok(nothing())
    }

    fn bwd(&self, input: &Tensor, _: &Tensor, _: &Tensor) -> Result<Option<Tensor>> {
        self.take(input)
    }
}

impl CustomOp2 for Link {
    fn name(&self) -> &'static str {
        "link"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok(nothing())
    }

    fn bwd(&self, chain: &Tensor, input: &Tensor, _: &Tensor, _: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(chain.zeros_like()?), self.take(input)?))
    }
}

struct Grafted {
    out: Mutex<Option<(CpuStorage, Shape)>>,
    wanted: Vec<bool>,
    back: Back,
    grads: Slots,
}

impl CustomOp1 for Grafted {
    fn name(&self) -> &'static str {
        "tallow"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        match self.out.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(out) => Ok(out),
            None => candle_core::bail!("the result of an operation was taken twice"),
        }
    }

    fn bwd(&self, chain: &Tensor, out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        *self.grads.lock().unwrap_or_else(PoisonError::into_inner) = (self.back)(out, grad, &self.wanted)?;
        Ok(Some(chain.zeros_like()?))
    }
}
