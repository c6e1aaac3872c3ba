//! Work on many chunks at once: results in order and memory bounded, or each put where it belongs by whoever made it.
use crate::Error;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

/// Chunks in flight per thread: enough that no thread waits for a slow neighbour, few enough for bounded memory.
const WINDOW_PER_THREAD: u64 = 2;

/// The room on a thread's stack: one that waits for another takes up what else there is to do.
const STACK: usize = 16 << 20;

/// Whether a task is more than one thread's work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Tasks {
    /// Each is done by one thread.
    Plain,
    /// Threads that have none help with [`each`] and [`both`].
    Helped,
}

/// Threads that may help where there are fewer tasks.
const HELPERS: u64 = 8;

thread_local! {
    /// Whether this is a thread that was started here, whose like may help.
    static OURS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` for 0..n on `threads` threads (0: all), and hands the results to `sink` in order on this thread.
///
/// At most two tasks per thread are between start and sink. After the first error, in order, nothing more is started.
pub(crate) fn run_ordered<T: Send>(
    (n, tasks): (u64, Tasks),
    threads: usize,
    work: impl Fn(u64) -> Result<T, Error> + Sync,
    mut sink: impl FnMut(u64, T) -> Result<(), Error>,
) -> Result<(), Error> {
    let busy = if tasks == Tasks::Helped { n.max(HELPERS) } else { n };
    let threads = counted(threads).min(usize::try_from(busy).unwrap_or(usize::MAX));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK);
    // Where the system has no more threads, this one does the work.
    let pool = (threads > 1).then(|| pool.start_handler(|_| OURS.set(true)).build().ok()).flatten();
    let Some(pool) = pool else { return (0..n).try_for_each(|i| sink(i, work(i)?)) };
    let window = (threads as u64).saturating_mul(WINDOW_PER_THREAD);
    let work = &work;
    pool.in_place_scope(|scope| {
        let (send, receive) = mpsc::channel();
        let mut waiting = BTreeMap::new();
        let (mut started, mut done) = (0, 0);
        while done < n {
            while started < n && started < done + window {
                let (send, i) = (send.clone(), started);
                // A panic is carried over, or the loop would wait for a result that never comes. The receiver is gone
                // only after an error: then nobody wants the result.
                scope.spawn(move |_| drop(send.send((i, catch_unwind(AssertUnwindSafe(|| work(i)))))));
                started += 1;
            }
            let Ok((i, result)) = receive.recv() else { break };
            waiting.insert(i, result);
            while let Some(result) = waiting.remove(&done) {
                sink(done, result.unwrap_or_else(|panic| resume_unwind(panic))?)?;
                done += 1;
            }
        }
        Ok(())
    })
}

/// Does something with each of these, where there are threads to help at once, and hands what comes of them to `sink`, in
/// order.
pub(crate) fn each_to<T: Send, R: Send>(all: Vec<T>, work: impl Fn(T) -> R + Sync + Send, sink: impl FnMut(R)) {
    if OURS.get() {
        let done: Vec<R> = all.into_par_iter().with_max_len(1).map(work).collect();
        return done.into_iter().for_each(sink);
    }
    all.into_iter().map(work).for_each(sink);
}

/// The same: what comes of them.
pub(crate) fn each<T: Send, R: Send>(all: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    let mut done = Vec::with_capacity(all.len());
    each_to(all, work, |result| done.push(result));
    done
}

/// Does both, where there are threads to help at once.
pub(crate) fn both<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    if OURS.get() { rayon::join(a, b) } else { (a(), b()) }
}

/// So many threads; 0 stands for all.
fn counted(threads: usize) -> usize {
    let all = || thread::available_parallelism().map_or(1, usize::from);
    if threads == 0 { all() } else { threads }
}

/// Runs `work` for 0..n on `threads` threads (0: all), of which this one is one.
///
/// Of several errors it is the first in order, after which nothing more is started.
pub(crate) fn run_all(n: u64, threads: usize, work: impl Fn(u64) -> Result<(), Error> + Sync) -> Result<(), Error> {
    let threads = counted(threads).min(usize::try_from(n).unwrap_or(usize::MAX));
    if threads <= 1 {
        return (0..n).try_for_each(work);
    }
    let (next, failed) = (AtomicU64::new(0), Mutex::new(None));
    let run = || {
        loop {
            let i = next.fetch_add(1, Relaxed);
            if i >= n {
                return;
            }
            if let Err(error) = work(i) {
                next.fetch_max(n, Relaxed);
                // Whatever came before it has been started, and will tell of errors of its own.
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                if failed.as_ref().is_none_or(|&(before, _)| i < before) {
                    *failed = Some((i, error));
                }
            }
        }
    };
    thread::scope(|scope| {
        // Where the system has no more threads, those that it has do the work.
        let others: Vec<_> = (1..threads).map_while(|_| thread::Builder::new().spawn_scoped(scope, run).ok()).collect();
        run();
        others.into_iter().for_each(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), |(_, error)| Err(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_in_order_is_told() {
        for threads in [1, 2, 5, 99] {
            let done = AtomicU64::new(0);
            let work = |i: u64| {
                done.fetch_add(1, Relaxed);
                if i % 7 == 6 { Err(Error::InvalidArgument(i.to_string())) } else { Ok(()) }
            };
            assert!(matches!(run_all(1000, threads, work), Err(Error::InvalidArgument(i)) if i == "6"));
            assert!(done.into_inner() < 7 * (threads as u64 + 2));
            let sum = AtomicU64::new(0);
            run_all(100, threads, |i| {
                sum.fetch_add(i, Relaxed);
                Ok(())
            })
            .unwrap();
            assert_eq!(sum.into_inner(), 4950);
        }
    }

    #[test]
    fn those_who_help_keep_the_order() {
        let squares = |n: u64| each((0..n).collect(), |k| both(|| k, || k)).into_iter().map(|(a, b)| a * b);
        for (n, threads) in [(1, 1), (1, 4), (9, 1), (9, 3)] {
            let mut sums = vec![];
            let sink = |i, sum| {
                sums.push((i, sum));
                Ok(())
            };
            run_ordered((n, Tasks::Helped), threads, |i| Ok(squares(10 + i).sum::<u64>()), sink).unwrap();
            assert_eq!(sums, (0..n).map(|i| (i, squares(10 + i).sum())).collect::<Vec<_>>());
        }
    }
}
