"""The addresses in our statements answer, and say what the code says."""

import base64
import json
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator

from provenance.domain.build_facts import Platform
from provenance.domain.builders import modes_of
from provenance.domain.fields import fields_of
from provenance.domain.platforms import FORMS
from provenance.domain.statement import parse
from provenance.models import AttestationRequest, LogTree, TreeKind
from provenance.usecases.attest_builds import Attestor, Endings, attest_builds
from tests.factories.facts import witnessed
from tests.factories.requests import requested
from tests.log_audit import NotOneHistory, check_consistency

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def sign(attestor: Attestor, count: int = 1) -> None:
    for number in range(count):
        requested(witnessed(run_id=str(number + 1)))
    endings = Endings(publish=lambda **_build: None, refuse=lambda **_build: None)
    attest_builds(
        attestor=attestor, endings=endings, clock=lambda: timezone.now() + timedelta(seconds=1)
    )


def local(url: str) -> str:
    return url.removeprefix(settings.PUBLIC_URL)


def test_answers_at_the_urls_of_a_signed_statement(attestor: Attestor, client: Client) -> None:
    sign(attestor)
    predicate = parse(bytes(AttestationRequest.objects.get().statement or b"")).predicate
    builder, kind = (
        predicate["runDetails"]["builder"]["id"],
        predicate["buildDefinition"]["buildType"],
    )

    page = client.get(local(builder)).json()
    assert page["id"] == builder
    assert page["level"] == "SLSA_BUILD_LEVEL_1"
    assert len(page["fields"]) == len(fields_of(FORMS[Platform.GITHUB]))
    schema = client.get(local(client.get(local(kind)).json()["schema"])).json()
    Draft202012Validator(schema).validate(predicate)


@pytest.mark.usefixtures("attestor")
def test_says_of_each_builder_whether_and_in_what_it_was_confirmed(client: Client) -> None:
    confirmed, unconfirmed = (
        client.get(f"/builders/github/hosted-{word}/v1").json()
        for word in ("confirmed", "unconfirmed")
    )

    assert confirmed["confirmed"] is True
    assert {"job_id", "commit", "hosting", "in_progress_at_seal"} <= set(confirmed["compared"])
    assert unconfirmed["confirmed"] is False
    assert unconfirmed["compared"] == []


@pytest.mark.parametrize("mode", [mode.name for mode in modes_of(Platform.GITHUB)])
def test_shows_people_a_page_for_each_builder(
    attestor: Attestor, client: Client, mode: str
) -> None:
    assert attestor.base_url == settings.PUBLIC_URL
    response = client.get(f"/builders/github/{mode}/v1", headers={"Accept": "text/html"})

    assert response.status_code == 200
    assert "Why not higher" in response.content.decode()
    assert "Accept" in response["Vary"]


@pytest.mark.parametrize(
    "address", ["/builders/github/hosted-confirmed/v1", "/buildtypes/github-actions-upload/v1"]
)
def test_tells_people_every_field_that_it_tells_machines(
    attestor: Attestor, client: Client, address: str
) -> None:
    assert attestor.base_url == settings.PUBLIC_URL
    fields = client.get(address).json()["fields"]
    page = client.get(address, headers={"Accept": "text/html"}).content.decode()

    shown = unescape(page.replace("<wbr>", ""))
    assert fields
    for field in fields:
        for value in field.values():
            assert f">{value}<" in shown


@pytest.mark.parametrize(
    "address",
    [
        "/builders/stranger/hosted-confirmed/v1",
        "/builders/github/magic/v1",
        "/builders/github/identity-only/v1",
        "/buildtypes/magic/v1",
        "/buildtypes/magic/v1/schema.json",
        "/builders/github/hosted-confirmed/v2",
        "/.well-known/trusted_root/99.json",
        "/log/nothing/checkpoint",
        "/log/nothing/consistency?first=0&second=0",
        "/problems/no-such-problem",
        "/nowhere",
    ],
)
def test_has_no_page_for_what_does_not_exist(
    attestor: Attestor, client: Client, address: str
) -> None:
    assert attestor.base_url
    response = client.get(address)

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["type"].startswith(f"{settings.PUBLIC_URL}/problems/")


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/problems/",
        "/problems/policy-not-met",
        "/attestors/release/v1",
        "/attestors/removal/v1",
        "/predicates/removal/v1",
        "/buildtypes/github-actions-upload/v1",
        "/buildtypes/gitlab-ci-upload/v1",
        "/buildtypes/oidc-upload/v1",
        "/.well-known/trusted_root_history.json",
        "/log/",
        "/healthz",
    ],
)
def test_answers_people_and_machines(attestor: Attestor, client: Client, address: str) -> None:
    assert attestor.base_url
    for accept in ("text/html,*/*;q=0.8", "application/json"):
        assert client.get(address, headers={"Accept": accept}).status_code == 200


def test_serves_the_trust_root_with_its_history(attestor: Attestor, client: Client) -> None:
    assert attestor.base_url
    current = client.get("/.well-known/trusted_root.json")
    history = client.get("/.well-known/trusted_root_history.json").json()

    assert json.loads(current.content)["mediaType"].startswith(
        "application/vnd.dev.sigstore.trustedroot"
    )
    assert history["current"] == 1
    listed = client.get(local(history["versions"][0]["url"]).replace("http://testserver", ""))
    assert listed.content == current.content


def test_proves_that_its_log_only_grows(attestor: Attestor, client: Client) -> None:
    """With the auditor's own arithmetic: the tree of an older checkpoint begins the newer one."""
    heads = []
    tree = LogTree.objects.get(kind=TreeKind.STATEMENTS)
    for _ in range(2):
        sign(attestor, 3)
        heads.append(client.get(f"/log/{tree.name}/checkpoint").content.decode().split("\n"))
    old, new = [(int(head[1]), base64.b64decode(head[2])) for head in heads]

    answer = client.get(f"/log/{tree.name}/consistency?first={old[0]}&second={new[0]}").json()

    hashes = [base64.b64decode(one) for one in answer["hashes"]]
    check_consistency(old[0], new[0], old[1], new[1], hashes)
    with pytest.raises(NotOneHistory):
        check_consistency(old[0], new[0], new[1], new[1], hashes)
    with pytest.raises(NotOneHistory):
        check_consistency(old[0], new[0], old[1], old[1], hashes)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "first=1",
        "first=-1&second=2",
        "first=2&second=1",
        "first=a&second=b",
        "first=0&second=999999",
    ],
)
def test_refuses_a_consistency_proof_that_cannot_be(
    attestor: Attestor, client: Client, query: str
) -> None:
    sign(attestor)
    tree = LogTree.objects.get(kind=TreeKind.STATEMENTS)

    assert client.get(f"/log/{tree.name}/consistency?{query}").status_code in (400, 404, 422)
