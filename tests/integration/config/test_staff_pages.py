"""The staff pages …

As in test_listing_plans: not how long they take, but how the database goes about them.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import User
from artifacts.models import Artifact, Build
from tests.bench.seed import seed

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]

ARTIFACTS: Final = 40_000
PAGE: Final = 50
# Session, person, savepoints, the page itself, the estimate of its rows, and one for each
# thing that rows belong to: what a page may ask, however many rows it shows.
MOST_QUERIES: Final = 8
LARGE: Final = {
    *("artifact", "attestation", "attestation_request", "audit_record", "blob", "build"),
    *("contribution", "decision", "download", "token"),
}
LISTS: Final = {
    "artifacts/artifact": ["", "all"],
    "artifacts/blob": ["", "without a name", "on their way out"],
    "artifacts/build": ["", "open", "waiting for their statement", "refused"],
    "artifacts/contribution": [""],
    "artifacts/download": [""],
    "artifacts/upload": ["", "all"],
    "provenance/attestation": [""],
    "provenance/attestationrequest": ["", "refused", "given up", "all"],
    "provenance/storeddecision": ["", "denied"],
    "access/token": ["", "personal", "all"],
    "audit/auditrecord": [""],
    "access/membership": [""],
    "access/user": [""],
    "outbox/outboxevent": [""],
}


@pytest.fixture
def staff() -> Client:
    url = str(settings.ENVIRONMENT.migrator_database_url)
    seed(artifacts=ARTIFACTS, url=url, now=timezone.now())
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def troubles(captured: CaptureQueriesContext) -> Iterator[str]:
    """Queries that read a large table whole, or many more rows than a page shows."""
    for query in captured.captured_queries:
        if not query["sql"].startswith("SELECT"):
            continue
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + query["sql"].replace("%", "%%"))
            [found] = cursor.fetchone()
        plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
        for node in nodes(plan):
            read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            is_whole = node["Node Type"] == "Seq Scan" and read > 20 * PAGE
            if node.get("Relation Name") in LARGE and (is_whole or read > 20 * PAGE):
                yield f"{node['Node Type']} of {node['Relation Name']}: {read} rows"


def searches() -> dict[str, str]:
    """A list, and something that is found in it."""
    artifact = Artifact.objects.select_related("blob", "build__project__organization")[10]
    project = artifact.build.project
    return {
        f"artifacts/artifact/?q={artifact.blob.sha256}": artifact.path,
        f"artifacts/artifact/?q={artifact.pk}": artifact.path,
        f"artifacts/artifact/?q={artifact.build_id}": artifact.path,
        f"artifacts/artifact/?q={project}/{artifact.path}": artifact.path,
        f"artifacts/artifact/?build__id__exact={artifact.build_id}": artifact.path,
        f"artifacts/blob/?q={artifact.blob.sha256}": artifact.blob.sha256,
        f"artifacts/build/?q={artifact.build_id}": str(artifact.build_id),
        f"artifacts/build/?q={project}": str(project),
        f"artifacts/build/?project__id__exact={project.pk}": str(project),
        f"artifacts/download/?q={project} api:deploy": "api:deploy",
        f"artifacts/download/?project_id__exact={project.pk}": "anonymous",
        f"provenance/attestation/?q={artifact.build_id}": str(artifact.build_id),
        f"provenance/attestationrequest/?q={artifact.build_id}&show=all": str(artifact.build_id),
        "audit/auditrecord/?q=build.seal": "build.seal",
        f"audit/auditrecord/?q={project}": str(project),
        "audit/auditrecord/?q=policy.set": "policy.set",
        "audit/auditrecord/?q=user:nobody": "Nothing is here",
        "access/user/?q=person4": "person4",
    }


def test_read_no_more_than_they_show(staff: Client) -> None:
    pages = [f"{name}/" for name in LISTS]
    pages += [f"{name}/?show={show}" for name, shows in LISTS.items() for show in shows if show]
    found = dict.fromkeys(pages, "") | searches()

    wrong = []
    for page, told in found.items():
        with CaptureQueriesContext(connection) as captured:
            answer = staff.get(f"/admin/{page}", follow=True)
        text = answer.content.decode()
        assert (answer.status_code, answer.redirect_chain) == (200, []), page
        assert told in text, page
        wrong += [(page, trouble) for trouble in troubles(captured)]
        if len(captured) > MOST_QUERIES:
            wrong.append((page, f"{len(captured)} queries"))

    assert not wrong


def test_go_on_behind_the_last_row_of_a_page(staff: Client) -> None:
    order = ("-opened_at", "id")
    expected = [str(key) for key in Build.objects.order_by(*order).values_list("pk", flat=True)]

    shown: list[str] = []
    page = "/admin/artifacts/build/"
    for _ in range(4):
        text = staff.get(page).content.decode()
        shown += re.findall(r'href="/admin/artifacts/build/([0-9a-f-]{36})/change/', text)
        older = re.search(r'href="(\?[^"]*behind=[^"]*)" rel="next"', text)
        assert older is not None
        page = "/admin/artifacts/build/" + older[1].replace("&amp;", "&")

    assert shown == expected[: 4 * PAGE]


def test_say_what_cannot_be_looked_for(staff: Client) -> None:
    for page in ("artifacts/artifact", "artifacts/download", "artifacts/blob", "access/token"):
        text = staff.get(f"/admin/{page}/", {"q": "anything"}).content.decode()

        assert "Nothing is found by that" in text, page
    assert staff.get("/admin/artifacts/build/?behind=nonsense").status_code == 302
    assert staff.get("/admin/artifacts/build/?behind=" + "0" * 32).status_code == 200
