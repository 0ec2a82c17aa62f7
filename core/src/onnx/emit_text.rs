//! Operators of networks for texts.

use super::emit::{Emitter, Value, plain};
use super::graph::{Attribute, Constant};
use crate::error::Result;
use candle_core::Tensor;

impl Emitter<'_> {
    /// Attention by several heads, as [`crate::kernels::attention`] computes it.
    pub(super) fn attention(&mut self, of: [&Tensor; 3], heads: usize, ids: &Tensor) -> Result<Value> {
        let width = of[0].dims()[2];
        let [q, k, v] = of.map(|tensor| self.value(tensor).map(|value| value.name));
        let split = Constant::ints(&[0, 0, heads as i64, (width / heads) as i64]);
        let split = self.graph.constant("heads", split);
        // [N, L, W] to [N, heads, L, W / heads], and keys to [N, heads, W / heads, L].
        let mut by_head = |name: String, axes: [usize; 4]| {
            let apart = self.graph.node("Reshape", &[&name, &split], &[]);
            self.graph.node("Transpose", &[&apart], &[("perm", Attribute::ints(&axes))])
        };
        let (q, k, v) = (by_head(q?, [0, 2, 1, 3]), by_head(k?, [0, 2, 3, 1]), by_head(v?, [0, 2, 1, 3]));
        let scale = Constant::scalar(1.0 / ((width / heads) as f32).sqrt());
        let scale = self.graph.constant("attention_scale", scale);
        let scores = self.graph.node("MatMul", &[&q, &k], &[]);
        let scores = self.graph.node("Mul", &[&scores, &scale], &[]);
        // Padding is so improbable that its share is 0 in f32.
        let padding = self.padding(ids)?;
        let improbable = self.graph.constant("improbable", Constant::scalar(-1e9));
        let axes = self.graph.constant("heads_and_queries", Constant::ints(&[1, 2]));
        let shift = self.graph.node("Mul", &[&padding, &improbable], &[]);
        let shift = self.graph.node("Unsqueeze", &[&shift, &axes], &[]);
        let scores = self.graph.node("Add", &[&scores, &shift], &[]);
        let shares = self.graph.node("Softmax", &[&scores], &[("axis", Attribute::Int(-1))]);
        let seen = self.graph.node("MatMul", &[&shares, &v], &[]);
        let seen = self.graph.node("Transpose", &[&seen], &[("perm", Attribute::ints(&[0, 2, 1, 3]))]);
        let whole = self.graph.constant("whole", Constant::ints(&[0, 0, width as i64]));
        Ok(plain(self.graph.node("Reshape", &[&seen, &whole], &[])))
    }

    /// The mean over places that are no padding.
    pub(super) fn masked_mean(&mut self, xs: &Tensor, ids: &Tensor) -> Result<Value> {
        let xs = self.value(xs)?.name;
        let padding = self.padding(ids)?;
        let one = self.graph.constant("one", Constant::scalar(1.0));
        let [behind, places] =
            [("behind", 2), ("places", 1)].map(|(name, axis)| self.graph.constant(name, Constant::ints(&[axis])));
        let kept = self.graph.node("Sub", &[&one, &padding], &[]);
        let each = self.graph.node("Unsqueeze", &[&kept, &behind], &[]);
        let kept_xs = self.graph.node("Mul", &[&xs, &each], &[]);
        let sums = self.graph.node("ReduceSum", &[&kept_xs, &places], &[("keepdims", Attribute::Int(0))]);
        let n = self.graph.node("ReduceSum", &[&kept, &places], &[]);
        Ok(plain(self.graph.node("Div", &[&sums, &n], &[])))
    }

    /// 1 where ids are 0, and 0 elsewhere: `[N, L]`.
    fn padding(&mut self, ids: &Tensor) -> Result<String> {
        let ids = self.value(ids)?.name;
        let made = self.graph.nodes.iter().find(|node| node.op == "Equal" && node.inputs[0] == ids);
        let zero = Constant { dims: Vec::new(), ..Constant::ints(&[0]) };
        let is_padding = match made.map(|node| node.output.clone()) {
            Some(made) => made,
            None => {
                let zero = self.graph.constant("padding_id", zero);
                self.graph.node("Equal", &[&ids, &zero], &[])
            }
        };
        let cast = self.graph.nodes.iter().find(|node| node.op == "Cast" && node.inputs[0] == is_padding);
        Ok(match cast.map(|node| node.output.clone()) {
            Some(cast) => cast,
            None => self.graph.node("Cast", &[&is_padding], &[("to", Attribute::Int(1))]),
        })
    }
}
