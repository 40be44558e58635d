//! What errors and violations say to a person.
//!
//! The wording is free. But a text must name the page, the lock or the number that it is about, and no two
//! texts may be the same.
#![cfg(not(loom))]

#[path = "texts/aio.rs"]
mod aio;
#[path = "texts/page_cache.rs"]
mod page_cache;

use core::fmt::Display;
use std::collections::BTreeSet;

/// Each text has the words beside it, and no two texts are the same.
fn each_tells<T: Display>(values: impl IntoIterator<Item = (T, &'static str)>) {
    let mut texts = BTreeSet::new();
    for (value, words) in values {
        let text = value.to_string();
        assert!(!text.is_empty(), "an empty text instead of {words}");
        for word in words.split(' ') {
            assert!(text.contains(word), "`{word}` is missing: {text}");
        }
        assert!(
            texts.insert(text.clone()),
            "two values have this text: {text}"
        );
    }
}
