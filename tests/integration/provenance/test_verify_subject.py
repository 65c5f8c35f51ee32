"""Verdicts over stored evidence: forged rows prove nothing, and no kept answer is out of date."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from config.owner import as_owner
from kernel.actor import Actor
from kernel.digest import Sha256
from provenance.domain.builders import Level
from provenance.domain.evidence import Expected
from provenance.domain.policy import Enforcement, Source
from provenance.domain.report import Verdict
from provenance.domain.scope import Scope
from provenance.domain.statement import Subject
from provenance.errors import TrustRootMissing
from provenance.models import (
    Attestation,
    AttestationRequest,
    AttestationSubject,
    StoredDecision,
    TrustState,
)
from provenance.usecases.attest_builds import Attestor, Endings, attest_builds
from provenance.usecases.end_bundles import Cause, end_bundles
from provenance.usecases.request_attestation import request_attestation
from provenance.usecases.save_bundles import save_nothing
from provenance.usecases.set_policy import set_policy
from provenance.usecases.verify_subject import Judge, verify_subject
from tests.factories.facts import ISSUER, witnessed
from tests.factories.requests import DIGEST, SCOPE, requested, subject_of

pytestmark = pytest.mark.django_db

OPERATOR = Actor("operator")
OTHER = Scope(SCOPE.organization, UUID(int=99))
SOURCE = Source(ISSUER, "4242", "77")


def attest(attestor: Attestor) -> None:
    endings = Endings(publish=lambda **_build: None, refuse=lambda **_build: None)
    attest_builds(attestor=attestor, endings=endings, clock=timezone.now)


def policy(scope: Scope = SCOPE, **changes: object) -> None:
    with transaction.atomic():
        wanted = {"sources": [SOURCE], **changes}
        set_policy(scope=scope, actor=OPERATOR, now=timezone.now(), **wanted)  # type: ignore[arg-type]


def answer(
    attestor: Attestor,
    build: UUID,
    *,
    scope: Scope = SCOPE,
    digest: Sha256 = DIGEST,
    subject: Subject | None = None,
    later: timedelta = timedelta(0),
) -> Verdict:
    return verify_subject(
        expected=Expected(scope, build, subject or subject_of(digest), settings.PUBLIC_URL),
        judge=Judge(verifier=attestor.verifier, key_is_shared=False),
        now=timezone.now() + later,
    )


def plant(bundle: bytes, *, build: UUID, scope: Scope = SCOPE, digest: Sha256 = DIGEST) -> None:
    """What somebody with the runtime role's rights can do: insert rows that say anything."""
    request = requested(None, scope=scope, digests=[digest])
    planted = Attestation.objects.create(
        request=request,
        organization_id=scope.organization,
        project_id=scope.project,
        build_id=build,
        predicate_type="https://slsa.dev/provenance/v1",
        bundle=bundle,
        bundle_sha256="0" * 64,
        recorded_at=timezone.now(),
    )
    AttestationSubject.objects.create(
        attestation=planted,
        project_id=scope.project,
        build_id=build,
        sha256=digest.hex,
        name="dist/planted",
    )


@pytest.fixture
def genuine(attestor: Attestor) -> AttestationRequest:
    """An attested build of acme/widget, under a policy that knows its source."""
    policy()
    request = requested(witnessed())
    attest(attestor)
    return request


def bundle_of(request: AttestationRequest) -> bytes:
    return Attestation.objects.get(request=request).kept_bundle


def test_passes_the_genuine_artifact_and_tells_the_whole_story(
    attestor: Attestor, genuine: AttestationRequest
) -> None:
    verdict = answer(attestor, genuine.build)

    assert verdict.allowed
    assert verdict.level is Level.L1
    assert verdict.document["provenance"]["commit"] == "a" * 40
    assert [step["step"] for step in verdict.document["attestations"][0]["steps"]][-1] == "source"
    assert all(step["passed"] for step in verdict.document["attestations"][0]["steps"])


def test_denies_bytes_that_no_statement_of_the_build_names(
    attestor: Attestor, genuine: AttestationRequest
) -> None:
    assert answer(attestor, genuine.build, digest=Sha256("cd" * 32)).reason == "no-attestation"


def test_finds_no_evidence_in_another_project_or_build(
    attestor: Attestor, genuine: AttestationRequest
) -> None:
    policy(OTHER)

    assert answer(attestor, genuine.build, scope=OTHER).reason == "no-attestation"
    assert answer(attestor, uuid4()).reason == "no-attestation"
    assert answer(attestor, genuine.build).allowed


def test_refuses_another_projects_bundle_in_a_planted_row(
    attestor: Attestor, genuine: AttestationRequest
) -> None:
    policy(OTHER)
    plant(bundle_of(genuine), build=genuine.build, scope=OTHER)

    assert answer(attestor, genuine.build, scope=OTHER).reason == "scope-mismatch"


def test_refuses_another_builds_statement_for_identical_bytes_in_a_planted_row(
    attestor: Attestor, genuine: AttestationRequest
) -> None:
    build = uuid4()
    plant(bundle_of(genuine), build=build)

    assert answer(attestor, build).reason == "build-mismatch"


def test_refuses_a_statement_about_other_bytes_in_a_planted_row(
    attestor: Attestor, genuine: AttestationRequest
) -> None:
    other = Sha256("cd" * 32)
    plant(bundle_of(genuine), build=genuine.build, digest=other)

    assert answer(attestor, genuine.build, digest=other).reason == "subject-mismatch"


