//! The kernel at hand as the referee: random operations on the model of [`remap`](seqschedlock_sim::aio::remap)
//! and on real rings, compared after each.
//!
//! Real rings live in a process of their own. `remap::live` says what makes that safe. In addition, the kernel
//! gets an operation only if model and kernel have agreed on everything before it.
//!
//! Where there is no AIO, tests say so and pass. `AIO_LIVE=require` makes that a failure, `AIO_LIVE_CASES=1000`
//! runs more cases than usual. The seed is printed when a case fails; `PROPTEST_RNG_SEED=<seed>` runs the same
//! cases again.
#![cfg(all(
    target_os = "linux",
    target_pointer_width = "64",
    target_endian = "little",
    not(loom)
))]

#[path = "aio_live/case.rs"]
mod case;
#[path = "aio_live/child.rs"]
mod child;
#[path = "aio_live/draw.rs"]
mod draw;
#[path = "aio_live/expected.rs"]
mod expected;
#[path = "aio_live/real.rs"]
mod real;
#[path = "aio_live/resolve.rs"]
mod resolve;
#[path = "aio_live/system.rs"]
mod system;

use core::time::Duration;
use std::cell::RefCell;
use std::env;
use std::io::Write as _;
use std::sync::OnceLock;
use std::time::Instant;

use proptest::collection::vec;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use seqschedlock_sim::aio::remap::live::Kernel;
use seqschedlock_sim::aio::remap::{Rules, Steps};

use case::{Answers, Case};
use child::{Child, Kind};
use draw::draw;

/// What is drawn for a case. Some of it comes to nothing: there may be no ring, or no room.
const DRAWS: usize = 40;
/// Cases of a test run.
const CASES: u32 = 64;
/// A wrong model has to be found out within this many cases.
const CASES_OF_A_WRONG_MODEL: u32 = 200;
/// Rounds of the race.
const ROUNDS: u64 = 100;

/// Not a test: the process that the others start.
#[test]
fn child() {
    child::be_child();
}

/// The kernel at hand, unless there is nothing to compare with: then `test` has said so.
fn kernel(test: &str) -> Option<Kernel> {
    static KERNEL: OnceLock<Result<Kernel, String>> = OnceLock::new();
    let kernel = KERNEL.get_or_init(|| {
        let mut child = Child::start(Kind::Probe, Duration::from_secs(10));
        let answer = child.ask("what kernel is this");
        child::understand(&answer.unwrap_or_else(|death| panic!("{death}")))
    });
    match kernel {
        Ok(kernel) => Some(*kernel),
        Err(why) => {
            let required = env::var("AIO_LIVE").is_ok_and(|value| value == "require");
            assert!(!required, "AIO_LIVE=require, but {why}");
            // Not with `eprintln!`: the test harness would hide it.
            let line = format!("{test}: skipped: {why}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
            None
        }
    }
}

#[test]
fn a_child_that_dies_has_no_answer() {
    let mut child = Child::start(Kind::Die, Duration::from_secs(10));
    let answer = child.ask("die").unwrap_err();
    assert!(
        answer.contains("died") && answer.contains("exit status: 3"),
        "{answer}"
    );
}

#[test]
fn a_child_that_hangs_has_no_answer() {
    let mut child = Child::start(Kind::Hang, Duration::from_millis(50));
    let answer = child.ask("answer").unwrap_err();
    assert!(answer.contains("took longer than 50ms"), "{answer}");
}

fn runner(cases: u32) -> (TestRunner, String) {
    let seed = match Config::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => fastrand::u64(..),
    };
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 256,
        ..Config::default()
    };
    let again = format!("the same again: PROPTEST_RNG_SEED={seed}");
    (TestRunner::new(config), again)
}

