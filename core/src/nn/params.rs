//! The parameters of a network, with PyTorch's names, in a fixed order and in groups that can be frozen.

use super::param::{Param, ParamKind};
use crate::error::{Error, Result};
use crate::rng::Rng;
use candle_core::{DType, Device, Shape, Tensor};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The parameters of a network, in the order in which its layers were made.
///
/// A layer is made from a `Params` and registers its tensors there; [`Params::pp`] is the same store with a longer
/// prefix, as candle's `VarBuilder::pp`. Initial values come from a random stream with the parameter's own name, so
/// they do not depend on the rest of the network.
///
/// ```
/// use tallow::candle::Device;
/// use tallow::nn::{Params, linear};
/// # fn main() -> tallow::Result<()> {
/// let params = Params::new(&tallow::rng::Rng::new(42), &Device::Cpu);
/// linear(512, 64, &params.pp("body"))?;
/// linear(64, 10, &params.pp("head"))?;
/// assert_eq!(params.all().iter().map(|p| p.name()).collect::<Vec<_>>(), [
///     "body.weight", "body.bias", "head.weight", "head.bias",
/// ]);
/// assert_eq!(params.num_parameters(), (512 + 1) * 64 + (64 + 1) * 10);
/// params.split_groups(&[&["body"], &["head"]])?;
/// params.freeze(); // all groups but the last
/// assert_eq!(params.trainable().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Params {
    prefix: String,
    device: Device,
    dtype: Option<DType>,
    rng: Rng,
    expected: Option<Arc<BTreeMap<String, Tensor>>>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    params: Vec<Param>,
    streams: BTreeMap<String, Stream>,
    trainings: Vec<String>,
}

/// The random stream of a layer, such as a dropout. Checkpoints save its position.
pub type Stream = Arc<Mutex<Rng>>;

impl Params {
    /// An empty store for tensors on `device`. Initial values are drawn from named streams of `rng`.
    pub fn new(rng: &Rng, device: &Device) -> Params {
        let (prefix, dtype) = (String::new(), None);
        Params { prefix, device: device.clone(), dtype, rng: rng.clone(), expected: None, shared: Arc::default() }
    }

    /// The same store, whose new parameters have this type; without it they have that of their initial values, `f32`.
    /// `DType::F64` is PyTorch's `.double()`. The fast kernels are for `f32`; other types take the portable path.
    #[must_use]
    pub fn with_dtype(self, dtype: DType) -> Params {
        Params { dtype: Some(dtype), ..self }
    }

    /// The same store for a network whose values are these and are loaded at once ([`Params::load_state_dict`], which
    /// misses none). New parameters are zeros where they would be drawn at random, since drawing takes longer than
    /// reading a file; and one that is not among the values, or has another shape, is an error before it takes memory.
    #[must_use]
    pub(crate) fn expecting(self, values: &BTreeMap<String, Tensor>) -> Params {
        Params { expected: Some(Arc::new(values.clone())), ..self }
    }

    /// The same store with `name.` in front of all names made from it. candle's `VarBuilder::pp`.
    #[must_use]
    pub fn pp(&self, name: impl std::fmt::Display) -> Params {
        Params { prefix: self.path(&name.to_string()), ..self.clone() }
    }

