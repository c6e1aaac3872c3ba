//! Sixteen whole numbers of 16 bits that are computed with together: a distribution of symbols (SPEC §7.9).
//!
//! What compilers make of plain loops over them is several times as many instructions, so on x86-64 they are told; the
//! instructions used are those that every such processor has.

/// How many there are.
const LANES: usize = 16;

type Row = [u16; LANES];

/// Sixteen lanes.
#[derive(Clone, Copy)]
pub struct Lanes(imp::Vectors);

impl Lanes {
    #[inline(always)]
    pub fn load(row: &Row) -> Lanes {
        Lanes(imp::load(row))
    }

    #[inline(always)]
    pub fn row(self) -> Row {
        imp::row(self.0)
    }

    #[inline(always)]
    pub fn all(v: u16) -> Lanes {
        Lanes(imp::all(v))
    }

    /// Sums, wrapping.
    #[inline(always)]
    pub fn plus(self, other: Lanes) -> Lanes {
        Lanes(imp::plus(self.0, other.0))
    }

    /// High halves of products.
    #[inline(always)]
    pub fn times_high(self, other: Lanes) -> Lanes {
        Lanes(imp::times_high(self.0, other.0))
    }

    /// This less the other one, at least 0.
    #[inline(always)]
    pub fn less(self, other: Lanes) -> Lanes {
        Lanes(imp::less(self.0, other.0))
    }

    /// 1 where it is 0.
    #[inline(always)]
    pub fn or_one(self) -> Lanes {
        Lanes(imp::or_one(self.0))
    }

    #[inline(always)]
    pub fn xor(self, other: Lanes) -> Lanes {
        Lanes(imp::xor(self.0, other.0))
    }

    #[inline(always)]
    pub fn and(self, other: Lanes) -> Lanes {
        Lanes(imp::and(self.0, other.0))
    }

    #[inline(always)]
    pub fn or(self, other: Lanes) -> Lanes {
        Lanes(imp::or(self.0, other.0))
    }

    /// How many lanes are larger than `v`.
    #[inline(always)]
    pub fn count_above(self, v: u16) -> usize {
        imp::count_above(self.0, v) & (2 * LANES - 1)
    }
}

#[cfg(target_arch = "x86_64")]
mod imp {
    use super::Row;
    use core::arch::x86_64::*;

    pub type Vectors = [__m128i; 2];

    #[inline(always)]
    pub fn load(row: &Row) -> Vectors {
        bytemuck::cast(*row)
    }

    #[inline(always)]
    pub fn row(v: Vectors) -> Row {
        bytemuck::cast(v)
    }

    #[inline(always)]
    pub fn all(v: u16) -> Vectors {
        // SAFETY: every x86-64 processor has SSE2.
        unsafe { [_mm_set1_epi16(v as i16); 2] }
    }

    #[inline(always)]
    pub fn plus(a: Vectors, b: Vectors) -> Vectors {
        // SAFETY: every x86-64 processor has SSE2.
        unsafe { [_mm_add_epi16(a[0], b[0]), _mm_add_epi16(a[1], b[1])] }
    }

    #[inline(always)]
    pub fn times_high(a: Vectors, b: Vectors) -> Vectors {
        // SAFETY: every x86-64 processor has SSE2.
        unsafe { [_mm_mulhi_epu16(a[0], b[0]), _mm_mulhi_epu16(a[1], b[1])] }
    }

    #[inline(always)]
    pub fn less(a: Vectors, b: Vectors) -> Vectors {
        // SAFETY: every x86-64 processor has SSE2.
        unsafe { [_mm_subs_epu16(a[0], b[0]), _mm_subs_epu16(a[1], b[1])] }
    }

    #[inline(always)]
    pub fn xor(a: Vectors, b: Vectors) -> Vectors {
        // SAFETY: every x86-64 processor has SSE2.
        unsafe { [_mm_xor_si128(a[0], b[0]), _mm_xor_si128(a[1], b[1])] }
    }

    #[inline(always)]
    pub fn and(a: Vectors, b: Vectors) -> Vectors {
        // SAFETY: every x86-64 processor has SSE2.
        unsafe { [_mm_and_si128(a[0], b[0]), _mm_and_si128(a[1], b[1])] }
    }

