//! Which vector instructions the kernels use: found out once, when the first kernel runs.
//!
//! The environment variable `TALLOW_SIMD` caps the choice (`avx512-bf16`, `avx512`, `avx2`, `neon`, `plain`; `avx512`
//! is without its BF16), so that each level can be tested and measured on a machine that has a higher one.

use pulp::{Arch, Simd, WithSimd};
use std::sync::OnceLock;

/// The variable that caps the instruction set.
pub const SIMD_VARIABLE: &str = "TALLOW_SIMD";

/// The vector instructions that the kernels use here: "AVX-512 with BF16 and AMX", "AVX-512 with BF16", "AVX-512",
/// "AVX2", "NEON" or "plain".
pub fn simd_level() -> &'static str {
    match arch() {
        Arch::Scalar => "plain",
        #[cfg(target_arch = "x86_64")]
        Arch::V3(_) => "AVX2",
        #[cfg(target_arch = "x86_64")]
        Arch::V4(_) if multiplies_squares() => "AVX-512 with BF16 and AMX",
        #[cfg(target_arch = "x86_64")]
        Arch::V4(_) if multiplies_pairs() => "AVX-512 with BF16",
        #[cfg(target_arch = "x86_64")]
        Arch::V4(_) => "AVX-512",
        #[allow(unreachable_patterns)]
        _ => "NEON",
    }
}

/// Runs an operation compiled for the instructions in use.
#[inline]
pub(super) fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    arch().dispatch(op)
}

/// [`dispatch`] for plain loops, which the compiler vectorises.
///
/// It is a macro so that the closure can be marked as one to inline, and so that it can be called only once: one that
/// could be called again is called through a function of the standard library that has no such mark. A closure that is
/// not inlined is compiled for the oldest machines, with four values in a register instead of sixteen.
macro_rules! vectorized {
    ($loops:expr) => {{
        let once = $crate::simd::Once;
        $crate::simd::dispatch(
            #[inline(always)]
            || {
                once.spend();
                $loops
            },
        )
    }};
}
pub(super) use vectorized;

/// What a closure can give away only once.
pub(super) struct Once;

impl Once {
    #[inline(always)]
    pub(super) fn spend(self) {}
}

/// A register of values, or as many as there are and zeros.
#[inline(always)]
pub(super) fn load<S: Simd>(simd: S, from: &[f32]) -> S::f32s {
    match S::as_simd_f32s(from).0 {
        [whole] => *whole,
        _ => simd.partial_load_f32s(from),
    }
}

/// Writes a register, or as much of it as there is room for.
#[inline(always)]
pub(super) fn store<S: Simd>(simd: S, to: &mut [f32], values: S::f32s) {
    match S::as_mut_simd_f32s(to).0 {
        [whole] => *whole = values,
        _ => simd.partial_store_f32s(to, values),
    }
}

pub(super) fn arch() -> Arch {
    static ARCH: OnceLock<Arch> = OnceLock::new();
    *ARCH.get_or_init(|| capped(std::env::var(SIMD_VARIABLE).ok().as_deref()))
}

/// Whether this processor multiplies pairs of `bf16` and adds them up in `f32`, twice as many products as it computes
/// in `f32`: AVX-512 with BF16, and AMX many times as many. What others can is not used yet.
pub(super) fn multiplies_pairs() -> bool {
    #[cfg(target_arch = "x86_64")]
    let found = pair_instructions().is_some();
    #[cfg(not(target_arch = "x86_64"))]
    let found = false;
    found
}

/// AVX-512, if it comes with BF16 and may be used.
#[cfg(target_arch = "x86_64")]
pub(super) fn pair_instructions() -> Option<pulp::x86::V4> {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let capped = || std::env::var(SIMD_VARIABLE).is_ok_and(|cap| cap == "avx512");
    match arch() {
        Arch::V4(v4) if *FOUND.get_or_init(|| !capped() && std::arch::is_x86_feature_detected!("avx512bf16")) => {
            Some(v4)
        }
        _ => None,
    }
}

/// Whether this processor multiplies squares of pairs, by AMX with `bf16`, and the system lets this process do it.
pub(super) fn multiplies_squares() -> bool {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    let found = amx::is_there();
    #[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
    let found = false;
    found
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod amx {
    use super::{SIMD_VARIABLE, pair_instructions};
    use std::arch::x86_64::__cpuid_count;
    use std::sync::OnceLock;

    pub(super) fn is_there() -> bool {
        static FOUND: OnceLock<bool> = OnceLock::new();
        let capped = || std::env::var(SIMD_VARIABLE).is_ok_and(|cap| cap == "avx512-bf16");
        *FOUND.get_or_init(|| pair_instructions().is_some() && !capped() && has_instructions() && is_permitted())
    }

    fn has_instructions() -> bool {
        const BF16: u32 = 1 << 22;
        const TILE: u32 = 1 << 24;
        __cpuid_count(7, 0).edx & (BF16 | TILE) == BF16 | TILE
    }

    /// Linux lets a process use the registers once it has asked: its threads then have more to save.
    #[allow(unsafe_code)]
    fn is_permitted() -> bool {
        const ARCH_REQ_XCOMP_PERM: libc::c_int = 0x1023;
        const XFEATURE_XTILEDATA: libc::c_ulong = 18;
        // SAFETY: two numbers go in, one comes out; a kernel that does not know the call answers with an error.
        unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0 }
    }
}

fn capped(cap: Option<&str>) -> Arch {
    match cap {
        Some("plain") => Arch::Scalar,
        #[cfg(target_arch = "x86_64")]
        Some("avx2") => pulp::x86::V3::try_new().map_or(Arch::Scalar, Arch::V3),
        _ => Arch::new(),
    }
}
