"""The pre-flight: what the exchange would give, asked with the CI token alone, which stays good."""

import json
from typing import Any

import pytest
from django.test import Client

from access.models import Token, TrustedPublisher, UsedTokenId
from artifacts.models import Project
from kernel.audit.models import AuditRecord
from tests.factories.ci_issuer import CiIssuer
from tests.factories.identity_tokens import AUDIENCE, COMMIT, rsa_key, signed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("publisher")]

PREFLIGHT, MINT = "/_/oidc/preflight", "/_/oidc/mint-token"


def post(client: Client, path: str, **body: object) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


def test_says_what_the_exchange_would_give_and_uses_nothing_up(
    client: Client, ci: CiIssuer
) -> None:
    identity_token = ci.token()
    before = AuditRecord.objects.count()

    answers = [post(client, PREFLIGHT, token=identity_token).json() for _ in range(2)]

    told = answers[0]
    assert answers[1] == told
    assert told["project"] == "acme/widget"
    assert told["identity"]["commit"] == COMMIT
    assert told["builder_id"] == f"{AUDIENCE}/builders/development/hosted-unconfirmed/v1"
    assert told["level"] == "SLSA_BUILD_LEVEL_0"
    assert "development issuer" in told["why_not_higher"][0]
    assert told["policy"] == {"verdict": "passed", "reason": "", "enforcement": "enforce"}
    assert not Token.objects.exists()
    assert not UsedTokenId.objects.exists()
    assert AuditRecord.objects.count() == before
    assert post(client, MINT, token=identity_token).status_code == 200


def test_says_what_would_become_public(client: Client, ci: CiIssuer, project: Project) -> None:
    private = post(client, PREFLIGHT, token=ci.token()).json()["public"]
    Project.objects.filter(pk=project.pk).update(is_public=True)
    public = post(client, PREFLIGHT, token=ci.token()).json()["public"]

    assert (private["files"], private["statements"]) == (False, False)
    assert (public["files"], public["statements"]) == (True, True)
    assert private["why"][0].startswith("signing publishes nothing")


def test_says_that_the_policy_would_refuse(
    client: Client, ci: CiIssuer, publisher: TrustedPublisher
) -> None:
    """A publisher without the source that its policy lists: the upload would be for nothing."""
    TrustedPublisher.objects.filter(pk=publisher.pk).update(owner_id="78")

    told = post(client, PREFLIGHT, token=ci.token(repository_owner_id="78")).json()

    assert told["policy"]["verdict"] == "failed"
    assert told["policy"]["reason"] == "source-mismatch"


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "https://other.example"},
        {"exp": 1_700_000_000},
        {"iss": "https://evil.example"},
        {"event_name": "pull_request_target"},
        {"event_name": "pull_request"},
        {"repository_id": "1"},
        {"repository_owner_id": "78"},
        {"sha": None},
        {"jti": None},
        {"job_workflow_ref": "evil/ci/.github/workflows/x.yml@refs/heads/main"},
    ],
)
def test_refuses_as_the_exchange_does(client: Client, ci: CiIssuer, change: dict[str, Any]) -> None:
    identity_token = ci.token(**change)

    asked = post(client, PREFLIGHT, token=identity_token, project="acme/widget")
    exchanged = post(client, MINT, token=identity_token, project="acme/widget")

    # A second may pass between the two.
    ours = {**asked.json(), "instance": MINT} | {"now": 0}
    assert asked.status_code == exchanged.status_code >= 400
    assert ours == {**exchanged.json(), "instance": MINT} | {"now": 0}


def test_refuses_a_token_that_was_used_up(client: Client, ci: CiIssuer) -> None:
    identity_token = ci.token()
    assert post(client, MINT, token=identity_token).status_code == 200

    assert post(client, PREFLIGHT, token=identity_token).json()["code"] == "token-id-reused"


def test_tells_a_stranger_nothing_of_a_project(
    client: Client, ci: CiIssuer, project: Project
) -> None:
    stranger = ci.token(repository_id="1")
    answers = []
    for name in (str(project), "acme/absent", "absent/absent"):
        document = post(client, PREFLIGHT, token=stranger, project=name).json()
        answers.append(document)
    forged = signed(ci.claims(), rsa_key("stranger"))

    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["code"] == "no-matching-publisher"
    assert post(client, PREFLIGHT, token=forged).json()["code"] == "signature-invalid"
