"""An instance's description from a TUF repository: fetched hourly, kept, and refused when stale.

The first root is the operator's to bring; from then on each root is signed by the one before (The
Update Framework, version 1.0, section 5). What has been verified is kept in one file, so that a
process starts without the mirror. A mirror that is away costs nothing until the metadata expires.
"""

import fcntl
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.api.metadata import Metadata
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.updater import Updater
from tuf.ngclient.urllib3_fetcher import Urllib3Fetcher

from provenance.adapters.sigstore_instance.configuration import Document
from provenance.errors import SignerUnavailable

logger = logging.getLogger(__name__)

TRUSTED_ROOT: Final = "trusted_root.json"
SIGNING_CONFIG: Final = "signing_config.v0.2.json"
FRESH_FOR: Final = timedelta(hours=1)
_PAUSE_SECONDS: Final = 60.0
_SILENT_SECONDS: Final = 5
_ROLES: Final = ("root", "timestamp", "snapshot", "targets")


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was verified last, when, and until when it may be believed."""

    targets: dict[str, str]
    fetched_at: datetime
    expires_at: datetime


class TufDescription:
    """The description in one repository; one object for the process, outside of transactions."""

    def __init__(
        self,
        *,
        url: str,
        root: Path,
        cache: Path,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._root = root
        self._cache = cache
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._not_before = float("-inf")

    def read_trusted_root(self) -> Document:
        return self._read(TRUSTED_ROOT)

    def read_signing_config(self) -> Document:
        return self._read(SIGNING_CONFIG)

    def refresh(self) -> None:
        """Fetch and verify what the repository says now; processes of one cache take turns.

        Raises:
            SignerUnavailable: the mirror does not answer, or says what must not be believed; what
                was kept before is untouched.
        """
        metadata, targets = self._cache / "metadata", self._cache / "targets"
        try:
            bootstrap = self._root.read_bytes()
            for folder in (metadata, targets):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._alone():
                updater = Updater(
                    metadata_dir=str(metadata),
                    metadata_base_url=self._url,
                    target_dir=str(targets),
                    target_base_url=f"{self._url}/targets",
                    fetcher=Urllib3Fetcher(socket_timeout=_SILENT_SECONDS),
                    config=UpdaterConfig(app_user_agent="strongroom"),
                    bootstrap=bootstrap,
                )
                updater.refresh()
                found = {name: _target(updater, name) for name in (TRUSTED_ROOT, SIGNING_CONFIG)}
                self._keep(_Kept(found, self._clock(), _expiry(metadata)))
        except OSError as error:
            raise self._failed("unreadable-file", error.strerror or repr(error)) from error
        except DownloadError as error:
            raise self._failed("tuf-not-reachable", str(error)) from error
        except (RepositoryError, ValueError) as error:
            # Wrong signatures, an older version than was seen, expired, another length or digest.
            raise self._failed("tuf-not-believed", f"{type(error).__name__}: {error}") from error

    def _read(self, name: str) -> Document:
        kept = self._current()
        if kept.expires_at <= self._clock():
            raise self._failed("tuf-metadata-expired", kept.expires_at.isoformat())
        return Document(kept.targets[name].encode(), f"{name} of {self._url}")

    def _current(self) -> _Kept:
        """What is kept, fetched anew when it is an hour old and the mirror answers."""
        with self._lock:
            kept = self._kept()
            is_fresh = kept is not None and self._clock() < kept.fetched_at + FRESH_FOR
            if kept is not None and (is_fresh or self._monotonic() < self._not_before):
                return kept
            try:
                self.refresh()
            except SignerUnavailable as refusal:
                self._not_before = self._monotonic() + _PAUSE_SECONDS
                if kept is None:
                    raise
                logger.warning("trust metadata not refreshed", extra={"refusal": str(refusal)})
                return kept
            return self._kept() or self._missing()

    def _kept(self) -> _Kept | None:
        try:
            document = json.loads(self._file.read_bytes())
            fetched, expires = document["fetched_at"], document["expires_at"]
            return _Kept(
                {name: document["targets"][name] for name in (TRUSTED_ROOT, SIGNING_CONFIG)},
                datetime.fromisoformat(fetched),
                datetime.fromisoformat(expires),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._failed("unreadable-file", f"{self._file}: {error}") from error

    def _keep(self, kept: _Kept) -> None:
        document = {
            "targets": kept.targets,
            "fetched_at": kept.fetched_at.isoformat(),
            "expires_at": kept.expires_at.isoformat(),
        }
        new = self._cache / f"current.{uuid4().hex}"
        new.write_text(json.dumps(document))
        new.rename(self._file)

    @property
    def _file(self) -> Path:
        return self._cache / "current.json"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._cache / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _missing(self) -> _Kept:
        raise self._failed("tuf-not-believed", "nothing was kept")

    def _failed(self, reason: str, found: str) -> SignerUnavailable:
        return SignerUnavailable(reason=reason, url=self._url, found=found[:300])


def _target(updater: Updater, name: str) -> str:
    info = updater.get_targetinfo(name)
    if info is None:
        raise ValueError(f"the repository has no {name}")
    path = updater.find_cached_target(info) or updater.download_target(info)
    return Path(path).read_text()


def _expiry(metadata: Path) -> datetime:
    """When the first of the four roles that vouch for the targets expires."""
    roles = [Metadata.from_file(str(metadata / f"{role}.json")) for role in _ROLES]
    return min(role.signed.expires.astimezone(UTC) for role in roles)
