"""`strongroom verify` of what a managed key has signed: offline, by what was pinned beforehand."""

import hashlib
import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils import timezone

from client import cli
from kernel.digest import Sha256
from provenance.models import Attestation
from provenance.queries import signing_keys, trust_root, trust_state
from provenance.usecases.revoke_signing_key import revoke_signing_key
from tests.factories.managed_keys import KeyStore, key_in
from tests.factories.managed_store import Store
from tests.factories.private_sigstore.store import OPERATOR

pytestmark = pytest.mark.django_db
BUILT = b"built by a job"


@dataclass(frozen=True)
class Desk:
    """A consumer's folder with the file, its bundle and the store's trust root."""

    folder: Path
    builder: str

    def take_trust_root(self) -> None:
        root = trust_root(version=trust_state().trust_root_version)
        (self.folder / "root.json").write_bytes(root)

    def verify(self, file: str = "widget", builder: str = "") -> tuple[int, str]:
        place = self.folder
        output = io.StringIO()
        with redirect_stdout(output), redirect_stderr(output):
            code = cli.run(
                [
                    *("verify", f"{place}/{file}", "--bundle", f"{place}/bundle.json"),
                    *("--trust-root", f"{place}/root.json", "--builder", builder or self.builder),
                    *("--repository-id", "4242", "--owner-id", "77"),
                ],
                {"HOME": str(place)},
            )
        return int(code), output.getvalue()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    store = Store(KeyStore(key_in(tmp_path))).initialise()
    request = store.attested(digest=Sha256.of(hashlib.sha256(BUILT).digest()))
    desk = Desk(tmp_path, f"{store.keys.base_url}/builders/github/hosted-unconfirmed/v1")
    (tmp_path / "widget").write_bytes(BUILT)
    (tmp_path / "other").write_bytes(b"built by nobody")
    bundle = Attestation.objects.get(request=request).kept_bundle
    (tmp_path / "bundle.json").write_bytes(bundle)
    desk.take_trust_root()
    return desk


def test_verifies_a_bundle_of_a_listed_key(desk: Desk) -> None:
    code, said = desk.verify()

    assert code == 0, said
    assert "✓ key" in said
    assert f"✓ identity: {desk.builder}, by the key" in said
    assert "SLSA_BUILD_LEVEL_UNEVALUATED" in said


def test_refuses_other_bytes_and_other_builders(desk: Desk) -> None:
    bytes_code, bytes_said = desk.verify("other")
    other = desk.builder.replace("unconfirmed", "confirmed")
    builder_code, builder_said = desk.verify(builder=other)

    assert (bytes_code, "subject-mismatch" in bytes_said) == (1, True)
    assert (builder_code, "builder-not-trusted" in builder_said) == (1, True)


def test_refuses_a_revoked_key_as_soon_as_the_trust_root_says_so(desk: Desk) -> None:
    (key,) = signing_keys(version=trust_state().trust_root_version)

    revoke_signing_key(key=key.id, actor=OPERATOR, now=timezone.now())
    pinned, _ = desk.verify()
    desk.take_trust_root()
    taken_over, said = desk.verify()

    assert (pinned, taken_over) == (0, 1)
    assert "key-revoked" in said


def test_refuses_a_key_that_another_store_lists(desk: Desk, tmp_path: Path) -> None:
    other = KeyStore(key_in(tmp_path, name="other.pem"))

    (tmp_path / "root.json").write_bytes(other.document.to_json())

    code, said = desk.verify()
    assert (code, "key-unknown" in said) == (1, True)
    assert "`strongroom trust` shows what changed" in said