    #[inline(always)]
    pub fn or(a: Vectors, b: Vectors) -> Vectors {
        // SAFETY: every x86-64 processor has SSE2.
        unsafe { [_mm_or_si128(a[0], b[0]), _mm_or_si128(a[1], b[1])] }
    }

    #[inline(always)]
    pub fn or_one(a: Vectors) -> Vectors {
        // Lanes that are equal become all ones, which is -1.
        // SAFETY: every x86-64 processor has SSE2.
        a.map(|a| unsafe { _mm_sub_epi16(a, _mm_cmpeq_epi16(a, _mm_setzero_si128())) })
    }

    #[inline(always)]
    pub fn count_above(a: Vectors, v: u16) -> usize {
        let [low, high] = less(a, all(v));
        // SAFETY: every x86-64 processor has SSE2.
        let not_above = unsafe {
            let zero = _mm_setzero_si128();
            _mm_movemask_epi8(_mm_packs_epi16(_mm_cmpeq_epi16(low, zero), _mm_cmpeq_epi16(high, zero)))
        };
        (not_above ^ 0xFFFF).count_ones() as usize
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod imp {
    use super::Row;

    pub type Vectors = Row;

    #[inline(always)]
    fn each(f: impl Fn(usize) -> u16) -> Row {
        std::array::from_fn(f)
    }

    #[inline(always)]
    pub fn load(row: &Row) -> Row {
        *row
    }

    #[inline(always)]
    pub fn row(v: Row) -> Row {
        v
    }

    #[inline(always)]
    pub fn all(v: u16) -> Row {
        each(|_| v)
    }

    #[inline(always)]
    pub fn plus(a: Row, b: Row) -> Row {
        each(|i| a[i].wrapping_add(b[i]))
    }

    #[inline(always)]
    pub fn times_high(a: Row, b: Row) -> Row {
        each(|i| ((u32::from(a[i]) * u32::from(b[i])) >> 16) as u16)
    }

    #[inline(always)]
    pub fn less(a: Row, b: Row) -> Row {
        each(|i| a[i].saturating_sub(b[i]))
    }

    #[inline(always)]
    pub fn or_one(a: Row) -> Row {
        each(|i| a[i].max(1))
    }

    #[inline(always)]
    pub fn xor(a: Row, b: Row) -> Row {
        each(|i| a[i] ^ b[i])
    }

    #[inline(always)]
    pub fn and(a: Row, b: Row) -> Row {
        each(|i| a[i] & b[i])
    }

    #[inline(always)]
    pub fn or(a: Row, b: Row) -> Row {
        each(|i| a[i] | b[i])
    }

    #[inline(always)]
    pub fn count_above(a: Row, v: u16) -> usize {
        a.iter().map(|&a| u16::from(a > v)).sum::<u16>() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_sixteen_numbers() {
        let a: Row = std::array::from_fn(|i| [0, 1, 7, 32767, 32768, 40000, 65534, 65535][i % 8]);
        let b: Row = std::array::from_fn(|i| [1, 40000, 65535, 32768, 0, 3][i * 5 % 6]);
        let check = |got: Lanes, want: &dyn Fn(u16, u16) -> u16| {
            assert_eq!(got.row(), std::array::from_fn::<u16, LANES, _>(|i| want(a[i], b[i])));
        };
        let (x, y) = (Lanes::load(&a), Lanes::load(&b));
        check(x.plus(y), &|a, b| a.wrapping_add(b));
        check(x.times_high(y), &|a, b| ((u32::from(a) * u32::from(b)) >> 16) as u16);
        check(x.less(y), &|a, b| a.saturating_sub(b));
        check(x.or_one(), &|a, _| a.max(1));
        check(x.xor(y), &|a, b| a ^ b);
        check(x.and(y), &|a, b| a & b);
        check(x.or(y), &|a, b| a | b);
        check(Lanes::all(9), &|_, _| 9);
        for v in a {
            assert_eq!(x.count_above(v), a.iter().filter(|&&a| a > v).count());
        }
    }
}
