//! Random operations. What is drawn says `the last page of the second ring`; `resolve.rs` finds out where that is
//! when the operation runs.

use proptest::prelude::*;
use seqschedlock_sim::aio::remap::MREMAP_MAYMOVE;

use crate::resolve::FIXED;

/// A range related to a ring.
#[derive(Clone, Copy, Debug)]
pub enum Piece {
    /// From its first page on, as long as it was once.
    Whole,
    /// From its first page to its last one, whatever is between.
    Span,
    First(u64),
    Last(u64),
    Midst(u64, u64),
    /// With a page before it, or some behind it.
    WithBefore(u64),
    WithBehind(u64),
    /// Any place.
    Anywhere(u64, u64),
}

#[derive(Clone, Copy, Debug)]
pub enum To {
    Place(u64),
    /// Where another ring is.
    Ring(usize),
    /// Onto any page that is mapped.
    Onto(usize),
}

#[derive(Clone, Copy, Debug)]
pub enum Draw {
    Setup(u32, u64),
    Move(usize, Piece, To),
    /// The page that was torn from the ring, back to the others.
    Reunite(usize),
    Shrink(usize, Piece, u64),
    ShrinkTo(usize, Piece, u64, To),
    Grow(usize, Piece, u64, u32, To),
    /// Both lengths the same, and no place given.
    Stay(usize, Piece, u64, u32),
    DontUnmap(usize, Piece, u32, To),
    /// What is wrong with it: no `MREMAP_MAYMOVE`, an address inside a page, no length.
    Odd(usize, Piece, u64, To),
    Munmap(usize, Piece),
    Mmap(u64, u64),
    /// A page that the ring had once.
    Fill(usize),
    Mprotect(usize, Piece, u64),
    Read(usize, u64, u64),
    Poll(usize),
    Ready(usize),
    Getevents(usize, u64),
    StoreId(usize, u64),
    StoreHead(usize, u64),
    StoreAnywhere(u64, u64),
    Destroy(usize, To),
    DestroyAnywhere(u64, To),
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        6 => Just(Piece::Whole),
        2 => Just(Piece::Span),
        2 => (1..3_u64).prop_map(Piece::First),
        2 => (1..3_u64).prop_map(Piece::Last),
        1 => (0..4_u64, 1..3_u64).prop_map(|(skip, pages)| Piece::Midst(skip, pages)),
        1 => (0..4_u64).prop_map(Piece::WithBefore),
        2 => (1..4_u64).prop_map(Piece::WithBehind),
        1 => (any::<u64>(), 1..5_u64).prop_map(|(place, pages)| Piece::Anywhere(place, pages)),
    ]
}

/// What splits a ring.
fn part() -> impl Strategy<Value = Piece> {
    prop_oneof![
        1 => piece(),
        2 => (1..3_u64).prop_map(Piece::First),
        2 => (1..3_u64).prop_map(Piece::Last),
        1 => (1..3_u64, 1..2_u64).prop_map(|(skip, pages)| Piece::Midst(skip, pages)),
    ]
}

fn to() -> impl Strategy<Value = To> {
    prop_oneof![
        4 => any::<u64>().prop_map(To::Place),
        1 => any::<usize>().prop_map(To::Ring),
        2 => any::<usize>().prop_map(To::Onto),
    ]
}

/// One operation.
pub fn draw() -> impl Strategy<Value = Draw> {
    let ring = any::<usize>;
    let words = prop_oneof![0..6_u64, 100..300_u64, Just(u64::from(u32::MAX))];
    prop_oneof![
        5 => (prop_oneof![1 => Just(1), 1 => Just(100), 2 => Just(200)], any::<u64>())
            .prop_map(|(requests, at)| Draw::Setup(requests, at)),
        12 => (ring(), piece(), to()).prop_map(|(ring, piece, to)| Draw::Move(ring, piece, to)),
        6 => ring().prop_map(Draw::Reunite),
        1 => (ring(), piece(), 1..3_u64).prop_map(|(ring, piece, by)| Draw::Shrink(ring, piece, by)),
        1 => (ring(), piece(), 1..3_u64, to())
            .prop_map(|(ring, piece, by, to)| Draw::ShrinkTo(ring, piece, by, to)),
        2 => (ring(), piece(), 1..3_u64, prop_oneof![Just(0), Just(MREMAP_MAYMOVE), Just(FIXED)], to())
            .prop_map(|(ring, piece, by, flags, to)| Draw::Grow(ring, piece, by, flags, to)),
        1 => (ring(), piece(), 0..3_u64, 0..=MREMAP_MAYMOVE)
            .prop_map(|(ring, piece, more, flags)| Draw::Stay(ring, piece, more, flags)),
        1 => (ring(), piece(), prop_oneof![Just(MREMAP_MAYMOVE), Just(FIXED)], to())
            .prop_map(|(ring, piece, flags, to)| Draw::DontUnmap(ring, piece, flags, to)),
        1 => (ring(), piece(), 0..4_u64, to())
            .prop_map(|(ring, piece, what, to)| Draw::Odd(ring, piece, what, to)),
        3 => (ring(), piece()).prop_map(|(ring, piece)| Draw::Munmap(ring, piece)),
        5 => (any::<u64>(), 1..4_u64).prop_map(|(at, pages)| Draw::Mmap(at, pages)),
        4 => ring().prop_map(Draw::Fill),
        6 => (ring(), part(), prop_oneof![3 => Just(2), 2 => 0..2_u64])
            .prop_map(|(ring, piece, protection)| Draw::Mprotect(ring, piece, protection)),
        5 => (ring(), 0..5_u64, prop_oneof![4 => Just(1), 1 => 30..60_u64])
            .prop_map(|(ring, data, count)| Draw::Read(ring, data, count)),
        2 => ring().prop_map(Draw::Poll),
        2 => any::<usize>().prop_map(Draw::Ready),
        4 => (ring(), 0..6_u64).prop_map(|(ring, most)| Draw::Getevents(ring, most)),
        2 => (ring(), words.clone()).prop_map(|(ring, word)| Draw::StoreId(ring, word)),
        1 => (ring(), words).prop_map(|(ring, word)| Draw::StoreHead(ring, word)),
        1 => (any::<u64>(), 0..5_u64).prop_map(|(at, word)| Draw::StoreAnywhere(at, word)),
        5 => (ring(), to()).prop_map(|(ring, to)| Draw::Destroy(ring, to)),
        1 => (any::<u64>(), to()).prop_map(|(at, to)| Draw::DestroyAnywhere(at, to)),
    ]
}
