use super::*;
use crate::outcome::Rates;

/// A policy with these faults and direct writes per second in each round. Each round counts four
/// times, so that there are enough.
fn outcome(policy: PolicyName, rounds: &[(f64, f64)]) -> Outcome {
    let mut outcome = Outcome::new(policy);
    outcome.rounds = (rounds.repeat(4).iter())
        .map(|&(faults, writes)| Rates { faults, writes })
        .collect();
    outcome.total.elapsed = std::time::Duration::from_secs(1);
    outcome.total.writes.done = rounds[0].1 as u64;
    outcome.total.faults.reads = 1_500;
    outcome
}

fn stale(mut outcome: Outcome, reads: u64) -> Outcome {
    outcome.total.faults.stale_reads = reads;
    outcome.total.orphans = 2 * reads;
    outcome
}

const ROUND: &[(f64, f64)] = &[(1e6, 100.0)];

#[test]
fn says_which_policies_served_stale_data() {
    let outcomes = [
        stale(outcome(PolicyName::Unprotected, ROUND), 3),
        outcome(PolicyName::AsPosted, ROUND),
        outcome(PolicyName::PageLock, ROUND),
        outcome(PolicyName::Commit, ROUND),
        outcome(PolicyName::Striped, ROUND),
    ];
    assert_eq!(
        stale_data(&outcomes),
        "Stale data: Unprotected served 3 stale reads in 1.5 k reads. AsPosted served none this time, but \
         could have: the models in sim/tests find the race. PageLock, Commit and Striped served none."
    );
}

#[test]
fn a_sound_policy_that_served_stale_data_is_called_out() {
    let failed = stale(outcome(PolicyName::Striped, ROUND), 1);
    let mut orphan = outcome(PolicyName::Commit, ROUND);
    orphan.total.orphans = 1;
    assert_eq!(
        stale_data(&[orphan, failed]),
        "Stale data: Commit left 1 orphan, WHICH MUST NOT HAPPEN; no read happened to meet one. \
         Striped served 1 stale read in 1.5 k reads, WHICH MUST NOT HAPPEN."
    );
}

#[test]
fn errors_of_the_disk_are_reported() {
    let mut outcome = outcome(PolicyName::Commit, ROUND);
    outcome.total.io_errors = 2;
    let told = stale_data(&[outcome]);
    assert_eq!(
        told,
        "Stale data: Commit met 2 I/O errors. Commit served none."
    );
}

#[test]
fn a_clear_difference_is_reported_with_its_spread() {
    let rwlock = outcome(
        PolicyName::InvalidateRwLock,
        &[(1e5, 50.0), (1e5, 50.0), (2e5, 50.0)],
    );
    let striped = outcome(
        PolicyName::Striped,
        &[(9e5, 100.0), (12e5, 150.0), (10e5, 60.0)],
    );
    assert_eq!(
        ours_against_others(&[rwlock, striped]),
        [
            "Striped (this crate) against InvalidateRwLock (a plain RwLock): 9.0 times the faults (5.0 to 12), and 2.0 times the direct writes (1.20 to 3.0)."
        ]
    );
}

#[test]
fn a_difference_that_many_rounds_deny_is_within_the_spread() {
    let page_lock = outcome(
        PolicyName::PageLock,
        &[(10e5, 50.0), (10e5, 50.0), (10e5, 50.0)],
    );
    let commit = outcome(
        PolicyName::Commit,
        &[(9e5, 50.0), (12e5, 49.0), (13e5, 51.0)],
    );
    assert_eq!(
        ours_against_others(&[page_lock, commit]),
        [
            "Commit (this crate) against PageLock (a mutex for each page): no clear difference in faults (1.20 times, \
          within the spread of 0.90 to 1.30), and no clear difference in direct writes (1.00 times, within the spread \
          of 0.98 to 1.02)."
        ]
    );
}

/// A round in which the machine was slow for everybody says nothing about the policies.
#[test]
fn policies_are_compared_within_each_round() {
    let page_lock = outcome(PolicyName::PageLock, &[(1e5, 5.0), (9e5, 50.0)]);
    let striped = outcome(PolicyName::Striped, &[(2e5, 10.0), (18e5, 100.0)]);
    let ratio = Ratio::within_rounds(&striped, &page_lock, |rates| rates.faults).unwrap();
    assert_eq!(ratio.of("faults"), "2.0 times the faults (2.0 to 2.0)");
}

#[test]
fn few_rounds_do_not_tell_whether_there_is_a_difference() {
    let mut page_lock = outcome(PolicyName::PageLock, &[(1e6, 0.0)]);
    let striped = outcome(PolicyName::Striped, &[(3e6, 0.0)]);
    for (rounds, told) in [(3, "3 rounds"), (1, "1 round")] {
        page_lock.rounds.truncate(rounds);
        assert_eq!(
            ours_against_others(&[page_lock.clone(), striped.clone()]),
            [format!(
                "Striped (this crate) against PageLock (a mutex for each page): 3.0 times the faults ({told}, \
                 too few to know the spread)."
            )]
        );
    }
}

#[test]
fn the_cost_to_readers_is_relative_to_no_protection() {
    let outcomes = [
        outcome(PolicyName::Unprotected, &[(10e5, 0.0), (10e5, 0.0)]),
        outcome(PolicyName::AsPosted, &[(1e5, 0.0), (1e5, 0.0)]),
        outcome(PolicyName::InvalidateRwLock, &[(1e5, 0.0), (2e5, 0.0)]),
        outcome(PolicyName::Striped, &[(9e5, 0.0), (11e5, 0.0)]),
    ];
    assert_eq!(
        cost_to_readers(&outcomes).unwrap(),
        "Cost to readers: compared with Unprotected, which checks nothing, faults come to 15 % under \
         InvalidateRwLock (10 to 20) and 100 % under Striped (within the spread of 90 to 110)."
    );
    assert_eq!(cost_to_readers(&outcomes[1..]), None);
}

#[test]
fn the_cost_to_writers_is_reported_beside_what_they_want() {
    let outcomes = [
        outcome(PolicyName::PageLock, &[(0.0, 80.0)]),
        outcome(PolicyName::Commit, &[(0.0, 99.0)]),
    ];
    assert_eq!(
        cost_to_writers(&outcomes, Some(100.0)).unwrap(),
        "Cost to writers: they want 100 direct writes/s and get 80 under PageLock and 99 under Commit."
    );
    assert_eq!(
        cost_to_writers(&outcomes, None),
        None,
        "they begin again at once"
    );
    assert_eq!(
        cost_to_writers(&outcomes, Some(0.0)),
        None,
        "there are none"
    );
}
