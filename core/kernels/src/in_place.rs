//! Variables that an optimizer changes where they are: no copies are made.

use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Result, Var};
use std::sync::{Mutex, PoisonError};

/// Whether [`mutate`] takes a variable as values of `f32`.
pub(super) fn is_in_place(var: &Var) -> bool {
    var.device().is_cpu() && var.dtype() == DType::F32 && var.is_contiguous()
}

/// [`mutate`] for several variables.
pub(super) fn mutate_all(
    vars: &[&Var],
    mut done: Vec<&mut [f32]>,
    f: &mut dyn FnMut(Vec<&mut [f32]>) -> Result<()>,
) -> Result<()> {
    match vars.split_first() {
        None => f(done),
        Some((first, rest)) => mutate(first, |values| {
            let mut all: Vec<&mut [f32]> = done.iter_mut().map(|values| &mut **values).collect();
            all.push(values);
            mutate_all(rest, all, f)
        }),
    }
}

/// Calls `f` with the values of a contiguous variable in CPU memory, to be changed.
pub(super) fn mutate<T: Element>(var: &Var, f: impl FnOnce(&mut [T]) -> Result<()>) -> Result<()> {
    struct Op<F>(Mutex<Option<F>>);

    struct Typed<F, T>(Op<F>, std::marker::PhantomData<T>);

    impl<T: Element, F: FnOnce(&mut [T]) -> Result<()>> InplaceOp1 for Typed<F, T> {
        fn name(&self) -> &'static str {
            "in place"
        }

        fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
            let f = self.0.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            match (layout.contiguous_offsets(), T::values(storage), f) {
                (Some((start, end)), Some(values), Some(f)) => f(&mut values[start..end]),
                _ => candle_core::bail!("an optimizer's step wants contiguous tensors of f32"),
            }
        }
    }

    var.inplace_op1(&Typed(Op(Mutex::new(Some(f))), std::marker::PhantomData::<T>))
}

/// The types that variables here have.
pub(super) trait Element: Sized {
    fn values(storage: &mut CpuStorage) -> Option<&mut [Self]>;
}

impl Element for f32 {
    fn values(storage: &mut CpuStorage) -> Option<&mut [f32]> {
        if let CpuStorage::F32(values) = storage { Some(values) } else { None }
    }
}

impl Element for u32 {
    fn values(storage: &mut CpuStorage) -> Option<&mut [u32]> {
        if let CpuStorage::U32(values) = storage { Some(values) } else { None }
    }
}
