//! Several threads wait for faults on one descriptor, until they are told to stop.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};

use super::open::owned;
use super::region::Region;

/// Tells all handlers to stop. It stays rung.
#[derive(Debug)]
pub(crate) struct Doorbell {
    event: OwnedFd,
}

impl Doorbell {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: the call takes numbers and no pointer.
        let event = owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) })?;
        Ok(Self { event })
    }

    pub(crate) fn ring(&self) {
        let one = 1_u64;
        // SAFETY: the buffer has eight bytes, as stated. (The write can neither block nor fail: it adds one
        // to a counter that is far from its limit.)
        unsafe { libc::write(self.event.as_raw_fd(), (&raw const one).cast(), 8) };
    }
}

/// Waits for faults, and for the doorbell.
///
/// Each handler has its own, so that the kernel can wake one handler for a fault (`EPOLLEXCLUSIVE`) and not
/// all.
#[derive(Debug)]
pub(crate) struct Poll {
    epoll: OwnedFd,
}

/// Why a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// There may be a fault. Another handler may have read it by now.
    Fault,
    /// The doorbell has been rung.
    Stop,
}

const FAULT: u64 = 0;
const STOP: u64 = 1;

impl Poll {
    pub(crate) fn new(region: &Region, doorbell: &Doorbell) -> io::Result<Self> {
        // SAFETY: the call takes flags and no pointer.
        let epoll = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        let poll = Self { epoll };
        poll.add(region, libc::EPOLLIN | libc::EPOLLEXCLUSIVE, FAULT)?;
        poll.add(&doorbell.event, libc::EPOLLIN, STOP)?;
        Ok(poll)
    }

    fn add(&self, descriptor: &impl AsFd, events: libc::c_int, meaning: u64) -> io::Result<()> {
        let mut event = libc::epoll_event {
            events: events as u32,
            u64: meaning,
        };
        let descriptor = descriptor.as_fd().as_raw_fd();
        let add = libc::EPOLL_CTL_ADD;
        // SAFETY: both descriptors are open, and `event` is one event.
        match unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), add, descriptor, &raw mut event) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Waits for a fault or for the doorbell.
    pub(crate) fn wait(&self) -> io::Result<Ready> {
        const NONE: libc::epoll_event = libc::epoll_event { events: 0, u64: 0 };
        let mut events = [NONE; 2];
        loop {
            // SAFETY: `events` has room for two events, as stated.
            let ready =
                unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), events.as_mut_ptr(), 2, -1) };
            if ready >= 0 {
                let stop = events[..ready as usize]
                    .iter()
                    .any(|event| { event.u64 } == STOP);
                return Ok(if stop { Ready::Stop } else { Ready::Fault });
            }
            match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => {}
                error => return Err(error),
            }
        }
    }
}