#[test]
fn model_and_kernel_agree_after_every_step() {
    let Some(kernel) = kernel("model_and_kernel_agree_after_every_step") else {
        return;
    };
    let cases = env::var("AIO_LIVE_CASES").ok().map(|cases| cases.parse());
    let cases = cases.map_or(CASES, |cases| cases.expect("AIO_LIVE_CASES is a number"));
    let (mut runner, again) = runner(cases);
    let answers = RefCell::new(Answers::default());
    let outcome = runner.run(&vec(draw(), DRAWS), |draws| {
        let case = Case::run(&draws, kernel.rules());
        answers.borrow_mut().add(&case);
        case.outcome.map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => {}
        // The operations are in the reason; what they were drawn as is of no interest.
        Err(TestError::Fail(reason, _)) => panic!("they differ:\n{reason}\n{again}"),
        Err(other) => panic!("{other}\n{again}"),
    }
    let answers = answers.into_inner();
    println!("{cases} cases, {} steps:\n{answers}", answers.steps);
    for name in ["Setup", "Mremap", "Destroy", "Getevents"] {
        assert_ne!(
            answers.ok(name),
            0,
            "no {name} ever succeeded: nothing was compared\n{again}"
        );
    }
}

/// Each of these has one rule wrong.
fn wrong_models(right: Rules) -> Vec<(&'static str, Rules)> {
    let without = |leave_out: fn(&mut Steps)| {
        let mut rules = right;
        leave_out(&mut rules.steps);
        rules
    };
    vec![
        (
            "the table is searched for the id",
            without(|steps| steps.lookup_reads_first_word = false),
        ),
        (
            "the first word alone says which context",
            without(|steps| steps.lookup_compares_user_id = false),
        ),
        (
            "the hook forgets mmap_base",
            without(|steps| steps.hook_sets_mmap_base = false),
        ),
        (
            "the first of several areas has the id",
            without(|steps| steps.last_area_has_the_id = false),
        ),
        (
            "areas of a ring merge",
            without(|steps| steps.ring_keeps_edges = false),
        ),
        (
            "a target survives if the hook refuses",
            without(|steps| steps.target_goes_first = false),
        ),
        (
            "an index is never used again",
            without(|steps| steps.lowest_index = false),
        ),
        (
            "io_destroy unmaps the ring only",
            without(|steps| steps.destroy_unmaps_by_size = false),
        ),
        (
            "part of a ring is refused, or is not",
            Rules {
                refuses_part: !right.refuses_part,
                ..right
            },
        ),
        (
            "several areas move, or do not",
            Rules {
                moves_several_areas: !right.moves_several_areas,
                ..right
            },
        ),
        (
            "the same size is checked, or is not",
            Rules {
                checks_same_size: !right.checks_same_size,
                ..right
            },
        ),
        (
            "a target is unmapped before a refusal, or is not",
            Rules {
                refuses_before_unmapping: !right.refuses_before_unmapping,
                ..right
            },
        ),
    ]
}

#[test]
fn every_wrong_model_is_found_out() {
    let Some(kernel) = kernel("every_wrong_model_is_found_out") else {
        return;
    };
    for (what, rules) in wrong_models(kernel.rules()) {
        let (mut runner, again) = runner(CASES_OF_A_WRONG_MODEL);
        let mut cases = 0;
        let mut steps = 0;
        let found = (0..CASES_OF_A_WRONG_MODEL).find_map(|_| {
            let draws = vec(draw(), DRAWS)
                .new_tree(&mut runner)
                .expect("draws are not refused");
            let case = Case::run(&draws.current(), rules);
            cases += 1;
            steps += case.steps.len();
            case.outcome.err()
        });
        let Some(report) = found else {
            panic!("{what}: nothing differs in {cases} cases\n{again}");
        };
        assert!(
            report.contains("\nmodel:"),
            "{what}: no difference, but {report}\n{again}"
        );
        println!("{what}: found in case {cases}, after {steps} steps");
    }
}

#[test]
fn a_mover_and_a_destroyer_break_nothing() {
    let Some(_) = kernel("a_mover_and_a_destroyer_break_nothing") else {
        return;
    };
    let mut child = Child::start(Kind::Race, Duration::from_secs(60));
    let began = Instant::now();
    let tally = child
        .ask(&ROUNDS.to_string())
        .and_then(|tally| child.end().map(|()| tally));
    match tally {
        Ok(tally) if tally.starts_with("true") => println!("{tally}, {:?}", began.elapsed()),
        Ok(tally) => panic!("something went wrong: {tally}"),
        Err(death) => panic!("{death}"),
    }
}
