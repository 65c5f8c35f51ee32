"""Pages show what is, say why not, and ask the database as often for many rows as for few."""

import io
import re
import zipfile
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.domain.roles import Role
from access.models import User
from access.queries import organization_place
from artifacts.adapters.download_log import BufferedDownloadLog
from artifacts.models import Artifact, Build, Download, Project
from artifacts.usecases.create_project import create_project
from artifacts.wiring import download_log
from provenance.domain.policy import Enforcement
from provenance.domain.signing_keys import key_hint
from provenance.domain.transparency import Transparency
from provenance.models import Attestation, AttestationRequest
from provenance.queries import signing_keys, trust_state
from provenance.usecases.attest_builds import Attestor
from tests.factories.actors import administrator
from tests.factories.facts import witnessed, witnessed_by_subject
from tests.factories.managed_keys import signing_with_a_key
from tests.factories.people import account
from tests.factories.shelves import SOURCE, Shelf

pytestmark = pytest.mark.django_db


def text(address: str, client: Client | None = None, status: int = 200, **query: str) -> str:
    """What a person reads on the page."""
    response = (client or Client()).get(address, query, headers={"Accept": "text/html"})
    assert response.status_code == status, response.content.decode()[-3000:]
    return words(response)


def words(response: Any) -> str:
    without_tags = re.sub(r"<[^>]+>", " ", response.content.decode().replace("<wbr>", ""))
    return " ".join(unescape(without_tags).split())


def file_of(build: Build) -> Artifact:
    return Artifact.objects.filter(build=build).order_by("path").select_related("blob")[0]


def test_tells_a_verified_file_as_a_story(shelf: Shelf) -> None:
    build = shelf.push(witnessed(), widget_whl=b"bytes")
    shelf.accept(SOURCE)
    shelf.attest()
    found = file_of(build)

    page = text(f"/artifacts/{found.pk}")

    assert "Verified: SLSA Build L1" in page
    order = ["Where does it come from?", "Who built it?", "Is it this very file?"]
    order += ["Who says so, and can it be forged?", "May it be used?", "Why not higher"]
    assert [page.index(word) for word in order] == sorted(page.index(word) for word in order)
    assert "https://github.com/acme/widget" in page
    assert "https://github.com/acme/widget/actions/runs/9000000001/attempts/1" in page
    assert found.blob.sha256 in page
    assert "the account that runs the web server can sign as the attestor" in page
    assert "Download" in page
    for command in (
        f"--certificate-identity {page_builder()}",
        "--certificate-oidc-issuer http://store.test",
        f"strongroom pull widget.whl --build {build.pk}",
    ):
        assert command in page, command


def page_builder() -> str:
    return "http://store.test/builders/github/hosted-unconfirmed/v1"


def test_says_which_check_failed_and_offers_no_download(shelf: Shelf) -> None:
    build = shelf.push(witnessed(), widget_whl=b"bytes")
    shelf.attest()

    page = text(f"/artifacts/{file_of(build).pk}")

    assert "Not verified: source-mismatch" in page
    assert f"found {SOURCE.issuer} repository 4242 owner 77" in page
    assert "Downloads are refused" in page
    assert "Download (" not in page
    assert "cosign" not in page


def test_says_that_a_project_only_observes(shelf: Shelf) -> None:
    build = shelf.push(witnessed(), widget_whl=b"bytes")
    shelf.accept(enforcement=Enforcement.OBSERVE)
    shelf.attest()

    page = text(f"/artifacts/{file_of(build).pk}")

    assert "Download although it is not verified" in page


def test_is_honest_before_anything_is_signed(shelf: Shelf) -> None:
    build = shelf.push(witnessed(), widget_whl=b"bytes")

    page = text(f"/artifacts/{file_of(build).pk}")

    assert "Not signed yet" in page
    assert "witnessed only" in page
    assert "passed" not in page
    assert "nothing of it is signed" in page
    assert "Next attempt to sign" in text(f"/builds/{build.pk}")


