//! Image classifiers: a body that computes features of an image, and a head that classifies them.

use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::{AdaptiveConcatPool2d, Module, Params, through_channels_last, with_channels_last};
use candle_core::Tensor;
use std::sync::Arc;

/// The settings of a network besides its architecture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkOptions {
    /// The number of classes, the length of the scores.
    pub n_classes: usize,
    /// The probability of dropout; the published one if `None`.
    pub dropout: Option<f64>,
    /// Stochastic depth: the probability with which the last residual block is skipped while training, and which falls
    /// linearly to 0 for earlier blocks; the published one if `None`.
    pub drop_path: Option<f64>,
    /// The epsilon of batch normalisation; the published one if `None`. Only MobileNetV3 takes another one, since there
    /// are weights trained with it.
    pub norm_eps: Option<f64>,
}

impl NetworkOptions {
    /// The published settings for `n_classes` classes.
    pub fn new(n_classes: usize) -> NetworkOptions {
        NetworkOptions { n_classes, dropout: None, drop_path: None, norm_eps: None }
    }

    /// The same without dropout and stochastic depth.
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

/// The convolutional part of a network, a chain of children: images `[N, 3, H, W]` → features `[N, C, h, w]`.
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

    /// The prefixes of each child's parameter names, in order: `["conv1", "bn1"]`, none, `["layer1.0"]`, ...
    pub fn children(&self) -> impl ExactSizeIterator<Item = &[String]> {
        self.children.iter().map(|child| child.prefixes.as_slice())
    }

    /// The prefixes of the parameter groups into which fast.ai splits this body: one group or two.
    pub fn groups(&self) -> Vec<Vec<String>> {
        let (first, second) = self.children.split_at(self.split.min(self.children.len()));
        let names = |children: &[Child]| children.iter().flat_map(|child| child.prefixes.clone()).collect();
        let groups: Vec<Vec<String>> = vec![names(first), names(second)];
        groups.into_iter().filter(|group| !group.is_empty()).collect()
    }

    /// Computes the channels-last features and calls `visit` with each child's result: for skip connections, hooks and
    /// auxiliary classifiers.
    ///
    /// # Errors
    /// When an image is too small; the errors of `visit`.
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

    /// A network of this body and fast.ai's head ([`super::vision_head`]) for `n_classes`, whose parameters go into
    /// `params`.
    ///
    /// # Errors
    /// When `params` has no prefix.
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

    /// A network of this body and any head that takes `[N, channels, h, w]` and has its parameters under `prefix`.
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

/// An image classifier: images `[N, 3, H, W]` → scores `[N, n_classes]`.
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
    /// The logits, `[N, n_classes]`.
    pub logits: Tensor,
    /// The logits of the auxiliary classifier in the middle of the network, if it has one (Inception v3). Their loss is
    /// added, times 0.4, to that of the logits (Szegedy et al., 2015).
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

    /// The body of the network.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The body of the network. The head's parameters stay in `Params`, so use [`super::Arch::body`] to make a network
    /// with another head.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Computes the input of the last layer.
    ///
    /// # Shapes
    /// `xs` `[N, 3, H, W]` → `[N, features]`; in SqueezeNet, whose last layer is a convolution, `[N, C, h, w]`
    ///
    /// # Errors
    /// When the network cannot take an input of this shape.
    pub fn features(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        with_channels_last(xs, train, |xs| (self.neck)(&self.body.forward_channels_last(xs, train)?, train))
    }

    /// Computes what the body makes of images, in which every value still belongs to a place.
    ///
    /// # Shapes
    /// `xs` `[N, 3, H, W]` → `[N, channels, h, w]`
    ///
    /// # Errors
    /// When the network cannot take an input of this shape.
    pub fn maps(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        with_channels_last(xs, train, |xs| self.body.forward_channels_last(xs, train))
    }

    /// Computes the scores `[N, n_classes]` of maps from [`Network::maps`].
    ///
    /// # Errors
    /// When the maps do not have the shape of this network's.
    pub fn judge_maps(&self, maps: &Tensor, train: bool) -> Result<Tensor> {
        let xs = kernels::channels_last(maps)?;
        kernels::recorded(|| (self.head)(&(self.neck)(&xs, train)?, train))
    }

    /// Computes the scores `[N, n_classes]` of features from [`Network::features`].
    ///
    /// # Errors
    /// When the features do not have the shape of this network's.
    pub fn judge(&self, features: &Tensor, train: bool) -> Result<Tensor> {
        let xs = if features.rank() == 4 { kernels::channels_last(features)? } else { features.clone() };
        kernels::recorded(|| (self.head)(&xs, train))
    }

    /// The prefixes of the head's parameter names.
    pub fn head_prefixes(&self) -> &[String] {
        &self.prefixes
    }

    /// Computes the scores and, while training, those of the auxiliary classifier, which [`Module::forward`] leaves
    /// out.
    ///
    /// # Errors
    /// When the network cannot take an input of this shape.
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

    /// The prefixes of the parameter names in fast.ai's groups: the body's, then the head's.
    pub fn groups(&self) -> Vec<Vec<String>> {
        let mut groups = self.body.groups();
        groups.push(self.prefixes.clone());
        groups
    }

    /// Assigns the parameters to [`Network::groups`], for freezing and for discriminative learning rates. fast.ai's
    /// `default_split`.
    ///
    /// # Errors
    /// When `params` has parameters of another network too.
    pub fn split_groups(&self, params: &Params) -> Result<()> {
        let groups = self.groups();
        let groups: Vec<Vec<&str>> = groups.iter().map(|group| group.iter().map(String::as_str).collect()).collect();
        params.split_groups(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }
}

/// The part of a shared network up to the input of its last layer ([`Network::features`]), as a module.
pub struct FeaturesOf(pub Arc<Network>);

impl Module for FeaturesOf {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.0.features(xs, train)
    }
}

/// The last layer of a shared network, from features to scores ([`Network::judge`]), as a module.
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
