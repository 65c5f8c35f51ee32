"""The seeded store …"""

import base64
import json
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from artifacts.models import Artifact, Build, Contribution, Download
from artifacts.usecases.verify_artifact import verify_artifact
from artifacts.wiring import endings
from kernel.audit.models import AuditRecord
from provenance.domain.build_facts import Witnessed
from provenance.domain.statement import parse
from provenance.models import Attestation, AttestationRequest
from provenance.usecases.attest_builds import attest_builds
from provenance.usecases.verify_subject import Judge
from tests.bench.seed import seed, sign_some
from tests.factories.actors import administrator
from tests.factories.attestor import new_attestor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def seeded() -> None:
    url = str(settings.ENVIRONMENT.migrator_database_url)
    seed(artifacts=800, url=url, now=timezone.now())


def test_has_rows_of_every_kind_that_the_product_reads() -> None:
    assert Artifact.objects.count() == 800
    assert {build.state for build in Build.objects.all()} == {"open", "sealed", "published"}
    assert AttestationRequest.objects.filter(state="pending").exists()
    assert min(Download.objects.count(), AuditRecord.objects.count()) >= 500
    for contribution in Contribution.objects.exclude(witnessed=None):
        assert Witnessed.from_json(contribution.witnessed or {}).job_key == contribution.job
    for attestation in Attestation.objects.all():
        envelope = json.loads(attestation.kept_bundle)["dsseEnvelope"]
        statement = parse(base64.b64decode(envelope["payload"]))
        assert statement.predicate_type == attestation.predicate_type
        assert {one.name for one in statement.subjects} == {
            one.path for one in Artifact.objects.filter(build_id=attestation.request.build)
        }


def test_believes_what_was_signed_and_nothing_that_was_only_seeded(tmp_path: Path) -> None:
    attestor = new_attestor(tmp_path)
    sign_some(count=8, now=timezone.now())
    while attest_builds(attestor=attestor, endings=endings(), clock=timezone.now):
        pass

    def is_believed(artifact: Artifact) -> bool:
        return verify_artifact(
            actor=administrator(),
            artifact=artifact,
            judge=Judge(attestor.verifier, key_is_shared=False),
            base_url=settings.PUBLIC_URL,
            now=timezone.now(),
        ).allowed

    found = Artifact.objects.filter(build__state="published").order_by("-stored_at")
    signed = found.filter(path__startswith="dist/signed-")
    # A project with a trusted publisher takes no release: six of eight came from a job.
    assert [is_believed(one) for one in signed].count(True) == 6
    assert not any(is_believed(one) for one in found.exclude(pk__in=signed)[:5])
