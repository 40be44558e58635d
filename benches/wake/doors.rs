//! A door that one side holds shut and the other waits to pass, in several kinds.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Instant;

use seqschedlock::{Park, RawSeqSchedLock, Spin, Wait, Yield};

pub trait Door: Default + Send + Sync + 'static {
    const NAME: &'static str;

    /// Shuts the door, runs `during`, and opens it; returns the moment just before.
    fn hold(&self, during: &dyn Fn()) -> Instant;

    /// Waits until the door is open.
    fn pass(&self);
}

fn hold<W: Wait>(lock: &RawSeqSchedLock<W>, during: &dyn Fn()) -> Instant {
    let section = lock.write();
    during();
    let opened = Instant::now();
    drop(section);
    opened
}

macro_rules! lock_doors {
    ($($W:ty => $name:literal;)*) => {$(
        impl Door for RawSeqSchedLock<$W> {
            const NAME: &'static str = $name;
            fn hold(&self, during: &dyn Fn()) -> Instant {
                hold(self, during)
            }
            fn pass(&self) {
                let _ = self.read_begin_wait();
            }
        }
    )*};
}

lock_doors! {
    Spin => "RawSeqSchedLock<Spin>";
    Yield => "RawSeqSchedLock<Yield>";
    Park => "RawSeqSchedLock<Park>";
}

#[derive(Default)]
pub struct StdCondvar {
    shut: Mutex<bool>,
    opened: Condvar,
}

impl Door for StdCondvar {
    const NAME: &'static str = "std Condvar";
    fn hold(&self, during: &dyn Fn()) -> Instant {
        *self.shut.lock().unwrap() = true;
        during();
        let opened = Instant::now();
        *self.shut.lock().unwrap() = false;
        self.opened.notify_all();
        opened
    }
    fn pass(&self) {
        let shut = self.shut.lock().unwrap();
        drop(self.opened.wait_while(shut, |shut| *shut).unwrap());
    }
}

#[derive(Default)]
pub struct ParkingLotCondvar {
    shut: parking_lot::Mutex<bool>,
    opened: parking_lot::Condvar,
}

impl Door for ParkingLotCondvar {
    const NAME: &'static str = "parking_lot Condvar";
    fn hold(&self, during: &dyn Fn()) -> Instant {
        *self.shut.lock() = true;
        during();
        let opened = Instant::now();
        *self.shut.lock() = false;
        self.opened.notify_all();
        opened
    }
    fn pass(&self) {
        self.opened.wait_while(&mut self.shut.lock(), |shut| *shut);
    }
}

/// A word, and the system call that waits for it to change.
#[derive(Default)]
pub struct BareFutex(AtomicU32);

impl Door for BareFutex {
    const NAME: &'static str = "bare futex";
    fn hold(&self, during: &dyn Fn()) -> Instant {
        self.0.store(1, Ordering::Relaxed);
        during();
        let opened = Instant::now();
        self.0.store(0, Ordering::Release);
        atomic_wait::wake_all(&self.0);
        opened
    }
    fn pass(&self) {
        while self.0.load(Ordering::Acquire) == 1 {
            atomic_wait::wait(&self.0, 1);
        }
    }
}
