//! One sequence of operations, on the model and on the kernel, step by step.

use core::time::Duration;
use std::collections::BTreeMap;

use seqschedlock_sim::aio::remap::{Rules, Steps, Violation};

use crate::child::{Child, Kind};
use crate::draw::Draw;
use crate::expected::Expected;
use crate::resolve::{Places, Resolver};
use crate::system::{Op, apply};

/// Operations of a case.
const STEPS: usize = 30;
const LIMIT: Duration = Duration::from_secs(10);

/// The outcome of a case.
pub struct Case {
    /// The operations, and what the kernel replied.
    pub steps: Vec<(Op, String)>,
    pub outcome: Result<(), String>,
}

impl Case {
    /// Runs both side by side until they differ, or have done everything. The kernel gets an operation only
    /// when all has been the same before: so the model knows what it is about to touch.
    pub fn run(draws: &[Draw], rules: Rules) -> Self {
        let mut case = Self {
            steps: Vec::new(),
            outcome: Ok(()),
        };
        let mut child = Child::start(Kind::Case, LIMIT);
        case.outcome = case
            .run_in(&mut child, draws, rules)
            .and_then(|()| child.end());
        case
    }

    fn run_in(&mut self, child: &mut Child, draws: &[Draw], rules: Rules) -> Result<(), String> {
        let places = Places::for_rings_of(&rules);
        let mut expected = Expected::new(rules);
        let mut resolver = Resolver::new(places);
        child.ask(&places.all.to_string())?;
        for draw in draws {
            if self.steps.len() == STEPS {
                break;
            }
            let Some(op) = resolver.resolve(*draw, &expected) else {
                continue;
            };
            let ours = apply(&mut expected, op, places.all);
            let violations = expected.process.check().err().unwrap_or_default();
            // A model with a step left out breaks its own invariants. Not even such a model may touch a
            // page that a destroyed context has left.
            let matters = |violation: &&Violation| {
                rules.steps == Steps::ALL || matches!(violation, Violation::LeftoverTouched { .. })
            };
            if let Some(violation) = violations.iter().find(matters) {
                return Err(self.report(op, &format!("the model is broken: {violation}")));
            }
            let theirs = child
                .ask(&op.to_string())
                .map_err(|death| self.report(op, &death))?;
            if ours != theirs {
                return Err(self.report(op, &difference(&ours, &theirs)));
            }
            self.steps.push((op, theirs));
        }
        Ok(())
    }

    fn report(&self, op: Op, what: &str) -> String {
        let steps = self.steps.iter().map(|(op, reply)| {
            format!("  {op}: {}\n", after("answer: ", reply).unwrap_or_default())
        });
        format!("{}  {op}:\n{what}", steps.collect::<String>())
    }
}

/// The rest of the line of a reply that begins with `name`.
fn after<'a>(name: &str, reply: &'a str) -> Option<&'a str> {
    reply.lines().find_map(|line| line.strip_prefix(name))
}

/// The lines that are not the same.
fn difference(ours: &str, theirs: &str) -> String {
    let lines = ours.lines().zip(theirs.lines());
    let differ = lines.filter(|(ours, theirs)| ours != theirs);
    let shown = differ.map(|(ours, theirs)| format!("model:  {ours}\nkernel: {theirs}\n"));
    let text: String = shown.collect();
    match text.is_empty() {
        true => format!("model:\n{ours}\nkernel:\n{theirs}"),
        false => text,
    }
}

/// How often each operation got each answer, over many cases.
#[derive(Default)]
pub struct Answers {
    pub steps: usize,
    times: BTreeMap<(&'static str, String), u64>,
}

impl Answers {
    pub fn add(&mut self, case: &Case) {
        for (op, reply) in &case.steps {
            self.count(op.name(), after("answer: ", reply));
            self.count("leftover", after("leftover: ", reply));
        }
        self.steps += case.steps.len();
    }

    fn count(&mut self, name: &'static str, answer: Option<&str>) {
        let Some(answer) = answer else { return };
        let answer = if answer.starts_with('E') {
            answer
        } else {
            "ok"
        };
        *self.times.entry((name, answer.to_owned())).or_default() += 1;
    }

    /// How often an operation succeeded.
    pub fn ok(&self, name: &'static str) -> u64 {
        self.times
            .get(&(name, "ok".to_owned()))
            .copied()
            .unwrap_or(0)
    }
}

impl core::fmt::Display for Answers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for ((name, answer), times) in &self.times {
            writeln!(f, "{name:10} {answer:8} {times}")?;
        }
        Ok(())
    }
}
