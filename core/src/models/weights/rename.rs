//! One network, several names: how timm and older files call what torchvision, and so Tallow, calls otherwise.
//!
//! Names are all that is mended here. timm's MobileNetV3 also normalises with an epsilon of 1e-5 where torchvision's
//! has 1e-3: a file does not say so, the [`super::Recipe`] of its weights does.

use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What the names in a file may mean.
pub(super) struct Renames<'a> {
    names: HashSet<&'a str>,
    /// For each stage of timm's MobileNets, how many blocks stand before it.
    blocks_before: BTreeMap<usize, usize>,
}

impl<'a> Renames<'a> {
    /// For a file with these names: some rules depend on what else is there.
    pub(super) fn new(names: impl Iterator<Item = &'a str>) -> Renames<'a> {
        let names: HashSet<&str> = names.map(without_wrappers).collect();
        let mut blocks: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for name in &names {
            if let Some((stage, block, _)) = name.strip_prefix("blocks.").and_then(stage_and_block) {
                blocks.entry(stage).or_default().insert(block);
            }
        }
        let mut before = 0;
        let blocks_before = blocks.into_iter().map(|(stage, blocks)| {
            let start = before;
            before += blocks.len();
            (stage, start)
        });
        Renames { blocks_before: blocks_before.collect(), names }
    }

    /// Other names for `name`, the likeliest first. Only those that a network has are of use.
    pub(super) fn of(&self, name: &str) -> Vec<String> {
        let plain = without_wrappers(name);
        let others = [vgg(plain), convnext(plain), dense_layer(plain), self.mobilenet(plain), numbered_resnet(plain)];
        std::iter::once(plain.to_string()).chain(others.into_iter().flatten()).filter(|other| other != name).collect()
    }

    /// timm's MobileNetV3: stages of blocks with named layers, where torchvision numbers blocks and layers through.
    fn mobilenet(&self, name: &str) -> Option<String> {
        if !self.names.contains("conv_stem.weight") {
            return None;
        }
        let (first, rest) = name.split_once('.')?;
        match first {
            "conv_stem" => return Some(format!("features.0.0.{rest}")),
            "bn1" => return Some(format!("features.0.1.{rest}")),
            "conv_head" => return Some(format!("classifier.0.{rest}")),
            "classifier" => return Some(format!("classifier.3.{rest}")),
            "blocks" => {}
            _ => return None,
        }
        let (stage, block, layer) = stage_and_block(rest)?;
        let at = 1 + self.blocks_before.get(&stage)? + block;
        let has = |layer: &str| self.names.contains(&*format!("blocks.{stage}.{block}.{layer}.weight"));
        let squeeze = usize::from(has("se.conv_reduce"));
        // A block widens (if it has a third convolution, `conv_pwl`), filters, squeezes (if at all), and narrows.
        let widens = usize::from(has("conv_pwl"));
        let (layer, rest) = layer.strip_prefix("se.").unwrap_or(layer).split_once('.')?;
        let place = match (layer, widens) {
            ("conv", _) => return Some(format!("features.{at}.0.{rest}")),
            ("bn1", _) if has("conv") => return Some(format!("features.{at}.1.{rest}")),
            ("conv_reduce", _) => format!("{}.fc1", widens + 1),
            ("conv_expand", _) => format!("{}.fc2", widens + 1),
            ("conv_pw", 1) => "0.0".into(),
            ("bn1", 1) => "0.1".into(),
            ("conv_dw", _) => format!("{widens}.0"),
            ("bn1", 0) | ("bn2", 1) => format!("{widens}.1"),
            ("conv_pw", 0) | ("conv_pwl", 1) => format!("{}.0", widens + 1 + squeeze),
            ("bn2", 0) | ("bn3", 1) => format!("{}.1", widens + 1 + squeeze),
            _ => return None,
        };
        Some(format!("features.{at}.block.{place}.{rest}"))
    }
}

/// `DataParallel` and `torch.compile` put words of their own in front.
pub(super) fn without_wrappers(name: &str) -> &str {
    let name = name.strip_prefix("_orig_mod.").unwrap_or(name);
    name.strip_prefix("module.").unwrap_or(name)
}

/// `2.0.conv.weight`: stage 2, block 0, and the rest.
fn stage_and_block(name: &str) -> Option<(usize, usize, &str)> {
    let (stage, rest) = name.split_once('.')?;
    let (block, rest) = rest.split_once('.')?;
    Some((number(stage)?, number(block)?, rest))
}

fn number(text: &str) -> Option<usize> {
    text.parse().ok().filter(|&n: &usize| n < 1_000)
}

/// timm makes VGG's hidden layers convolutions: [4096, 512, 7, 7] for [4096, 25088].
fn vgg(name: &str) -> Option<String> {
    let pairs =
        [("pre_logits.fc1.", "classifier.0."), ("pre_logits.fc2.", "classifier.3."), ("head.fc.", "classifier.6.")];
    pairs.iter().find_map(|(theirs, ours)| name.strip_prefix(theirs).map(|rest| format!("{ours}{rest}")))
}

/// timm's ConvNeXt. torchvision alternates: an even place for the way into a stage, an odd one for its blocks.
fn convnext(name: &str) -> Option<String> {
    for (theirs, ours) in [("stem.", "features.0."), ("head.norm.", "classifier.0."), ("head.fc.", "classifier.2.")] {
        if let Some(rest) = name.strip_prefix(theirs) {
            return Some(format!("{ours}{rest}"));
        }
    }
    let (stage, rest) = name.strip_prefix("stages.")?.split_once('.')?;
    let stage = number(stage)?;
    if let Some(rest) = rest.strip_prefix("downsample.") {
        return Some(format!("features.{}.{rest}", 2 * stage));
    }
    let (block, layer) = rest.strip_prefix("blocks.")?.split_once('.')?;
    let at = format!("features.{}.{}", 2 * stage + 1, number(block)?);
    if layer == "gamma" {
        return Some(format!("{at}.layer_scale"));
    }
    let pairs = [("conv_dw.", "0."), ("norm.", "2."), ("mlp.fc1.", "3."), ("mlp.fc2.", "5.")];
    pairs.iter().find_map(|(theirs, ours)| layer.strip_prefix(theirs).map(|rest| format!("{at}.block.{ours}{rest}")))
}

/// torchvision's first DenseNets: `denselayer1.norm.1` for `denselayer1.norm1`.
fn dense_layer(name: &str) -> Option<String> {
    let (before, layer) = name.split_at_checked(name.find(".denselayer")? + 1)?;
    let (dense, rest) = layer.split_once('.')?;
    let parts: Vec<&str> = rest.split('.').collect();
    match parts[..] {
        [kind @ ("norm" | "conv"), n @ ("1" | "2"), tensor] => Some(format!("{before}{dense}.{kind}{n}.{tensor}")),
        _ => None,
    }
}

/// fast.ai's body of a ResNet, whose children are numbered: what its U-Net calls `layers.0`.
fn numbered_resnet(name: &str) -> Option<String> {
    let (child, rest) = name.split_once('.')?;
    let children = ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"];
    children.iter().position(|known| *known == child).map(|number| format!("{number}.{rest}"))
}

/// Whether a tensor of the shape `theirs` holds, in the same order, what one of the shape `ours` should: up to extents
/// of one, and up to a flattening of all dimensions but the first.
pub(super) fn holds_the_same(theirs: &[usize], ours: &[usize]) -> bool {
    let squeezed = |shape: &[usize]| shape.iter().copied().filter(|&n| n != 1).collect::<Vec<_>>();
    let flattened = |shape: &[usize]| shape.split_first().map(|(&n, rest)| [n, rest.iter().product()]);
    squeezed(theirs) == squeezed(ours) || (ours.len() == 2 && flattened(theirs) == flattened(ours))
}
