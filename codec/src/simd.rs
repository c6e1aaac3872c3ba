//! Loops compiled for the vector units that the processor has, besides those of any processor of its kind.
//!
//! What runs is the same Rust code either way, whole numbers and basic operations of IEEE 754 one by one: results do not
//! depend on which of the two it is.
#![allow(unsafe_code)]

pub mod lanes;

/// Something to run. `run` and what matters in it must be `#[inline(always)]`, or it is compiled but once.
pub trait Kernel {
    type Out;
    fn run(self) -> Self::Out;
}

/// Runs a kernel on the widest vectors there are.
#[inline]
pub fn widest<K: Kernel>(k: K) -> K::Out {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn wide<K: Kernel>(k: K) -> K::Out {
            k.run()
        }
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
        {
            // SAFETY: the processor has every feature that `wide` is compiled for.
            return unsafe { wide(k) };
        }
    }
    k.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sum<'a>(&'a [f64]);

    impl Kernel for Sum<'_> {
        type Out = f64;
        #[inline(always)]
        fn run(self) -> f64 {
            self.0.iter().fold(0.0, |s, v| s * 1.000_1 + v)
        }
    }

    #[test]
    fn the_widest_vectors_give_the_same_bits() {
        let v: Vec<f64> = (0..999).map(|i| 1.0 / f64::from(i + 3)).collect();
        assert_eq!(widest(Sum(&v)).to_bits(), Sum(&v).run().to_bits());
    }
}
