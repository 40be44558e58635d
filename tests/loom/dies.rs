//! What a weakened twin is.

/// Twins under the protocol whose `PROVEN`, `Protocol` and `with_protocol` are in scope.
///
/// A line reads: *with `field` weakened to this, that model fails, saying so*.
macro_rules! dies {
    ($($name:ident: $field:ident = $weaker:expr => $model:path, $message:literal;)*) => {$(
        #[test]
        #[should_panic(expected = $message)]
        fn $name() {
            with_protocol(Protocol { $field: $weaker, ..PROVEN }, $model);
        }
    )*};
}

pub(crate) use dies;
