//! Batch normalisation as a part of the layer before or behind it: one operator less, with the same result.

use super::graph::{Attribute, Constant, Graph, Node, Values};

/// Folds every normalisation that can be.
pub(super) fn fold(graph: &mut Graph) {
    let mut at = 0;
    while at < graph.nodes.len() {
        let folded = graph.nodes[at].op == "BatchNormalization" && (into_before(graph, at) || into_behind(graph, at));
        at += usize::from(!folded);
    }
    graph.prune();
}

/// `xs * scale + shift` for each channel.
struct Affine {
    scale: Vec<f64>,
    shift: Vec<f64>,
}

impl Affine {
    /// That of a batch normalisation.
    fn of(graph: &Graph, node: &Node) -> Option<Affine> {
        let constant = |i: usize| graph.constants.get(node.inputs.get(i)?)?.floats();
        let (weight, bias, mean, var) = (constant(1)?, constant(2)?, constant(3)?, constant(4)?);
        let eps = node.attributes.iter().find_map(|(name, value)| match value {
            Attribute::Float(eps) if name == "epsilon" => Some(f64::from(*eps)),
            _ => None,
        })?;
        let scale: Vec<f64> =
            weight.iter().zip(var).map(|(&w, &var)| f64::from(w) / (f64::from(var) + eps).sqrt()).collect();
        let shift =
            bias.iter().zip(mean).zip(&scale).map(|((&b, &mean), scale)| f64::from(b) - f64::from(mean) * scale);
        let shift = shift.collect();
        Some(Affine { scale, shift })
    }
}

/// `norm(conv(xs))`: the channels of the convolution's or the linear layer's result are scaled and shifted.
fn into_before(graph: &mut Graph, at: usize) -> bool {
    let norm = graph.nodes[at].clone();
    let Some(affine) = Affine::of(graph, &norm) else { return false };
    let made = graph.nodes.iter().position(|node| Some(&node.output) == norm.inputs.first());
    let Some(before) = made.filter(|_| graph.uses(&norm.inputs[0]) == 1) else { return false };
    let layer = graph.nodes[before].clone();
    if !["Conv", "Gemm"].contains(&layer.op.as_str()) {
        return false;
    }
    let Some((weight, bias)) = weight_and_bias(graph, &layer, affine.scale.len()) else { return false };
    let each = weight.values.len() / affine.scale.len().max(1);
    let scaled = weight.values.iter().enumerate().map(|(i, &w)| w * affine.scale[i / each.max(1)]).collect();
    let shifted =
        bias.iter().zip(&affine.scale).zip(&affine.shift).map(|((b, scale), shift)| b * scale + shift).collect();
    replace(graph, before, &layer, Weight { values: scaled, dims: weight.dims }, shifted);
    graph.nodes[before].output.clone_from(&norm.output);
    graph.nodes.remove(at);
    true
}

/// `linear(norm(xs))`, where nothing else uses the normalised values: the columns of the weight are scaled.
fn into_behind(graph: &mut Graph, at: usize) -> bool {
    let norm = graph.nodes[at].clone();
    let Some(affine) = Affine::of(graph, &norm) else { return false };
    let user = graph.nodes.iter().position(|node| node.op == "Gemm" && node.inputs.first() == Some(&norm.output));
    let Some(behind) = user.filter(|_| graph.uses(&norm.output) == 1) else { return false };
    let layer = graph.nodes[behind].clone();
    let outputs = graph.constants.get(&layer.inputs[1]).and_then(|weight| weight.dims.first().copied());
    let Some((weight, bias)) = outputs.and_then(|n| weight_and_bias(graph, &layer, n)) else { return false };
    let inputs = affine.scale.len();
    if weight.dims != [bias.len(), inputs] {
        return false;
    }
    let scaled = weight.values.iter().enumerate().map(|(i, w)| w * affine.scale[i % inputs]).collect();
    let rows = weight.values.chunks_exact(inputs).zip(&bias);
    let shifted = rows.map(|(row, b)| b + row.iter().zip(&affine.shift).map(|(w, shift)| w * shift).sum::<f64>());
    let shifted = shifted.collect();
    replace(graph, behind, &layer, Weight { values: scaled, dims: weight.dims }, shifted);
    graph.nodes[behind].inputs[0].clone_from(&norm.inputs[0]);
    graph.nodes.remove(at);
    true
}

/// A layer's weight, `[outputs, ..]`.
struct Weight {
    values: Vec<f64>,
    dims: Vec<usize>,
}

/// A layer's weight, and its bias or zeros; none where they are no constants or of other lengths.
fn weight_and_bias(graph: &Graph, layer: &Node, outputs: usize) -> Option<(Weight, Vec<f64>)> {
    let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<f64>>();
    let weight = graph.constants.get(layer.inputs.get(1)?)?;
    let bias = match layer.inputs.get(2) {
        Some(bias) => wide(graph.constants.get(bias)?.floats()?),
        None => vec![0.0; outputs],
    };
    let fits = weight.dims.first() == Some(&outputs) && bias.len() == outputs && outputs > 0;
    fits.then_some((Weight { values: wide(weight.floats()?), dims: weight.dims.clone() }, bias))
}

/// Gives the layer `at` another weight and bias. The old ones stay for others that may use them.
fn replace(graph: &mut Graph, at: usize, layer: &Node, weight: Weight, bias: Vec<f64>) {
    let narrow = |values: Vec<f64>| Values::Float(values.into_iter().map(|value| value as f32).collect());
    let stem = layer.inputs[1].strip_suffix(".weight").unwrap_or(&layer.inputs[1]).to_string();
    let dims = vec![bias.len()];
    let weight = Constant { dims: weight.dims, values: narrow(weight.values) };
    let weight = graph.constant(&format!("{stem}.folded.weight"), weight);
    let bias = graph.constant(&format!("{stem}.folded.bias"), Constant { dims, values: narrow(bias) });
    graph.nodes[at].inputs = vec![layer.inputs[0].clone(), weight, bias];
}
