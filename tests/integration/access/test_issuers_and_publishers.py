"""Administrators name whose identities count: issuers of the instance, publishers of a project."""

import threading
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.test import Client

from access.domain.issuers import IssuerAddress, NewIssuer
from access.errors import IssuerNotAllowed, IssuerNotFound, IssuerTaken, PublisherNotAllowed
from access.models import Issuer, TrustedPublisher
from access.usecases.add_issuer import InstanceRules, add_issuer
from access.usecases.add_publisher import NewPublisher, add_publisher
from access.usecases.create_token import create_token
from artifacts.models import Project
from kernel.actor import ANONYMOUS, Actor, Grant, Permission, PermissionMissing, Unauthenticated
from kernel.audit.models import AuditRecord
from provenance import queries as provenance
from provenance.domain.build_facts import Platform
from provenance.domain.builders import HOSTED_UNCONFIRMED, Level, builder_id
from provenance.domain.policy import Source
from tests.factories.identity_tokens import AUDIENCE, ISSUER

pytestmark = pytest.mark.django_db

GITHUB = NewIssuer("github", ISSUER, Platform.GITHUB)
PATH = ".github/workflows/release.yml"


@pytest.fixture
def github(rules: InstanceRules, admin: Actor, now: datetime) -> Issuer:
    return add_issuer(issuer=GITHUB, rules=rules, actor=admin, now=now)


def maintainer(project: Project) -> Actor:
    return Actor("user:maintainer", frozenset({Grant(Permission.ADMINISTER, project.id)}))


def test_grants_the_builders_of_a_new_issuer_their_levels(
    rules: InstanceRules, admin: Actor, now: datetime
) -> None:
    added = add_issuer(issuer=GITHUB, rules=rules, actor=admin, now=now)

    version = provenance.trust_state().trust_map_version
    levels = provenance.trust_map(version=version, key_is_shared=False).levels
    assert added.name == "github"
    assert levels[builder_id("github", HOSTED_UNCONFIRMED, base_url=AUDIENCE)] is Level.L1
    assert AuditRecord.objects.get(action="issuer.add").facts["url"] == ISSUER


def test_lets_only_administrators_of_the_instance_add_an_issuer(
    rules: InstanceRules, project: Project, now: datetime
) -> None:
    with pytest.raises(PermissionMissing):
        add_issuer(issuer=GITHUB, rules=rules, actor=maintainer(project), now=now)
    with pytest.raises(Unauthenticated):
        add_issuer(issuer=GITHUB, rules=rules, actor=ANONYMOUS, now=now)
    assert not Issuer.objects.exists()


@pytest.mark.usefixtures("github")
@pytest.mark.parametrize(
    "taken",
    [
        NewIssuer("github", ISSUER, Platform.GITHUB),
        NewIssuer("other", ISSUER, Platform.GITHUB),
    ],
)
def test_gives_names_and_urls_of_issuers_once(
    taken: NewIssuer, rules: InstanceRules, admin: Actor, now: datetime
) -> None:
    with pytest.raises(IssuerTaken):
        add_issuer(issuer=taken, rules=rules, actor=admin, now=now)

    assert Issuer.objects.count() == 1


def test_refuses_the_store_as_its_own_issuer(
    rules: InstanceRules, admin: Actor, now: datetime
) -> None:
    for url in (AUDIENCE, AUDIENCE.replace("http:", "https:"), f"{AUDIENCE}/attestors"):
        own = NewIssuer("own", url, Platform.GITHUB)
        with pytest.raises(IssuerNotAllowed) as refused:
            add_issuer(issuer=own, rules=rules, actor=admin, now=now)

        assert refused.value.facts["rule"] == "own-url"


