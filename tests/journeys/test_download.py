"""A consumer who downloads with curl …"""

import json
from hashlib import sha256

import pytest
from django.db import transaction
from django.utils import timezone

from artifacts.models import Blob, Build, Project
from artifacts.usecases.refuse_build import refuse_build
from kernel.digest import Sha256
from provenance.domain.policy import Enforcement
from provenance.models import Attestation
from provenance.usecases.set_policy import set_policy
from tests.environment import SCRATCH
from tests.factories.actors import administrator
from tests.journeys.conftest import WIDGET, Shelf

DIGEST = Sha256(sha256(WIDGET).hexdigest())
ETAG = f'"sha256:{DIGEST.hex}"'
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


@pytest.fixture
def denied(shelf: Shelf) -> Shelf:
    """The same artifact under a policy that asks for more than a release attestation."""
    demand_provenance(shelf, Enforcement.ENFORCE)
    return shelf


def demand_provenance(shelf: Shelf, enforcement: Enforcement) -> None:
    with transaction.atomic():
        set_policy(
            scope=shelf.shop.project.scope,
            actor=administrator(),
            now=timezone.now(),
            enforcement=enforcement,
            accepts_release=False,
        )


@pytest.mark.parametrize("part", ["download", "download_by_name"])
def test_gets_the_verified_bytes(shelf: Shelf, part: str) -> None:
    answer = shelf.get(part)

    assert answer.status == 200, answer
    assert answer.body == WIDGET
    assert answer.headers["strongroom-verification"] == "passed; level=SLSA_BUILD_LEVEL_UNEVALUATED"
    assert answer.headers["repr-digest"] == DIGEST.field
    assert answer.headers["etag"] == ETAG
    assert answer.headers["content-length"] == str(len(WIDGET))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, no-cache"
    disposition = answer.headers["content-disposition"]
    assert disposition == "attachment; filename*=utf-8''na%C3%AFve%20widget.bin"


def test_is_led_to_the_bundle(shelf: Shelf) -> None:
    link = shelf.get().headers["link"]

    url, _, parameters = link.partition(">; ")
    assert parameters == f'rel="describedby"; type="{BUNDLE_TYPE}"'
    bundle = shelf.curl(shelf.shop.web.at(url.lstrip("<")), token=shelf.shop.tokens.reader)
    assert bundle.headers["content-type"] == BUNDLE_TYPE
    assert bundle.body == Attestation.objects.get().kept_bundle
    listed = shelf.get("attestations").json["attestations"]
    assert [one["url"] for one in listed] == [url.lstrip("<")]
    assert listed[0]["bundle_sha256"] == sha256(bundle.body).hexdigest()


def test_sees_every_step_of_the_decision(shelf: Shelf) -> None:
    document = shelf.get("verification").json

    assert document["verdict"] == "passed"
    assert document["artifact"] == shelf.artifact["id"]
    assert document["subject"] == {"name": shelf.artifact["path"], "sha256": DIGEST.hex}
    [attestation] = document["attestations"]
    assert attestation["counts"]
    assert all(step["passed"] for step in attestation["steps"])
    assert attestation["url"].endswith(attestation["id"])


def test_gets_the_head_alone(shelf: Shelf) -> None:
    whole, answer = shelf.get(), shelf.head("-r", "0-9")

    assert (answer.status, answer.body) == (200, b"")
    ignored = {"date", "x-request-id", "server", "transfer-encoding"}
    assert {k: v for k, v in answer.headers.items() if k not in ignored} == {
        k: v for k, v in whole.headers.items() if k not in ignored
    }


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("0-0", 0, 0),
        ("10-19", 10, 19),
        ("1000000-", 1_000_000, len(WIDGET) - 1),
        ("-5", len(WIDGET) - 5, len(WIDGET) - 1),
        ("1279999-9999999", len(WIDGET) - 1, len(WIDGET) - 1),
    ],
)
def test_gets_a_range(shelf: Shelf, asked: str, start: int, end: int) -> None:
    answer = shelf.get("download", "-r", asked)

    assert answer.status == 206
    assert answer.body == WIDGET[start : end + 1]
    assert answer.headers["content-range"] == f"bytes {start}-{end}/{len(WIDGET)}"
    assert answer.headers["content-length"] == str(end - start + 1)
    assert answer.headers["repr-digest"] == DIGEST.field
    assert answer.headers["strongroom-verification"].startswith("passed")


