//! The code in the README and on the front page of the documentation is the code that the examples run.
#![cfg(not(loom))]

const README: &str = include_str!("../README.md");
const FRONT_PAGE: &str = include_str!("../src/lib.rs");
const COALESCING: &str = include_str!("../examples/fenced_moka_future.rs");
const UNDER_A_LOCK: &str = include_str!("../examples/fenced_map.rs");

/// What an example marks to be shown elsewhere, line by line.
fn shown(example: &str) -> Vec<&str> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in example.lines() {
        match line {
            "// readme[" => inside = true,
            "// readme]" => inside = false,
            "#[rustfmt::skip]" => {}
            line if inside => lines.push(line),
            _ => {}
        }
    }
    assert!(!inside && lines.len() > 20, "{lines:#?}");
    lines
}

fn assert_contains(text: &[&str], example: &str) {
    let shown = shown(example);
    let found = text.windows(shown.len()).any(|lines| lines == shown);
    assert!(
        found,
        "these lines are not there as they are:\n{}",
        shown.join("\n")
    );
}

#[test]
fn the_readme_shows_what_the_examples_run() {
    let readme: Vec<_> = README.lines().collect();
    assert_contains(&readme, COALESCING);
    assert_contains(&readme, UNDER_A_LOCK);
}

#[test]
fn the_front_page_of_the_documentation_shows_what_the_example_runs() {
    let comments = FRONT_PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("//!"));
    let comments: Vec<_> = comments
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    assert_contains(&comments, COALESCING);
}