@pytest.mark.django_db(transaction=True, databases=["default", "migrator"])
def test_refuses_what_has_ended_however_it_was_decided_before(
    attestor: Attestor, genuine: AttestationRequest
) -> None:
    before = answer(attestor, genuine.build)
    with as_owner(), transaction.atomic():
        end_bundles(
            scope=SCOPE,
            saved=save_nothing(builds=[genuine.build]),
            cause=Cause(days=400, by="an operator too early"),
            now=timezone.now(),
        )

    after = answer(attestor, genuine.build)

    assert before.allowed
    assert (after.allowed, after.reason) == (False, "malformed-bundle")


def test_gives_a_file_nothing_of_another_files_job_even_when_their_bytes_are_the_same(
    attestor: Attestor,
) -> None:
    policy()
    build, files = uuid4(), [Subject("dist/built", DIGEST), Subject("dist/brought", DIGEST)]
    with transaction.atomic():
        for subject, facts in zip(files, [witnessed(), None], strict=True):
            request_attestation(
                scope=SCOPE,
                build=build,
                subjects=[subject],
                facts=facts,
                opened_at=timezone.now(),
                now=timezone.now(),
            )
    attest(attestor)

    built, brought = (answer(attestor, build, subject=subject) for subject in files)

    assert built.allowed
    assert built.level is Level.L1
    assert not brought.allowed
    reasons = {finding["reason"] for finding in brought.document["attestations"]}
    assert reasons == {"subject-name-mismatch", "release-only"}


def edited(bundle: bytes) -> bytes:
    document = json.loads(bundle)
    payload = base64.b64decode(document["dsseEnvelope"]["payload"])
    changed = payload.replace(b"a" * 40, b"f" * 40)
    document["dsseEnvelope"]["payload"] = base64.b64encode(changed).decode()
    return json.dumps(document).encode()


def reencoded(bundle: bytes) -> bytes:
    return json.dumps(json.loads(bundle), indent=1).encode()


@pytest.mark.parametrize(
    ("change", "reason"), [(edited, "signature-invalid"), (reencoded, "")], ids=["forged", "twin"]
)
def test_refuses_an_edited_statement_and_still_sees_the_genuine_one(
    attestor: Attestor,
    genuine: AttestationRequest,
    change: Callable[[bytes], bytes],
    reason: str,
) -> None:
    plant(change(bundle_of(genuine)), build=genuine.build)

    verdict = answer(attestor, genuine.build)

    assert [one["reason"] for one in verdict.document["attestations"]] == ["", reason]
    assert verdict.allowed


def test_refuses_a_statement_of_the_right_bytes_by_the_wrong_builder(attestor: Attestor) -> None:
    """Signed by our own attestor, but with an issuer's builder that nobody granted."""
    policy()
    wrong = requested(witnessed(issuer_name="stranger"))
    twin = requested(witnessed())
    attest(attestor)

    assert answer(attestor, wrong.build).reason == "builder-not-trusted"
    assert answer(attestor, twin.build).allowed


@pytest.mark.parametrize(
    "changes", [{"repository_id": "1"}, {"owner_id": "1"}, {"issuer": "https://other.test"}]
)
def test_refuses_a_job_of_another_source(attestor: Attestor, changes: dict[str, str]) -> None:
    policy()
    wrong, twin = requested(witnessed(**changes)), requested(witnessed())
    attest(attestor)

    assert answer(attestor, wrong.build).reason == "source-mismatch"
    assert answer(attestor, twin.build).allowed


def test_passes_no_release_where_provenance_is_required(attestor: Attestor) -> None:
    release = requested(None)
    attest(attestor)
    assert answer(attestor, release.build).allowed

    policy()

    assert answer(attestor, release.build).reason == "release-only"


def test_serves_under_observation_and_says_that_it_failed(attestor: Attestor) -> None:
    policy(enforcement=Enforcement.OBSERVE)
    release = requested(None)
    attest(attestor)

    verdict = answer(attestor, release.build)

    assert verdict.serves
    assert not verdict.allowed
    assert verdict.document["verdict"] == "failed"


def test_keeps_its_answer_until_something_it_depends_on_changes(
    attestor: Attestor, genuine: AttestationRequest
) -> None:
    first = answer(attestor, genuine.build)
    again = answer(attestor, genuine.build, later=timedelta(minutes=5))
    assert again.document == first.document
    assert StoredDecision.objects.count() == 1

    policy(enforcement=Enforcement.OBSERVE)
    assert answer(attestor, genuine.build).document["enforcement"] == "observe"
    TrustState.objects.update(revocation_epoch=1)
    assert answer(attestor, genuine.build).document["basis"]["revocation_epoch"] == 1
    TrustState.objects.update(trust_map_version=0)
    assert answer(attestor, genuine.build).reason == "builder-not-trusted"
    plant(b"{}", build=genuine.build)
    assert len(answer(attestor, genuine.build).document["attestations"]) == 2


def test_asks_again_when_a_kept_answer_no_longer_holds(
    attestor: Attestor, genuine: AttestationRequest
) -> None:
    first = answer(attestor, genuine.build)

    later = answer(attestor, genuine.build, later=timedelta(days=2))

    assert later.allowed
    assert later.document["decided_at"] != first.document["decided_at"]


def test_allows_nothing_without_a_trust_root(
    attestor: Attestor, genuine: AttestationRequest
) -> None:
    TrustState.objects.update(trust_root_version=0)

    with pytest.raises(TrustRootMissing):
        answer(attestor, genuine.build)
