"""A store that signs with a Sigstore instance, which asks the store itself who is signing."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from artifacts.wiring import endings
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.errors import SignerUnavailable
from provenance.usecases.attest_builds import Attestor, attest_builds
from tests.factories.private_sigstore.attestor import Attestor as Attesting
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.doubles import nobody
from tests.factories.signing_jobs import key_file
from tests.journeys.conftest import ROOT, Answer, Shop, running_web


@dataclass(frozen=True)
class SigstoreShop:
    """A shop at the address that Fulcio knows as an issuer, and its worker's settings."""

    shop: Shop
    attesting: Attesting
    folder: Path

    def manage(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """The operator's command line, with the worker's environment."""
        instance = self.attesting.instance
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "STRONGROOM_PUBLIC_URL": self.attesting.issuer,
            "STRONGROOM_SIGNER": "sigstore",
            "STRONGROOM_SIGSTORE_TRUSTED_ROOT": str(instance.trusted_root),
            "STRONGROOM_SIGSTORE_SIGNING_CONFIG": str(instance.signing_config),
            "STRONGROOM_ATTESTOR_KEY_FILE": str(self.attesting.key_file),
            **settings,
        }
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def config_without(self, service: str) -> Path:
        """A signing config that names an address where nothing listens."""
        with nobody() as address:
            file = self.folder / f"without-{service}.json"
            return self.attesting.instance.signing_config_with(file, {service: address})

    def attest(self, *, config: Path | None = None, after: timedelta = timedelta(0)) -> None:
        """Do what the worker does, once."""
        files = self.attesting.files
        signer = self.attesting.signer(
            files=replace(files, signing_config=config or files.signing_config)
        )
        attestor = Attestor(signer, SigstoreVerifier(), self.attesting.issuer)
        attest_builds(attestor=attestor, endings=endings(), clock=lambda: timezone.now() + after)


@pytest.fixture
def sigstore_shop(shop: Shop, sigstore: Sigstore, tmp_path: Path) -> Iterator[SigstoreShop]:
    """Its own web server answers for its issuer, as it does by default."""
    issuer = sigstore.instance.other_issuer
    attesting = Attesting(sigstore.instance, key_file(tmp_path, "sigstore-key"), issuer)
    with ExitStack() as stack:
        web = stack.enter_context(
            running_web(
                port=urlsplit(issuer).port or 0,
                STRONGROOM_PUBLIC_URL=issuer,
                STRONGROOM_SIGNER="sigstore",
            )
        )
        ready = SigstoreShop(replace(shop, web=web), attesting, tmp_path)
        initialised = ready.manage("init_signer")
        assert initialised.returncode == 0, initialised.stderr
        yield ready


def uploaded(store: SigstoreShop, curl: Callable[..., Answer], content: bytes) -> Answer:
    file = store.folder / "file"
    file.write_bytes(content)
    shop = store.shop
    return curl("-T", str(file), shop.upload_url("dist/widget"), token=shop.tokens.uploader)


def test_carries_an_artifact_from_upload_to_verified_download(
    sigstore_shop: SigstoreShop, curl: Callable[..., Answer]
) -> None:
    sent = uploaded(sigstore_shop, curl, b"widget")

    sigstore_shop.attest()
    download = curl(sent.json["urls"]["download"], token=sigstore_shop.shop.tokens.reader)

    assert sent.status == 201
    assert (download.status, download.body) == (200, b"widget")
    assert download.headers["strongroom-verification"].startswith("passed")


def test_takes_uploads_while_sigstore_is_down_and_attests_them_afterwards(
    sigstore_shop: SigstoreShop, curl: Callable[..., Answer]
) -> None:
    reader = sigstore_shop.shop.tokens.reader

    sent = uploaded(sigstore_shop, curl, b"widget")
    sigstore_shop.attest(config=sigstore_shop.config_without("rekor"))
    early = curl(sent.json["urls"]["download"], token=reader)
    build = curl(sent.json["urls"]["build"], token=reader).json
    sigstore_shop.attest(after=timedelta(minutes=1))
    late = curl(sent.json["urls"]["download"], token=reader)

    assert sent.status == 201
    assert early.status != 200
    (waiting,) = build["attestation"]["requests"]
    assert waiting["last_error"] == SignerUnavailable.code
    assert (waiting["service"], waiting["reason"]) == ("rekor", "not-reachable")
    assert waiting["next_attempt_at"]
    assert (late.status, late.body) == (200, b"widget")


def test_tells_the_operator_that_the_signer_works(sigstore_shop: SigstoreShop) -> None:
    told = sigstore_shop.manage("test_signer", "--bundle", str(sigstore_shop.folder / "bundle"))

    assert told.returncode == 0, told.stderr
    assert "the signer sigstore works" in told.stdout
    assert f"issuer: {sigstore_shop.attesting.issuer}" in told.stdout
    assert (sigstore_shop.folder / "bundle").read_bytes().startswith(b"{")


def test_tries_the_public_instance_too(sigstore_shop: SigstoreShop) -> None:
    """Here the same one, declared public: what its log keeps is about nothing."""
    files = sigstore_shop.attesting.files
    public = {
        "STRONGROOM_PUBLIC_SIGSTORE_TRUSTED_ROOT": str(files.trusted_root),
        "STRONGROOM_PUBLIC_SIGSTORE_SIGNING_CONFIG": str(files.signing_config),
    }

    both = sigstore_shop.manage("test_signer", **public)
    without = str(sigstore_shop.config_without("fulcio"))
    broken = sigstore_shop.manage(
        "test_signer", **{**public, "STRONGROOM_PUBLIC_SIGSTORE_SIGNING_CONFIG": without}
    )

    assert both.returncode == 0, both.stderr
    chosen = [line for line in both.stdout.splitlines() if "projects that choose" in line]
    assert [line.rpartition(" ")[2] for line in chosen] == ["private-log", "public-log"]
    assert broken.returncode == 1
    assert "sigstore (public-log) does not work" in broken.stderr
    assert "for projects that choose: private-log" in broken.stdout


def test_tells_the_operator_what_is_wrong(
    sigstore_shop: SigstoreShop,
) -> None:
    config = sigstore_shop.config_without("rekor")

    told = sigstore_shop.manage("test_signer", STRONGROOM_SIGSTORE_SIGNING_CONFIG=str(config))

    assert told.returncode == 1
    assert "service: rekor" in told.stderr
    assert "reason: not-reachable" in told.stderr

    other = key_file(sigstore_shop.folder, "other-key")
    told = sigstore_shop.manage("test_signer", STRONGROOM_ATTESTOR_KEY_FILE=str(other))

    assert told.returncode == 1
    assert "reason: wrong-attestor-key" in told.stderr


def test_writes_what_a_proxy_serves_in_the_place_of_the_web_server(
    sigstore_shop: SigstoreShop, curl: Callable[..., Answer]
) -> None:
    issuer = sigstore_shop.attesting.issuer

    written = sigstore_shop.manage("write_identity_issuer", str(sigstore_shop.folder))

    assert written.returncode == 0, written.stderr
    for name in ("openid-configuration", "jwks.json"):
        served = curl(f"{issuer}/.well-known/{name}")
        assert served.status == 200
        assert json.loads((sigstore_shop.folder / name).read_bytes()) == served.json
