//! Work on many chunks at once, results in order, memory bounded.
use crate::Error;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;

/// Chunks in flight per thread: enough that no thread waits for a slow neighbour, few enough for bounded memory.
const WINDOW_PER_THREAD: u64 = 2;

/// Runs `work` for 0..n on `threads` threads (0: all), and hands the results to `sink` in order on this thread.
///
/// At most two tasks per thread are between start and sink. After the first error, in order, nothing more is started.
pub(crate) fn run_ordered<T: Send>(
    n: u64,
    threads: usize,
    work: impl Fn(u64) -> Result<T, Error> + Sync,
    mut sink: impl FnMut(u64, T) -> Result<(), Error>,
) -> Result<(), Error> {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if threads == 0 { all() } else { threads };
    if threads == 1 || n <= 1 {
        return (0..n).try_for_each(|i| sink(i, work(i)?));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.min(usize::try_from(n).unwrap_or(threads))).build();
    let pool = pool.map_err(std::io::Error::other)?;
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
