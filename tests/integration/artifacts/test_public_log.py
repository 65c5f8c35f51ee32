"""A store with two lines: its own log, and a real public instance that a recorder listens to."""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from django.utils import timezone

from artifacts.models import Project
from artifacts.usecases.change_visibility import change_visibility
from artifacts.usecases.choose_transparency import choose_transparency
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from artifacts.usecases.permit_transparency import permit_transparency
from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.signer_keys import EmbeddedSignerKeys
from provenance.adapters.fulcio_certificate import FULCIO
from provenance.adapters.joined_keys import JoinedKeys
from provenance.adapters.sigstore_instance.configuration import Log
from provenance.adapters.sigstore_instance.rehearsal import (
    CERTIFICATE,
    SIGNATURE,
    Rehearsal,
    named,
    rehearse,
)
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.transparency import Transparency
from provenance.models import Attestation, AttestationRequest, RequestState
from provenance.ports import SigningJob
from provenance.usecases.attest_builds import Attestor, Endings, asked_for, attest_builds
from provenance.usecases.initialise_signer import initialise_signer
from provenance.usecases.preview_publication import preview_publication
from tests.factories.actors import administrator
from tests.factories.facts import witnessed
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.doubles import Forward, double
from tests.factories.private_sigstore.serving import Answer, Request
from tests.factories.private_sigstore.store import Store
from tests.factories.requests import requested

PUBLIC = Transparency.PUBLIC_LOG
SECRET = "acme/secret"


@dataclass
class Recorder:
    """Listens to everything that a public instance is sent, and answers with the real one."""

    tokens: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def certify(self, request: Request, forward: Forward) -> Answer:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.tokens.append(jwt.decode(token, options={"verify_signature": False}))
        return forward(request)

    def enter(self, request: Request, forward: Forward) -> Answer:
        self.entries.append(json.loads(request.body))
        return forward(request)

    @property
    def digests(self) -> set[str]:
        """Of the envelopes that were entered: of what a signature is about."""
        return {entry["hashedRekordRequestV002"]["digest"] for entry in self.entries}

    def has_seen(self, request: AttestationRequest, *, base_url: str) -> bool:
        """Whether anything about the request was sent: its job, its statement, or its digest."""
        asked = asked_for(request=request, confirmation=None, base_url=base_url)
        heard = json.dumps([self.tokens, self.entries])
        return (
            envelope_digest(asked.statement) in self.digests
            or base64.b64encode(asked.statement).decode() in heard
            or any(text in heard for number, text in asked.claims.items() if number in (12, 21))
        )


def envelope_digest(statement: bytes) -> str:
    """What a DSSE signature is about (DSSE, protocol, PAE), as Rekor v2 has it."""
    kind = b"application/vnd.in-toto+json"
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(statement), statement)
    return base64.b64encode(hashlib.sha256(pae).digest()).decode()


@dataclass
class TwoLines:
    """The worker of such a store."""

    store: Store
    attestor: Attestor
    recorder: Recorder

    def attest(self) -> None:
        attest_builds(
            attestor=self.attestor,
            endings=Endings(
                publish=lambda **_build: None,
                refuse=lambda **_build: None,
                transparencies=permit_transparency,
            ),
            clock=timezone.now,
        )

    def has_seen(self, requests: Sequence[AttestationRequest]) -> list[bool]:
        base = self.attestor.base_url
        return [self.recorder.has_seen(request, base_url=base) for request in requests]


@pytest.fixture
def lines(sigstore: Sigstore, tmp_path: Path, transactional_db: None) -> Iterator[TwoLines]:  # noqa: ARG001 - real commits
    store, recorder = Store.create(sigstore, tmp_path), Recorder()
    issuer = store.attestor.issuer
    key_file, instance = store.attestor.key_file, store.attestor.instance
    embedded = EmbeddedSignerKeys(key_file=key_file, base_url=issuer)
    initialise_signer(
        keys=JoinedKeys(embedded, [store.attestor.keys]),
        actor=administrator(),
        now=timezone.now(),
    )
    with ExitStack() as stack:
        elsewhere = {
            "fulcio": stack.enter_context(double(instance.fulcio, recorder.certify)),
            "rekor": stack.enter_context(double(instance.rekor, recorder.enter)),
        }
        attestor = Attestor(
            signer=EmbeddedSigner(key_file=key_file, issuer=issuer),
            verifier=SigstoreVerifier(),
            base_url=issuer,
            elsewhere={PUBLIC: store.signer(elsewhere, transparency=PUBLIC)},
        )
        yield TwoLines(store, attestor, recorder)


def project(name: str, *, is_public: bool) -> Project:
    return create_project(
        actor=administrator(),
        organization="acme",
        slug=name,
        is_public=is_public,
        now=timezone.now(),
    )


@pytest.fixture
def shown(transactional_db: None) -> Project:  # noqa: ARG001 - real commits
    """A public project whose owner wants the public log."""
    create_organization(actor=administrator(), slug="acme", now=timezone.now())
    return choose_transparency(
        actor=administrator(),
        project=project("shown", is_public=True),
        transparency=PUBLIC,
        offered=[PUBLIC],
        now=timezone.now(),
    )