def test_says_why_a_build_was_refused(shelf: Shelf) -> None:
    build = shelf.push(witnessed(), widget_whl=b"bytes")
    reason = {"code": "unattestable-event", "event": "workflow_run"}
    Build.objects.filter(pk=build.pk).update(state="refused", refused=reason)

    assert "unattestable-event" in text(f"/builds/{build.pk}")
    assert "Refused: unattestable-event" in text(f"/artifacts/{file_of(build).pk}")


def test_says_why_a_build_waits_without_the_signers_inner_words(shelf: Shelf) -> None:
    build = shelf.push(witnessed(), widget_whl=b"bytes")
    inner = {"code": "signer-unavailable", "reason": "https://fulcio.internal:9 said no"}
    AttestationRequest.objects.update(last_error=inner, attempts=3)

    page = text(f"/builds/{build.pk}")

    assert "Signing was tried 3 times; the last reason: signer-unavailable" in page
    assert "fulcio.internal" not in page


def test_claims_no_build_of_what_came_without_a_job(shelf: Shelf) -> None:
    released = shelf.release("notes.txt", b"notes")
    shelf.attest()

    page = text(f"/artifacts/{released.pk}")

    assert "Verified: no SLSA level" in page
    assert "a release attestation claims no build" in page
    assert "--type https://in-toto.io/attestation/release/v0.2" in page


def test_shows_whom_a_generic_issuer_vouched_for(shelf: Shelf) -> None:
    build = shelf.push(witnessed_by_subject(), widget_whl=b"bytes")
    shelf.attest()

    assert witnessed_by_subject().subject in text(f"/artifacts/{file_of(build).pk}")


def test_shows_an_attestation_as_it_was_signed(shelf: Shelf) -> None:
    build = shelf.push(witnessed(), a=b"1", b=b"2")
    shelf.attest()
    found, signed = file_of(build), Attestation.objects.get()

    page = text(f"/artifacts/{found.pk}/attestations/{signed.pk}")

    assert '"predicateType": "https://slsa.dev/provenance/v1"' in page
    assert "and 1 more file of the same build" in page
    assert "source: source-mismatch" in page


def test_gives_the_key_to_check_what_a_managed_key_has_signed(
    shelf: Shelf, attestor: Attestor, tmp_path: Path
) -> None:
    keyed = signing_with_a_key(attestor, tmp_path)
    build = shelf.push(witnessed(), widget_whl=b"bytes")
    shelf.accept(SOURCE)
    replace(shelf, attestor=keyed).attest()
    (key,) = signing_keys(version=trust_state().trust_root_version)
    found = file_of(build)

    page = text(f"/artifacts/{found.pk}")

    assert "Verified: SLSA Build L1" in page
    for command in (
        f"--output key.pem \\ http://store.test/.well-known/signing-keys/{key.id}.pem",
        "--key key.pem",
        "--insecure-ignore-tlog",
    ):
        assert command in page, command
    assert "--certificate-identity" not in page
    assert "nobody but the store knows what was signed, and when" in page
    of_it = Attestation.objects.get(build_id=build.pk)
    shown = text(f"/artifacts/{found.pk}/attestations/{of_it.pk}")
    assert "counts" in shown
    staff = Client()
    staff.force_login(User.objects.create_superuser("admin"))
    told = text(f"/admin/provenance/attestation/{of_it.pk}/change/", staff)
    assert "Passed — SLSA_BUILD_LEVEL_1" in told
    assert key_hint(key.spki) in told


