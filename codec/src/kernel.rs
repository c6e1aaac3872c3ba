//! The one place for instructions that not every machine has. What they compute is the same, bit for bit: the wider
//! registers hold more elements, and nothing is fused or reordered.
#![allow(unsafe_code)]

/// Runs `f`, compiled for the wider registers of this machine where it has them. Only what is inlined gains.
#[inline(always)]
pub fn widest<R>(f: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("bmi2")
        && std::arch::is_x86_feature_detected!("lzcnt")
    {
        // SAFETY: the processor has the features that the function is compiled for.
        return unsafe { with_avx2(f) };
    }
    f()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
unsafe fn with_avx2<R>(f: impl FnOnce() -> R) -> R {
    f()
}