@pytest.fixture
def secret(shown: Project) -> Project:  # noqa: ARG001 - its organization
    return project("secret", is_public=False)


def test_sends_nothing_of_a_private_project_to_a_public_instance(
    lines: TwoLines, shown: Project, secret: Project
) -> None:
    """Builds of both in one batch, and of one that becomes private before the worker comes."""
    late = choose_transparency(
        actor=administrator(),
        project=project("late", is_public=True),
        transparency=PUBLIC,
        offered=[PUBLIC],
        now=timezone.now(),
    )
    seen = [requested(witnessed(run_id=str(n)), scope=shown.scope) for n in range(1000, 1003)]
    unseen = [
        requested(witnessed(repository=SECRET, run_id=str(n)), scope=one.scope)
        for n, one in ((2000, secret), (2001, late), (2002, secret))
    ]
    change_visibility(
        actor=administrator(),
        organization="acme",
        project="late",
        is_public=False,
        now=timezone.now(),
    )

    lines.attest()

    assert lines.has_seen(seen) == [True] * 3
    assert lines.has_seen(unseen) == [False] * 3
    assert SECRET not in json.dumps(lines.recorder.tokens)
    assert (len(lines.recorder.tokens), len(lines.recorder.entries)) == (3, 3)
    # And all six are signed and verified, each by the line that it belongs to.
    states = AttestationRequest.objects.values_list("state", flat=True)
    assert set(states) == {RequestState.ATTESTED}
    assert Attestation.objects.count() == 6


def test_is_not_talked_into_it_by_who_signs_for_others(lines: TwoLines, secret: Project) -> None:
    """The public signer itself refuses what is not meant for it, and sends nothing."""
    asked = asked_for(
        request=requested(witnessed(), scope=secret.scope),
        confirmation=None,
        base_url=lines.attestor.base_url,
    )

    (refused,) = lines.attestor.elsewhere[PUBLIC].sign(
        [SigningJob(asked.statement, asked.identity, asked.claims)]
    )

    assert isinstance(refused, Exception)
    assert "transparency-differs" in str(refused)
    assert not lines.recorder.tokens
    assert not lines.recorder.entries


def fulcio_bytes(certificate: x509.Certificate) -> dict[str, bytes]:
    """Fulcio's extensions and the subject, byte for byte."""
    found = {
        one.oid.dotted_string: one.value.public_bytes()
        for one in certificate.extensions
        if one.oid.dotted_string.startswith(FULCIO)
    }
    subject = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return {**found, subject.oid.dotted_string: subject.value.public_bytes()}


def test_shows_beforehand_what_fulcio_issues_and_rekor_stores(
    lines: TwoLines, shown: Project
) -> None:
    request = requested(witnessed(), scope=shown.scope)
    base = lines.attestor.base_url
    rehearsal = Rehearsal(description=lines.store.attestor.files, issuer=base)
    (preview,) = preview_publication(
        build=request.build, disclosure=rehearsal, base_url=base, now=timezone.now()
    )
    asked = asked_for(request=request, confirmation=None, base_url=base)
    rehearsed = rehearse(
        SigningJob(asked.statement, asked.identity, asked.claims),
        log=Log(lines.store.attestor.instance.rekor, 2),
        issuer=base,
        now=timezone.now(),
    )

    lines.attest()

    bundle = json.loads(Attestation.objects.get().kept_bundle)
    material = bundle["verificationMaterial"]
    raw = material["certificate"]["rawBytes"]
    certificate = x509.load_der_x509_certificate(base64.b64decode(raw))
    random = {bundle["dsseEnvelope"]["signatures"][0]["sig"]: SIGNATURE, raw: CERTIFICATE}
    (sent,) = lines.recorder.entries
    stored = json.loads(base64.b64decode(material["tlogEntries"][0]["canonicalizedBody"]))
    kept = named(stored, random)["spec"]["hashedRekordV002"]
    shown_entry = preview["log_entry"]["stored"]["hashedRekordRequestV002"]
    assert fulcio_bytes(rehearsed.certificate) == fulcio_bytes(certificate)
    assert preview["certificate"]["extensions"] == [
        {"oid": oid, "value": text} for oid, text in texts(certificate)
    ]
    assert named(sent, random) == preview["log_entry"]["sent"]
    assert kept["data"]["digest"] == shown_entry["digest"] == envelope_digest(asked.statement)
    assert kept["signature"] == shown_entry["signature"]
    assert set(kept) == {"data", "signature"}
    assert base64.b64encode(asked.statement).decode() not in json.dumps([sent, stored])


def texts(certificate: x509.Certificate) -> list[tuple[str, str]]:
    """Fulcio's extensions as a stranger reads them: the first is bare, the others a UTF8String."""
    found = []
    for oid, value in fulcio_bytes(certificate).items():
        if oid.startswith(FULCIO):
            number = int(oid.removeprefix(FULCIO))
            # Tag, length of one or two octets (X.690, section 8.1.3), text.
            start = 0 if number == 1 else 2 if value[1] < 0x80 else 3
            found.append((number, oid, value[start:].decode()))
    return [(oid, text) for _number, oid, text in sorted(found)]
