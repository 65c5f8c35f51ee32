"""docs/certificates.md: a build's certificate beside its predicate, extension by extension.

Written from certificates that Fulcio issued; `UPDATE=1` writes it anew.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from django.utils import timezone

from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.signer_keys import EmbeddedSignerKeys
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.attesting import TOKEN_SUBJECT
from provenance.domain.build_facts import Witnessed
from provenance.models import Attestation
from provenance.ports import Signer
from provenance.queries import trust_root, trust_state
from provenance.usecases.initialise_signer import initialise_signer
from tests.factories.facts import witnessed, witnessed_on_gitlab
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.store import OPERATOR, Store
from tests.factories.requests import requested

pytestmark = pytest.mark.django_db

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "certificates.md"
STORE: Final = "https://store.example.com"
JOBS: Final = {"GitHub": witnessed(), "GitLab": witnessed_on_gitlab()}
SAN: Final = 0  # no extension of Fulcio's own, and the first row

Predicate = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """One extension: Fulcio's name for it, where the predicate says the same, and what it says.

    Without `read` the predicate does not say it, and `where` says why.
    """

    name: str
    where: str
    read: Callable[[Predicate], object] | None = None


def builder(predicate: Predicate) -> object:
    return predicate["runDetails"]["builder"]["id"]


def workflow(member: str) -> Callable[[Predicate], object]:
    return lambda predicate: predicate["buildDefinition"]["externalParameters"]["workflow"][member]


def internal(*members: str) -> Callable[[Predicate], object]:
    """A member of the platform's own parameters, which each platform names in its own way."""

    def read(predicate: Predicate) -> object:
        parameters = predicate["buildDefinition"]["internalParameters"]
        own = parameters.get("github") or parameters.get("gitlab")
        return next(own[member] for member in members if member in own)

    return read


def dependency(number: int, member: str) -> Callable[[Predicate], object]:
    def read(predicate: Predicate) -> object:
        found = predicate["buildDefinition"]["resolvedDependencies"][number]
        return found["digest"]["gitCommit"] if member == "digest" else found["uri"][len("git+") :]

    return read


def invocation(predicate: Predicate) -> object:
    return predicate["runDetails"]["metadata"]["invocationId"]


ABSENT: Final = "not in the predicate: "
PLACES: Final[dict[int, Place]] = {
    SAN: Place("Subject Alternative Name", "`runDetails.builder.id`", builder),
    1: Place("Issuer (old form)", f"{ABSENT}the store's address"),
    8: Place("Issuer (V2)", f"{ABSENT}the store's address"),
    9: Place("Build Signer URI", "`runDetails.builder.id`", builder),
    11: Place(
        "Runner Environment",
        "`internalParameters.{platform}.runner_environment`",
        internal("runner_environment"),
    ),
    12: Place(
        "Source Repository URI",
        "`externalParameters.workflow.repository`",
        workflow("repository"),
    ),
    13: Place(
        "Source Repository Digest",
        "`resolvedDependencies[0].digest.gitCommit`",
        dependency(0, "digest"),
    ),
    14: Place("Source Repository Ref", "`externalParameters.workflow.ref`", workflow("ref")),
    15: Place(
        "Source Repository Identifier",
        "`internalParameters`: `github.repository_id`, `gitlab.project_id`",
        internal("repository_id", "project_id"),
    ),
    16: Place("Source Repository Owner URI", f"{ABSENT}the repository's address has it"),
    17: Place(
        "Source Repository Owner Identifier",
        "`internalParameters`: `github.repository_owner_id`, `gitlab.namespace_id`",
        internal("repository_owner_id", "namespace_id"),
    ),
    18: Place("Build Config URI", "`resolvedDependencies[1].uri`", dependency(1, "uri")),
    19: Place(
        "Build Config Digest",
        "`resolvedDependencies[1].digest.gitCommit`",
        dependency(1, "digest"),
    ),
    20: Place(
        "Build Trigger",
        "`internalParameters`: `github.event_name`, `gitlab.pipeline_source`",
        internal("event_name", "pipeline_source"),
    ),
    21: Place("Run Invocation URI", "`runDetails.metadata.invocationId`", invocation),
    22: Place(
        "Source Repository Visibility At Signing",
        "`internalParameters`: `github.repository_visibility`, `gitlab.project_visibility`",
        internal("repository_visibility", "project_visibility"),
    ),
    23: Place(
        "Deployment Environment",
        "`internalParameters.{platform}.environment`",
        internal("environment"),
    ),
    TOKEN_SUBJECT: Place("Token Subject", f"{ABSENT}the facts above say it in parts"),
}
ARCS: Final = {SAN: "2.5.29.17"}

