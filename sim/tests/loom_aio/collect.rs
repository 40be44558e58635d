//! A model is judged by everything that goes wrong in any of its executions.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::{Arc, Mutex};

use crate::counted;

/// How an execution of a program ends: with everything that was wrong in it.
pub type Outcome<V> = Result<(), Vec<V>>;

/// Explores a program with a bound on preemptions, or without, and panics with everything that went wrong: a
/// line for each kind.
pub fn collect<V: Display>(
    preemptions: Option<usize>,
    program: impl Fn() -> Outcome<V> + Send + Sync + 'static,
) {
    let found = Arc::new(Mutex::new(BTreeSet::new()));
    let model = {
        let found = Arc::clone(&found);
        move || {
            let violations = program().err().unwrap_or_default();
            let mut found = found.lock().unwrap();
            found.extend(violations.iter().map(V::to_string));
        }
    };
    counted::explore(preemptions, model);
    let found: Vec<_> = std::mem::take(&mut *found.lock().unwrap())
        .into_iter()
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Makes tests that a program goes well. A line reads: *under this version, with the usual bound or another*.
macro_rules! holds {
    ($program:path: $($name:ident: $version:expr $(, $bound:expr)?;)*) => {$(
        #[test]
        fn $name() {
            let bound = $crate::collect::bound!($($bound)?);
            $crate::collect::collect(bound, || $program($version));
        }
    )*};
}
pub(crate) use holds;

/// Makes tests that something goes wrong in a program. A line reads: *under this version this is found, with
/// the usual bound or another*.
macro_rules! finds {
    ($program:path: $($name:ident: $version:expr => $message:literal $(, $bound:expr)?;)*) => {$(
        #[test]
        #[should_panic(expected = $message)]
        fn $name() {
            let bound = $crate::collect::bound!($($bound)?);
            $crate::collect::collect(bound, || $program($version));
        }
    )*};
}
pub(crate) use finds;

/// The bound of a model: three preemptions, unless it says otherwise.
macro_rules! bound {
    () => {
        Some(3)
    };
    ($bound:expr) => {
        $bound
    };
}
pub(crate) use bound;
