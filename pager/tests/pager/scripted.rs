//! A store that the test controls step by step.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex};

use seqschedlock_pager::{PAGE_SIZE, Pager, Policy, Store};

/// A store whose pages are filled with one number each. A load reads the number, and then can be held before it
/// returns.
#[derive(Clone, Default)]
pub struct Scripted {
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    numbers: HashMap<usize, Answer>,
    /// The number of loads that have read their number.
    begun: usize,
    /// The number of loads that may return. `None` means all.
    let_go: Option<usize>,
    /// The number of loads that have returned.
    ended: usize,
}

/// The result of a load.
#[derive(Clone, Copy)]
pub enum Answer {
    Number(u32),
    Error,
    Panic,
}

impl Scripted {
    /// A store that holds every load until [`let_go`](Self::let_go).
    pub fn held() -> Self {
        let store = Self::default();
        store.state.0.lock().unwrap().let_go = Some(0);
        store
    }

    /// Changes the source.
    pub fn set(&self, page: usize, answer: Answer) {
        self.state.0.lock().unwrap().numbers.insert(page, answer);
    }

    /// Waits until this many loads have read their number.
    pub fn wait_for(&self, loads: usize) {
        let (state, changed) = &*self.state;
        let state = state.lock().unwrap();
        drop(
            changed
                .wait_while(state, |state| state.begun < loads)
                .unwrap(),
        );
    }

    /// Lets the first loads return, up to this number.
    pub fn let_go(&self, loads: usize) {
        self.state.0.lock().unwrap().let_go = Some(loads);
        self.state.1.notify_all();
    }

    pub fn loads_that_ended(&self) -> usize {
        self.state.0.lock().unwrap().ended
    }
}

impl Store for Scripted {
    fn load(&self, page: usize, into: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap();
        let answer = state.numbers.get(&page).copied();
        let nth = state.begun;
        state.begun += 1;
        changed.notify_all();
        let held = |state: &mut State| state.let_go.is_some_and(|let_go| nth >= let_go);
        let mut state = changed.wait_while(state, held).unwrap();
        state.ended += 1;
        drop(state);
        match answer.unwrap_or(Answer::Number(0)) {
            Answer::Number(number) => fill(into, number),
            Answer::Error => return Err(io::ErrorKind::HostUnreachable.into()),
            Answer::Panic => panic!("as the script says"),
        }
        Ok(())
    }
}

/// Fills a page with a number.
pub fn fill(page: &mut [u8; PAGE_SIZE], number: u32) {
    for word in page.chunks_exact_mut(4) {
        word.copy_from_slice(&number.to_ne_bytes());
    }
}

/// Reads the number of a page.
pub fn number<P: Policy>(pager: &Pager<P>, page: usize) -> u32 {
    pager.load(page * PAGE_SIZE)
}
