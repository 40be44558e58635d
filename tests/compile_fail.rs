//! What must not compile, and what the compiler says then.
//!
//! The messages are the compiler's, so this runs only with the compiler that wrote them; the same
//! misuses are examples in the documentation, where only the error's number counts. After an upgrade,
//! `TRYBUILD=overwrite cargo test --all-features --test compile_fail` rewrites them; read them before
//! you commit them. (That the number of stripes must be a power of two is an example in its
//! documentation: it takes a whole build.)
#![cfg(all(not(loom), feature = "cell"))]

#[rustversion::attr(not(stable(1.95)), ignore = "the messages are those of Rust 1.95")]
#[test]
fn misuse_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
