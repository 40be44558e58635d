#![cfg(loom)]
use loom::sync::Arc;
use loom::thread;
use seqschedlock::sim::*;

fn model<P: Policy>() {
    let mut b = loom::model::Builder::new();
    b.preemption_bound = Some(
        std::env::var("B")
            .ok()
            .and_then(|x| x.parse().ok())
            .unwrap_or(3),
    );
    let n = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let n2 = n.clone();
    let t = std::time::Instant::now();
    b.check(move || {
        n2.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let file = AddressSpace::<P>::new(MemStore::new(8, Default::default()), PlainFs::default())
            .unwrap();
        let mm = std::sync::Arc::new(Mm::new());
        let address = mm.mmap(&file, 0, 1);
        // in the cache
        mm.fault(address, Patience::DEFAULT).unwrap();
        mm.madvise_dontneed(address, 1);
        let t = thread::spawn({
            let mm = mm.clone();
            move || {
                mm.fault(address, Patience::DEFAULT).unwrap();
            }
        });
        file.invalidate_inode_pages2_range(0..=0).unwrap();
        t.join().unwrap();
        drop(mm);
        assert_eq!(file.orphans(), 0, "orphan");
    });
    eprintln!(
        "{} {} executions {:?}",
        P::NAME,
        n.load(std::sync::atomic::Ordering::Relaxed),
        t.elapsed()
    );
}
#[test]
fn commit() {
    model::<Commit>()
}
#[test]
#[should_panic(expected = "orphan")]
fn unprotected() {
    model::<Unprotected>()
}
