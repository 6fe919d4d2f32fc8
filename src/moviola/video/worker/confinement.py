"""Confine a worker, so that what takes it over reaches little. Runs in the worker.

A worker reads files and writes to its pipe; it needs no network, no other program and no file to
write. Linux takes all three from it (seccomp, Landlock) where the kernel and whoever runs us permit
it; elsewhere it is only kept from filling files. Each measure holds alone and none is required.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import struct
import sys
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moviola.video.limits import Limits

try:
    import resource
except ImportError:  # Windows: the pool's clock is the only limit there
    resource = None

NO_NETWORK, NO_PROGRAMS = "no network", "no other programs"
NO_WRITING, NO_FILLING = "no writing of files", "no filling of files"

# linux/prctl.h, linux/seccomp.h, linux/audit.h, linux/bpf_common.h
_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_FOREIGN_CALLS = 0x40000000  # the x32 calls of x86-64, which have other numbers

# By machine: its number, and the calls that are refused: sockets, programs, other processes, and
# what would get round this filter.
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_REFUSED = {
    "x86_64": [
        *(41, 42, 43, 44, 46, 49, 50, 288),  # socket connect accept sendto sendmsg bind listen
        *(59, 322, 101, 310, 311),  # execve execveat ptrace process_vm_readv process_vm_writev
        *(425, 272, 308, 165, 321, 298),  # io_uring_setup unshare setns mount bpf perf_event_open
    ],
    "aarch64": [
        *(198, 203, 202, 206, 211, 200, 201, 242),
        *(221, 281, 117, 270, 271),
        *(425, 97, 268, 40, 280, 241),
    ],
}

# linux/landlock.h. Calls have the same numbers on every machine.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _ASK_VERSION, _BELOW_PATH = 444, 445, 446, 1, 1
# Executing, writing, removing and making; later versions: moving, truncating, commands to devices.
_FILE_RIGHTS = ((1, 0b1_1111_1111_0011), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
_WRITING = 1 << 1 | 1 << 14  # writing to a file, truncating it
_NETWORK_SINCE, _NETWORK_RIGHTS = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11  # abstract sockets and signals


def limit_memory(limits: Limits) -> None:
    """Bound the address space of this process, and let it leave no core behind."""
    if resource is None:
        return
    with contextlib.suppress(ValueError, OSError):  # a tighter limit is in force already
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = limits.memory_bytes if hard < 0 else min(limits.memory_bytes, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def limit_processor(seconds: float) -> None:
    """End this process by SIGXCPU should it compute for `seconds` more, pool or no pool."""
    if resource is None:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 5
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def confine() -> list[str]:
    """Take from this process what it does not need, for good; return what holds now, in words.

    To be called before there are threads: those that run already would stay free.
    """
    holds: list[str] = []
    if sys.platform == "linux":
        with contextlib.suppress(FileNotFoundError):
            # Some packages ask for it when they are imported; Python finds it by writing, once.
            tempfile.gettempdir()
        with contextlib.suppress(OSError, AttributeError):
            system = ctypes.CDLL(None, use_errno=True)
            _call(system.prctl, _SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
            holds += _restrict_files(system)
            holds += _refuse_calls(system)
    if NO_WRITING not in holds and resource is not None:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
            holds.append(NO_FILLING)
    return sorted(set(holds))


def _restrict_files(system: ctypes.CDLL) -> list[str]:
    """Have Landlock refuse every change to files, and TCP where it can."""
    with contextlib.suppress(OSError):
        version = _call(system.syscall, _CREATE_RULESET, None, 0, _ASK_VERSION)
        rights = sum(bits for since, bits in _FILE_RIGHTS if version >= since)
        rules = struct.pack("Q", rights)
        if version >= _NETWORK_SINCE:
            rules += struct.pack("Q", _NETWORK_RIGHTS)
        if version >= _SCOPES_SINCE:
            rules += struct.pack("Q", _SCOPES)
        ruleset = _call(
            system.syscall, _CREATE_RULESET, ctypes.c_char_p(rules), ctypes.c_size_t(len(rules)), 0
        )
        _let_discard(system, ruleset, rights)
        _call(system.syscall, _RESTRICT_SELF, ruleset, 0)
        return [NO_WRITING]
    return []


def _let_discard(system: ctypes.CDLL, ruleset: int, rights: int) -> None:
    """Permit writing to the null device: some packages open it when they are imported."""
    place = os.open(os.devnull, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", _WRITING & rights, place)
        _call(system.syscall, _ADD_RULE, ruleset, _BELOW_PATH, ctypes.c_char_p(rule), 0)
    finally:
        os.close(place)


def _refuse_calls(system: ctypes.CDLL) -> list[str]:
    """Have seccomp refuse sockets, other programs and other processes."""
    if platform.machine() not in _REFUSED or sys.maxsize < 1 << 32:
        return []
    audit, calls = _AUDIT[platform.machine()], _REFUSED[platform.machine()]
    # Where a comparison holds, skip to the last instruction, which refuses.
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, audit), (_RETURN, 0, 0, _REFUSE), (_LOAD, 0, 0, 0)]
    steps.append((_AT_LEAST, len(calls) + 1, 0, _FOREIGN_CALLS))
    steps += [(_EQUAL, len(calls) - at, 0, call) for at, call in enumerate(calls)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    with contextlib.suppress(OSError):
        _call(system.prctl, _SET_SECCOMP, _FILTER, ctypes.c_char_p(program), 0, 0)
        return [NO_NETWORK, NO_PROGRAMS]
    return []


def _call(function: ctypes._NamedFuncPointer, *arguments: object) -> int:
    """Call the system.

    Raises:
        OSError: when it refuses.
    """
    result = function(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, errno.errorcode.get(number, "refused"))
    return result
