use seqschedlock_sim::page_cache::{Errno, Violation, VmFault};

use crate::each_tells;

#[test]
fn a_failed_fault_names_its_signal_or_cause() {
    each_tells([
        (VmFault::Sigbus, "(SIGBUS)"),
        (VmFault::Oom, "(OOM)"),
        (VmFault::Segv, "(SIGSEGV)"),
        (VmFault::TimedOut, "deadline"),
    ]);
}

#[test]
fn an_error_of_a_file_names_its_code() {
    each_tells([(Errno::Io, "(EIO)"), (Errno::Invalid, "(EINVAL)")]);
}

#[test]
fn a_violation_names_its_page_and_tells_its_numbers() {
    let index = 4711;
    let stale = |mapped| Violation::Stale { index, mapped };
    let mapcount = Violation::Mapcount {
        index,
        mapcount: 17,
        ptes: 23,
    };
    let references = Violation::References {
        index,
        references: 17,
        known: 23,
    };
    each_tells([
        (Violation::Orphan { index }, "4711"),
        (Violation::OrphansUnmapped { ptes: 17 }, "17"),
        (mapcount, "4711 17 23"),
        (references, "4711 17 23"),
        (Violation::Leaked { pages: 17 }, "17"),
        (Violation::BeyondEnd { index }, "4711"),
        (Violation::NoMetadata { index }, "4711 metadata"),
        (Violation::MetadataLeft { index }, "4711 metadata"),
        (Violation::DirtyLost { index }, "4711 dirty"),
        (stale(true), "4711 mapped"),
        (stale(false), "4711 cached"),
        (Violation::Busy { index }, "4711 locked"),
    ]);
}
