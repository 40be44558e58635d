//! Behaviour on kernels that cannot poison a page.

use std::io;

use super::Pager;
use crate::isolated::{here, isolated};
use crate::memory::PAGE_SIZE;
use crate::sigbus;
use crate::store::Store;
use crate::uffd::Region;
use crate::{Closed, Gate, Policy};

struct Broken;

impl Store for Broken {
    fn load(&self, page: usize, _into: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        match page {
            0 => Err(io::ErrorKind::HostUnreachable.into()),
            _ => Ok(()),
        }
    }
}

/// The handler sends SIGBUS to each thread that touches a page that cannot be loaded.
fn without_poison<P: Policy>() {
    sigbus::catch();
    let mut region = Region::new(2, P::BEHIND).unwrap();
    region.forget_poison();
    let pager = Pager::<P>::serving(region, 1, Broken, 1).unwrap();
    for nth in 1..=3 {
        sigbus::doomed(pager.as_ptr());
        sigbus::wait_for(nth);
    }
    assert_eq!(pager.load(PAGE_SIZE), 0);
    assert!(pager.counts().failures >= 3);
}

#[test]
fn a_kernel_that_cannot_poison_interrupts() {
    isolated(here!(), without_poison::<Gate>);
}

#[test]
fn a_kernel_that_cannot_poison_interrupts_closed() {
    isolated(here!(), without_poison::<Closed>);
}
