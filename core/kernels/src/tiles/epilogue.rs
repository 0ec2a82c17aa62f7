//! What happens to a product's results while they are still in the nearest cache.

use crate::activation::Activation;

/// `activation(result + residual)`.
pub(crate) struct Epilogue<'a, E = f32> {
    /// Of the whole result's layout.
    pub(crate) residual: Option<&'a [E]>,
    pub(crate) activation: Activation,
}

impl<E> Epilogue<'_, E> {
    /// Whether the activation can be applied to registers.
    #[inline(always)]
    pub(crate) fn in_registers(&self) -> bool {
        self.activation.in_registers()
    }
}

impl Epilogue<'_> {
    /// Finishes the stretch of results that begins at `start`. To be called where instructions are chosen already.
    #[inline(always)]
    pub(crate) fn apply(&self, start: usize, values: &mut [f32]) {
        if let Some(residual) = self.residual {
            let residual = &residual[start..start + values.len()];
            values.iter_mut().zip(residual).for_each(|(value, residual)| *value += residual);
        }
        self.activation.apply(values);
    }
}