def test_makes_the_publishers_repository_a_source_of_the_policy(
    github: Issuer, project: Project, now: datetime
) -> None:
    actor = maintainer(project)
    assert provenance.current_policy(scope=project.scope).accepts_release

    for repository_id in ("4242", "4343", "4242"):
        path = f".github/workflows/{repository_id}.yml"
        new = NewPublisher(github.name, repository_id, "77", path)
        add_publisher(project=project, publisher=new, actor=actor, now=now)

    policy = provenance.current_policy(scope=project.scope)
    assert set(policy.sources) == {Source(ISSUER, "4242", "77"), Source(ISSUER, "4343", "77")}
    assert not policy.accepts_release
    assert AuditRecord.objects.filter(action="publisher.add").count() == 2


def test_gives_the_publisher_that_is_there_already(
    github: Issuer, project: Project, now: datetime
) -> None:
    new = NewPublisher(github.name, "4242", "77", PATH)
    first = add_publisher(project=project, publisher=new, actor=maintainer(project), now=now)

    again = add_publisher(project=project, publisher=new, actor=maintainer(project), now=now)

    assert again.id == first.id
    assert provenance.current_policy(scope=project.scope).version == 1


def test_lets_only_administrators_of_the_project_add_a_publisher(
    github: Issuer, project: Project, other_project: Project, now: datetime
) -> None:
    new = NewPublisher(github.name, "4242", "77", PATH)
    uploader = Actor("x", frozenset({Grant(Permission.UPLOAD, project.id)}))

    for actor in (maintainer(other_project), uploader):
        with pytest.raises(PermissionMissing):
            add_publisher(project=project, publisher=new, actor=actor, now=now)
    with pytest.raises(Unauthenticated):
        add_publisher(project=project, publisher=new, actor=ANONYMOUS, now=now)
    assert not TrustedPublisher.objects.exists()


def test_refuses_an_issuer_that_the_instance_does_not_have(project: Project, now: datetime) -> None:
    new = NewPublisher("github", "4242", "77", PATH)

    with pytest.raises(IssuerNotFound):
        add_publisher(project=project, publisher=new, actor=maintainer(project), now=now)


@pytest.mark.parametrize(
    "claims",
    [("", "77", PATH), ("4242", "", PATH), ("4242", "77", ""), ("4242", "77", "release.yml")],
)
def test_refuses_a_publisher_with_an_empty_or_unmatchable_claim(
    github: Issuer, project: Project, now: datetime, claims: tuple[str, str, str]
) -> None:
    new = NewPublisher(github.name, *claims)

    with pytest.raises(PublisherNotAllowed):
        add_publisher(project=project, publisher=new, actor=maintainer(project), now=now)


@pytest.mark.parametrize("empty", ["repository_id", "owner_id", "workflow_path"])
def test_keeps_empty_claims_out_of_the_table_too(
    github: Issuer, project: Project, now: datetime, empty: str
) -> None:
    claims = {"repository_id": "4242", "owner_id": "77", "workflow_path": PATH, empty: ""}

    with pytest.raises(IntegrityError, match="publisher_claims_are_given"):
        TrustedPublisher.objects.create(
            project=project, issuer=github, created_at=now, created_by="x", **claims
        )


