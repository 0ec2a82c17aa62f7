//! What all networks have in common: a body that computes features of an image, and a head that classifies them.

use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::{AdaptiveConcatPool2d, Module, Params, through_channels_last};
use candle_core::Tensor;
use std::sync::Arc;

/// What may be chosen about a network besides its architecture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkOptions {
    /// The length of its result.
    pub n_classes: usize,
    /// The probability of its dropouts; the published one if `None`.
    pub dropout: Option<f64>,
    /// The probability with which its last residual block is skipped while training, those before it more seldom
    /// (stochastic depth); the published one if `None`.
    pub drop_path: Option<f64>,
    /// The epsilon of the batch normalisations, in MobileNetV3 alone, of which there are weights for another one; the
    /// published one if `None`.
    pub norm_eps: Option<f64>,
}

impl NetworkOptions {
    /// As published, for this many classes.
    pub fn new(n_classes: usize) -> NetworkOptions {
        NetworkOptions { n_classes, dropout: None, drop_path: None, norm_eps: None }
    }

    /// Nothing is dropped at random.
    #[must_use]
    pub fn without_dropout(self) -> NetworkOptions {
        NetworkOptions { dropout: Some(0.0), drop_path: Some(0.0), ..self }
    }
}

/// A step from one channels-last tensor to the next; the flag says whether the network trains.
pub(super) type Step = Box<dyn Fn(&Tensor, bool) -> Result<Tensor> + Send + Sync>;

/// The step that a layer is.
pub(super) fn step(layer: impl Module + 'static) -> Step {
    Box::new(move |xs, train| layer.forward_channels_last(xs, train))
}

/// Steps one after the other.
pub(super) fn chain(steps: Vec<Step>) -> Step {
    Box::new(move |xs, train| steps.iter().try_fold(xs.clone(), |xs, step| step(&xs, train)))
}

/// The convolutional part of a network: images `[N, 3, H, W]` to features `[N, C, h, w]`, by way of its children, one
/// after the other.
pub struct Body {
    children: Vec<Child>,
    channels: usize,
    split: usize,
    skips: Vec<Skip>,
}

/// A place in a body whose result is larger than what follows: the last of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Skip {
    /// The number of the child.
    pub(super) child: usize,
    /// The channels of its result.
    pub(super) channels: usize,
}

struct Child {
    /// What the names of its parameters start with; nothing if it has none.
    prefixes: Vec<String>,
    forward: Step,
}

impl Body {
    pub(super) fn new() -> Body {
        Body { children: Vec::new(), channels: 3, split: usize::MAX, skips: Vec::new() }
    }

    /// Adds a child whose parameters lie under these prefixes.
    pub(super) fn push(&mut self, prefixes: &[String], forward: Step) {
        self.children.push(Child { prefixes: prefixes.to_vec(), forward });
    }

    /// The children pushed from here on belong to the second group. A second call changes nothing.
    pub(super) fn split_here(&mut self) {
        self.split = self.split.min(self.children.len());
    }

    /// The child that was pushed last has `channels`, and the next one makes its result half as high and wide.
    pub(super) fn shrink_here(&mut self, channels: usize) {
        if let Some(child) = self.children.len().checked_sub(1) {
            self.skips.push(Skip { child, channels });
        }
    }

    /// Where the result is about to shrink, from the largest to the smallest, in bodies that say so. They follow from
    /// the strides alone, whatever the size of the images.
    pub(super) fn skips(&self) -> &[Skip] {
        &self.skips
    }

    /// A body that is complete, with `channels` in its features.
    pub(super) fn finish(self, channels: usize) -> Body {
        Body { channels, ..self }
    }

    /// The channels of the features.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// For each child the prefixes of its parameters' names, in order: `["conv1", "bn1"]`, none, `["layer1.0"]`, ...
    pub fn children(&self) -> impl ExactSizeIterator<Item = &[String]> {
        self.children.iter().map(|child| child.prefixes.as_slice())
    }

    /// The prefixes in the groups into which fast.ai splits this body for training: one group or two.
    pub fn groups(&self) -> Vec<Vec<String>> {
        let (first, second) = self.children.split_at(self.split.min(self.children.len()));
        let names = |children: &[Child]| children.iter().flat_map(|child| child.prefixes.clone()).collect();
        let groups: Vec<Vec<String>> = vec![names(first), names(second)];
        groups.into_iter().filter(|group| !group.is_empty()).collect()
    }

    /// The channels-last features, showing each child's result on the way: for skip connections, hooks and side
    /// branches.
    ///
    /// # Errors
    /// When an image is too small, and those of `visit`.
    pub fn forward_each(
        &self,
        xs: &Tensor,
        train: bool,
        visit: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let mut xs = xs.clone();
        for (i, child) in self.children.iter().enumerate() {
            xs = (child.forward)(&xs, train)?;
            visit(i, &xs)?;
        }
        Ok(xs)
    }

    /// A network of this body and fast.ai's head ([`super::vision_head`]) for `n_classes`, whose parameters are named
    /// after `params`' prefix. Its input are the pooled features, `[N, 2 * channels]`.
    ///
    /// # Errors
    /// When the device cannot hold the parameters, or `params` has no prefix.
    pub fn with_vision_head(self, n_classes: usize, params: &Params) -> Result<Network> {
        let prefix = params.prefix().to_string();
        if prefix.is_empty() {
            let message = "a head needs a name of its own: make it from `params.pp(\"head\")`";
            return Err(Error::config("params", message));
        }
        let head = super::vision_head(self.channels, n_classes, params)?;
        let head: Step = Box::new(move |xs, train| head.judge(xs, train));
        Ok(Network { body: self, neck: step(AdaptiveConcatPool2d), head, prefixes: vec![prefix], side: None })
    }

