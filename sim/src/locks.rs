//! The locks of `std`, without the question of what to do after a panic.
//!
//! A thread that panics in one of the systems has found a broken contract. What it held stays as it was; the
//! other threads go on, so they can be joined and the panic is seen.

use core::time::Duration;
use std::sync::PoisonError;
use std::time::Instant;

use crate::sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, sleep};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same for `std`'s own mutex. Observers use that under loom, too, so as not to become part of a model.
pub(crate) fn lock_beside_model<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// Locks for reading unless `deadline` passes first.
///
/// `std` has no such wait. With a deadline the lock is asked again and again, with naps in between.
pub(crate) fn read_until<T>(
    lock: &RwLock<T>,
    deadline: Option<Instant>,
) -> Option<RwLockReadGuard<'_, T>> {
    const NAP: Duration = Duration::from_micros(50);
    let Some(deadline) = deadline else {
        return Some(read(lock));
    };
    loop {
        match lock.try_read() {
            Ok(guard) => return Some(guard),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) if Instant::now() >= deadline => return None,
            Err(std::sync::TryLockError::WouldBlock) => sleep(NAP),
        }
    }
}

pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a notification; `None` if `deadline` has passed instead.
pub(crate) fn wait_until<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Instant,
) -> Option<MutexGuard<'a, T>> {
    let left = deadline.checked_duration_since(Instant::now())?;
    let (guard, _) = condvar
        .wait_timeout(guard, left)
        .unwrap_or_else(PoisonError::into_inner);
    Some(guard)
}
