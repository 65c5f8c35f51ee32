"""Administrators name whose identities count: issuers of the instance, publishers of a project."""

import threading
from datetime import datetime

import pytest
from django.db import IntegrityError, connection

from access.domain.issuers import NewIssuer
from access.errors import IssuerNotAllowed, IssuerNotFound, IssuerTaken, PublisherNotAllowed
from access.models import Issuer, TrustedPublisher
from access.usecases.add_issuer import InstanceRules, add_issuer
from access.usecases.add_publisher import NewPublisher, add_publisher
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
            barrier.wait(10)
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
