//! A ring that moves: its owner moves it while another thread destroys its context, round after round.

use seqschedlock_sim::aio::remap::{Tally, Version, mover_against_destroyer};

use crate::system::{Column, Contender, Counts, Kind, System};

const ROUNDS: Column = Column {
    key: "operations",
    heading: "rounds/s",
    meaning: "rounds: one thread moves a ring while another destroys its context; then everything is checked",
    kind: Kind::Rate,
};
const REFUSED: Column = Column {
    key: "moves_refused",
    heading: "refused",
    meaning: "moves that met the destruction half done, and were taken back",
    kind: Kind::Harmless,
};
const INNOCENTS: Column = Column {
    key: "innocents_unmapped",
    heading: "innocents unmapped",
    meaning: "pages of somebody else, at the old place of a ring, that io_destroy unmapped",
    kind: Kind::Violation,
};
const RINGS: Column = Column {
    key: "rings_left",
    heading: "rings left",
    meaning: "rings that stayed mapped although their context was gone",
    kind: Kind::Violation,
};
const IDS: Column = Column {
    key: "user_ids_wrong",
    heading: "user_id wrong",
    meaning: "rings that did not have their address as their id after they had moved",
    kind: Kind::Violation,
};
const BOTH: Column = Column {
    key: "both_errors",
    heading: "both errors",
    meaning: "rounds in which neither the move nor the destruction succeeded",
    kind: Kind::Violation,
};
const OTHER: Column = Column {
    key: "other",
    heading: "other",
    meaning: "other answers than these, contexts that were used after they had been freed, and the like",
    kind: Kind::Violation,
};

pub const COLUMNS: &[Column] = &[ROUNDS, REFUSED, INNOCENTS, RINGS, IDS, BOTH, OTHER];

pub fn system() -> System {
    System {
        name: "remap",
        title: "remap: a process moves its ring, while another thread destroys the context"
            .to_owned(),
        columns: COLUMNS,
        contenders: Version::ALL.map(contender).into(),
    }
}

fn contender(version: Version) -> Contender {
    Contender {
        name: version.name().to_owned(),
        sound: version.holds(),
        work: Box::new(move |clock| {
            let tally = mover_against_destroyer(version.rules(), |_| clock.goes_on());
            Ok(count(&tally))
        }),
    }
}

/// The columns of a tally.
pub fn count(tally: &Tally) -> Counts {
    let mut counts = Counts::default();
    counts.add(&ROUNDS, tally.rounds);
    counts.add(&REFUSED, tally.refused);
    counts.add(&INNOCENTS, tally.innocents_unmapped);
    counts.add(&RINGS, tally.rings_left);
    counts.add(&IDS, tally.wrong_ids);
    counts.add(&BOTH, tally.both_failed);
    counts.add(&OTHER, tally.other_answers + tally.other_violations);
    counts
}
