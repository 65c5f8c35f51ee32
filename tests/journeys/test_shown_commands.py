"""A consumer types what an artifact's page shows, with stock cosign, whatever signs the store."""

import html
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.signer_keys import EmbeddedSignerKeys
from provenance.ports import Signer, SignerKeys
from provenance.usecases.initialise_signer import initialise_signer
from tests.factories.free_ports import free_port
from tests.factories.managed_keys import KeyStore, key_in
from tests.factories.private_sigstore.attestor import Attestor, Sigstore
from tests.factories.private_sigstore.instance import PATH
from tests.factories.private_sigstore.store import OPERATOR
from tests.factories.signing_jobs import key_file
from tests.journeys.conftest import Answer, Shop, running_web

pytestmark = pytest.mark.skipif(
    shutil.which("cosign", path=PATH) is None, reason="cosign is not on PATH (.ci/run installs it)"
)
SHOWN: Final = r'aria-label="the commands for cosign">(.+?)</pre>'


@dataclass(frozen=True)
class Signing:
    """Who signs for the store at an address, and what its web server is told of it."""

    url: str
    keys: SignerKeys
    signer: Signer
    settings: dict[str, str]


def embedded(_request: pytest.FixtureRequest, folder: Path) -> Signing:
    url, file = f"http://127.0.0.1:{free_port()}", folder / "attestor.key"  # the shop's
    signer = EmbeddedSigner(key_file=file, issuer=url)
    return Signing(url, EmbeddedSignerKeys(key_file=file, base_url=url), signer, {})


def certified(request: pytest.FixtureRequest, folder: Path) -> Signing:
    instance = _sigstore(request).instance
    attestor = Attestor(instance, key_file(folder), instance.other_issuer)
    settings = {"STRONGROOM_SIGNER": "sigstore"}
    return Signing(attestor.issuer, attestor.keys, attestor.signer(), settings)


def keyed(_request: pytest.FixtureRequest, folder: Path) -> Signing:
    return _with_key(KeyStore(key_in(folder), base_url=f"http://127.0.0.1:{free_port()}"))


def witnessed(request: pytest.FixtureRequest, folder: Path) -> Signing:
    url, instance = f"http://127.0.0.1:{free_port()}", _sigstore(request).instance
    return _with_key(KeyStore(key_in(folder), instance, base_url=url))


def _with_key(store: KeyStore) -> Signing:
    return Signing(store.base_url, store.keys, store.signer(), {})


def _sigstore(request: pytest.FixtureRequest) -> Sigstore:
    found = request.getfixturevalue("sigstore")
    assert isinstance(found, Sigstore)
    return found


# Each kind of bundle of docs/verifiers.md, and the options that its cosign command has there.
KINDS: Final[dict[str, tuple[Callable[[pytest.FixtureRequest, Path], Signing], set[str]]]] = {
    "embedded": (embedded, {"--trusted-root"}),
    "sigstore": (certified, {"--trusted-root", "--use-signed-timestamps"}),
    "key": (keyed, {"--key", "--insecure-ignore-tlog"}),
    "key-witnessed": (witnessed, {"--key", "--trusted-root", "--use-signed-timestamps"}),
}
TELLING: Final = frozenset().union(*(options for _, options in KINDS.values()))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(request: pytest.FixtureRequest, shop: Shop, kind: str, tmp_path: Path) -> Iterator[Shop]:
    """The shop at an address of its own, which the commands can reach, and open to everybody."""
    signing = KINDS[kind][0](request, tmp_path)
    initialise_signer(keys=signing.keys, actor=OPERATOR, now=timezone.now())
    attestor = replace(shop.attestor, signer=signing.signer, base_url=signing.url)
    shop.project.is_public = True
    shop.project.save()
    port = urlsplit(signing.url).port or 0
    with running_web(port=port, STRONGROOM_PUBLIC_URL=signing.url, **signing.settings) as web:
        yield replace(shop, web=web, attestor=attestor)


def test_verifies_with_what_the_page_shows_and_refuses_another_file(
    store: Shop, kind: str, curl: Callable[..., Answer], tmp_path: Path
) -> None:
    file = tmp_path / "widget.bin"
    file.write_bytes(b"widget")
    sent = curl("-T", str(file), store.upload_url("dist/widget.bin"), token=store.tokens.uploader)
    store.attest()
    page = curl(f"{store.web.url}/artifacts/{sent.json['id']}").body.decode()
    [shown] = re.findall(SHOWN, page, re.DOTALL)
    commands = html.unescape(shown)
    folder = tmp_path / "elsewhere"
    folder.mkdir()

    typed = run(commands, folder)
    (folder / "widget.bin").write_bytes(b"another")
    forged = run(f"cosign {commands.partition('cosign ')[2]}", folder)

    assert (typed.returncode, "Verified OK" in typed.stderr) == (0, True), typed.stderr
    assert forged.returncode != 0, forged.stderr
    assert set(re.findall(r"--[a-z-]+", commands)) & TELLING == KINDS[kind][1]


def run(commands: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """In a shell that has nothing of the store's."""
    return subprocess.run(
        ["bash", "-ec", commands],
        cwd=folder,
        env={"PATH": PATH, "HOME": str(folder), "LANG": os.environ.get("LANG", "C.UTF-8")},
        capture_output=True,
        text=True,
        check=False,
    )
