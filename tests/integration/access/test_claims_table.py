"""The table of claims by tampering: what the exchange answers, pinned in claims_table.md.

Generated from the platforms' tables in the code, so that a new row is tampered with as soon as it
is there. `UPDATE=1` writes the file anew; the difference is for the reviewer to read.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from django.test import Client

from access.domain import generic, github, gitlab
from access.models import Issuer, Token, TrustedPublisher
from provenance.domain.build_facts import Platform
from tests.factories.ci_issuer import CiIssuer
from tests.factories.identity_tokens import claims, gitlab_claims, signed
from tests.fuzz.reading import FACTS

pytestmark = pytest.mark.django_db

PINNED: Final = Path(__file__).parent / "claims_table.md"
OF_EVERY_TOKEN: Final = ("iss", "aud", "exp", "nbf", "iat", "jti")
TABLES: Final[Mapping[Platform, Sequence[str]]] = {
    Platform.GITHUB: [row.claim for row in github.ROWS],
    Platform.GITLAB: [row.claim for row in (*gitlab.ROWS, *gitlab.AGREEING)],
    Platform.GENERIC: [row.claim for row in generic.ROWS],
}
# Another value of the right form, as a stranger, another branch or another job would have it.
OTHER: Final[Mapping[str, str]] = {
    "aud": "https://other.example",
    "repository": "evil/widget",
    "repository_owner": "evil",
    "repository_visibility": "public",
    "project_path": "evil/tools/widget",
    "namespace_path": "evil/tools",
    "project_visibility": "public",
    "sub": "repo:evil/widget",
    "event_name": "pull_request",
    "pipeline_source": "merge_request_event",
    "ref": "refs/heads/evil",
    "ref_path": "refs/heads/evil",
    "ref_type": "tag",
    "ref_protected": "false",
    "sha": "e" * 40,
    "workflow_sha": "e" * 40,
    "job_workflow_sha": "e" * 40,
    "ci_config_sha": "e" * 40,
    "workflow_ref": "evil/widget/.github/workflows/release.yml@refs/heads/main",
    "job_workflow_ref": "evil/ci/.github/workflows/build.yml@refs/heads/main",
    "ci_config_ref_uri": "gitlab.com/evil/tools/widget//.gitlab-ci.yml@refs/heads/main",
    "environment": "staging",
    "runner_environment": "self-hosted",
}
NUMBER: Final = "666"
ABSENT: Final = object()
HEADINGS: Final = ("absent", "empty", "a list of it", "another", "other spelling", "line end")


@dataclass(frozen=True)
class Exchange:
    """A platform's good token at a moment, and the exchange over HTTP."""

    platform: Platform
    ci: CiIssuer
    client: Client
    good: dict[str, Any]

    def answer(self, number: int, change: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The refusal's code or `accepted`, and the claims that were sent."""
        members = {**self.good, "jti": f"{self.platform}-token-{number}", **change}
        sent = {name: value for name, value in members.items() if value is not ABSENT}
        token = signed(sent, self.ci.keys["key-1"])
        response = self.client.post(
            "/_/oidc/mint-token",
            json.dumps({"token": token, "project": "acme/widget"}),
            content_type="application/json",
        )
        assert response.status_code < 500, response.content
        return ("accepted" if response.status_code == 200 else response.json()["code"]), sent


def tamperings(claim: str, value: Any) -> list[Any]:
    """What stands under the headings for this claim."""
    if isinstance(value, str):
        other = f"{value}-b" if claim == "jti" else OTHER.get(claim, NUMBER)
        spelled = f"0{value}" if value.isdecimal() else value.swapcase()
        return [ABSENT, "", [value], other, spelled, value + "\n"]
    # A time: another one is long ago.
    return [ABSENT, "", [value], 1_500_000_000, str(value), f"{value}\n"]


@pytest.fixture
def exchanges(
    publisher: TrustedPublisher, ci: CiIssuer, client: Client
) -> Callable[[Platform], Exchange]:
    """A publisher of the strictest terms that the platform has, and a token that meets them."""
    terms = {"ref": "refs/heads/main", "environment": "release", "requires_protected_ref": True}
    terms_of: dict[Platform, dict[str, Any]] = {
        Platform.GITHUB: terms,
        Platform.GITLAB: {**terms, "workflow_path": ".gitlab-ci.yml"},
        Platform.GENERIC: {
            "subject": "job:release/widget",
            "repository_id": "",
            "owner_id": "",
            "workflow_path": "",
        },
    }

    def prepare(platform: Platform) -> Exchange:
        Issuer.objects.update(platform=platform.value)
        TrustedPublisher.objects.filter(pk=publisher.pk).update(**terms_of[platform])
        make = gitlab_claims if platform is Platform.GITLAB else claims
        good = make(datetime.now(tz=UTC), iss=ci.url, environment="release")
        if platform is Platform.GENERIC:
            good = {name: good[name] for name in OF_EVERY_TOKEN} | {"sub": "job:release/widget"}
        # Used up by no twin, and by no other platform.
        return Exchange(platform, ci, client, {**good, "jti": f"{platform.value}-a"})

    return prepare


def rows_of(exchange: Exchange) -> list[list[str]]:
    """The platform's rows; every row's token was accepted just before it was tampered with."""
    runner = [] if exchange.platform is Platform.GENERIC else ["runner_environment"]
    rows, number = [], 0
    for claim in (*OF_EVERY_TOKEN, *TABLES[exchange.platform], *runner):
        twin, _ = exchange.answer(number, {})
        assert twin == "accepted", (claim, twin)
        cells = []
        for value in tamperings(claim, exchange.good[claim]):
            number += 1
            code, sent = exchange.answer(number, {claim: value})
            if code == "accepted":
                hosting = check_facts(exchange.platform, sent)
                code += f" as {hosting}" if claim == "runner_environment" else ""
            cells.append(code)
        rows.append([f"`{claim}`", *cells])
        number += 1
    return rows


def check_facts(platform: Platform, sent: Mapping[str, Any]) -> str:
    """What was accepted is witnessed as it was signed; the answer is the hosting."""
    facts = Token.objects.order_by("-created_at", "id").values_list("facts", flat=True)[0]
    assert facts is not None
    for fact, claim in FACTS[platform.value].items():
        assert facts[fact] == sent.get(claim, ""), (fact, claim)
    if sent.get("runner_environment") not in ("github-hosted", "gitlab-hosted"):
        assert facts["hosting"] != "hosted"
    return str(facts["hosting"])


def document(tables: Mapping[Platform, list[list[str]]]) -> str:
    """The page that is pinned."""
    lines = [
        "# What the exchange answers when one claim is tampered with",
        "",
        "Written by `tests/integration/access/test_claims_table.py`; `UPDATE=1` writes it anew.",
        "The publisher asks for `refs/heads/main`, protected, in the environment `release`. Every",
        "token is otherwise one that was accepted just before. *Accepted* is right where the claim",
        "is what the job did, such as its commit: it is witnessed as it was signed.",
    ]
    for platform, rows in tables.items():
        lines += ["", f"## {platform.value}", ""]
        lines += [f"| claim | {' | '.join(HEADINGS)} |", "|---" * (len(HEADINGS) + 1) + "|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


@pytest.mark.slow
def test_answers_every_tampered_claim_as_the_pinned_table_says(
    exchanges: Callable[[Platform], Exchange],
) -> None:
    found = document({platform: rows_of(exchanges(platform)) for platform in Platform})

    if os.environ.get("UPDATE"):
        PINNED.write_text(found)
    assert found.splitlines() == PINNED.read_text().splitlines()


def test_tampers_with_every_claim_that_is_read() -> None:
    text = PINNED.read_text()

    for platform, names in TABLES.items():
        part = text.partition(f"## {platform.value}\n")[2].partition("## ")[0]
        assert [name for name in (*OF_EVERY_TOKEN, *names) if f"| `{name}` |" not in part] == []
        # Nothing that identifies may be absent, a list, or spelled otherwise.
        for name in ("iss", "aud", "exp", "iat", *_IDENTIFYING[platform]):
            line = next(line for line in part.splitlines() if line.startswith(f"| `{name}` |"))
            assert "accepted" not in line, line


_IDENTIFYING: Final = {
    Platform.GITHUB: (
        "repository_id",
        "repository_owner_id",
        "repository",
        "workflow_ref",
        "job_workflow_ref",
        "event_name",
        "ref",
        "ref_protected",
        "environment",
    ),
    Platform.GITLAB: (
        "project_id",
        "namespace_id",
        "project_path",
        "ci_config_ref_uri",
        "pipeline_source",
        "ref_path",
        "ref_protected",
        "environment",
    ),
    Platform.GENERIC: ("sub",),
}
