//! What the products of [`super`] are made of: values of 32 bits, or pairs of values of 16 bits.
#![allow(unsafe_code)]

use super::Epilogue;
use super::amx::SIDE;
use crate::simd::{dispatch, load, multiplies_squares, store};
use crate::values::{nearest, wide};
use half::bf16;
use pulp::{Simd, WithSimd};

/// A value of the matrices that are multiplied. Sums are always `f32`.
///
/// A *lane* is what a product takes from a row in one step, and four bytes long: one `f32`, or two neighbouring `bf16`,
/// which are multiplied with two of the other matrix and summed up.
pub(crate) trait Element: Copy + Default + Send + Sync + 'static {
    /// Values in a lane.
    const PER_LANE: usize;

    /// Lanes of `k` (BLIS' KC) that are summed up before the next panel: with six rows of that length, a panel's part
    /// stays in the nearest cache. Where the result could not hold the sum between two stretches, there is only one.
    const STRETCH: usize;

    /// A lane of the packed matrix, from the values by their place in it.
    fn lane(value: impl Fn(usize) -> f32) -> f32;

    /// A lane from the values that are side by side in two rows, `b`'s after `a`'s.
    fn beside(a: Self, b: Self) -> f32;

    /// [`Element::beside`] for rows: `a`'s values and, in pairs, `b`'s. To be called where instructions are chosen.
    fn copy_beside(a: &[Self], b: &[Self], to: &mut [f32]);

    /// Adds the products of the lane at `from` with a register of lanes.
    ///
    /// # Safety
    /// There are [`Element::PER_LANE`] values at `from`, and [`Element::run`] runs what calls this: it has found the
    /// instructions.
    unsafe fn multiply_add<S: Simd>(simd: S, from: *const Self, lanes: S::f32s, sum: S::f32s) -> S::f32s;

    /// A register from memory.
    ///
    /// # Safety
    /// There are as many values at `from` as a register of `f32` has.
    unsafe fn read<S: Simd>(simd: S, from: *const Self) -> S::f32s;

    /// A register to memory.
    ///
    /// # Safety
    /// There is room for as many values at `to` as a register of `f32` has.
    unsafe fn write<S: Simd>(simd: S, to: *mut Self, values: S::f32s);

    /// A register of the values that there are, and zeros.
    fn load<S: Simd>(simd: S, from: &[Self]) -> S::f32s;

    /// As much of a register as there is room for.
    fn store<S: Simd>(simd: S, to: &mut [Self], values: S::f32s);

    /// Applies what could not be applied to registers, as [`Epilogue::apply`].
    fn finish(epilogue: &Epilogue<'_, Self>, start: usize, values: &mut [Self]);

    /// Whether products are computed in squares: see [`super::amx`].
    fn by_squares() -> bool;

    /// Writes a square, `[value][lane]`: `count` of the values of up to sixteen lanes of pixels, from `first` on. What
    /// is there already stays where there is no value.
    fn write_square(pixels: &[&[Self]], first: usize, count: usize, square: &mut [f32]) {
        for (lane, pixels) in pixels.chunks(Self::PER_LANE).enumerate() {
            let values = |i: usize| pixels.get(i).map(|values| &values[first..first + count]);
            for (value, to) in square.iter_mut().skip(lane).step_by(SIDE).take(count).enumerate() {
                let of = |i: usize| values(i).map_or_else(Self::default, |values| values[value]);
                *to = Self::beside(of(0), of(1));
            }
        }
    }

    /// Runs an operation compiled for the instructions in use.
    fn run<Op: WithSimd<Output = ()>>(op: Op);
}

impl Element for f32 {
    const PER_LANE: usize = 1;
    const STRETCH: usize = 256;

    #[inline(always)]
    fn lane(value: impl Fn(usize) -> f32) -> f32 {
        value(0)
    }

    #[inline(always)]
    fn beside(a: f32, _: f32) -> f32 {
        a
    }

    #[inline(always)]
    fn copy_beside(a: &[f32], _: &[f32], to: &mut [f32]) {
        copy(a, to);
    }

    /// # Safety
    /// As [`Element::multiply_add`].
    #[inline(always)]
    unsafe fn multiply_add<S: Simd>(simd: S, from: *const f32, lanes: S::f32s, sum: S::f32s) -> S::f32s {
        // SAFETY: by the caller's promise.
        simd.mul_add_e_f32s(simd.splat_f32s(unsafe { *from }), lanes, sum)
    }

    /// # Safety
    /// As [`Element::read`].
    #[inline(always)]
    unsafe fn read<S: Simd>(_: S, from: *const f32) -> S::f32s {
        // SAFETY: by the caller's promise.
        unsafe { from.cast::<S::f32s>().read_unaligned() }
    }

