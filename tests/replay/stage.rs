//! The stage for the stories: sides that stop at named places, and a ledger of what was served.
//!
//! A side is ordinary code that calls [`pause`] wherever another thread could get in between. One
//! thread steps through all sides, so an order of steps is an order of lines in a test.

use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
#[cfg(feature = "park")]
use core::time::Duration;

/// A cache in front of a source, for one key. Values are the versions of the source, from 1 up.
#[allow(async_fn_in_trait, reason = "one thread steps through everything here")]
pub trait Cache {
    /// A value from the cache, or from the source.
    async fn get(&self) -> u32;

    /// Makes the next version the current one, and the cache forget the one before; returns the new version.
    async fn change(&self) -> u32;
}

/// Who got what.
///
/// A value is stale if it is older than a version whose invalidation had completed before the get
/// began. A get that overlaps the invalidation may be served either value.
#[derive(Default)]
pub struct Ledger {
    invalidated: Cell<u32>,
    stale: Cell<u32>,
}

impl Ledger {
    pub async fn get(&self, cache: &impl Cache) {
        let oldest_allowed = self.invalidated.get();
        let version = cache.get().await;
        if version < oldest_allowed {
            self.stale.set(self.stale.get() + 1);
        }
    }

    pub async fn change(&self, cache: &impl Cache) {
        let version = cache.change().await;
        self.invalidated.set(self.invalidated.get().max(version));
    }

    /// How many stale values have been served.
    pub fn stale(&self) -> u32 {
        self.stale.get()
    }
}

thread_local! {
    static PAUSED_AT: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// A place where another side may get in between.
pub async fn pause(at: &'static str) {
    let mut stopped = false;
    poll_fn(|_| {
        if mem::replace(&mut stopped, true) {
            return Poll::Ready(());
        }
        PAUSED_AT.set(Some(at));
        Poll::Pending
    })
    .await;
}

/// One thread of a story.
pub struct Side<'a> {
    code: Option<Pin<Box<dyn Future<Output = ()> + 'a>>>,
}

impl<'a> Side<'a> {
    pub fn new(code: impl Future<Output = ()> + 'a) -> Self {
        Self {
            code: Some(Box::pin(code)),
        }
    }

    /// Runs until it reaches `place`, or to its end if it never does.
    pub fn until(&mut self, place: &'static str) {
        while self.step().is_some_and(|at| at != place) {}
    }

    /// Runs to its end.
    pub fn finish(mut self) {
        while self.step().is_some() {}
    }

    /// Runs until the next pause and names it; `None` at the end.
    fn step(&mut self) -> Option<&'static str> {
        let code = self.code.as_mut()?;
        match code.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(()) => {
                self.code = None;
                None
            }
            Poll::Pending => Some(PAUSED_AT.take().expect("sides only ever wait in `pause`")),
        }
    }
}

/// Runs a single side to its end.
pub fn alone(code: impl Future<Output = ()>) {
    Side::new(code).finish();
}

/// A story with other threads in it: it takes a moment, or hangs.
#[cfg(feature = "park")]
pub async fn in_time<F: Future>(story: F) -> F::Output {
    let ended = tokio::time::timeout(DEADLINE, story).await;
    ended.expect("a story takes a moment, not a minute")
}

/// For what would otherwise wait for ever.
#[cfg(feature = "park")]
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A future that has begun, and waits: for something that others have to do.
#[cfg(feature = "park")]
pub async fn begun<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        assert!(polled.is_pending(), "there is nothing to wait for");
        Poll::Ready(())
    })
    .await;
    future
}

/// Plays `scene` once for every order in which its sides can take their steps; returns in how many
/// of them it served something stale, and how many there are.
pub fn every_order(scene: impl Fn(&mut Order) -> u32) -> Orders {
    let mut orders = Orders::default();
    let mut order = Order::default();
    loop {
        order.taken = 0;
        orders.stale += usize::from(scene(&mut order) > 0);
        orders.all += 1;
        if !order.advance() {
            return orders;
        }
    }
}

/// What [`every_order`] found.
#[derive(Debug, Default)]
pub struct Orders {
    pub all: usize,
    pub stale: usize,
}

/// Every order of two readers and a writer, and of a reader and two writers.
pub fn every_order_of<C: Cache>(new: impl Fn() -> C) -> Orders {
    let readers = every_order(|order| {
        let (cache, ledger) = (new(), Ledger::default());
        order.play([
            Side::new(ledger.get(&cache)),
            Side::new(ledger.get(&cache)),
            Side::new(ledger.change(&cache)),
        ]);
        alone(ledger.get(&cache));
        ledger.stale()
    });
    let writers = every_order(|order| {
        let (cache, ledger) = (new(), Ledger::default());
        order.play([
            Side::new(ledger.get(&cache)),
            Side::new(ledger.change(&cache)),
            Side::new(ledger.change(&cache)),
        ]);
        alone(ledger.get(&cache));
        ledger.stale()
    });
    Orders {
        all: readers.all + writers.all,
        stale: readers.stale + writers.stale,
    }
}

/// One order of steps: at each step, which of the sides that are not at their end takes it.
#[derive(Default)]
pub struct Order {
    /// The choices so far, and out of how many.
    steps: Vec<(usize, usize)>,
    taken: usize,
}

impl Order {
    /// Steps through `sides` in this order, to the end of all of them.
    pub fn play<'a>(&mut self, sides: impl IntoIterator<Item = Side<'a>>) {
        let mut sides: Vec<_> = sides.into_iter().collect();
        while !sides.is_empty() {
            let next = self.choose(sides.len());
            if sides[next].step().is_none() {
                sides.remove(next);
            }
        }
    }

    fn choose(&mut self, among: usize) -> usize {
        if self.taken == self.steps.len() {
            self.steps.push((0, among));
        }
        let (choice, same) = self.steps[self.taken];
        assert_eq!(
            among, same,
            "a scene must be the same each time it is played"
        );
        self.taken += 1;
        choice
    }

    /// On to the next order; `false` if this was the last.
    fn advance(&mut self) -> bool {
        while let Some((choice, among)) = self.steps.pop() {
            if choice + 1 < among {
                self.steps.push((choice + 1, among));
                return true;
            }
        }
        false
    }
}
