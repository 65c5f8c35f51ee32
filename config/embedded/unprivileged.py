"""Run a program that refuses to be root, without a second account and without moving files.

PostgreSQL will not start as root. In a user namespace of its own the process sees itself as an
ordinary user while the kernel still checks files against the real one, so that a checkout under
a closed home folder works. Where the kernel allows no user namespace, the process becomes
`nobody`, and the folders must be open to it.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path
from typing import Final

_CLONE_NEWUSER: Final = 0x10000000
_SEEN_ID: Final = 1000


def needs_unprivileged() -> bool:
    """Whether this process is root, so that PostgreSQL would refuse to start."""
    return os.geteuid() == 0


def become_unprivileged() -> None:
    """Give up root in this process, for good. Called between fork and exec."""
    if not needs_unprivileged():
        return
    if not _enter_user_namespace():
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)


def owner_of_files() -> tuple[int, int] | None:
    """The (uid, gid) that must own PostgreSQL's folders, or None when it is this user itself."""
    if not needs_unprivileged() or user_namespaces_work():
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


def _enter_user_namespace() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_SEEN_ID} {uid} 1\n")
    Path("/proc/self/gid_map").write_text(f"{_SEEN_ID} {gid} 1\n")
    return True