HEAD: Final = """# What a build's certificate says, beside its predicate

Written by `tests/integration/provenance/test_certificate_table.py` (`UPDATE=1` writes it anew) from
certificates that a real Fulcio issued for a job of GitHub and one of GitLab; the embedded signer's
say the same. The store's address is `https://store.example.com`. Numbers without a prefix are below
`1.3.6.1.4.1.57264.1` (Fulcio, `docs/oid-info.md`); members that do not begin with `runDetails` are
in `buildDefinition`. `.2` to `.7` are older forms of `.12` to `.20`, which the store does not use;
`.10` (Build Signer Digest) is not said, because a builder of the store has no source of its own.

Every pair is compared by the test: where both say something, they say the same.
"""


@pytest.fixture
def store(sigstore: Sigstore, tmp_path: Path) -> Store:
    return Store.create(sigstore, tmp_path)


def signed(store: Store, signer: Signer, facts: Witnessed) -> tuple[dict[int, str], Predicate]:
    """What the certificate of a build says, and its predicate."""
    request = requested(facts)
    store.attest(signer)
    bundle = Attestation.objects.get(request=request).kept_bundle
    root = trust_root(version=trust_state().trust_root_version)
    verified = SigstoreVerifier().verify(bundle, trust_root=root).verified
    assert verified is not None
    predicate: Predicate = json.loads(verified.payload)["predicate"]
    return {SAN: verified.identity, **verified.extensions}, predicate


def page(rows: Mapping[str, Mapping[int, str]]) -> str:
    lines = [HEAD]
    for platform, certificate in rows.items():
        lines += [
            f"## {platform}",
            "",
            "| OID | Fulcio's name | the certificate | the predicate's member |",
            "|---|---|---|---|",
        ]
        for number, place in PLACES.items():
            arc = ARCS.get(number, f".{number}")
            where = place.where.replace("{platform}", platform.lower())
            lines.append(f"| `{arc}` | {place.name} | `{certificate[number]}` | {where} |")
        lines.append("")
    return "\n".join(lines)


def test_says_in_the_certificate_what_the_page_says_and_the_predicate(store: Store) -> None:
    rows = {}
    for platform, facts in JOBS.items():
        certificate, predicate = signed(store, store.signer(), facts)
        assert set(certificate) == set(PLACES), platform
        for number, place in PLACES.items():
            if place.read is not None:
                assert certificate[number] == place.read(predicate), (platform, place.name)
        issuer = store.attestor.issuer
        rows[platform] = {
            number: text.replace(issuer, STORE) for number, text in certificate.items()
        }
    found = page(rows)

    if os.environ.get("UPDATE"):
        PAGE.write_text(found)
    assert found.splitlines() == PAGE.read_text().splitlines()


@pytest.mark.parametrize("facts", JOBS.values(), ids=JOBS)
def test_says_the_same_in_the_certificates_of_both_signers(store: Store, facts: Witnessed) -> None:
    attestor = store.attestor
    fulcios, _predicate = signed(store, store.signer(), facts)
    keys = EmbeddedSignerKeys(key_file=attestor.key_file, base_url=attestor.issuer)
    initialise_signer(keys=keys, actor=OPERATOR, now=timezone.now())
    signer = EmbeddedSigner(key_file=attestor.key_file, issuer=attestor.issuer)

    embedded, _predicate = signed(store, signer, facts)

    assert embedded == fulcios
