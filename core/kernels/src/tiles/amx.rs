//! Intel's AMX: eight registers of sixteen rows of sixteen lanes, here called squares, and an instruction that
//! multiplies two squares of pairs of `bf16` and adds the products to a third, of `f32`.
//!
//! The compiler has no functions for them yet, so they are named in assembler.
#![allow(unsafe_code)]

use std::marker::PhantomData;

/// Rows of a square, and lanes of a row.
pub(super) const SIDE: usize = 16;

/// Lanes of a square.
pub(super) const SQUARE: usize = SIDE * SIDE;

/// The registers of this thread, for as long as this lives.
pub(super) struct Amx(PhantomData<*const ()>);

/// Two squares one below the other, or twice two, in a matrix whose rows are `stride` values apart.
#[derive(Clone, Copy)]
pub(super) struct Corner<P> {
    pub(super) first: P,
    pub(super) stride: usize,
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod linux {
    use super::{Amx, Corner, PhantomData, SIDE, SQUARE};
    use crate::simd::multiplies_squares;
    use half::bf16;
    use std::arch::asm;
    use std::arch::x86_64::{
        _mm256_maskz_loadu_epi16, _mm256_setzero_si256, _mm512_cvtepu16_epi32, _mm512_or_si512, _mm512_setzero_si512,
        _mm512_shuffle_i32x4, _mm512_slli_epi32, _mm512_storeu_si512, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
        _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
    };

    /// What `ldtilecfg` reads: palette 1, and for each of the eight registers the bytes of a row, and the rows.
    #[repr(C, align(64))]
    struct Shapes {
        palette: u8,
        _start: u8,
        _reserved: [u8; 14],
        bytes: [u16; 16],
        rows: [u8; 16],
    }

    static SHAPES: Shapes = Shapes {
        palette: 1,
        _start: 0,
        _reserved: [0; 14],
        bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
        rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
    };

    impl Amx {
        /// Makes the registers of this thread ready, where there are any.
        pub(in crate::tiles) fn new() -> Option<Amx> {
            // SAFETY: the instruction is there and permitted, and reads 64 bytes.
            multiplies_squares().then(|| unsafe {
                asm!("ldtilecfg [{}]", in(reg) &raw const SHAPES, options(nostack, readonly, preserves_flags));
                Amx(PhantomData)
            })
        }

        /// `to = from + left · right`: two squares of `left`, one below the other, times `COLUMNS` squares (one or two)
        /// of `right`, side by side, summed up over as many squares as `rights` has.
        ///
        /// # Safety
        /// At each of `left` there is a square for each of `rights`, one after the other; at each of `rights` sixteen
        /// rows, `stride` values apart, of `COLUMNS` times sixteen lanes; at `from` and `to` twice sixteen such rows,
        /// to be read and to be written.
        #[inline(always)]
        pub(in crate::tiles) unsafe fn add_product<const COLUMNS: usize>(
            &self,
            left: [*const f32; 2],
            rights: &[*const f32],
            stride: usize,
            from: Corner<*const f32>,
            to: Corner<*mut f32>,
        ) {
            if rights.is_empty() {
                return;
            }
            // What is the same for any number of columns stands here once.
            macro_rules! product {
                ($begin:expr, [$($step:literal),+], $end:expr) => {
                    asm!(
                        $begin,
                        "2:",
                        "mov {right}, [{rights}]",
                        $($step,)+
                        "add {left}, 1024",
                        "add {below}, 1024",
                        "add {rights}, 8",
                        "dec {count}",
                        "jnz 2b",
                        $end,
                        left = inout(reg) left[0] => _,
                        below = inout(reg) left[1] => _,
                        rights = inout(reg) rights.as_ptr() => _,
                        count = inout(reg) rights.len() => _,
                        right = out(reg) _,
                        row = in(reg) 4 * SIDE,
                        stride = in(reg) 4 * stride,
                        from = in(reg) from.first,
                        from_stride = in(reg) 4 * from.stride,
                        to = in(reg) to.first,
                        to_stride = in(reg) 4 * to.stride,
                        out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                        out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                        options(nostack),
                    )
                };
            }
            // SAFETY: this thread's registers are ready, as there is an `Amx`; the caller promises what is in memory.
            unsafe {
                if COLUMNS == 2 {
                    product!(
                        "tileloadd tmm0, [{from} + {from_stride}]
                         tileloadd tmm1, [{from} + {from_stride} + 64]
                         mov {right}, {from_stride}
                         shl {right}, 4
                         add {right}, {from}
                         tileloadd tmm2, [{right} + {from_stride}]
                         tileloadd tmm3, [{right} + {from_stride} + 64]",
                        [
                            "tileloadd tmm4, [{left} + {row}]",
                            "tileloadd tmm6, [{right} + {stride}]",
                            "tdpbf16ps tmm0, tmm4, tmm6",
                            "tileloadd tmm7, [{right} + {stride} + 64]",
                            "tdpbf16ps tmm1, tmm4, tmm7",
                            "tileloadd tmm5, [{below} + {row}]",
                            "tdpbf16ps tmm2, tmm5, tmm6",
                            "tdpbf16ps tmm3, tmm5, tmm7"
                        ],
                        "tilestored [{to} + {to_stride}], tmm0
                         tilestored [{to} + {to_stride} + 64], tmm1
                         mov {right}, {to_stride}
                         shl {right}, 4
                         add {right}, {to}
                         tilestored [{right} + {to_stride}], tmm2
                         tilestored [{right} + {to_stride} + 64], tmm3"
                    );
                } else {
                    product!(
                        "tileloadd tmm0, [{from} + {from_stride}]
                         mov {right}, {from_stride}
                         shl {right}, 4
                         add {right}, {from}
                         tileloadd tmm2, [{right} + {from_stride}]",
                        [
                            "tileloadd tmm4, [{left} + {row}]",
                            "tileloadd tmm6, [{right} + {stride}]",
                            "tdpbf16ps tmm0, tmm4, tmm6",
                            "tileloadd tmm5, [{below} + {row}]",
                            "tdpbf16ps tmm2, tmm5, tmm6"
                        ],
                        "tilestored [{to} + {to_stride}], tmm0
                         mov {right}, {to_stride}
                         shl {right}, 4
                         add {right}, {to}
                         tilestored [{right} + {to_stride}], tmm2"
                    );
                }
            }
        }
    }

    /// [`Element::write_square`](crate::tiles::Element::write_square): pairs of pixels side by side, turned.
    pub(in crate::tiles) fn write_square(pixels: &[&[bf16]], first: usize, count: usize, square: &mut [f32]) {
        assert!(
            multiplies_squares() && (1..=SIDE).contains(&count) && pixels.len() <= 2 * SIDE && square.len() == SQUARE
        );
        // SAFETY: AMX comes with these instructions, and `square` has as many values as are written.
        unsafe { turned(pixels, first, count, square.as_mut_ptr()) };
    }

    /// # Safety
    /// There is room for a square at `to`, and there are at most sixteen pairs of pixels, of `count` values each.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn turned(pixels: &[&[bf16]], first: usize, count: usize, to: *mut f32) {
        let mask = u16::MAX >> (SIDE - count);
        let values = |pixel: Option<&&[bf16]>| {
            // SAFETY: what the mask leaves out is not read.
            let wide = |from: &[bf16]| unsafe { _mm256_maskz_loadu_epi16(mask, from.as_ptr().cast()) };
            _mm512_cvtepu16_epi32(pixel.map_or(_mm256_setzero_si256(), |pixel| wide(&pixel[first..first + count])))
        };
        let mut a = [_mm512_setzero_si512(); SIDE];
        for (lane, pair) in a.iter_mut().zip(pixels.chunks(2)) {
            *lane = _mm512_or_si512(values(pair.first()), _mm512_slli_epi32::<16>(values(pair.get(1))));
        }
        // Rows change places with columns: in blocks of two by two, four by four, and then by quarters of registers.
        let mut b = a;
        for i in (0..SIDE).step_by(2) {
            b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
            b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
        }
        for i in (0..SIDE).step_by(4) {
            a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
            a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
            a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
            a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
        }
        const EVEN: i32 = 0b1000_1000;
        const ODD: i32 = 0b1101_1101;
        for i in 0..4 {
            let (low, high) = ((a[i], a[i + 4]), (a[i + 8], a[i + 12]));
            let even = (_mm512_shuffle_i32x4::<EVEN>(low.0, low.1), _mm512_shuffle_i32x4::<EVEN>(high.0, high.1));
            let odd = (_mm512_shuffle_i32x4::<ODD>(low.0, low.1), _mm512_shuffle_i32x4::<ODD>(high.0, high.1));
            b[i] = _mm512_shuffle_i32x4::<EVEN>(even.0, even.1);
            b[i + 4] = _mm512_shuffle_i32x4::<EVEN>(odd.0, odd.1);
            b[i + 8] = _mm512_shuffle_i32x4::<ODD>(even.0, even.1);
            b[i + 12] = _mm512_shuffle_i32x4::<ODD>(odd.0, odd.1);
        }
        for (value, lanes) in b.iter().enumerate().take(count) {
            // SAFETY: a row of the square.
            unsafe { _mm512_storeu_si512(to.add(value * SIDE).cast(), *lanes) };
        }
    }

    impl Drop for Amx {
        fn drop(&mut self) {
            // SAFETY: the instruction is there. Registers in use would cost time whenever the system changes threads.
            unsafe { asm!("tilerelease", options(nomem, nostack, preserves_flags)) };
        }
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod linux {
    use super::{Amx, Corner};

    impl Amx {
        pub(in crate::tiles) fn new() -> Option<Amx> {
            None
        }

        /// # Safety
        /// There is no [`Amx`] to call it with.
        pub(in crate::tiles) unsafe fn add_product<const COLUMNS: usize>(
            &self,
            _left: [*const f32; 2],
            _rights: &[*const f32],
            _stride: usize,
            _from: Corner<*const f32>,
            _to: Corner<*mut f32>,
        ) {
        }
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(super) use linux::write_square;