def test_gets_all_where_several_ranges_are_asked(shelf: Shelf) -> None:
    answer = shelf.get("download", "-r", "0-1,4-5")

    assert (answer.status, answer.body) == (200, WIDGET)


def test_is_told_the_size_when_the_range_lies_outside(shelf: Shelf) -> None:
    answer = shelf.get("download", "-r", f"{len(WIDGET)}-")

    assert answer.status == 416
    assert answer.is_problem("range-not-satisfiable")
    assert answer.headers["content-range"] == f"bytes */{len(WIDGET)}"


@pytest.mark.parametrize(
    ("if_range", "status"), [(ETAG, 206), (f"W/{ETAG}", 200), ('"other"', 200)]
)
def test_continues_only_the_same_bytes(shelf: Shelf, if_range: str, status: int) -> None:
    answer = shelf.get("download", "-r", "5-", "-H", f"If-Range: {if_range}")

    assert answer.status == status
    assert answer.body == (WIDGET[5:] if status == 206 else WIDGET)


def test_is_not_sent_what_it_has(shelf: Shelf) -> None:
    modified = shelf.get().headers["last-modified"]

    for condition in (
        f"If-None-Match: {ETAG}",
        f'If-None-Match: "x", W/{ETAG}',
        f"If-Modified-Since: {modified}",
    ):
        for answer in (shelf.get("download", "-H", condition), shelf.head("-H", condition)):
            assert (answer.status, answer.body) == (304, b""), condition
            assert answer.headers["etag"] == ETAG
            assert answer.headers["strongroom-verification"].startswith("passed")
    assert shelf.get("download", "-H", 'If-None-Match: "other"').status == 200


def test_is_sent_nothing_but_what_it_expects(shelf: Shelf) -> None:
    answer = shelf.get("download", "-H", 'If-Match: "other"')

    assert answer.status == 412
    assert answer.is_problem("precondition-failed")
    assert answer.json["etag"] == ETAG
    assert shelf.get("download", "-H", f"If-Match: {ETAG}").status == 200


def test_gets_nothing_where_the_policy_is_not_met(denied: Shelf) -> None:
    answer = denied.get()

    assert answer.status == 403
    assert answer.is_problem("policy-not-met")
    assert answer.json["reason"] == "release-only"
    assert answer.headers["strongroom-verification"] == "failed; reason=release-only"
    [attestation] = answer.json["decision"]["attestations"]
    failed = [step for step in attestation["steps"] if not step["passed"]]
    assert [step["code"] for step in failed] == ["release-only"]
    assert failed[0]["expected"]
    assert failed[0]["found"]
    assert denied.get("verification").json["verdict"] == "failed"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--head",),
        ("-r", "0-9"),
        ("-r", "99999999-"),
        ("-H", f"If-None-Match: {ETAG}"),
        ("-H", 'If-Match: "other"'),
        ("--head", "-H", f"If-None-Match: {ETAG}"),
    ],
)
def test_is_denied_before_anything_else(denied: Shelf, arguments: tuple[str, ...]) -> None:
    answer = denied.get("download", *arguments)

    assert answer.status == 403
    assert answer.headers["strongroom-verification"] == "failed; reason=release-only"
    assert "etag" not in answer.headers


def test_is_served_and_told_where_the_project_only_observes(shelf: Shelf) -> None:
    demand_provenance(shelf, Enforcement.OBSERVE)

    answer = shelf.get()

    assert (answer.status, answer.body) == (200, WIDGET)
    assert answer.headers["strongroom-verification"] == "failed; reason=release-only"
    lines = shelf.shop.web.log.read_text().splitlines()
    [told] = [json.loads(line) for line in lines if str(shelf.artifact["id"]) in line]
    assert (told["message"], told["reason"]) == ("policy not met", "release-only")
    assert told["served"] is True


