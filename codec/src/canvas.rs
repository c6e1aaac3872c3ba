//! An array that several threads fill at once, each with boxes of its own.
//!
//! It is cut into stripes, and whoever writes to a stripe holds it for so long: even boxes that overlapped would do no
//! harm. Memory that is fresh is first touched by the threads that fill it, side by side.
#![allow(unsafe_code)]
use crate::Error;
use crate::boxes::each_run;
use scicodec_format::BoxRegion;
use std::mem::MaybeUninit;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of a stripe: so many that locks cost nothing, so few that threads seldom meet.
const STRIPE: usize = 1 << 16;

struct Stripe<'a> {
    bytes: &'a mut [MaybeUninit<u8>],
    /// Nothing has been written to it, and what it holds may be no bytes at all.
    blank: bool,
}

impl Stripe<'_> {
    fn copy(&mut self, at: usize, bytes: &[u8]) {
        if bytes.len() < self.bytes.len() {
            self.clear();
        }
        self.bytes[at..at + bytes.len()].write_copy_of_slice(bytes);
        self.blank = false;
    }

    fn clear(&mut self) {
        if self.blank {
            self.bytes.fill(MaybeUninit::new(0));
            self.blank = false;
        }
    }
}

/// An array being filled. Every byte ever written to it is a byte: nothing in it stops being initialised.
pub(crate) struct Canvas<'a> {
    stripes: Vec<Mutex<Stripe<'a>>>,
    length: usize,
}

impl<'a> Canvas<'a> {
    /// Over memory that holds anything.
    pub fn over(bytes: &'a mut [u8]) -> Canvas<'a> {
        let (start, length) = (bytes.as_mut_ptr().cast::<MaybeUninit<u8>>(), bytes.len());
        // SAFETY: the layouts are the same, `bytes` stays borrowed as long, and only initialised bytes are written.
        Canvas::cut(unsafe { std::slice::from_raw_parts_mut(start, length) }, false)
    }

    fn cut(bytes: &'a mut [MaybeUninit<u8>], blank: bool) -> Canvas<'a> {
        let length = bytes.len();
        let stripes = bytes.chunks_mut(STRIPE).map(|bytes| Mutex::new(Stripe { bytes, blank }));
        Canvas { stripes: stripes.collect(), length }
    }

    /// The first `size` bytes of a vector's memory, after `fill` has filled them; what it left out is zeros. The vector
    /// must have room for so many.
    pub fn filled<E>(
        mut memory: Vec<u8>,
        size: usize,
        fill: impl FnOnce(&Canvas<'_>) -> Result<(), E>,
    ) -> Result<Vec<u8>, E> {
        memory.clear();
        let canvas = Canvas::cut(&mut memory.spare_capacity_mut()[..size], true);
        fill(&canvas)?;
        for stripe in canvas.stripes {
            stripe.into_inner().unwrap_or_else(PoisonError::into_inner).clear();
        }
        // SAFETY: there is room for `size` bytes, or the slice above would have panicked; each lies in a stripe, and no
        // stripe is blank: all bytes of one are written before it is called something else.
        unsafe { memory.set_len(size) };
        Ok(memory)
    }

    /// Copies a part of an array, which is at `place`, into this one, which is at `own`; `size` is of an element.
    pub fn put(&self, part: &[u8], place: &BoxRegion, own: &BoxRegion, size: usize) -> Result<(), Error> {
        let to: Vec<u64> = place.start.iter().zip(&own.start).map(|(&p, &o)| p.saturating_sub(o)).collect();
        let from = vec![0; to.len()];
        let (source, target) = ((&place.extent[..], &from[..], part.len()), (&own.extent[..], &to[..], self.length));
        let mut held: Option<(usize, MutexGuard<'_, Stripe<'_>>)> = None;
        each_run(source, target, &place.extent, size, |from, to, run| {
            let (mut at, mut bytes) = (to, &part[from..from + run]);
            while !bytes.is_empty() {
                let (k, start) = (at / STRIPE, at % STRIPE);
                if held.as_ref().is_none_or(|h| h.0 != k) {
                    // One at a time, or two threads could wait for each other.
                    held = None;
                }
                let (_, stripe) = held.get_or_insert_with(|| (k, lock(&self.stripes[k])));
                let (now, later) = bytes.split_at(bytes.len().min(stripe.bytes.len() - start));
                stripe.copy(start, now);
                (at, bytes) = (at + now.len(), later);
            }
        })
    }
}

fn lock<'c, 'a>(stripe: &'c Mutex<Stripe<'a>>) -> MutexGuard<'c, Stripe<'a>> {
    // Whatever it holds is good.
    stripe.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(start: [u64; 3], extent: [u64; 3]) -> BoxRegion {
        BoxRegion { start: start.to_vec(), extent: extent.to_vec() }
    }

    /// Every number of a box, by its place in the whole.
    fn part(b: &BoxRegion, all: &BoxRegion) -> Vec<u8> {
        let mut out = vec![];
        for a in 0..b.extent[0] {
            for y in 0..b.extent[1] {
                for x in 0..b.extent[2] {
                    let at = (b.start[0] + a, b.start[1] + y - all.start[1], b.start[2] + x);
                    let i = (at.0 * all.extent[1] + at.1) * all.extent[2] + at.2;
                    out.extend_from_slice(&(i as u32).to_ne_bytes());
                }
            }
        }
        out
    }

    #[test]
    fn boxes_of_several_threads_make_the_whole() {
        let all = of([0, 5, 0], [3, 300, 80]);
        let boxes = [of([0, 5, 0], [3, 300, 50]), of([0, 5, 50], [2, 300, 30]), of([2, 5, 50], [1, 300, 30])];
        let size = 3 * 300 * 80 * 4;
        let fill = |canvas: &Canvas<'_>| {
            std::thread::scope(|scope| {
                for b in &boxes {
                    scope.spawn(|| canvas.put(&part(b, &all), b, &all, 4).unwrap());
                }
            });
            Ok::<(), Error>(())
        };
        let fresh = Canvas::filled(Vec::with_capacity(size), size, fill).unwrap();
        let mut old = vec![9; size];
        fill(&Canvas::over(&mut old)).unwrap();
        assert!(fresh == part(&all, &all) && fresh == old);
    }

    #[test]
    fn what_is_left_out_is_zeros() {
        let all = of([0; 3], [1, 1000, 100]);
        let some = of([0, 990, 3], [1, 2, 5]);
        let fill = |canvas: &Canvas<'_>| canvas.put(&[7; 10], &some, &all, 1);
        let out = Canvas::filled(Vec::with_capacity(200_000), 100_000, fill).unwrap();
        assert_eq!((out.len(), out.iter().map(|&b| usize::from(b)).sum::<usize>()), (100_000, 70));
        let refused = Canvas::filled(vec![0; 8], 8, |canvas| canvas.put(&[7; 9], &of([0; 3], [1, 1, 9]), &all, 1));
        assert!(refused.is_err());
    }
}
