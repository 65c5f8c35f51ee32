"""A key that was found, and the secret that may be needed to find it."""

import errno
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provenance.adapters.signing_algorithms import PublicKey, algorithm_of, spki_of
from provenance.domain.signing_keys import Algorithm
from provenance.errors import SignerUnavailable

_READABLE_BY_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class OpenedKey:
    """A key that can sign now. `sign` may ask somebody over the network, and may be slow.

    `described` says where it was found, for people: a mount and a version, a file's mode.
    """

    public: PublicKey
    sign: Callable[[bytes], bytes]
    described: str

    @property
    def algorithm(self) -> Algorithm:
        """How it signs."""
        return algorithm_of(self.public)

    @property
    def spki(self) -> bytes:
        """The public half (DER, SubjectPublicKeyInfo)."""
        return spki_of(self.public)


@dataclass(frozen=True, slots=True)
class Secret:
    """A passphrase, PIN or token, read from its file when it is needed."""

    file: Path | None

    def read(self) -> str:
        """The file's text without the end of its line.

        Raises:
            SignerUnavailable: there is no such file, or more people than its owner may read it.
        """
        if self.file is None:
            raise SignerUnavailable(reason="no-key-secret", expected="STRONGROOM_KEY_SECRET_FILE")
        content = read_private(self.file, "key-secret")
        return content.decode(errors="replace").strip("\r\n")


def read_private(file: Path, what: str) -> bytes:
    """A file that nobody but its owner may read.

    Raises:
        SignerUnavailable: it is missing, unreadable or exposed; the reason ends with `what`.
    """
    try:
        mode = file.stat().st_mode
        if mode & _READABLE_BY_OTHERS:
            raise SignerUnavailable(
                reason=f"exposed-{what}",
                file=str(file),
                found=f"mode {stat.S_IMODE(mode):04o}",
                expected="mode 0600 or 0400: nobody but the worker's account may read it",
            )
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES)
    except OSError as error:
        missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
        raise SignerUnavailable(
            reason=f"{'missing' if missing else 'unreadable'}-{what}",
            file=str(file),
            found=error.strerror,
        ) from error