@pytest.mark.django_db(transaction=True)
def test_loses_no_source_when_publishers_are_added_at_once(
    github: Issuer, project: Project, now: datetime
) -> None:
    barrier = threading.Barrier(6)

    def add(number: int) -> None:
        try:
            barrier.wait(60)
            new = NewPublisher(github.name, f"{number}", "77", PATH)
            add_publisher(project=project, publisher=new, actor=maintainer(project), now=now)
        finally:
            connection.close()

    threads = [threading.Thread(target=add, args=[number]) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    sources = provenance.current_policy(scope=project.scope).sources
    assert {source.repository_id for source in sources} == set("123456")


def test_adds_the_preset_issuers_by_their_names(
    client: Client, admin: Actor, now: datetime
) -> None:
    made = create_token(
        name="setup",
        project=None,
        permissions=[Permission.ADMINISTER],
        life=timedelta(hours=1),
        actor=admin,
        now=now,
    )
    headers = {"Authorization": f"Bearer {made.secret}"}

    def add(**body: object) -> tuple[int, dict[str, object]]:
        answer = client.post(
            "/api/v1/issuers", body, content_type="application/json", headers=headers
        )
        return answer.status_code, answer.json()

    github, gitlab = add(preset="github.com"), add(preset="gitlab.com")

    assert (github[0], gitlab[0]) == (201, 201)
    assert github[1]["name"] == "github"
    assert github[1]["url"] == ISSUER
    assert gitlab[1]["name"] == gitlab[1]["platform"] == "gitlab"
    assert gitlab[1]["url"] == "https://gitlab.com"
    assert gitlab[1]["algorithms"] == ["RS256"]
    assert gitlab[1]["longest_life_seconds"] == 3600
    assert gitlab[1]["allows_private_addresses"] is False
    refused = add(preset="bitbucket.org")
    assert (refused[0], refused[1]["rule"]) == (422, "preset")
    beyond: list[dict[str, object]] = [
        {"algorithms": ["HS256"]},
        {"algorithms": []},
        {"longest_life_seconds": 86_401},
    ]
    for wrong in beyond:
        own = {"name": "own", "url": "https://git.example", "platform": "gitlab"}
        assert add(**own, **wrong)[1]["code"] == "issuer-not-allowed"


def test_adds_an_issuer_on_the_command_line() -> None:
    call_command("add_issuer", "gitlab.com", stdout=StringIO())
    own = ["--url=https://git.acme.test", "--platform=gitlab", "--longest-life=7200"]
    call_command("add_issuer", "acme", *own, "--allow-private-addresses", stdout=StringIO())

    acme = Issuer.objects.get(name="acme")
    assert acme.longest_life_seconds == 7200
    assert acme.address == IssuerAddress(
        "https://git.acme.test", is_development=False, allows_private_addresses=True
    )
    for wrong in (["bitbucket.org"], ["gitlab.com"], ["own", "--url=https://git.example"]):
        with pytest.raises(CommandError):
            call_command("add_issuer", *wrong, stdout=StringIO())


def test_keeps_publishers_of_other_terms_apart(
    github: Issuer, project: Project, now: datetime
) -> None:
    terms: list[dict[str, Any]] = [
        {},
        {"ref": "refs/tags/*"},
        {"environment": "release"},
        {"requires_protected_ref": True},
        {"events": ("merge_group", "pull_request")},
        {"events": ("pull_request", "merge_group", "pull_request")},
        {"reusable_workflow": "acme/ci/.github/workflows/build.yml"},
    ]
    for one in terms:
        new = NewPublisher(github.name, "4242", "77", PATH, **one)
        add_publisher(project=project, publisher=new, actor=maintainer(project), now=now)

    assert TrustedPublisher.objects.count() == 6
    sources = provenance.current_policy(scope=project.scope).sources
    assert sources == (Source(ISSUER, "4242", "77"),)


def test_grants_a_generic_issuer_one_builder_that_claims_nothing(
    rules: InstanceRules, project: Project, admin: Actor, now: datetime
) -> None:
    url = "https://ci.acme.test"
    new = NewIssuer("acme-ci", url, Platform.GENERIC)
    add_issuer(issuer=new, rules=rules, actor=admin, now=now)
    trusted = NewPublisher("acme-ci", subject="job:release/widget")
    add_publisher(project=project, publisher=trusted, actor=maintainer(project), now=now)

    version = provenance.trust_state().trust_map_version
    levels = provenance.trust_map(version=version, key_is_shared=False).levels
    assert levels == {f"{AUDIENCE}/builders/acme-ci/identity-only/v1": Level.L0}
    sources = provenance.current_policy(scope=project.scope).sources
    assert sources == (Source(url, subject="job:release/widget"),)
