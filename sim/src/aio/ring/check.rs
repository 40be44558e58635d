//! What must hold for the rings of a process whenever nothing happens to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::context::{KioCtx, Ring};
use super::mm::Mm;
use super::page::{CACHE_AND_CONTEXT, RingPage, is};
use super::violation::Violation;

#[cfg(test)]
mod tests;

impl Mm {
    /// The violations that were reported so far, and how often.
    #[must_use]
    pub fn findings(&self) -> BTreeMap<Violation, u64> {
        let mut findings = self.witness.findings.counts();
        let deadlocks = self.witness.lockdep.deadlocks();
        if deadlocks != 0 {
            findings.insert(Violation::Deadlock, deadlocks);
        }
        findings
    }

    /// Checks every invariant at rest: while no operation on a ring of this process is under way and no
    /// [`ContextRef`](super::ContextRef) is held.
    ///
    /// # Errors
    ///
    /// Everything that is wrong now or was reported before.
    pub fn check(&self) -> Result<(), Vec<Violation>> {
        let mut wrong: Vec<_> = self.findings().into_keys().collect();
        self.check_locks(&mut wrong);

        let contexts: Vec<_> = self.table().iter().flatten().cloned().collect();
        let mut pages = 0;
        for context in &contexts {
            check_context(context, &mut wrong);
            pages += context.nr_pages();
        }

        let alive = self.witness.pages.count().saturating_sub(pages);
        if alive != 0 {
            wrong.push(Violation::PagesAlive { pages: alive });
        }
        let alive = self.witness.contexts.count().saturating_sub(contexts.len());
        if alive != 0 {
            wrong.push(Violation::ContextsAlive { contexts: alive });
        }
        let files = self.witness.private_data.count();
        if files != contexts.len() {
            let contexts = contexts.len();
            wrong.push(Violation::PrivateData { files, contexts });
        }
        let areas = self.areas();
        let known = |address: &u64| contexts.iter().any(|context| context.user_id() == *address);
        let left = areas.keys().filter(|address| !known(address)).count();
        if left != 0 {
            wrong.push(Violation::AreasLeft { areas: left });
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong),
        }
    }

    fn check_locks(&self, wrong: &mut Vec<Violation>) {
        let lockdep = &self.witness.lockdep;
        wrong.extend(lockdep.circle().map(Violation::LockCircle));
        wrong.extend(lockdep.held().map(|class| Violation::LockLeft { class }));
    }
}

fn check_context(context: &KioCtx, wrong: &mut Vec<Violation>) {
    let users = context.users();
    if users != 1 {
        wrong.push(Violation::Users { users });
    }
    let Some(file) = context.file() else {
        wrong.push(Violation::NoPage);
        return;
    };
    for index in 0..context.nr_pages() {
        check_page(context, file, index, wrong);
    }
    if let Some(first) = file.page(0) {
        check_header(context, &first, wrong);
    }
}

fn check_page(context: &KioCtx, file: &Ring, index: usize, wrong: &mut Vec<Violation>) {
    let Some(page) = file.page(index) else {
        wrong.push(Violation::NoPage);
        return;
    };
    if !is(context.ring_page(index).load().as_ref(), &page) {
        wrong.push(Violation::OtherPage { index });
    }
    if !is(file.mapped_page(index).as_ref(), &page) {
        wrong.push(Violation::OtherPte { index });
    }
    let references = page.references();
    if references != CACHE_AND_CONTEXT {
        wrong.push(Violation::References { index, references });
    }
    if !page.has_mapping() {
        wrong.push(Violation::NoMapping { index });
    }
}

fn check_header(context: &KioCtx, first: &Arc<RingPage>, wrong: &mut Vec<Violation>) {
    let (id, expected) = (first.id(), context.id());
    if id != expected {
        wrong.push(Violation::IdLost { id, expected });
    }
    if first.head() != context.head_written() {
        wrong.push(Violation::HeadLost);
    }
    if first.tail() != context.completion_lock().tail {
        wrong.push(Violation::TailLost);
    }
}
