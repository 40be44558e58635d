//! A store that does as it is told, step by step.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex};

use seqschedlock_pager::{PAGE_SIZE, Pager, Policy, Store};

/// A store of pages that are filled with one number each. Loads can be held when they have their number, and
/// before they return it.
#[derive(Clone, Default)]
pub struct Scripted {
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    numbers: HashMap<usize, Answer>,
    /// Loads that have begun.
    begun: usize,
    /// Loads may end while they are fewer than this.
    let_go: Option<usize>,
    ended: usize,
}

/// What a load of a page comes to.
#[derive(Clone, Copy)]
pub enum Answer {
    Number(u32),
    Error,
    Panic,
}

impl Scripted {
    /// A store in which every load is held, until it is [let go](Self::let_go).
    pub fn held() -> Self {
        let store = Self::default();
        store.state.0.lock().unwrap().let_go = Some(0);
        store
    }

    /// The source changes.
    pub fn set(&self, page: usize, answer: Answer) {
        self.state.0.lock().unwrap().numbers.insert(page, answer);
    }

    /// Waits until so many loads have their number.
    pub fn wait_for(&self, loads: usize) {
        let (state, changed) = &*self.state;
        let state = state.lock().unwrap();
        drop(
            changed
                .wait_while(state, |state| state.begun < loads)
                .unwrap(),
        );
    }

    /// Lets loads end, the first so many.
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

/// A page of one number.
pub fn fill(page: &mut [u8; PAGE_SIZE], number: u32) {
    for word in page.chunks_exact_mut(4) {
        word.copy_from_slice(&number.to_ne_bytes());
    }
}

/// The number that a page is filled with.
pub fn number<P: Policy>(pager: &Pager<P>, page: usize) -> u32 {
    pager.load(page * PAGE_SIZE)
}
