//! What must not compile, and what the compiler says then.
//!
//! The messages are the compiler's. After an upgrade `TRYBUILD=overwrite cargo test --all-features
//! --test compile_fail` writes them anew; read them before they are committed. (That the number of
//! stripes must be a power of two, is an example in its documentation: it takes a whole build.)
#![cfg(all(not(loom), feature = "cell"))]

#[test]
fn misuse_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