def test_survives_a_bundle_that_cannot_be_read(shelf: Shelf) -> None:
    build = shelf.push(witnessed(), widget_whl=b"bytes")
    shelf.attest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('attestation', 'UPDATE')")
        assert cursor.fetchone() == (False,)
    good = Attestation.objects.get()
    other = AttestationRequest.objects.get()
    other.pk, other.confirms_id = good.pk, other.pk
    other.save(force_insert=True)
    bad = Attestation.objects.create(
        request_id=good.pk,
        organization_id=good.organization_id,
        project_id=good.project_id,
        build_id=good.build_id,
        predicate_type="?",
        bundle=b"\x00not JSON",
        bundle_sha256="0" * 64,
        recorded_at=good.recorded_at,
    )
    subject = good.subjects.get()
    bad.subjects.create(
        project_id=subject.project_id,
        build_id=subject.build_id,
        sha256=subject.sha256,
        name=subject.name,
    )
    found = file_of(build)

    assert "malformed-bundle" in text(f"/artifacts/{found.pk}")
    assert "no statement that can be read" in text(f"/artifacts/{found.pk}/attestations/{bad.pk}")


@pytest.mark.django_db(transaction=True)  # the connection goes back before the archive is read
def test_looks_into_archives_after_the_decision(shelf: Shelf) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("docs/read me.txt", b"hello")
        archive.writestr("<script>alert(1)</script>", b"x")
    kept = shelf.release("a.zip", packed.getvalue())
    other = shelf.release("b.zip", b"no archive at all")
    shelf.attest()

    response = Client().get(f"/artifacts/{kept.pk}/members")

    assert f"/api/v1/artifacts/{kept.pk}/members/docs/read%20me.txt" in response.content.decode()
    assert "<script>alert" not in response.content.decode()
    assert "no archive of a kind" in text(f"/artifacts/{other.pk}/members")
    log = download_log()
    assert isinstance(log, BufferedDownloadLog)
    log.flush()
    looked_into = Download.objects.filter(artifact_id__in=[kept.pk, other.pk], way="members")
    assert looked_into.count() == 2


def test_does_not_look_into_what_is_not_handed_out(shelf: Shelf) -> None:
    shelf.accept(SOURCE)
    refused = shelf.release("a.zip", b"PK")
    shelf.attest()

    assert "policy-not-met" in text(f"/artifacts/{refused.pk}/members", status=403)


def test_finds_builds_and_files_by_what_people_have(shelf: Shelf) -> None:
    first = shelf.push(witnessed(), one_whl=b"1")
    second = shelf.push(witnessed(run_id="2", commit="b" * 40, ref="refs/heads/main"), two_whl=b"2")
    short = {build.pk: str(build.pk)[:8] for build in (first, second)}

    def shown(**query: str) -> set[Any]:
        page = words(Client().get("/projects/acme/widget", query))
        return {pk for pk, beginning in short.items() if beginning in page}

    assert shown() == {first.pk, second.pk}
    assert shown(q="bbbb") == {second.pk}
    assert shown(ref="refs/heads/main") == {second.pk}
    assert shown(state="refused") == set()
    assert "No build matches" in text("/projects/acme/widget", state="refused")
    assert "one.whl" in text("/projects/acme/widget", q="one")
    digest = file_of(first).blob.sha256
    assert "one.whl" in text("/projects/acme/widget", q=digest)
    refused = text("/projects/acme/widget", status=400, state="nonsense")
    assert "expected open, published, refused, sealed" in refused
    text("/projects/acme/widget", status=400, cursor="nonsense")


def test_shows_the_latest_published_build_of_each_ref(shelf: Shelf) -> None:
    shelf.push(witnessed(run_id="1", ref="refs/heads/main"), a=b"1")
    newest = shelf.push(witnessed(run_id="2", ref="refs/heads/main"), a=b"2")
    shelf.push(witnessed(run_id="3", ref="refs/tags/v1"), a=b"3")
    shelf.attest()
    shelf.push(witnessed(run_id="4", ref="refs/heads/main"), a=b"4")  # waits

    page = Client().get("/projects/acme/widget").content.decode()

    latest = page[page.index("Latest of each ref") :]
    assert latest.index(str(newest.pk)) > 0
    assert latest.count("/builds/") == 2


