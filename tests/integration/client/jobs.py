"""A store with a trusted publisher of a platform, and jobs that may push to its project."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from access.domain.issuers import NewIssuer
from access.usecases.add_issuer import InstanceRules, add_issuer
from access.usecases.add_publisher import NewPublisher, add_publisher
from provenance.domain.build_facts import Platform
from provenance.domain.builders import DEVELOPMENT_ISSUER
from provenance.domain.policy import Source
from provenance.usecases.grant_builders import grant_builders
from provenance.usecases.set_policy import set_policy
from tests.factories.actors import administrator
from tests.factories.ci_issuer import CiIssuer, running_issuer
from tests.factories.ci_jobs import GithubRuntime, gitlab_environ, running_github
from tests.factories.command import Command
from tests.journeys.conftest import Shop

RULES = InstanceRules(own_url=settings.PUBLIC_URL, allows_development_issuer=True)
WORKFLOWS = {
    Platform.GITHUB: ".github/workflows/release.yml",
    Platform.GITLAB: ".gitlab-ci.yml",
}


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of one platform. Each has the store's address and a folder with its checkout."""

    shop: Shop
    checkout: Path
    platform: Platform
    issuer: CiIssuer
    github: GithubRuntime

    def job(self, **more: str) -> Command:
        """A job; on GitLab each call is another token's, on GitHub all are one job."""
        if self.platform is Platform.GITHUB:
            return self._command(self.github.environ, more)
        return self._command(gitlab_environ(self.issuer), more)

    def a_person(self, **more: str) -> Command:
        """Nobody's job."""
        return self._command({}, more)

    def _command(self, environ: dict[str, str], more: dict[str, str]) -> Command:
        return Command(self.checkout, {"STRONGROOM_URL": self.shop.web.url, **environ, **more})


@contextmanager
def make_jobs(shop: Shop, checkout: Path, platform: Platform = Platform.GITHUB) -> Iterator[Jobs]:
    """An issuer that answers, a publisher that trusts it, a policy that names the source."""
    checkout.mkdir()
    with running_issuer() as issuer, running_github(issuer) as github:
        _trust(shop, issuer, platform)
        yield Jobs(shop, checkout, platform, issuer, github)


def _trust(shop: Shop, issuer: CiIssuer, platform: Platform) -> None:
    now, actor = timezone.now(), administrator()
    new = NewIssuer(DEVELOPMENT_ISSUER, issuer.url, platform, is_development=True)
    add_issuer(issuer=new, rules=RULES, actor=actor, now=now)
    publisher = NewPublisher(DEVELOPMENT_ISSUER, "4242", "77", WORKFLOWS[platform])
    add_publisher(project=shop.project, publisher=publisher, actor=actor, now=now)
    with transaction.atomic():
        set_policy(
            scope=shop.project.scope,
            sources=[Source(issuer.url, "4242", "77")],
            actor=actor,
            now=now,
        )
        grant_builders(
            issuer_name=DEVELOPMENT_ISSUER,
            platform=platform,
            base_url=settings.PUBLIC_URL,
            actor=actor,
            now=now,
        )
