//! What a policy answers when it is asked in the order of a fault and an invalidate.

use seqschedlock::Conflict;
use seqschedlock_sim::page_cache::{AsPosted, Commit, Policy, Refusal, Striped};

use crate::world::under_every_policy;

/// Asks what a fault on page 70 asks, with `meanwhile` between the lookup and the mapping.
fn fault<P: Policy>(policy: &P, meanwhile: impl FnOnce()) -> Result<(), Conflict> {
    let Ok(attempt) = policy.begin(70, None) else {
        panic!("{}: no invalidate runs when the fault begins", P::NAME);
    };
    meanwhile();
    policy.before_rmap(70, &attempt)?;
    policy.after_rmap(70, &attempt)
}

fn a_cancelled_section_disturbs_no_fault<P: Policy>() {
    let policy = P::new();
    let answer = fault(&policy, || P::cancel(policy.section(70)));
    assert_eq!(answer, Ok(()));
}

under_every_policy! {
    a_cancelled_section_disturbs_no_fault,
}

/// How a policy with sequence locks answers when an invalidate is in the way of a fault on page 70.
fn a_section_is_a_conflict<P: Policy>(page: u64) {
    let policy = P::new();
    let ended = fault(&policy, || drop(policy.section(page)));
    assert_eq!(ended, Err(Conflict::Race), "{}", P::NAME);

    let section = policy.section(page);
    let refusal = policy.begin(70, None).err();
    let running = Refusal::Conflict(Conflict::WriterRunning);
    assert_eq!(refusal, Some(running), "{}", P::NAME);
    P::cancel(section);
    assert!(policy.begin(70, None).is_ok(), "{}", P::NAME);
}

#[test]
fn a_section_on_the_page_is_a_conflict() {
    a_section_is_a_conflict::<AsPosted>(70);
    a_section_is_a_conflict::<Commit>(70);
    a_section_is_a_conflict::<Striped>(70);
}

#[test]
fn a_section_on_another_page_is_a_conflict_where_it_shares_the_lock() {
    a_section_is_a_conflict::<AsPosted>(0);
    a_section_is_a_conflict::<Commit>(0);
    a_section_is_a_conflict::<Striped>(6); // 70 % 64

    let striped = Striped::new();
    for page in (0..140).filter(|page| page % 64 != 6) {
        let answer = fault(&striped, || drop(striped.section(page)));
        assert_eq!(answer, Ok(()), "page {page}");
    }
}
