//! The locks of the kernel. They tell [`Lockdep`] what happens to them.

use std::sync::Arc;

use core::fmt;
use core::ops::{Deref, DerefMut};

use super::lockdep::{Deadlock, Holder, LockClass, Lockdep};
use crate::locks::{lock, wait};
use crate::sync::{Condvar, Mutex, MutexGuard};

/// A lock that is held for a few steps, also by interrupts: `spinlock_t`.
#[derive(Debug)]
pub(super) struct SpinLock<T> {
    class: LockClass,
    lockdep: Arc<Lockdep>,
    data: Mutex<T>,
}

impl<T> SpinLock<T> {
    pub(super) fn new(class: LockClass, lockdep: &Arc<Lockdep>, data: T) -> Self {
        Self {
            class,
            lockdep: Arc::clone(lockdep),
            data: Mutex::new(data),
        }
    }

    pub(super) fn lock(&self) -> SpinGuard<'_, T> {
        self.lockdep.about_to_take(self.class);
        let data = lock(&self.data);
        self.lockdep.taken(self.class);
        SpinGuard { lock: self, data }
    }
}

#[must_use = "if unused, the lock is released at once"]
pub(super) struct SpinGuard<'a, T> {
    lock: &'a SpinLock<T>,
    data: MutexGuard<'a, T>,
}

impl<T> Deref for SpinGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T> DerefMut for SpinGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

impl<T> Drop for SpinGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.lockdep.released(self.lock.class);
    }
}

/// A lock whose holder may sleep, and which can be tried: `struct mutex`, a page lock.
///
/// It is built from a short-lived mutex and a condition variable, because loom's `Mutex::try_lock` blocks
/// where it should fail.
pub(super) struct SleepingLock {
    class: LockClass,
    lockdep: Arc<Lockdep>,
    locked: Mutex<bool>,
    unlocked: Condvar,
    holder: Holder,
}

impl SleepingLock {
    pub(super) fn new(class: LockClass, lockdep: &Arc<Lockdep>) -> Self {
        Self {
            class,
            lockdep: Arc::clone(lockdep),
            locked: Mutex::new(false),
            unlocked: Condvar::new(),
            holder: Holder::default(),
        }
    }

    /// Takes the lock, sleeping until it is free.
    pub(super) fn lock(&self) -> Result<SleepingGuard<'_>, Deadlock> {
        self.lockdep.about_to_take(self.class);
        let mut locked = lock(&self.locked);
        if *locked {
            let _sleeping = self.lockdep.sleep(&self.holder)?;
            while *locked {
                locked = wait(&self.unlocked, locked);
            }
        }
        Ok(self.take(locked))
    }

    /// Takes the lock if it is free.
    pub(super) fn try_lock(&self) -> Option<SleepingGuard<'_>> {
        let locked = lock(&self.locked);
        (!*locked).then(|| self.take(locked))
    }

    fn take(&self, mut locked: MutexGuard<'_, bool>) -> SleepingGuard<'_> {
        *locked = true;
        Lockdep::hold(&self.holder);
        self.lockdep.taken(self.class);
        SleepingGuard { lock: self }
    }
}

impl fmt::Debug for SleepingLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SleepingLock")
            .field("class", &self.class)
            .finish_non_exhaustive()
    }
}

#[must_use = "if unused, the lock is released at once"]
pub(super) struct SleepingGuard<'a> {
    lock: &'a SleepingLock,
}

impl Drop for SleepingGuard<'_> {
    fn drop(&mut self) {
        let SleepingLock {
            class,
            lockdep,
            locked,
            unlocked,
            holder,
        } = self.lock;
        lockdep.released(*class);
        let mut locked = lock(locked);
        Lockdep::release(holder);
        *locked = false;
        drop(locked);
        unlocked.notify_one();
    }
}
