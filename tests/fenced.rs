//! `Fenced`: what it answers, and for how long.
#![cfg(not(loom))]

use seqschedlock::{Fenced, RawSeqSchedLock, Spin};

type Fence = RawSeqSchedLock<Spin>;

fn loaded(fence: &Fence) -> Fenced<&'static str> {
    let stamp = fence.read_begin().expect("no section runs");
    Fenced::new(stamp, "loaded")
}

#[test]
fn an_entry_that_was_hit_stays_a_hit() {
    let fence = Fence::new();
    let entry = loaded(&fence);
    assert_eq!(entry.hit(&fence), Some(&"loaded"));

    let section = fence.write(); // of a key with the same lock, or the entry would be gone
    assert_eq!(entry.hit(&fence), Some(&"loaded"));
    drop(section);
    assert_eq!(entry.hit(&fence), Some(&"loaded"));
}

/// That is why an entry should be hit in the cache as soon as it has been loaded.
#[test]
fn an_entry_that_was_never_hit_is_a_miss_for_good_after_any_section() {
    let fence = Fence::new();
    let entry = loaded(&fence);

    let section = fence.write();
    assert_eq!(entry.hit(&fence), None);
    drop(section);
    assert_eq!(entry.hit(&fence), None);
}

#[test]
fn a_section_that_changed_nothing_causes_no_miss() {
    let fence = Fence::new();
    let entry = loaded(&fence);

    let section = fence.write();
    assert_eq!(entry.hit(&fence), None);
    section.cancel();
    assert_eq!(entry.hit(&fence), Some(&"loaded"));
}

#[test]
fn fresh_forgets_and_does_not_look_at_what_hit_remembers() {
    let fence = Fence::new();
    let entry = loaded(&fence);
    assert_eq!(entry.fresh(&fence), Some(&"loaded"));
    assert_eq!(entry.hit(&fence), Some(&"loaded"));

    drop(fence.write());
    assert_eq!(entry.fresh(&fence), None);
    assert_eq!(entry.hit(&fence), Some(&"loaded"));

    let never_hit = loaded(&fence);
    assert_eq!(never_hit.fresh(&fence), Some(&"loaded"));
    drop(fence.write());
    assert_eq!(never_hit.hit(&fence), None);
}

#[test]
fn its_value_is_available_without_validation() {
    let fence = Fence::new();
    let entry = loaded(&fence);
    drop(fence.write());
    assert_eq!(entry.unvalidated(), &"loaded");
    assert_eq!(entry.into_inner(), "loaded");
}

#[test]
fn it_prints_whether_it_has_been_validated() {
    let fence = Fence::new();
    let entry = loaded(&fence);
    assert!(format!("{entry:?}").contains("open: false"), "{entry:?}");
    entry.hit(&fence);
    assert!(format!("{entry:?}").contains("open: true"), "{entry:?}");
}
