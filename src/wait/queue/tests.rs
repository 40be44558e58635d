//! The line against a map by ticket.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Wake;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Ticket, Waiter, Waiters};

/// A waiter that can be told from the others.
struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

fn waiter(nobody: &Arc<Nobody>) -> Waiter {
    Waiter::Task(Arc::clone(nobody).into())
}

fn is(waiter: &Waiter, nobody: &Arc<Nobody>) -> bool {
    match waiter {
        Waiter::Task(waker) => waker.data() == Arc::as_ptr(nobody).cast(),
        #[cfg(not(target_family = "wasm"))]
        Waiter::Thread(_) => false,
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Enter,
    FirstLeaves,
    Leave(prop::sample::Index),
    /// One that left enters at the place it had.
    ComesBack(prop::sample::Index),
    Replace(prop::sample::Index),
    All,
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => Just(Step::Enter),
        1 => Just(Step::FirstLeaves),
        4 => index().prop_map(Step::Leave),
        2 => index().prop_map(Step::ComesBack),
        1 => index().prop_map(Step::Replace),
        // Seldom, or there would hardly ever be a line.
        1 => prop::bool::weighted(0.1).prop_map(|all| if all { Step::All } else { Step::Enter }),
    ]
}

proptest! {
    #[test]
    fn a_line_keeps_its_order_whoever_leaves(steps in prop::collection::vec(step(), 0..200)) {
        let mut line = Waiters::default();
        let mut model = BTreeMap::<u64, Arc<Nobody>>::new();
        let mut away = Vec::new();
        for step in steps {
            let nobody = Arc::new(Nobody);
            match step {
                Step::Enter => {
                    let ticket = line.new_ticket();
                    line.enter(ticket, waiter(&nobody));
                    prop_assert!(model.insert(ticket.number, nobody).is_none());
                }
                Step::FirstLeaves => {
                    if let Some((ticket, nobody)) = model.pop_first() {
                        prop_assert!(is(&line.leave(ticket).unwrap(), &nobody));
                        away.push(ticket);
                    }
                }
                Step::ComesBack(index) if !away.is_empty() => {
                    let number = away.swap_remove(index.index(away.len()));
                    line.enter(Ticket { number, losses: 1 }, waiter(&nobody));
                    model.insert(number, nobody);
                }
                Step::Leave(index) if !model.is_empty() => {
                    let ticket = *index.get(&Vec::from_iter(model.keys().copied()));
                    let nobody = model.remove(&ticket).unwrap();
                    prop_assert!(is(&line.leave(ticket).unwrap(), &nobody));
                    prop_assert!(line.leave(ticket).is_none());
                    prop_assert!(!line.still_waits(ticket, None));
                    away.push(ticket);
                }
                Step::Replace(index) if !model.is_empty() => {
                    let ticket = *index.get(&Vec::from_iter(model.keys().copied()));
                    let mut newest = waiter(&nobody);
                    prop_assert!(line.still_waits(ticket, Some(&mut newest)));
                    prop_assert!(is(&newest, &model.insert(ticket, nobody).unwrap()));
                }
                Step::Leave(_) | Step::ComesBack(_) | Step::Replace(_) => {}
                Step::All => {
                    let all = Vec::from_iter(line.all());
                    prop_assert_eq!(all.len(), model.len());
                    for (waiter, nobody) in all.iter().zip(model.values()) {
                        prop_assert!(is(waiter, nobody));
                    }
                    model.clear();
                }
            }
            prop_assert_eq!(line.len(), model.len());
            prop_assert_eq!(line.first().map(|first| first.number), model.keys().next().copied());
        }
    }
}