    /// A network of this body and a head of one's own, such as [`super::vision_head`], that takes `[N, channels, h, w]`
    /// and has its parameters under `prefix`.
    pub fn with_head(self, prefix: &str, head: impl Module + 'static) -> Network {
        let keep: Step = Box::new(|xs, _| Ok(xs.clone()));
        Network { body: self, neck: keep, head: step(head), prefixes: vec![prefix.to_string()], side: None }
    }
}

impl Module for Body {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.forward_each(xs, train, &mut |_, _| Ok(()))
    }
}

/// An image classifier: `[N, 3, H, W]` to scores `[N, classes]`.
pub struct Network {
    body: Body,
    /// From the body's features to the input of the last layer.
    neck: Step,
    head: Step,
    /// Under which prefixes the parameters of neck, head and side branch lie.
    prefixes: Vec<String>,
    side: Option<Side>,
}

/// A second classifier that looks at what the body's child `after` makes.
struct Side {
    after: usize,
    head: Step,
}

/// The scores of a network in training.
pub struct NetworkOutputs {
    /// Those that count, `[N, classes]`.
    pub logits: Tensor,
    /// Those of an auxiliary classifier in the middle of the network, where it has one. Their loss is added, times 0.4,
    /// to that of the logits.
    pub aux_logits: Option<Tensor>,
}

impl Network {
    pub(super) fn new(body: Body, neck: Step, head: Step, prefix: &str) -> Network {
        Network { body, neck, head, prefixes: vec![prefix.to_string()], side: None }
    }

    /// With an auxiliary classifier after the body's child `after`, its parameters under `prefix`.
    pub(super) fn with_side(mut self, after: usize, head: Step, prefix: &str) -> Network {
        self.prefixes.push(prefix.to_string());
        Network { side: Some(Side { after, head }), ..self }
    }

    /// The part that makes features.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The body of the network. What it does not contain stays among the parameters, so ask [`super::Arch::body`] for a
    /// body to put another head on.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// The input of the last layer: `[N, features]` as a rule, `[N, C, h, w]` in SqueezeNet, whose last layer is a
    /// convolution.
    ///
    /// # Errors
    /// As [`Module::forward`].
    pub fn features(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let xs = kernels::channels_last(xs)?;
        let ys = kernels::recorded(|| (self.neck)(&self.body.forward_channels_last(&xs, train)?, train))?;
        Ok(if ys.rank() == 4 { kernels::channels_first(&ys)? } else { ys })
    }

    /// The scores of [`Network::features`], `[N, classes]`.
    ///
    /// # Errors
    /// When the features are not of this network.
    pub fn judge(&self, features: &Tensor, train: bool) -> Result<Tensor> {
        let xs = if features.rank() == 4 { kernels::channels_last(features)? } else { features.clone() };
        kernels::recorded(|| (self.head)(&xs, train))
    }

    /// The prefixes of the names of all parameters behind [`Body`]: those of the head.
    pub fn head_prefixes(&self) -> &[String] {
        &self.prefixes
    }

    /// The scores, and those of the auxiliary classifier if the network has one and trains. [`Module::forward`] gives
    /// the first alone and leaves the auxiliary classifier out.
    ///
    /// # Errors
    /// As [`Module::forward`].
    pub fn forward_with_aux(&self, xs: &Tensor, train: bool) -> Result<NetworkOutputs> {
        let Some(side) = self.side.as_ref().filter(|_| train) else {
            return Ok(NetworkOutputs { logits: self.forward(xs, train)?, aux_logits: None });
        };
        let xs = kernels::channels_last(xs)?;
        // One tensor, since a tape has one end.
        let both = kernels::recorded(|| {
            let mut aux = None;
            let features = self.body.forward_each(&xs, train, &mut |i, ys| {
                if i == side.after {
                    aux = Some((side.head)(ys, train)?);
                }
                Ok(())
            })?;
            let logits = (self.head)(&(self.neck)(&features, train)?, train)?;
            let aux = aux.ok_or_else(|| Error::Value("the auxiliary classifier's place is not in the body".into()))?;
            Ok::<_, Error>(Tensor::stack(&[&logits, &aux], 0)?)
        })?;
        Ok(NetworkOutputs { logits: both.get(0)?, aux_logits: Some(both.get(1)?) })
    }

    /// The prefixes of the parameters' names in fast.ai's groups: the body's, and last the head's.
    pub fn groups(&self) -> Vec<Vec<String>> {
        let mut groups = self.body.groups();
        groups.push(self.prefixes.clone());
        groups
    }

    /// Puts the network's parameters into [`Network::groups`], for freezing and for learning rates of their own.
    ///
    /// # Errors
    /// When `params` holds others too.
    pub fn split_groups(&self, params: &Params) -> Result<()> {
        let groups = self.groups();
        let groups: Vec<Vec<&str>> = groups.iter().map(|group| group.iter().map(String::as_str).collect()).collect();
        params.split_groups(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }
}

/// A shared network up to the input of its last layer, as a module of its own: [`Network::features`].
pub struct FeaturesOf(pub Arc<Network>);

impl Module for FeaturesOf {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.0.features(xs, train)
    }
}

/// The rest of it, from features to scores: [`Network::judge`].
pub struct HeadOf(pub Arc<Network>);

impl Module for HeadOf {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.0.judge(xs, train)
    }
}

impl Module for Network {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        (self.head)(&(self.neck)(&self.body.forward_channels_last(xs, train)?, train)?, train)
    }
}
