//! The program where userfaultfd is not permitted.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::desk::Desk;

/// Forbids all three ways to a userfaultfd, like the seccomp filter of a container.
fn forbid(command: &mut Command) {
    const CALL: u32 = 0;
    /// The lower half of the second argument.
    const REQUEST: u32 = if cfg!(target_endian = "little") {
        24
    } else {
        28
    };
    const USERFAULTFD_IOC_NEW: u32 = libc::_IO(0xaa, 0x00) as u32;
    const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    let step = |code: u32, k: u32, jt: u8, jf: u8| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let answer = libc::BPF_RET | libc::BPF_K;
    let filter = [
        step(load, CALL, 0, 0),
        step(equal, libc::SYS_userfaultfd as u32, 3, 0),
        step(equal, libc::SYS_ioctl as u32, 0, 3),
        step(load, REQUEST, 0, 0),
        step(equal, USERFAULTFD_IOC_NEW, 0, 1),
        step(answer, REFUSE, 0, 0),
        step(answer, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let install = move || {
        let program = libc::sock_fprog {
            len: filter.len() as u16,
            filter: filter.as_ptr().cast_mut(),
        };
        // SAFETY: the calls take numbers, and a filter that lives longer than they run.
        let answer = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            libc::prctl(
                libc::PR_SET_SECCOMP,
                libc::SECCOMP_MODE_FILTER,
                &raw const program,
            )
        };
        match answer {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: between fork and exec it only makes system calls.
    unsafe { command.pre_exec(install) };
}

#[test]
fn one_line_names_the_settings_that_forbid_it() {
    let desk = Desk::new();
    let mut command = desk.command(None, "");
    forbid(&mut command);
    let output = desk.finish(desk.start(command));
    for setting in [
        "no userfaultfd",
        "/dev/userfaultfd",
        "vm.unprivileged_userfaultfd",
        "UFFD_USER_MODE_ONLY",
        "seccomp",
    ] {
        desk.complained(&output, setting);
    }
}

#[test]
fn help_needs_no_userfaultfd() {
    let desk = Desk::new();
    let mut command = desk.command(None, "--help");
    forbid(&mut command);
    assert!(desk.finish(desk.start(command)).status.success());
}