def test_waits_until_it_is_published(pending: Shelf) -> None:
    answer = pending.get()

    assert answer.status == 409
    assert answer.is_problem("artifact-not-published")
    assert answer.json["state"] == "sealed"
    assert pending.get("build").json["attestation"]["status"] == "pending"
    assert pending.get("verification").status == 409

    pending.shop.attest()

    assert pending.get().status == 200
    assert pending.get("build").json["attestation"]["status"] == "published"
    assert pending.get("self").json["build"]["state"] == "published"


def test_is_told_why_a_build_was_refused(pending: Shelf) -> None:
    with transaction.atomic():
        refuse_build(
            build_id=Build.objects.get().pk, reason={"code": "example"}, now=timezone.now()
        )

    answer = pending.get()

    assert answer.status == 409
    assert answer.json["state"] == "refused"
    assert answer.json["reason"]["code"] == "example"
    assert pending.get("build").json["refused"]["code"] == "example"
    assert pending.get("self").json["attestation"]["status"] == "refused"


@pytest.mark.parametrize("damage", ["missing", "shorter"])
def test_is_told_when_the_bytes_are_gone(shelf: Shelf, damage: str) -> None:
    path = SCRATCH / "blobs" / Blob.objects.get().key
    path.write_bytes(WIDGET[:-1]) if damage == "shorter" else path.unlink()

    for answer in (shelf.get(), shelf.head()):
        assert answer.status == 503
        assert "retry-after" in answer.headers
    assert shelf.get().is_problem("blob-missing")
    path.unlink(missing_ok=True)


def test_reads_a_public_project_without_a_token(shelf: Shelf) -> None:
    Project.objects.filter(pk=shelf.shop.project.pk).update(is_public=True)

    for part in ("download", "download_by_name", "verification", "attestations", "self", "build"):
        assert shelf.curl(shelf.url(part)).status == 200, part


def test_pages_through_builds(shelf: Shelf) -> None:
    first = Build.objects.get()
    for number in range(120):
        Build.objects.create(
            project=first.project,
            origin=f"job {number}",
            opened_by="x",
            state="sealed",
            # Three builds at each moment: the order among them must hold over pages.
            opened_at=first.opened_at.replace(microsecond=number // 3),
        )
    url, seen = f"{shelf.shop.url}/builds", []

    while url:
        page = shelf.curl(url, token=shelf.shop.tokens.reader)
        seen += [build["id"] for build in page.json["builds"]]
        link = page.headers.get("link", "")
        url = shelf.shop.web.at(link[1 : link.index(">")]) if link else ""
        assert not link or link.endswith('rel="next"')

    expected = Build.objects.order_by("-opened_at", "id").values_list("pk", flat=True)
    assert seen == [str(pk) for pk in expected]
    assert len(seen) == 121


def test_is_told_of_a_cursor_that_is_none(shelf: Shelf) -> None:
    for cursor in ("x", "%FF", "MjAyNi0xMS0yMSA", "e30"):
        answer = shelf.curl(
            f"{shelf.shop.url}/builds?cursor={cursor}", token=shelf.shop.tokens.reader
        )
        assert answer.status == 400, cursor
        assert answer.is_problem("malformed-request")


def test_follows_the_latest_to_the_bytes(shelf: Shelf) -> None:
    url = f"{shelf.shop.url}/latest/dist/na%C3%AFve%20widget.bin"

    answer = shelf.curl(url, token=shelf.shop.tokens.reader)

    assert answer.status == 302
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json["id"] == shelf.artifact["id"]
    followed = shelf.curl(
        shelf.shop.web.at(answer.headers["location"]), token=shelf.shop.tokens.reader
    )
    assert followed.body == WIDGET
    demand_provenance(shelf, Enforcement.OBSERVE)
    refused = shelf.curl(url, token=shelf.shop.tokens.reader)
    assert refused.is_problem("policy-not-met")


def test_finds_its_way_from_the_index(shelf: Shelf) -> None:
    index = shelf.curl(f"{shelf.shop.web.url}/api/v1/").json

    url = index["download"].format(artifact=shelf.artifact["id"])
    assert shelf.curl(shelf.shop.web.at(url), token=shelf.shop.tokens.reader).body == WIDGET
    project = shelf.curl(shelf.shop.url, token=shelf.shop.tokens.reader).json
    assert project["urls"]["builds"] == index["builds"].format(
        organization="acme", project="widget"
    )
