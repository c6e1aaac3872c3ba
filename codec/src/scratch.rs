//! Large buffers that stay with their thread: fresh pages from the system cost as much as the work done on them.
use std::cell::RefCell;

/// Buffers kept of each type, and the most elements of one.
const KEPT: usize = 6;
const LARGEST: usize = 1 << 22;

/// A type that buffers are kept of.
pub trait Kept: Copy + Default + 'static {
    /// Runs `f` on what the thread has.
    fn with<R>(f: impl FnOnce(&mut Vec<Vec<Self>>) -> R) -> R;
}

macro_rules! kept {
    ($($t:ty),*) => {$(
        impl Kept for $t {
            fn with<R>(f: impl FnOnce(&mut Vec<Vec<Self>>) -> R) -> R {
                thread_local! {
                    static ALL: RefCell<Vec<Vec<$t>>> = const { RefCell::new(vec![]) };
                }
                ALL.with(|all| f(&mut all.borrow_mut()))
            }
        }
    )*};
}
kept!(u8, u16, i32);

/// A buffer of this length that holds anything.
pub fn take<T: Kept>(n: usize) -> Vec<T> {
    // The smallest that suffices, else the largest.
    let mut v = T::with(|all| {
        let fits = (0..all.len()).filter(|&i| all[i].capacity() >= n).min_by_key(|&i| all[i].capacity());
        let best = fits.or_else(|| (0..all.len()).max_by_key(|&i| all[i].capacity()));
        best.map(|i| all.swap_remove(i)).unwrap_or_default()
    });
    if v.capacity() < n {
        // No use in copying what nobody wants.
        v = vec![T::default(); n];
    }
    v.resize(n, T::default());
    v
}

/// Gives a buffer back.
pub fn give<T: Kept>(v: Vec<T>) {
    if v.capacity() > LARGEST || v.capacity() < 1024 {
        return;
    }
    T::with(|all| {
        if all.len() >= KEPT
            && let Some(i) = (0..all.len()).min_by_key(|&i| all[i].capacity())
        {
            all.swap_remove(i);
        }
        all.push(v);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back() {
        let mut v = take::<i32>(5000);
        v.fill(7);
        let at = v.as_ptr();
        give(v);
        let v = take::<i32>(4000);
        assert_eq!((v.as_ptr(), v.len()), (at, 4000));
        assert_eq!(take::<i32>(9000), vec![0; 9000]);
        give(vec![0u8; LARGEST + 1]);
        assert!(u8::with(|all| all.is_empty()));
    }
}
