//! Work that waits much, several at a time.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

/// At a time. A bake on an instance waits half of its time.
pub const WIDTH: usize = 4;

/// Does `work` for each of `items`, and answers what came of them in their order.
pub fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = || next.fetch_add(1, Ordering::Relaxed);
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let one = || {
            let mut done = Vec::new();
            let mut number = take();
            while let Some(item) = items.get(number) {
                done.push((number, work(item)));
                number = take();
            }
            done
        };
        let threads: Vec<_> = (0..WIDTH).map(|_| scope.spawn(one)).collect();
        // What one of them says of its failure, it has printed.
        threads.into_iter().flat_map(|thread| thread.join().expect("all went well")).collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}
