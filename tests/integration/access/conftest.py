"""An instance with one project, one issuer that really answers, and an administrator."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from access.adapters.http_keys import HttpKeySource
from access.domain.issuers import NewIssuer
from access.models import Issuer, TrustedPublisher
from access.usecases.add_issuer import InstanceRules, add_issuer
from access.usecases.add_publisher import NewPublisher, add_publisher
from access.usecases.identify_job import Exchange
from artifacts.models import Organization, Project
from kernel.actor import Actor, Grant, Permission
from provenance.domain.build_facts import Platform
from tests.factories.ci_issuer import CiIssuer, running_issuer
from tests.factories.identity_tokens import AUDIENCE

WORKFLOW_PATH = ".github/workflows/release.yml"


@pytest.fixture
def ci() -> Iterator[CiIssuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture
def now() -> datetime:
    return datetime.now(tz=UTC)


@pytest.fixture
def admin() -> Actor:
    return Actor("user:admin", frozenset({Grant(Permission.ADMINISTER)}))


@pytest.fixture
def rules() -> InstanceRules:
    return InstanceRules(own_url=AUDIENCE, allows_development_issuer=True)


@pytest.fixture
def organization(now: datetime) -> Organization:
    return Organization.objects.create(slug="acme", created_at=now)


@pytest.fixture
def project(organization: Organization, now: datetime) -> Project:
    return Project.objects.create(organization=organization, slug="widget", created_at=now)


@pytest.fixture
def other_project(organization: Organization, now: datetime) -> Project:
    return Project.objects.create(organization=organization, slug="other", created_at=now)


@pytest.fixture
def issuer(ci: CiIssuer, rules: InstanceRules, admin: Actor, now: datetime) -> Issuer:
    new = NewIssuer("development", ci.url, Platform.GITHUB, is_development=True)
    return add_issuer(issuer=new, rules=rules, actor=admin, now=now)


@pytest.fixture
def publisher(issuer: Issuer, project: Project, admin: Actor, now: datetime) -> TrustedPublisher:
    new = NewPublisher(issuer.name, "4242", "77", WORKFLOW_PATH)
    return add_publisher(project=project, publisher=new, actor=admin, now=now)


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(keys=HttpKeySource(), audience=AUDIENCE, allows_development_issuer=True)
