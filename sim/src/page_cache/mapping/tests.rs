//! The page index: what is found in it, page by page.

use core::time::Duration;

use super::{AddressSpace, PAGE_SIZE};
use crate::page_cache::{Commit, MemStore, PlainFs};

#[test]
fn each_page_of_a_range_is_found_once_and_in_order() {
    const PAGES: [u64; 7] = [0, 63, 64, 127, 128, 4095, 4096];
    let store = MemStore::new(5000 * PAGE_SIZE as u64, Duration::ZERO);
    let file = AddressSpace::<Commit>::new(store, PlainFs::default()).unwrap();
    for page in PAGES.into_iter().rev() {
        assert!(file.nopage(page, false, None).is_ok());
    }
    for first in 0..PAGES.len() {
        for last in first..PAGES.len() {
            let found = file.pages_in(PAGES[first]..=PAGES[last]);
            let found: Vec<u64> = found.iter().map(|page| page.index()).collect();
            assert_eq!(found, PAGES[first..=last]);
        }
    }
}
