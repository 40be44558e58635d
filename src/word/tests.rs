//! Both words, through the same calls: whichever one this target uses, the other is tested too.

use super::MAX_WRITERS;
use crate::conflict::Conflict::{Race, WriterRunning};

macro_rules! word_tests {
    ($($layout:ident)*) => {$(
        mod $layout {
            use super::*;
            use crate::word::$layout::Word;

            #[test]
            fn smoke() {
                let word = Word::new();
                let stamp = word.begin().unwrap();
                assert_eq!(word.end(stamp), Ok(()));
                assert_eq!(word.commit(stamp), Ok(()));

                assert!(word.enter());
                assert_eq!(word.begin(), Err(WriterRunning));
                assert_eq!(word.end(stamp), Err(WriterRunning));
                assert_eq!(word.commit(stamp), Err(WriterRunning));
                assert_eq!(word.writers(), 1);

                assert!(!word.exit());
                assert_eq!(word.end(stamp), Err(Race));
                assert_eq!(word.commit(stamp), Err(Race));
                assert_eq!((word.writers(), word.sequence()), (0, 1));
                assert_ne!(word.begin().unwrap(), stamp);
            }

            #[test]
            fn a_cancelled_section_is_not_counted() {
                let word = Word::new();
                let stamp = word.begin().unwrap();
                assert!(word.enter());
                assert_eq!(word.end(stamp), Err(WriterRunning));
                assert!(!word.cancel());
                assert_eq!(word.end(stamp), Ok(()));
                assert_eq!(word.sequence(), 0);
            }

            #[test]
            fn a_section_without_an_owner_ends_once() {
                let word = Word::new();
                let stamp = word.begin().unwrap();
                assert!(word.enter());
                assert!(word.enter());
                assert!(word.request_wake());
                assert_eq!(word.exit_one(), Some(false));
                assert_eq!(word.exit_one(), Some(true), "a reader asked");
                assert_eq!(word.exit_one(), None);
                assert_eq!((word.writers(), word.sequence()), (0, 2));
                assert_eq!(word.end(stamp), Err(Race));
            }

            #[test]
            fn the_sequence_wraps_without_touching_the_writers() {
                let word = Word::before_wrap(2);
                let last = word.begin().unwrap();
                for _ in 0..2 {
                    assert!(word.enter());
                    assert!(word.enter());
                    assert!(!word.exit());
                    assert_eq!(word.writers(), 1);
                    assert!(!word.cancel());
                    assert_eq!(word.end(last), Err(Race));
                }
                assert_eq!((word.writers(), word.sequence()), (0, 0));
                assert_eq!(word.end(word.begin().unwrap()), Ok(()));
            }

            #[test]
            fn the_writer_count_goes_to_its_limit_and_no_further() {
                let word = Word::before_wrap(1);
                for running in 0..MAX_WRITERS {
                    assert_eq!(word.writers(), running);
                    assert!(word.enter());
                }
                // Room for as many again that race past the check.
                for _ in 1..MAX_WRITERS {
                    assert!(!word.enter());
                }
                assert_eq!(word.writers(), 2 * MAX_WRITERS - 1);
                assert!(word.request_wake());
                for _ in 1..MAX_WRITERS {
                    assert!(!word.cancel());
                }
                assert_eq!(word.writers(), MAX_WRITERS);
                for _ in 1..MAX_WRITERS {
                    assert!(!word.exit());
                }
                assert!(word.exit());
            }

            #[test]
            fn the_last_writer_out_answers_a_request_once() {
                let word = Word::new();
                assert!(!word.request_wake(), "nobody is left to wake anybody");

                for end in [Word::exit, Word::cancel] {
                    assert!(word.enter());
                    assert!(word.enter());
                    assert!(word.request_wake());
                    assert!(word.request_wake());
                    assert!(!end(&word), "one more writer runs");
                    assert!(end(&word));

                    // The bit is outside the sequence: readers come and go meanwhile.
                    let stamp = word.begin().unwrap();
                    assert_eq!(word.end(stamp), Ok(()));
                    assert!(!word.request_wake());

                    let mut woken = 0;
                    word.answer(|| woken += 1);
                    assert_eq!(woken, 1);
                    assert_eq!(word.end(stamp), Ok(()));

                    assert!(word.enter());
                    assert!(!end(&word), "the request was answered");
                }
            }

            #[test]
            fn a_request_outlives_a_writer_that_enters_before_the_answer() {
                let word = Word::new();
                assert!(word.enter());
                assert!(word.request_wake());
                assert!(word.exit());
                assert!(word.enter());
                assert!(word.exit(), "the next writer out may have to answer as well");
                word.answer(|| ());
                word.answer(|| ());
                assert!(word.enter());
                assert!(!word.exit());
            }
        }
    )*};
}

word_tests! { packed split }
