"""Run a program that refuses to be root, without a second account and without moving files.

PostgreSQL will not start as root, nor as a user without a name. In a user namespace of its own
the process sees itself as an ordinary user while the kernel still checks files against the real
one, so that a checkout under a closed home folder works. Where root may make no user namespace
(most containers), the process becomes `nobody` and keeps the one right to pass closed folders.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path
from typing import Final

_CLONE_NEWUSER: Final = 0x10000000
_PR_SET_KEEPCAPS: Final = 8
_PR_SET_SECUREBITS: Final = 28
_SECBIT_NO_SETUID_FIXUP: Final = 4
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_RAISE: Final = 2
_CAP_DAC_OVERRIDE: Final = 1
_CAPABILITY_VERSION: Final = 0x20080522


def needs_unprivileged() -> bool:
    """Whether PostgreSQL would refuse to start as this user: root, or one without a name."""
    return os.geteuid() == 0 or not _has_name(os.geteuid())


def become_unprivileged() -> None:
    """Give up root in this process, for good. Called between fork and exec."""
    if needs_unprivileged() and not _enter_user_namespace() and os.geteuid() == 0:
        _become_nobody()


def owner_of_files() -> tuple[int, int] | None:
    """The (uid, gid) that must own PostgreSQL's folders, or None when it is this user itself."""
    if os.geteuid() != 0 or user_namespaces_work():
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def user_namespaces_work() -> bool:
    """Try a user namespace in a child process."""
    child = os.fork()
    if child == 0:
        os._exit(0 if _enter_user_namespace() else 1)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _enter_user_namespace() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    uid, gid = os.geteuid(), os.getegid()
    # Any id but root's does, as long as it has a name; 1 is `daemon` or `bin` everywhere.
    seen_id = 1 if _has_name(1) else pwd.getpwnam("nobody").pw_uid
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{seen_id} {uid} 1\n")
    Path("/proc/self/gid_map").write_text(f"{seen_id} {gid} 1\n")
    return True


def _become_nobody() -> None:
    """Become `nobody`, who may still pass folders that are closed to everyone but root."""
    nobody = pwd.getpwnam("nobody")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    # Else access(2), which PostgreSQL's programs ask about each other, would not count the right.
    libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
    kept = 1 << _CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    # (effective, permitted, inheritable) for the capabilities 0-31, then for 32-63.
    sets = (ctypes.c_uint32 * 6)(kept, kept, kept, 0, 0, 0)
    libc.capset(header, sets)
    # Without this last right the folders must be open; PostgreSQL then says which one is not.
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
