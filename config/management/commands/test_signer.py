"""Sign a statement about nothing and verify it with the published trust root; say what is wrong.

Run it with the worker's environment. All signers are tried that projects can choose. The statement
counts for nothing; a log keeps an entry of it, and so does a public one where one is configured. It
with 0 if they work, 1 if one cannot be used, 2 if the published trust root does not verify what it
signs, 3 if nothing is published yet.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.settings.env import SignerKind
from kernel.errors import Refusal
from provenance import wiring
from provenance.domain.transparency import DEFAULT, Transparency
from provenance.errors import SignerRefused, SignerUnavailable, TrustRootMissing
from provenance.queries import signing_keys, trust_state
from provenance.usecases.try_signer import Trial, try_signer

EXITS: Final = {
    SignerUnavailable.code: 1,
    SignerRefused.code: 2,
    TrustRootMissing.code: 3,
}


class Command(BaseCommand):
    """Show that this store can sign, or why it cannot."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to keep the bundle."""
        parser.add_argument("--bundle", type=Path, help="write the private bundle to this file")

    def handle(self, *_args: Any, bundle: Path | None, **_options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run it; again is harmless."""
        with _explained(settings.SIGNER):
            self._show_key()
        signers = {DEFAULT: wiring.signer(), **wiring.signers_elsewhere()}
        for transparency, signer in signers.items():
            with _explained(f"{signer.name} ({transparency.value})"):
                trial = try_signer(
                    signer=signer,
                    verifier=wiring.verifier(),
                    base_url=settings.PUBLIC_URL,
                    now=timezone.now(),
                    transparency=transparency,
                )
            self._show(trial, signer.name, transparency)
            if bundle is not None and transparency is DEFAULT:
                bundle.write_bytes(trial.bundle)
                self.stdout.write(f"  bundle: {bundle}")

    def _show(self, trial: Trial, name: str, transparency: Transparency) -> None:
        verified = trial.verified
        self.stdout.write(
            "".join(f"  verified: {step.name.value}\n" for step in trial.steps)
            + f"the signer {name} works\n"
            f"  for projects that choose: {transparency.value}\n"
            f"  identity: {trial.identity}\n"
            f"  issuer: {verified.issuer}\n"
            f"  signed at: {verified.signed_at or 'nobody vouches for a time'}\n"
            f"  log entry: {'none' if verified.log_index is None else verified.log_index}"
        )

    def _show_key(self) -> None:
        """A managed key: where it was found, what it is, and whether consumers know it."""
        if settings.SIGNER != SignerKind.KEY:
            return
        opened = wiring.key_holder().open()
        key = hashlib.sha256(opened.spki).hexdigest()
        version = trust_state().trust_root_version
        listed = signing_keys(version=version) if version else ()
        known = "listed" if key in {one.id for one in listed} else "NOT listed: run init_signer"
        self.stdout.write(
            f"  key: {opened.described}\n"
            f"  algorithm: {opened.algorithm.value}\n"
            f"  id: {key}, {known} in trust root {version}"
        )


@contextmanager
def _explained(signer: str) -> Iterator[None]:
    """Tell a refusal to whoever is at the terminal, and to the shell."""
    try:
        yield
    except Refusal as refusal:
        facts = "".join(f"\n  {name}: {value}" for name, value in refusal.facts.items())
        raise CommandError(
            f"the signer {signer} does not work: {refusal.title()}{facts}",
            returncode=EXITS[refusal.code],
        ) from refusal
