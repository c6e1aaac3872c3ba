//! Large buffers that are kept: fresh pages from the system cost as much as the work done on them.
//!
//! All threads share them: what one makes, another may be done with, and threads of a pool do not live long.
use std::sync::{Mutex, PoisonError};

/// Buffers kept of each type, and the most elements of one.
const KEPT: usize = 8;
const LARGEST: usize = 1 << 22;

/// Buffers of one type that wait to be used again.
pub struct Shelf<T>(Mutex<Vec<Vec<T>>>);

impl<T: Copy + Default> Shelf<T> {
    const fn empty() -> Shelf<T> {
        Shelf(Mutex::new(vec![]))
    }

    fn with<R>(&self, f: impl FnOnce(&mut Vec<Vec<T>>) -> R) -> R {
        // Whatever a buffer holds is good.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self, n: usize) -> Vec<T> {
        // The smallest that suffices, else the largest.
        let mut v = self.with(|all| {
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

    fn give(&self, v: Vec<T>) {
        if v.capacity() > LARGEST || v.capacity() < 1024 {
            return;
        }
        let smallest = self.with(|all| {
            all.push(v);
            let smallest = (0..all.len()).min_by_key(|&i| all[i].capacity()).filter(|_| all.len() > KEPT);
            smallest.map(|i| all.swap_remove(i))
        });
        // Freed when nobody waits for it.
        drop(smallest);
    }
}

/// A type that buffers are kept of.
pub trait Kept: Copy + Default + 'static {
    /// Where they are.
    fn shelf() -> &'static Shelf<Self>;
}

macro_rules! kept {
    ($($t:ty),*) => {$(
        impl Kept for $t {
            fn shelf() -> &'static Shelf<Self> {
                static ALL: Shelf<$t> = Shelf::empty();
                &ALL
            }
        }
    )*};
}
kept!(u8, u16, u32, i32);

/// A buffer of this length that holds anything.
pub fn take<T: Kept>(n: usize) -> Vec<T> {
    T::shelf().take(n)
}

/// Gives a buffer back.
pub fn give<T: Kept>(v: Vec<T>) {
    T::shelf().give(v);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back() {
        let shelf = Shelf::<i32>::empty();
        let mut v = shelf.take(5000);
        v.fill(7);
        let at = v.as_ptr();
        shelf.give(v);
        let v = shelf.take(4000);
        assert_eq!((v.as_ptr(), v.len()), (at, 4000));
        assert_eq!(shelf.take(9000), vec![0; 9000]);
        shelf.give(vec![0; LARGEST + 1]);
        assert!(shelf.with(|all| all.is_empty()));
        (0..2 * KEPT).for_each(|k| shelf.give(vec![0; 2000 + k]));
        assert_eq!(shelf.with(|all| all.len()), KEPT);
    }
}
