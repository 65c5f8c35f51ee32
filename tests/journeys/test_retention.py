"""Who meets a retention rule over HTTP …"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from access.usecases.create_token import create_token
from artifacts.models import Artifact
from artifacts.queries.retention import Holder
from artifacts.usecases.apply_retention import apply_retention
from artifacts.usecases.set_retention import RetentionChange, set_retention
from kernel.actor import Permission
from tests.factories.actors import administrator
from tests.journeys.conftest import WIDGET, Answer, Shelf, Shop, declare

Curl = Callable[..., Answer]
JSON = ("-H", "Content-Type: application/json")
AFTER_90 = {"expire": [{"name": "main-90d", "after_days": 90}]}


def demand(shop: Shop, document: object) -> None:
    set_retention(
        holder=Holder.of_organization(shop.project.organization),
        change=RetentionChange(document),
        actor=administrator(),
        now=timezone.now(),
    )


def upload(shop: Shop, curl: Curl, *arguments: str) -> Answer:
    address = shop.upload_url("dist/new")
    return curl("-T", "-", *arguments, address, stdin=b"new", token=shop.tokens.uploader)


def ends_after_days(document: dict[str, Any]) -> int:
    stored, ends = document["stored_at"], document["expiry"]["expires_at"]
    return (datetime.fromisoformat(ends) - datetime.fromisoformat(stored)).days


def test_is_told_the_expiry_and_its_rule_at_upload(shop: Shop, curl: Curl) -> None:
    demand(shop, AFTER_90)

    document = upload(shop, curl, *declare(b"new")).json

    assert ends_after_days(document) == 90
    assert document["expiry"]["rule"] == {
        "name": "main-90d",
        "level": "organization",
        "of": "acme",
        "version": 1,
    }
    assert document["expiry"]["kept_by"] is None


@pytest.mark.parametrize(("asked", "name", "days"), [(3, "asked-by-job", 3), (365, "main-90d", 90)])
def test_gets_a_shorter_life_that_is_asked_for_and_no_longer_one(
    shop: Shop, curl: Curl, asked: int, name: str, days: int
) -> None:
    demand(shop, AFTER_90)

    document = upload(shop, curl, *declare(b"new"), "-H", f"Strongroom-Life-Days: {asked}").json

    assert (document["expiry"]["rule"]["name"], ends_after_days(document)) == (name, days)


@pytest.mark.parametrize("asked", ["0", "-1", "x", "1.5", "99999999", "36501", "٣"])
def test_is_refused_a_life_that_is_none(shop: Shop, curl: Curl, asked: str) -> None:
    answer = upload(shop, curl, *declare(b"new"), "-H", f"Strongroom-Life-Days: {asked}")

    assert answer.status == 400
    assert answer.is_problem("malformed-request")
    assert not Artifact.objects.exists()


def test_asks_for_the_life_of_a_build_when_it_is_opened(shop: Shop, curl: Curl) -> None:
    opened = curl(
        "-H",
        "Content-Type: application/json",
        "-d",
        json.dumps({"life_days": 7}),
        f"{shop.url}/builds",
        token=shop.tokens.uploader,
    ).json
    address = shop.web.at(opened["urls"]["upload"].replace("{path}", "a"))
    late = curl(
        *("-T", "-", *declare(b"new"), "-H", "Strongroom-Life-Days: 3", address),
        stdin=b"new",
        token=shop.tokens.uploader,
    )
    added = curl(*("-T", "-", *declare(b"new"), address), stdin=b"new", token=shop.tokens.uploader)

    assert opened["asked_life_days"] == 7
    assert late.is_problem("malformed-request")
    assert ends_after_days(added.json) == 7


@pytest.mark.parametrize(
    ("part", "arguments"),
    [
        ("download", ()),
        ("download", ("-r", "0-9")),
        ("download", ("-H", "If-None-Match: *")),
        ("download_by_name", ()),
        ("members", ()),
    ],
)
def test_gets_nothing_of_what_has_expired(
    shelf: Shelf, part: str, arguments: tuple[str, ...]
) -> None:
    expire(shelf)

    answer = shelf.get(part, *arguments)

    assert answer.status == 410, answer
    assert answer.is_problem("artifact-expired")
    assert (answer.json["rule"], answer.json["of"]) == ("main-90d", "acme")


def test_gets_no_head_of_what_has_expired(shelf: Shelf) -> None:
    expire(shelf)

    assert shelf.head().status == 410


def test_reads_why_and_its_evidence_all_the_same(shelf: Shelf) -> None:
    expire(shelf)

    assert shelf.get("self").json["expiry"]["rule"]["name"] == "main-90d"
    assert len(shelf.get("attestations").json["attestations"]) == 1
    assert shelf.get("build").json["artifacts"] == []


def expire(shelf: Shelf) -> None:
    demand(shelf.shop, AFTER_90)
    Artifact.objects.update(stored_at=timezone.now() - timedelta(days=90))


@pytest.fixture
def root() -> str:
    """A token that may do everything."""
    created = create_token(
        name="root",
        project=None,
        permissions=[Permission.ADMINISTER],
        life=timedelta(hours=1),
        actor=administrator(),
        now=timezone.now(),
    )
    return created.secret


def test_sees_what_goes_and_lets_it_go(shelf: Shelf, root: str) -> None:
    expire(shelf)
    shop = shelf.shop

    made = shelf.curl("-X", "POST", f"{shop.url}/retention-plans", token=root)
    items = shelf.curl(shop.web.at(made.json["urls"]["items"]), token=root).json["items"]
    applied = shelf.curl("-X", "POST", shop.web.at(made.json["urls"]["apply"]), token=root)
    apply_retention(clock=timezone.now)
    ended = shelf.curl(shop.web.at(made.headers["location"]), token=root).json

    assert (made.status, made.json["artifacts"], made.json["run"]) == (201, 1, None)
    assert made.json["rules"] == [
        {
            "outcome": "ends",
            "name": "main-90d",
            "level": "organization",
            "version": 1,
            "artifacts": 1,
            "logical_bytes": len(WIDGET),
        }
    ]
    [item] = items
    assert (item["artifact"], item["physical_bytes"]) == (shelf.artifact["id"], len(WIDGET))
    assert (item["path"], item["rule"]) == (shelf.artifact["path"], "main-90d")
    assert (applied.status, applied.json["run"]["state"]) == (202, "running")
    assert (ended["run"]["state"], ended["run"]["removed_artifacts"]) == ("done", 1)
    gone = shelf.get("self")
    assert (gone.status, gone.json["rule"]) == (410, "main-90d")
    assert gone.json["removed_at"] is not None


def previewed(shelf: Shelf, root: str, document: object) -> Answer:
    sent = json.dumps({"document": document})
    address = f"{shelf.shop.url}/retention-policy/preview"
    return shelf.curl(*JSON, "--data", sent, address, token=root)


def save(shelf: Shelf, root: str, document: object, preview: str) -> Answer:
    sent = json.dumps({"document": document, "preview": preview})
    address = f"{shelf.shop.url}/retention-policy"
    return shelf.curl("-X", "PUT", *JSON, "--data", sent, address, token=root)


def test_sees_what_a_policy_changes_before_it_is_saved(shelf: Shelf, root: str) -> None:
    expire(shelf)
    web, document = shelf.shop.web, {"keep": [{"name": "releases"}]}

    made = previewed(shelf, root, document)
    items = shelf.curl(web.at(made.json["urls"]["items"]), token=root).json["items"]
    none = shelf.curl(web.at(made.json["urls"]["items"] + "?effect=ends"), token=root).json["items"]
    again = shelf.curl(web.at(made.headers["location"]), token=root).json
    refused = shelf.get("download")
    saved = save(shelf, root, document, made.json["id"])

    assert made.status == 201
    assert again == made.json
    assert (made.json["artifacts"], made.json["version"]) == (0, 0)
    assert made.json["effects"]["keeps"] == {
        "artifacts": 1,
        "logical_bytes": len(WIDGET),
        "physical_bytes": len(WIDGET),
    }
    [item] = items
    assert (item["artifact"], item["effect"]) == (shelf.artifact["id"], "keeps")
    assert (item["rule"], item["version"], item["expires_at"]) == ("releases", 1, None)
    assert none == []
    assert refused.status == 410
    assert saved.json["version"] == 1
    assert shelf.get("download").status == 200


def test_saves_nothing_else_than_what_was_previewed(shelf: Shelf, root: str) -> None:
    made = previewed(shelf, root, AFTER_90).json["id"]

    other = save(shelf, root, {}, made)
    demand(shelf.shop, AFTER_90)
    stale = save(shelf, root, AFTER_90, made)
    unknown = save(shelf, root, AFTER_90, "0197d2a4-58c1-7f3e-9c55-3f2b7f0c9d11")
    malformed = save(shelf, root, AFTER_90, "mine")

    assert other.is_problem("retention-preview-stale")
    assert [one["what"] for one in other.json["changed"]] == ["document"]
    assert stale.is_problem("retention-preview-stale")
    assert [one["what"] for one in stale.json["changed"]] == ["retention-policy"]
    assert unknown.is_problem("retention-preview-not-found")
    assert malformed.is_problem("malformed-request")


def test_is_refused_a_preview_of_what_is_no_policy(shelf: Shelf, root: str) -> None:
    assert previewed(shelf, root, {"expire": [{"name": "x"}]}).is_problem(
        "malformed-retention-policy"
    )


def test_is_refused_a_plan_that_is_stale(shelf: Shelf, root: str) -> None:
    expire(shelf)
    made = shelf.curl("-X", "POST", f"{shelf.shop.url}/retention-plans", token=root).json
    demand(shelf.shop, {})

    refused = shelf.curl("-X", "POST", shelf.shop.web.at(made["urls"]["apply"]), token=root)

    assert refused.status == 409
    assert refused.is_problem("retention-plan-stale")
    assert [one["what"] for one in refused.json["changed"]] == ["retention-policy"]
    assert shelf.get("download").status == 200


def test_sees_no_plan_of_somebody_else(shelf: Shelf, root: str) -> None:
    made = shelf.curl("-X", "POST", f"{shelf.shop.url}/retention-plans", token=root).json

    for url in made["urls"].values():
        how = ("-X", "POST") if url.endswith(("/apply", "/cancel")) else ()
        answer = shelf.curl(*how, shelf.shop.web.at(url), token=shelf.shop.tokens.reader)
        assert answer.is_problem("retention-plan-not-found")
