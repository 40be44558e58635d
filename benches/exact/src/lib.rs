//! Empty: see `benches/instructions.rs`.
