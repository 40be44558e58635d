//! What only the crate itself can set up.

use super::RawSeqSchedLock;
use crate::conflict::Conflict;
use crate::wait::Spin;

#[test]
fn a_stamp_stays_dead_across_the_wrap_of_the_sequence() {
    let lock = RawSeqSchedLock::<Spin>::before_wrap(3);
    let stamp = lock.read_begin().unwrap();
    for _ in 0..1000 {
        drop(lock.write());
        assert_eq!(lock.read_end(stamp), Err(Conflict::Race));
    }
    assert_eq!(lock.try_read(|| ()), Ok(()));
}