    /// # Safety
    /// As [`Element::write`].
    #[inline(always)]
    unsafe fn write<S: Simd>(_: S, to: *mut f32, values: S::f32s) {
        // SAFETY: by the caller's promise.
        unsafe { to.cast::<S::f32s>().write_unaligned(values) }
    }

    #[inline(always)]
    fn load<S: Simd>(simd: S, from: &[f32]) -> S::f32s {
        load(simd, from)
    }

    #[inline(always)]
    fn store<S: Simd>(simd: S, to: &mut [f32], values: S::f32s) {
        store(simd, to, values);
    }

    #[inline(always)]
    fn finish(epilogue: &Epilogue<'_, f32>, start: usize, values: &mut [f32]) {
        epilogue.apply(start, values);
    }

    fn by_squares() -> bool {
        false
    }

    fn run<Op: WithSimd<Output = ()>>(op: Op) {
        dispatch(op);
    }
}

/// Copies a few values: in registers where there are sixteen, without the detour of a call.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    let ((from, rest), (to, place)) = (from.as_chunks::<16>(), to.as_chunks_mut::<16>());
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    match to.get_mut(from.len()) {
        Some(to) => to[..rest.len()].copy_from_slice(rest),
        None => place[..rest.len()].copy_from_slice(rest),
    }
}

/// Values of the widest register, AVX-512's.
const MOST_LANES: usize = 16;

impl Element for bf16 {
    const PER_LANE: usize = 2;
    const STRETCH: usize = usize::MAX;

    #[inline(always)]
    fn lane(value: impl Fn(usize) -> f32) -> f32 {
        bf16::beside(nearest(value(0)), nearest(value(1)))
    }

    #[inline(always)]
    fn beside(a: bf16, b: bf16) -> f32 {
        f32::from_bits(u32::from(a.to_bits()) | u32::from(b.to_bits()) << 16)
    }

    #[inline(always)]
    fn copy_beside(a: &[bf16], b: &[bf16], to: &mut [f32]) {
        for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
            *to = bf16::beside(*a, *b);
        }
    }

    /// # Safety
    /// As [`Element::multiply_add`].
    #[inline(always)]
    unsafe fn multiply_add<S: Simd>(simd: S, from: *const bf16, lanes: S::f32s, sum: S::f32s) -> S::f32s {
        // SAFETY: by the caller's promise.
        unsafe { paired::multiply_add(simd, from.cast::<u32>().read_unaligned(), lanes, sum) }
    }

    /// # Safety
    /// As [`Element::read`].
    #[inline(always)]
    unsafe fn read<S: Simd>(simd: S, from: *const bf16) -> S::f32s {
        // SAFETY: by the caller's promise.
        unsafe { paired::read(simd, from) }
    }

    /// # Safety
    /// As [`Element::write`].
    #[inline(always)]
    unsafe fn write<S: Simd>(simd: S, to: *mut bf16, values: S::f32s) {
        // SAFETY: by the caller's promise.
        unsafe { paired::write(simd, to, values) }
    }

    #[inline(always)]
    fn load<S: Simd>(simd: S, from: &[bf16]) -> S::f32s {
        let mut values = [0.0; MOST_LANES];
        values.iter_mut().zip(from).for_each(|(value, from)| *value = wide(*from));
        simd.partial_load_f32s(&values[..S::F32_LANES])
    }

    #[inline(always)]
    fn store<S: Simd>(simd: S, to: &mut [bf16], values: S::f32s) {
        let mut lanes = [0.0; MOST_LANES];
        simd.partial_store_f32s(&mut lanes[..S::F32_LANES], values);
        to.iter_mut().zip(lanes).for_each(|(to, value)| *to = nearest(value));
    }

    #[inline(always)]
    fn finish(epilogue: &Epilogue<'_, bf16>, start: usize, values: &mut [bf16]) {
        let mut wider: Vec<f32> = values.iter().map(|&value| wide(value)).collect();
        if let Some(residual) = epilogue.residual {
            wider.iter_mut().zip(&residual[start..]).for_each(|(value, residual)| *value += wide(*residual));
        }
        epilogue.activation.apply(&mut wider);
        values.iter_mut().zip(wider).for_each(|(value, wider)| *value = nearest(wider));
    }

    fn by_squares() -> bool {
        multiplies_squares()
    }

    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn write_square(pixels: &[&[bf16]], first: usize, count: usize, square: &mut [f32]) {
        super::amx::write_square(pixels, first, count, square);
    }

    fn run<Op: WithSimd<Output = ()>>(op: Op) {
        paired::run(op);
    }
}

