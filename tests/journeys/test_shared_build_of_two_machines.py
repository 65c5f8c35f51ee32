"""A self-hosted job in a hosted job's shared build: each file keeps its own builder and level."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from access.adapters.http_keys import HttpKeySource
from access.domain.issuers import NewIssuer
from access.models import Issuer
from access.usecases.add_issuer import InstanceRules, add_issuer
from access.usecases.add_publisher import NewPublisher, add_publisher
from access.usecases.identify_job import Exchange
from access.usecases.mint_token import mint_token
from provenance.domain.build_facts import Platform
from tests.factories.actors import administrator
from tests.factories.ci_issuer import CiIssuer, running_issuer
from tests.journeys.conftest import Answer, Shop, declare, digest_of

Curl = Callable[..., Answer]
HOSTED, OWN = b"built on the platform's machine", b"built on somebody's machine"


@pytest.fixture
def ci() -> Iterator[CiIssuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture
def mint(shop: Shop, ci: CiIssuer) -> Callable[..., str]:
    """Exchange the identity tokens of jobs of one run, with the real steps of the exchange.

    Its issuer was added under a name of its own, because the development issuer's builders claim
    no level; then its row was moved to loopback, where the test's issuer listens.
    """
    now = timezone.now()
    rules = InstanceRules(own_url=settings.PUBLIC_URL, allows_development_issuer=True)
    new = NewIssuer("acme-ci", "https://ci.acme.test", Platform.GITHUB)
    issuer = add_issuer(issuer=new, rules=rules, actor=administrator(), now=now)
    Issuer.objects.filter(pk=issuer.pk).update(url=ci.url, is_development=True)
    trusted = NewPublisher("acme-ci", "4242", "77", ".github/workflows/release.yml")
    add_publisher(project=shop.project, publisher=trusted, actor=administrator(), now=now)

    def call(**changes: Any) -> str:
        exchange = Exchange(HttpKeySource(), settings.PUBLIC_URL, allows_development_issuer=True)
        minted = mint_token(
            identity_token=ci.token(aud=settings.PUBLIC_URL, **changes),
            project=str(shop.project),
            exchange=exchange,
            now=timezone.now(),
        )
        return minted.secret

    return call


def test_keeps_each_machines_files_apart_to_the_verdict(
    shop: Shop, curl: Curl, mint: Callable[..., str], tmp_path: Path
) -> None:
    hosted = mint(check_run_id="1", runner_environment="github-hosted")
    own = mint(check_run_id="2", runner_environment="self-hosted")
    files = {"hosted.bin": (hosted, HOSTED), "own.bin": (own, OWN)}

    def post(url: str, body: object, token: str) -> Answer:
        kind = ["-H", "Content-Type: application/json"]
        return curl(*kind, "--data-binary", json.dumps(body), url, token=token)

    builds = [
        post(f"{shop.url}/builds", {"name": "all", "shared": True}, token).json
        for token in (hosted, own)
    ]
    assert builds[0]["id"] == builds[1]["id"]
    artifacts = {}
    for path, (token, data) in files.items():
        file = tmp_path / path
        file.write_bytes(data)
        url = shop.web.at(builds[0]["urls"]["upload"].replace("{path}", path))
        artifacts[path] = curl("-T", str(file), *declare(data), url, token=token).json
    expected = [{"path": p, "sha256": digest_of(data).hex} for p, (_, data) in files.items()]
    assert post(shop.web.at(builds[0]["urls"]["seal"]), {"files": expected}, own).status == 200
    shop.attest()

    told = {
        path: curl(shop.web.at(one["urls"]["verification"]), token=shop.tokens.reader).json
        for path, one in artifacts.items()
    }
    builders = {path: one["provenance"]["builder"] for path, one in told.items()}
    assert {one["verdict"] for one in told.values()} == {"passed"}
    assert builders["hosted.bin"].endswith("/builders/acme-ci/hosted-unconfirmed/v1")
    assert builders["own.bin"].endswith("/builders/acme-ci/self-hosted-unconfirmed/v1")
    for path, one in told.items():
        assert len(one["attestations"]) == 1
        assert one["level"] == "SLSA_BUILD_LEVEL_1"
        assert one["provenance"]["hosted"] is (path == "hosted.bin")
        downloaded = curl(
            shop.web.at(artifacts[path]["urls"]["download"]), token=shop.tokens.reader
        )
        assert hashlib.sha256(downloaded.body).hexdigest() == artifacts[path]["sha256"]
