//! The inverse cosine transform of libjpeg (`jidctint.c`): the integer algorithm of Loeffler, Ligtenberg and Moschytz
//! (1989) with 13 bits behind the point, so that all values are libjpeg's.

/// Eight numbers side by side, as the processor computes with them.
type Line = [i32; 8];

/// Sets a block of 8 by 8 samples, whose rows are `stride` apart, to the transform of these coefficients, which are
/// multiplied by `quantization` first. Both are in the order of rows.
#[inline(always)]
pub(super) fn inverse(coefficients: &[i16; 64], quantization: &[u16; 64], samples: &mut [u8], stride: usize) {
    let (coefficients, quantization) = (coefficients.as_chunks().0, quantization.as_chunks().0);
    let mut lines = std::array::from_fn(|i| product(&coefficients[i], &quantization[i]));
    one_way(&mut lines, 11);
    lines = transposed(&lines);
    one_way(&mut lines, 18);
    lines = transposed(&lines);
    for (row, line) in samples.chunks_mut(stride).zip(&lines) {
        if let Some(row) = row.first_chunk_mut() {
            *row = sample(line);
        }
    }
}

/// Whether only the first coefficient is not zero.
#[inline(always)]
pub(super) fn is_flat(coefficients: &[i16; 64]) -> bool {
    let (lines, _) = coefficients.as_chunks::<8>();
    let first: [i16; 8] = std::array::from_fn(|i| if i == 0 { 0 } else { lines[0][i] });
    let any = lines[1..].iter().fold(first, |any, line| std::array::from_fn(|i| any[i] | line[i]));
    any.iter().fold(0, |any, &c| any | c) == 0
}

/// The sample that all 64 have where only the first coefficient is not zero.
#[inline(always)]
pub(super) fn flat(coefficient: i16, quantization: u16) -> u8 {
    let value = i32::from(coefficient).wrapping_mul(i32::from(quantization));
    (value.wrapping_add(4) >> 3).saturating_add(128).clamp(0, 255) as u8
}

/// The transform of eight columns, of which `shift` bits are rounded off.
#[inline(always)]
fn one_way(l: &mut [Line; 8], shift: u32) {
    // Even part.
    let both = times(add(l[2], l[6]), 4433); // .541196100
    let (two, three) = (add(both, times(l[6], -15137)), add(both, times(l[2], 6270))); // 1.847759065, .765366865
    let (zero, one) = (scaled(add(l[0], l[4])), scaled(sub(l[0], l[4])));
    let even = [add(zero, three), add(one, two), sub(one, two), sub(zero, three)];
    // Odd part.
    let [mut a, mut b, mut c, mut d] = [l[7], l[5], l[3], l[1]];
    let (ad, bc, ac, bd) = (add(a, d), add(b, c), add(a, c), add(b, d));
    let all = times(add(ac, bd), 9633); // 1.175875602
    (a, b) = (times(a, 2446), times(b, 16819)); // .298631336, 2.053119869
    (c, d) = (times(c, 25172), times(d, 12299)); // 3.072711026, 1.501321110
    let (ad, bc) = (times(ad, -7373), times(bc, -20995)); // .899976223, 2.562915447
    let (ac, bd) = (add(times(ac, -16069), all), add(times(bd, -3196), all)); // 1.961570560, .390180644
    let odd = [add(d, add(ad, bd)), add(c, add(bc, ac)), add(b, add(bc, bd)), add(a, add(ad, ac))];
    for k in 0..4 {
        l[k] = rounded(add(even[k], odd[k]), shift);
        l[7 - k] = rounded(sub(even[k], odd[k]), shift);
    }
}

// Damaged files hold coefficients for which these overflow.

#[inline(always)]
fn product(coefficients: &[i16; 8], quantization: &[u16; 8]) -> Line {
    std::array::from_fn(|i| i32::from(coefficients[i]).wrapping_mul(i32::from(quantization[i])))
}

#[inline(always)]
fn sample(line: &Line) -> [u8; 8] {
    std::array::from_fn(|i| line[i].clamp(-128, 127).wrapping_add(128) as u8)
}

#[inline(always)]
fn add(a: Line, b: Line) -> Line {
    std::array::from_fn(|i| a[i].wrapping_add(b[i]))
}

#[inline(always)]
fn sub(a: Line, b: Line) -> Line {
    std::array::from_fn(|i| a[i].wrapping_sub(b[i]))
}

#[inline(always)]
fn times(a: Line, by: i32) -> Line {
    std::array::from_fn(|i| a[i].wrapping_mul(by))
}

#[inline(always)]
fn scaled(a: Line) -> Line {
    std::array::from_fn(|i| a[i] << 13)
}

#[inline(always)]
fn rounded(a: Line, shift: u32) -> Line {
    std::array::from_fn(|i| a[i].wrapping_add(1 << (shift - 1)) >> shift)
}

/// Rows become columns, by shuffling three times the first and the second half like cards. Element by element, the
/// compiler makes slow gathers of it.
#[inline(always)]
fn transposed(lines: &[Line; 8]) -> [Line; 8] {
    shuffled(&shuffled(&shuffled(lines)))
}

#[inline(always)]
fn shuffled(l: &[Line; 8]) -> [Line; 8] {
    let low = |a: Line, b: Line| [a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]];
    let high = |a: Line, b: Line| [a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7]];
    let pair = |i: usize| [low(l[i], l[i + 4]), high(l[i], l[i + 4])];
    let [[a, b], [c, d], [e, f], [g, h]] = [pair(0), pair(1), pair(2), pair(3)];
    [a, b, c, d, e, f, g, h]
}
