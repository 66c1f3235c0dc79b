"""What a worker gives up before it takes work: one step a row, so that the health page can say which of them hold.

Sources: prctl(2), setrlimit(2), seccomp(2), unshare(2), proc(5). Order matters: changing the user clears the death signal and
the dumpable flag, and the filter of system calls forbids all the other steps.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
from collections.abc import Callable, Mapping
from typing import Any

from lambdas.errors import HostRefusal

HEAP_ROOM_MB = 128  # of private memory beyond what a worker has when it is locked down
NOBODY = 65534

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38

CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWNET = 0x40000000
CLONE_THREAD = 0x00010000

PROT_EXEC = 4

# What Python, glibc's allocator and V8 without a compiler call while they work. Found by running the suite and the soak with a
# default that logs. Files, sockets, processes, keys, tracing, namespaces and everything else are refused with EPERM.
ALLOWED = (
    "read", "write", "recvfrom", "sendto", "recvmsg", "sendmsg", "poll", "ppoll", "close", "fstat",
    "futex", "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "time", "sched_yield",
    "sched_getaffinity", "getrandom", "brk", "munmap", "mremap", "madvise", "getpid", "gettid", "getcpu", "sysinfo", "getrusage",
    "times", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "setitimer", "getitimer", "set_robust_list", "rseq",
    "exit", "exit_group", "restart_syscall", "membarrier", "uname",
)  # fmt: skip
# The steps without which lambdas are refused unless the operator trusts their authors.
REQUIRED = ("limits", "seccomp")

_libc = ctypes.CDLL(None, use_errno=True)


def _call(function: Any, *arguments: int) -> None:
    """Call a function of libc that answers -1 where it fails.

    Raises OSError.
    """
    if function(*(ctypes.c_ulong(value) for value in arguments)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def prctl(option: int, value: int) -> None:
    """Change how the kernel treats this process.

    Raises OSError.
    """
    _call(_libc.prctl, option, value, 0, 0, 0)


def leave_namespaces() -> None:
    """Put the zygote, and so its workers, into a world without networks, other mounts and shared memory.

    Raises OSError where it has not the rights, as without root.
    """
    _call(_libc.unshare, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWNS)


def give_back() -> None:
    """Return to the kernel what the allocator keeps for later: the prelude's text and tree are not needed again. glibc only."""
    trim = getattr(_libc, "malloc_trim", None)
    if trim is not None:
        trim(0)


def become_nobody() -> None:
    """Give up root, where the server runs as root."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def die_with_parent() -> None:
    """End when the zygote ends."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def hide() -> None:
    """Neither leave a core nor let another process of the same user look inside."""
    prctl(PR_SET_DUMPABLE, 0)


def refuse_privileges() -> None:
    """Gain nothing from set-user-id programs; the filter needs it, too."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def limit_resources() -> None:
    """Cap private memory (`RLIMIT_AS` does not work: V8 reserves address space by the gigabyte), files, processes and cores."""
    data = _data_bytes() + HEAP_ROOM_MB * 1024 * 1024
    for what, most in (
        (resource.RLIMIT_DATA, data),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _data_bytes() -> int:
    """Return what counts against `RLIMIT_DATA` now."""
    with open("/proc/self/status", "rb") as status:  # noqa: PTH123 - pathlib is not loaded in a worker
        for line in status:
            if line.startswith(b"VmData:"):
                return int(line.split()[1]) * 1024
    raise HostRefusal(errno.ENOENT, "The kernel does not say how much memory the worker has.")


def make_filter() -> Any:
    """Build the filter of system calls for this process. Every thread gets it (TSYNC), because each isolate has threads.

    Raises HostRefusal where libseccomp is missing.
    """
    try:
        import pyseccomp as seccomp  # noqa: PLC0415 - it looks for libseccomp when it is imported
    except (ImportError, RuntimeError) as error:
        raise HostRefusal(errno.ENOSYS, "libseccomp is not installed.") from error
    calls = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    calls.set_attr(seccomp.Attr.CTL_TSYNC, 1)
    for name in ALLOWED:
        calls.add_rule(seccomp.ALLOW, name)
    # glibc asks for clone3 first, whose flags a filter cannot see; without it, it takes clone.
    calls.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    calls.add_rule(seccomp.ALLOW, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, CLONE_THREAD))
    for name in ("mmap", "mprotect", "pkey_mprotect"):  # memory never becomes code
        calls.add_rule(seccomp.ALLOW, name, seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, 0))
    # A worker may end itself, as V8 does where it has no memory, and nobody else.
    calls.add_rule(seccomp.ALLOW, "tgkill", seccomp.Arg(0, seccomp.EQ, os.getpid()))
    calls.add_rule(seccomp.ALLOW, "prctl", seccomp.Arg(0, seccomp.EQ, 0x53564D41))  # names of memory, by the allocator
    return calls


def prepare() -> None:
    """Load libseccomp, which a worker can do no more; a host without it is noticed in the worker."""
    with contextlib.suppress(HostRefusal):
        make_filter()


def filter_calls() -> None:
    """Let through only the system calls of `ALLOWED`, from now on and in every thread."""
    make_filter().load()


Step = Callable[[], None]
STEPS: Mapping[str, Step] = {
    "user": become_nobody,
    "parent": die_with_parent,
    "hidden": hide,
    "limits": limit_resources,
    "privileges": refuse_privileges,
    "seccomp": filter_calls,
}


def lock_down(steps: Mapping[str, Step] = STEPS) -> dict[str, str | None]:
    """Take all steps in their order and say of each why it did not hold, or None."""
    held: dict[str, str | None] = {}
    for name, step in steps.items():
        try:
            step()
            held[name] = None
        except OSError as error:
            held[name] = error.strerror or "refused"
        except AttributeError:  # no such call on this system
            held[name] = "not on this system"
    return held