def test_tells_publishers_to_those_who_may_administer(shelf: Shelf) -> None:
    shelf.accept(SOURCE)
    maintainer = Client()
    acme = organization_place(shelf.project.organization)
    maintainer.force_login(account("mia", acme, Role.MAINTAINER))

    assert "repository 4242 of owner 77" in text("/projects/acme/widget")
    assert "No CI workflow is trusted yet" in text("/projects/acme/widget", maintainer)


def test_shows_a_private_project_to_its_members_alone(shelf: Shelf) -> None:
    Project.objects.update(is_public=False)
    member, stranger = Client(), Client()
    member.force_login(account("mia", organization_place(shelf.project.organization), Role.READER))
    stranger.force_login(account("eve"))

    assert "acme/widget" in text("/", member)
    assert "acme/widget" not in text("/", stranger)
    assert "acme/widget" not in text("/")
    text("/projects/acme/widget", member)
    text("/projects/acme/widget", stranger, status=404)


def test_answers_what_is_not_there_in_the_same_frame(shelf: Shelf) -> None:
    browser = {"Accept": "text/html,*/*;q=0.8"}

    for address in ("/projects/acme/nothing", "/no/such/page", "/artifacts/none"):
        response = Client().get(address, headers=browser)
        assert response.status_code == 404
        assert "Log in" in words(response)
    machine = Client().get("/api/v1/nothing", headers=browser)
    assert machine["Content-Type"] == "application/problem+json"
    assert Client().get("/no/such/page")["Content-Type"] == "application/problem+json"
    assert shelf.project.is_public


def test_loads_nothing_but_its_own_and_stands_in_no_frame(shelf: Shelf) -> None:
    build = shelf.push(witnessed(), widget_whl=b"bytes")

    for address in ("/", "/about", "/login", f"/builds/{build.pk}", "/problems/", "/projects/x/y"):
        response = Client().get(address)
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        page = response.content.decode()
        assert not re.search(r"<style|<script(?![^>]* src=)| style=| on\w+=", page), address


@pytest.mark.parametrize(
    "address",
    ["/", "/projects/acme/widget", "/projects/acme/widget/files", "/builds/{build}"],
)
def test_asks_as_often_for_many_rows_as_for_few(shelf: Shelf, address: str) -> None:
    build = shelf.push(witnessed(), **{f"file{number}": b"x" for number in range(2)})
    place = address.format(build=build.pk)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            text(place)
        assert not [q for q in captured if "COUNT(" in q["sql"].upper()]
        return len(captured)

    few = queries()
    for run in range(3):
        shelf.push(witnessed(run_id=f"7{run}", ref=f"refs/heads/{run}"), a=b"1", b=b"2", c=b"3")

    assert queries() == few


def test_says_where_statements_are_recorded(shelf: Shelf) -> None:
    owner, reader = Client(), Client()
    place = organization_place(shelf.project.organization)
    owner.force_login(account("olga", place, Role.OWNER))
    reader.force_login(account("rita", place, Role.READER))
    address = "/projects/acme/widget"

    assert "in a log of this store's operator" in text(address)
    assert "how to choose" in text(address, owner)
    assert "how to choose" not in text(address, reader)
    Project.objects.update(transparency=Transparency.PUBLIC_LOG.value)
    assert "in public logs, for ever" in text(address)
    Project.objects.update(transparency=Transparency.PRIVATE_LOG.value, is_public=False)
    assert "in a log of this store's operator" in text(address, reader)


def test_lists_the_projects_of_an_organization_that_one_may_see(shelf: Shelf) -> None:
    hidden = create_project(
        actor=administrator(),
        organization="acme",
        slug="hidden",
        is_public=False,
        now=timezone.now(),
    )
    member = Client()
    member.force_login(account("rita", organization_place(shelf.project.organization), Role.READER))

    assert str(hidden) not in text("/projects/acme")
    assert "acme/widget" in text("/projects/acme")
    assert str(hidden) in text("/projects/acme", member)
    Project.objects.update(is_public=False)
    absent, nobody = text("/projects/acme", status=404), text("/projects/nobody", status=404)
    assert absent == nobody
