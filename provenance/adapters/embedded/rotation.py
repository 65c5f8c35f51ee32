"""The embedded signer's keys replaced: announced first, used later, believed for a time.

Whoever holds ended keys can still sign with an earlier time of his own making: the log's clock is
the operator's. What an end refuses is a later time; keys that leaked are ended before they began.
"""

from datetime import datetime, timedelta
from pathlib import Path

from provenance.adapters.embedded.generations import (
    key_names,
    make_generation,
    open_generation,
    start_growing,
    wait_for_other_creators,
)
from provenance.adapters.embedded.keys import KeyEncryptionKey
from provenance.adapters.embedded.trust_root import embedded_root_if_any
from provenance.errors import RotationRefused
from provenance.models import LogLeaf, LogTree, SealedKey, SignerGeneration


class EmbeddedGenerations:
    """The port over sealed rows."""

    def __init__(self, *, key_file: Path | None, base_url: str) -> None:
        self._key_file = key_file
        self._base_url = base_url

    def announce(self, *, believed_from: datetime, now: datetime) -> datetime:
        kek = KeyEncryptionKey.read(self._key_file)
        wait_for_other_creators()
        open_generation(kek)
        announced = _announced() or make_generation(
            kek, base_url=self._base_url, believed_from=believed_from, now=now
        )
        return announced.believed_from

    def adopt(self, *, now: datetime) -> int:
        kek = KeyEncryptionKey.read(self._key_file)
        wait_for_other_creators()
        announced = _announced()
        if announced is None:
            raise RotationRefused(reason="no-keys-announced", expected="announce")
        left = announced.believed_from - now
        if left > timedelta(0):
            raise RotationRefused(
                reason="keys-not-believed-yet",
                believed_from=announced.believed_from.isoformat(),
                retry_after_seconds=int(left.total_seconds()) + 1,
            )
        used = open_generation(kek)
        _retire(SignerGeneration.objects.get(pk=used.number), now=now)
        start_growing(announced)
        open_generation(kek)  # what did not open would leave the store without a signer
        return announced.number

    def end(self, *, generation: int, until: datetime, now: datetime) -> None:
        wait_for_other_creators()
        ended = SignerGeneration.objects.filter(pk=generation).first()
        if ended is None:
            known = SignerGeneration.objects.order_by("number").values_list("number", flat=True)
            raise RotationRefused(
                reason="no-such-generation", found=generation, expected=list(known)
            )
        if until > now:
            raise RotationRefused(
                reason="end-to-come", found=until.isoformat(), expected="a time that has passed"
            )
        if ended == _announced():
            _withdraw(ended)
            return
        if ended.logtree_set.filter(retired_at=None).exists():
            self._replace(ended, now=now)
        ended.believed_until = min(_whole(until), ended.believed_until or now)
        ended.save(update_fields=["believed_until"])

    def trusted_root(self) -> bytes:
        return embedded_root_if_any()

    def _replace(self, used: SignerGeneration, *, now: datetime) -> None:
        """Retire these keys and use fresh ones at once: announced ones lay in the same place."""
        kek = KeyEncryptionKey.read(self._key_file)
        open_generation(kek)
        if (announced := _announced()) is not None:
            _withdraw(announced)
        _retire(used, now=now)
        fresh = make_generation(kek, base_url=self._base_url, believed_from=now, now=now)
        start_growing(fresh)


def _announced() -> SignerGeneration | None:
    return SignerGeneration.objects.filter(logtree=None).first()


def _withdraw(announced: SignerGeneration) -> None:
    SealedKey.objects.filter(name__in=key_names(announced.number)).delete()
    announced.delete()


def _retire(used: SignerGeneration, *, now: datetime) -> None:
    """Let nothing be appended any more, and believe everything that was.

    The trees' rows are locked, so that no leaf comes after the newest one; another worker's clock
    may have dated it a moment later than `now`.
    """
    until = now
    for tree in LogTree.objects.select_for_update().filter(generation=used).order_by("name"):
        newest = LogLeaf.objects.filter(tree=tree).order_by("-index").first()
        until = max(until, newest.appended_at) if newest is not None else until
        tree.retired_at = now
        tree.save(update_fields=["retired_at"])
    used.believed_until = _whole(until)
    used.save(update_fields=["believed_until"])


def _whole(moment: datetime) -> datetime:
    """Whole seconds, as certificates, entries and trust roots have them."""
    return moment.replace(microsecond=0)
