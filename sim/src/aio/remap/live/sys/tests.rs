//! What an error of the real kernel is called, alone and as the reason to skip a test.

use super::Error;
use crate::aio::errno::Errno;
use crate::aio::remap::live::Skip;

#[test]
fn an_error_of_the_model_has_its_name_there() {
    let known = [
        (libc::EINVAL, Errno::Invalid),
        (libc::EFAULT, Errno::Fault),
        (libc::ENOMEM, Errno::NoMemory),
        (libc::EAGAIN, Errno::Again),
        (libc::EEXIST, Errno::Exists),
        (libc::EINPROGRESS, Errno::InProgress),
    ];
    for (number, errno) in known {
        assert_eq!(Error(number).errno(), Some(errno));
        assert_eq!(Error(number).to_string(), errno.name());
    }
}

#[test]
fn an_error_the_model_does_not_have_has_a_name_or_a_number() {
    let unknown = [
        (libc::ENOSYS, "ENOSYS"),
        (libc::EPERM, "EPERM"),
        (libc::EACCES, "EACCES"),
        (4711, "error 4711"),
    ];
    for (number, text) in unknown {
        assert_eq!(Error(number).errno(), None);
        assert_eq!(Error(number).to_string(), text);
    }
}

#[test]
fn a_skipped_test_names_the_call_its_error_and_the_likely_cause() {
    let refused = |call, number| {
        let error = Error(number);
        Skip::Refused { call, error }.to_string()
    };
    assert!(refused("io_setup", libc::EAGAIN).contains("fs.aio-max-nr"));
    let full = refused("io_submit", libc::EAGAIN);
    assert!(full.contains("io_submit") && full.contains("EAGAIN"));
    assert!(!full.contains("fs.aio-max-nr") && !full.contains("seccomp"));
    let filtered = refused("io_setup", libc::ENOSYS);
    assert!(filtered.contains("io_setup") && filtered.contains("ENOSYS"));
    assert!(filtered.contains("seccomp"));

    assert!(Skip::NoRing.to_string().contains("io_setup"));
    assert!(Skip::NoArena.to_string().contains("address space"));
    assert!(Skip::Machine.to_string().contains("64-bit"));
}