    /// The prefix of the names made here; empty for a whole network.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A full name without this prefix; unchanged if it has another.
    pub fn relative<'a>(&self, name: &'a str) -> &'a str {
        let inside = name.strip_prefix(self.prefix.as_str()).map(|rest| rest.strip_prefix('.').unwrap_or(rest));
        inside.unwrap_or(name)
    }

    /// The device of the tensors.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Registers a parameter, whose initial value `init` draws.
    ///
    /// # Errors
    /// [`Error::Network`] when the name is taken, or the values that are going to be loaded have no such parameter; the
    /// error of `init`.
    pub fn add(
        &self,
        name: &str,
        kind: ParamKind,
        init: impl FnOnce(&mut Rng, &Device) -> Result<Tensor>,
    ) -> Result<Param> {
        let name = self.path(name);
        if self.shared().params.iter().any(|p| p.name() == name) {
            let message = format!("two parameters are called `{name}`; give each layer its own name");
            return Err(Error::network(name, message));
        }
        let stream = self.rng.stream(&name);
        let value = init(&mut if self.expected.is_some() { stream.blank() } else { stream }, &self.device)?;
        if let Some(expected) = &self.expected {
            let problem = match expected.get(&name) {
                None => Some(format!("there is no `{name}`")),
                Some(there) if there.dims() != value.dims() => {
                    Some(format!("`{name}` has shape {:?}, and {:?} would fit", there.dims(), value.dims()))
                }
                Some(_) => None,
            };
            if let Some(message) = problem {
                return Err(Error::network(name, message));
            }
        }
        let value = self.dtype.map_or(Ok(value.clone()), |dtype| value.to_dtype(dtype))?;
        let param = Param::new(name, kind, &value, &self.device)?;
        self.shared().params.push(param.clone());
        Ok(param)
    }

    /// [`Params::add`] with a constant as the initial value.
    ///
    /// # Errors
    /// [`Error::Network`] when the name is taken.
    pub fn constant(&self, name: &str, kind: ParamKind, shape: impl Into<Shape>, value: f32) -> Result<Param> {
        let shape = shape.into();
        // One number in memory, until the shape is known to fit.
        self.add(name, kind, |_, device| Ok(Tensor::full(value, (), device)?.broadcast_as(shape)?))
    }

    /// Registers a random stream for a layer.
    ///
    /// # Errors
    /// [`Error::Network`] when the name is taken: two layers would draw the same numbers.
    pub fn stream(&self, name: &str) -> Result<Stream> {
        let name = self.path(name);
        let stream = Arc::new(Mutex::new(self.rng.stream(&name)));
        match self.shared().streams.entry(name) {
            Entry::Vacant(place) => Ok(place.insert(stream).clone()),
            Entry::Occupied(taken) => {
                let name = taken.key();
                let message = format!("two random streams are called `{name}`; give each layer its own name");
                Err(Error::network(name, message))
            }
        }
    }

    /// All parameters under this prefix, buffers included, in the order in which they were made.
    pub fn all(&self) -> Vec<Param> {
        let inside = format!("{}.", self.prefix);
        let is_inside = |p: &&Param| self.prefix.is_empty() || p.name().starts_with(&inside);
        self.shared().params.iter().filter(is_inside).cloned().collect()
    }

    /// The parameters under this prefix that optimizers update: neither buffers nor frozen.
    pub fn trainable(&self) -> Vec<Param> {
        self.all().into_iter().filter(Param::trainable).collect()
    }

    /// The parameter with this name, relative to this prefix.
    ///
    /// # Errors
    /// [`Error::Network`] when there is none.
    pub fn get(&self, name: &str) -> Result<Param> {
        let name = self.path(name);
        let found = self.shared().params.iter().find(|p| p.name() == name).cloned();
        found.ok_or_else(|| Error::network(&name, format!("the network has no parameter called `{name}`")))
    }

    /// The number of parameter values under this prefix, frozen ones included, buffers not.
    pub fn num_parameters(&self) -> usize {
        self.all().iter().filter(|p| p.kind() != ParamKind::Buffer).map(Param::elem_count).sum()
    }

    /// Assigns the parameters to groups by name: group `i` has those under one of the prefixes `groups[i]`.
    ///
    /// # Errors
    /// [`Error::Network`] when a parameter is in none of the groups; then nothing is changed.
    pub fn split_groups(&self, groups: &[&[&str]]) -> Result<()> {
        let mut found = Vec::new();
        for param in self.all() {
            let under = |prefix: &&str| {
                param.name().strip_prefix(*prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            match groups.iter().position(|prefixes| prefixes.iter().any(under)) {
                Some(group) => found.push((param, group)),
                None => {
                    let name = param.name();
                    let message = format!("parameter `{name}` is in none of the groups {groups:?}");
                    return Err(Error::network(name, message));
                }
            }
        }
        found.iter().for_each(|(param, group)| param.set_group(*group));
        Ok(())
    }

    /// The number of parameter groups; 1 before [`Params::split_groups`].
    pub fn n_groups(&self) -> usize {
        self.all().iter().map(|p| p.group() + 1).max().unwrap_or(1)
    }

    /// Freezes the groups before `group` and unfreezes the others. As with fast.ai's `freeze_to`, normalisation layers
    /// keep training in frozen groups.
    pub fn freeze_to(&self, group: usize) {
        for param in self.all() {
            let frozen = param.group() < group && param.kind() != ParamKind::Norm;
            param.set_frozen(frozen);
        }
    }

    /// Freezes all groups but the last. fast.ai's `freeze`.
    pub fn freeze(&self) {
        self.freeze_to(self.n_groups().saturating_sub(1));
    }

    /// Unfreezes all groups. fast.ai's `unfreeze`.
    pub fn unfreeze(&self) {
        self.freeze_to(0);
    }

    /// Fixes, or releases, the running statistics of the batch normalisations under this prefix. Fixed ones normalise
    /// training batches too, while scales and shifts still learn: fast.ai's `BnFreeze`, for all layers and not only
    /// frozen ones. It helps a pretrained network that learns from few images, since the statistics of small batches
    /// of two classes are far from those of ImageNet.
    pub fn freeze_batch_norm(&self, fixed: bool) {
        for param in self.all().iter().filter(|param| param.kind() == ParamKind::Buffer) {
            param.set_fixed(fixed);
        }
    }

    /// The names of the direct children under this prefix, in order: `conv1`, `bn1`, `layer1`, ... PyTorch's
    /// `named_children`, without children that have no parameters.
    pub fn children(&self) -> Vec<String> {
        let mut children: Vec<String> = Vec::new();
        for param in self.all() {
            let child = self.relative(param.name()).split('.').next().unwrap_or_default();
            if !children.iter().any(|known| known == child) {
                children.push(child.to_string());
            }
        }
        children
    }

    /// The part with this dotted name, relative to this prefix: `layer1.0`. PyTorch's `get_submodule`, for parts that
    /// have parameters.
    ///
    /// # Errors
    /// [`Error::Network`] when there is no such part, with the names that there are.
    pub fn get_submodule(&self, target: &str) -> Result<Params> {
        let mut part = self.clone();
        for name in target.split('.') {
            let children = part.children();
            if !children.iter().any(|child| child == name) {
                let of = if part.prefix.is_empty() { "the network".into() } else { format!("`{}`", part.prefix) };
                let message = format!("{of} has no part called `{name}`; its parts are {}", children.join(", "));
                return Err(Error::network(target, message));
            }
            part = part.pp(name);
        }
        Ok(part)
    }

    /// Unfreezes the parameters under these prefixes, relative to this one (`layer3`, `layer4.0`), and freezes all
    /// others, normalisation layers included: the loop of PyTorch's tutorials that sets `requires_grad` child by child.
    ///
    /// # Errors
    /// [`Error::Network`] when there is nothing under a prefix; then nothing is changed.
    pub fn train_only(&self, prefixes: &[&str]) -> Result<()> {
        let under = |param: &Param, prefix: &str| {
            self.relative(param.name())
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let params = self.all();
        if let Some(prefix) = prefixes.iter().find(|prefix| !params.iter().any(|p| under(p, prefix))) {
            let children = self.children().join(", ");
            let message = format!("the network has no part called `{prefix}`; its parts are {children}");
            return Err(Error::network(*prefix, message));
        }
        for param in &params {
            let trains = prefixes.iter().any(|prefix| under(param, prefix));
            param.set_frozen(!trains);
        }
        Ok(())
    }

    /// A copy of all values by name, buffers included. PyTorch's `state_dict`.
    ///
    /// # Errors
    /// When a tensor cannot be copied.
    pub fn state_dict(&self) -> Result<BTreeMap<String, Tensor>> {
        self.all().iter().map(|p| Ok((p.name().to_string(), p.var().copy()?.detach()))).collect()
    }

    /// Sets all values by name. PyTorch's `load_state_dict(strict=True)`.
    ///
    /// # Errors
    /// [`Error::Network`] naming the tensors that are missing, unexpected or of another shape; then nothing is changed.
    pub fn load_state_dict(&self, values: &BTreeMap<String, Tensor>) -> Result<()> {
        let params = self.all();
        let names: HashSet<&str> = params.iter().map(Param::name).collect();
        let mut problems: Vec<String> = Vec::new();
        for param in &params {
            match values.get(param.name()) {
                None => problems.push(format!("`{}` is missing", param.name())),
                Some(value) if value.shape() != param.var().shape() => problems.push(format!(
                    "`{}` has shape {:?}, expected {:?}",
                    param.name(),
                    value.dims(),
                    param.var().dims()
                )),
                Some(_) => {}
            }
        }
        problems.extend(values.keys().filter(|k| !names.contains(k.as_str())).map(|k| format!("`{k}` is unexpected")));
        if !problems.is_empty() {
            let (shown, more) = (problems.len().min(5), problems.len().saturating_sub(5));
            let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let message = format!("weights of another network: {}{and_more}", problems[..shown].join(", "));
            return Err(Error::network(&self.prefix, message));
        }
        for param in &params {
            if let Some(value) = values.get(param.name()) {
                param.var().set(&value.to_device(&self.device)?.to_dtype(param.var().dtype())?)?;
            }
        }
        Ok(())
    }

    /// The seed of initial values and of the layers' random streams.
    pub fn seed(&self) -> u64 {
        self.rng.seed()
    }

    /// Records that a learner has trained parameters of this store, and how.
    pub(crate) fn note_training(&self, how: String) {
        self.shared().trainings.push(how);
    }

    /// The trainings of this store's parameters so far, by all learners.
    pub(crate) fn trainings(&self) -> Vec<String> {
        self.shared().trainings.clone()
    }

    /// The position of each layer's random stream, by name.
    pub fn stream_positions(&self) -> BTreeMap<String, u64> {
        self.shared().streams.iter().map(|(name, stream)| (name.clone(), lock(stream).position())).collect()
    }

    /// Moves the random streams to positions from [`Params::stream_positions`]. Streams without one stay.
    pub fn seek_streams(&self, positions: &BTreeMap<String, u64>) {
        for (name, stream) in &self.shared().streams {
            if let Some(&position) = positions.get(name) {
                lock(stream).seek(position);
            }
        }
    }

    fn path(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_string() } else { format!("{}.{name}", self.prefix) }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }
}

/// Locks even if another thread panicked while it held the lock: the value behind is never left half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Params {
        let params = Params::new(&Rng::new(1), &Device::Cpu);
        for layer in ["body.0", "body.1", "head"] {
            params.pp(layer).add("weight", ParamKind::Weight, |rng, device| rng.randn((2, 2), 1.0, device)).unwrap();
            params.pp(layer).constant("bn", ParamKind::Norm, 2, 1.0).unwrap();
        }
        params
    }

    #[test]
    fn names_and_order_are_those_of_construction() {
        let names: Vec<String> = store().all().iter().map(|p| p.name().to_string()).collect();
        assert_eq!(names, ["body.0.weight", "body.0.bn", "body.1.weight", "body.1.bn", "head.weight", "head.bn"]);
        assert_eq!(store().pp("body").all().len(), 4);
        assert_eq!(store().num_parameters(), 18);
        assert!(store().pp("head").constant("bn", ParamKind::Norm, 2, 1.0).is_err());
        let (first, second) = (store(), store());
        assert!(first.stream("dropout").is_ok() && first.pp("head").stream("dropout").is_ok());
        assert!(second.stream("dropout").is_ok() && second.stream("dropout").is_err());
    }

    #[test]
    fn freezing_detaches_all_but_norm_layers() {
        let params = store();
        params.split_groups(&[&["body.0"], &["body.1"], &["head"]]).unwrap();
        params.freeze();
        let trainable: Vec<String> = params.trainable().iter().map(|p| p.name().to_string()).collect();
        assert_eq!(trainable, ["body.0.bn", "body.1.bn", "head.weight", "head.bn"]);
        assert!(!params.get("body.0.weight").unwrap().tensor().track_op());
        assert!(params.get("head.weight").unwrap().tensor().track_op());
        params.freeze_to(1);
        assert_eq!(params.trainable().len(), 5);
        params.unfreeze();
        assert_eq!(params.trainable().len(), 6);
        assert!(params.split_groups(&[&["body"]]).is_err());
    }

    #[test]
    fn restoring_is_all_or_nothing() {
        let (a, b) = (store(), Params::new(&Rng::new(1), &Device::Cpu));
        let before = a.state_dict().unwrap();
        let mut changed = before.clone();
        changed.remove("head.bn");
        changed.insert("body.0.weight".into(), Tensor::zeros(3, candle_core::DType::F32, &Device::Cpu).unwrap());
        let message = a.load_state_dict(&changed).unwrap_err().to_string();
        assert!(message.contains("`head.bn` is missing") && message.contains("expected [2, 2]"), "{message}");
        assert!(b.load_state_dict(&before).unwrap_err().to_string().contains("and 1 more"));
        let after = a.state_dict().unwrap();
        assert!(before.iter().all(|(k, v)| v.to_string() == after[k].to_string()));
    }
}