#[cfg(target_arch = "x86_64")]
mod paired {
    use crate::simd::pair_instructions;
    use half::bf16;
    use pulp::x86::V4;
    use pulp::{Simd, WithSimd};
    use std::arch::x86_64::{
        __m256i, __m512, __m512bh, __m512i, _mm256_loadu_si256, _mm256_storeu_si256, _mm512_cvtepu16_epi32,
        _mm512_cvtneps_pbh, _mm512_dpbf16_ps, _mm512_set1_epi32, _mm512_slli_epi32,
    };
    use std::mem::{transmute, transmute_copy};

    /// # Safety
    /// To be called below [`run`].
    #[inline(always)]
    pub(super) unsafe fn multiply_add<S: Simd>(_: S, pair: u32, lanes: S::f32s, sum: S::f32s) -> S::f32s {
        assert!(S::F32_LANES == 16);
        // SAFETY: registers of sixteen `f32` are as large as those of the processor, whatever their name; below `run`
        // the instruction is there.
        unsafe {
            let (lanes, sum): (__m512, __m512) = (transmute_copy(&lanes), transmute_copy(&sum));
            let pair = transmute::<__m512i, __m512bh>(_mm512_set1_epi32(pair.cast_signed()));
            let sum = _mm512_dpbf16_ps(sum, pair, transmute::<__m512, __m512bh>(lanes));
            transmute_copy(&sum)
        }
    }

    /// # Safety
    /// To be called below [`run`], with sixteen values to read.
    #[inline(always)]
    pub(super) unsafe fn read<S: Simd>(_: S, from: *const bf16) -> S::f32s {
        assert!(S::F32_LANES == 16);
        // SAFETY: as above.
        unsafe {
            let values = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            transmute_copy(&_mm512_slli_epi32::<16>(values))
        }
    }

    /// # Safety
    /// To be called below [`run`], with room for sixteen values.
    #[inline(always)]
    pub(super) unsafe fn write<S: Simd>(_: S, to: *mut bf16, values: S::f32s) {
        assert!(S::F32_LANES == 16);
        // SAFETY: as above.
        unsafe {
            let values: __m256i = transmute(_mm512_cvtneps_pbh(transmute_copy(&values)));
            _mm256_storeu_si256(to.cast(), values);
        }
    }

    /// Runs an operation compiled for these instructions.
    pub(super) fn run<Op: WithSimd<Output = ()>>(op: Op) {
        let Some(v4) = pair_instructions() else {
            panic!("pairs are multiplied by a processor that cannot");
        };
        // SAFETY: `pair_instructions` has found them.
        unsafe { compiled(op, v4) }
    }

    #[target_feature(
        enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512bf16,avx2,fma,bmi1,bmi2,lzcnt,popcnt,f16c"
    )]
    fn compiled<Op: WithSimd<Output = ()>>(op: Op, v4: V4) {
        op.with_simd(v4);
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod paired {
    use super::Element;
    use crate::simd::dispatch;
    use half::bf16;
    use pulp::{Simd, WithSimd};

    /// As two products in `f32`, of which a number of 16 bits is the upper half.
    ///
    /// # Safety
    /// None is needed here.
    #[inline(always)]
    pub(super) unsafe fn multiply_add<S: Simd>(simd: S, pair: u32, lanes: S::f32s, sum: S::f32s) -> S::f32s {
        let lanes = simd.transmute_u32s_f32s(lanes);
        let first = simd.transmute_f32s_u32s(simd.wrapping_dyn_shl_u32s(lanes, simd.splat_u32s(16)));
        let second = simd.transmute_f32s_u32s(simd.and_u32s(lanes, simd.splat_u32s(0xffff_0000)));
        let sum = simd.mul_add_e_f32s(simd.splat_f32s(f32::from_bits(pair << 16)), first, sum);
        simd.mul_add_e_f32s(simd.splat_f32s(f32::from_bits(pair & 0xffff_0000)), second, sum)
    }

    /// # Safety
    /// There is a register's number of values to read.
    #[inline(always)]
    pub(super) unsafe fn read<S: Simd>(simd: S, from: *const bf16) -> S::f32s {
        // SAFETY: by the caller's promise.
        bf16::load(simd, unsafe { std::slice::from_raw_parts(from, S::F32_LANES) })
    }

    /// # Safety
    /// There is room for a register's number of values.
    #[inline(always)]
    pub(super) unsafe fn write<S: Simd>(simd: S, to: *mut bf16, values: S::f32s) {
        // SAFETY: by the caller's promise.
        bf16::store(simd, unsafe { std::slice::from_raw_parts_mut(to, S::F32_LANES) }, values);
    }

    pub(super) fn run<Op: WithSimd<Output = ()>>(op: Op) {
        dispatch(op);
    }
}
