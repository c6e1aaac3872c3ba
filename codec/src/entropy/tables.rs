//! Integer tables of the logistic function and its inverse (SPEC §7.2).

/// The logit is kept in units of 1/256 and clamped to ±`LOGIT_MAX`.
pub const LOGIT_MAX: i32 = 2815;
const SQUASH_LEN: usize = 2 * LOGIT_MAX as usize + 1;

/// floor(exp(-1/256)·2^32)
const DECAY: u64 = 4_278_222_805;

static SQUASH: [u16; SQUASH_LEN] = squash_table();
static STRETCH: [i16; 4096] = stretch_table();
/// 1/(n + 1.5) in units of 2^-16, for counters that have seen n bits.
pub static RECIPROCAL: [u32; 1024] = reciprocal_table();

/// Probability of a one in units of 2^-16, in 1..=65535, for a logit within ±`LOGIT_MAX`.
#[inline(always)]
pub fn squash(logit: i32) -> u32 {
    u32::from(SQUASH[(logit.clamp(-LOGIT_MAX, LOGIT_MAX) + LOGIT_MAX) as usize])
}

/// Logit of a probability in units of 2^-12.
#[inline(always)]
pub fn stretch(p12: u32) -> i32 {
    i32::from(STRETCH[(p12 & 4095) as usize])
}

const fn squash_table() -> [u16; SQUASH_LEN] {
    let mut table = [0u16; SQUASH_LEN];
    let mut e: u64 = 1 << 32;
    let mut k = 0;
    while k <= LOGIT_MAX as usize {
        let mut p = (1u64 << 48) / ((1u64 << 32) + e);
        if p > 65535 {
            p = 65535;
        }
        table[LOGIT_MAX as usize + k] = p as u16;
        table[LOGIT_MAX as usize - k] = (65536 - p) as u16;
        e = (e * DECAY) >> 32;
        k += 1;
    }
    table
}

const fn stretch_table() -> [i16; 4096] {
    let squash = squash_table();
    let mut table = [0i16; 4096];
    let mut d = 0usize;
    let mut i = 0;
    while i < 4096 {
        while d + 1 < SQUASH_LEN && (squash[d] as usize) < i * 16 + 8 {
            d += 1;
        }
        table[i] = d as i16 - LOGIT_MAX as i16;
        i += 1;
    }
    table
}

const fn reciprocal_table() -> [u32; 1024] {
    let mut table = [0u32; 1024];
    let mut n = 0;
    while n < 1024 {
        table[n] = (131072 / (2 * n + 3)) as u32;
        n += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squash_is_monotone_and_stretch_inverts_it() {
        for d in -LOGIT_MAX..LOGIT_MAX {
            assert!(squash(d) <= squash(d + 1));
            assert!((1..=65535).contains(&squash(d)));
        }
        assert_eq!(squash(0), 32768);
        for i in 1..4095 {
            assert!((squash(stretch(i)) as i64 - (i as i64 * 16 + 8)).abs() <= 140, "{i}");
        }
    }
}
