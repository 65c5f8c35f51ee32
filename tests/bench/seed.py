"""Fill a store with a hundred thousand artifacts in seconds: sets of rows, not requests.

    STRONGROOM_ENV_FILE=.strongroom/env python -m tests.bench.seed --artifacts 100000

Organizations, projects, the issuer and publishers are made by their use cases; builds with four
files each, evidence, decisions, downloads, audit and tokens by SQL. The statements are what the
store's own code writes, but nobody signed their bundles and no bytes are stored: verification
refuses them, as it must. `--signed` adds builds the ordinary way, which the store's worker signs.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import django
import psycopg
from django.conf import settings

FILES_A_BUILD: Final = 4
ORGANIZATIONS: Final = ("acme", "globex", "initech")
PROJECTS: Final = ("widget", "gadget", "compiler", "website")
# In the project's order: the first ones get most of the builds.
_PLACES: Final = """unnest(%(projects)s::uuid[], %(organizations)s::uuid[], %(slugs)s::text[],
    %(repositories)s::text[]) WITH ORDINALITY
    AS place (project, organization, slug, repository, ordinality)"""
_PROJECT: Final = UUID("11111111-1111-4111-8111-111111111111")
_BUILD: Final = UUID("22222222-2222-4222-8222-222222222222")
_RFC3339: Final = """'YYYY-MM-DD"T"HH24:MI:SS"Z"'"""
# What stands in a template, and what each row has instead.
_IN_FACTS: Final = {
    "@repository@": "place.repository",
    "@owner@": "split_part(place.repository, '/', 1)",
    "@commit@": "build.commit",
    "@ref@": "build.ref",
    "@run@": "coalesce(substring(build.key from '4242/([0-9]+)/'), '')",
}
_IN_STATEMENTS: Final = {
    **_IN_FACTS,
    '[{"digest":{"sha256":"' + "0" * 64 + '"},"name":"@name@"}]': "named.subjects::text",
    str(_PROJECT): "build.project_id::text",
    str(_BUILD): "build.id::text",
    "2001-01-01T00:00:00Z": f"to_char(build.opened_at AT TIME ZONE 'UTC', {_RFC3339})",
    "2002-02-02T00:00:00Z": f"to_char(build.sealed_at AT TIME ZONE 'UTC', {_RFC3339})",
}


def seed(*, artifacts: int, url: str, now: datetime, behind: str = "seed.sql") -> None:
    """Fill a store without these organizations; `url` is its database as the tables' owner.

    `behind` is what follows the builds and their files, beside this module.
    """
    places = _make_places(now=now)
    folder = Path(__file__).parent
    statement = "".join((folder / name).read_text() for name in ("seed_files.sql", behind))
    templates = _templates()
    filled = {
        "places": _PLACES,
        "facts": _fill("facts", _IN_FACTS),
        "release": _fill("release", _IN_STATEMENTS),
        "provenance": _fill("provenance", _IN_STATEMENTS),
    }
    for name, sql in filled.items():
        statement = statement.replace("{" + name + "}", sql)
    values = {**places, **templates, "builds": artifacts // FILES_A_BUILD, "now": now}
    # The client fills the values in, so that all statements are sent at once.
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(statement, values)
        connection.execute("ANALYZE")


def sign_some(*, count: int, now: datetime) -> None:
    """Builds of the first project the ordinary way: real bytes, sealed, waiting for the worker."""
    from artifacts.queries import Place  # noqa: PLC0415 - after django.setup()
    from artifacts.usecases.publish_file import Incoming, publish_file  # noqa: PLC0415 - as above
    from artifacts.wiring import blob_store  # noqa: PLC0415 - as above
    from tests.factories.actors import administrator, job  # noqa: PLC0415 - as above

    project = _first_project()
    for number in range(count):
        facts = _facts(
            repository=f"{ORGANIZATIONS[0]}/{PROJECTS[0]}",
            owner=ORGANIZATIONS[0],
            commit=f"{number:040x}",
            ref="refs/heads/main",
            run_id=str(number + 1),
        )
        actor = job(project, facts) if number % 4 else administrator()
        publish_file(
            actor=actor,
            place=Place(ORGANIZATIONS[0], PROJECTS[0], f"dist/signed-{number}.txt"),
            incoming=Incoming(chunks=iter([b"signed %d\n" % number]), declared=None),
            store=blob_store(),
            clock=lambda: now,
        )


def _make_places(*, now: datetime) -> dict[str, Any]:
    """The organizations and projects, with the issuer and one trusted publisher each."""
    from access.domain.issuers import PRESETS  # noqa: PLC0415 - after django.setup()
    from access.usecases.add_issuer import add_issuer  # noqa: PLC0415 - as above
    from access.usecases.add_publisher import NewPublisher, add_publisher  # noqa: PLC0415 - as above
    from access.wiring import instance_rules  # noqa: PLC0415 - as above
    from artifacts.usecases.create_organization import (  # noqa: PLC0415 - as above
        create_organization,
    )
    from artifacts.usecases.create_project import create_project  # noqa: PLC0415 - as above
    from tests.factories.actors import administrator  # noqa: PLC0415 - as above

    actor = administrator()
    add_issuer(issuer=PRESETS["github.com"], rules=instance_rules(), actor=actor, now=now)
    projects = []
    for organization in ORGANIZATIONS:
        create_organization(actor=actor, slug=organization, now=now)
        for slug in PROJECTS:
            project = create_project(
                actor=actor,
                organization=organization,
                slug=slug,
                is_public=slug != "compiler",
                now=now,
            )
            publisher = NewPublisher(
                issuer_name="github",
                repository_id="4242",
                owner_id="77",
                workflow_path=".github/workflows/release.yml",
            )
            add_publisher(project=project, publisher=publisher, actor=actor, now=now)
            projects.append(project)
    return {
        "projects": [one.pk for one in projects],
        "organizations": [one.organization_id for one in projects],
        "slugs": [one.slug for one in projects],
        "repositories": [str(one) for one in projects],
    }


def _first_project() -> Any:
    from artifacts.queries import find_project  # noqa: PLC0415 - after django.setup()

    return find_project(organization=ORGANIZATIONS[0], project=PROJECTS[0])


def _facts(*, repository: str, owner: str, commit: str, ref: str, run_id: str) -> Any:
    from tests.factories.facts import witnessed  # noqa: PLC0415 - after django.setup()

    workflow = f"{repository}/.github/workflows/release.yml@{ref}"
    return witnessed(
        subject=f"repo:{repository}:ref:{ref}",
        repository=repository,
        owner=owner,
        commit=commit,
        workflow_commit=commit,
        job_workflow_commit=commit,
        ref=ref,
        workflow_ref=workflow,
        job_workflow_ref=workflow,
        run_id=run_id,
        environment="",
    )


def _templates() -> dict[str, str]:
    """What the store's own code writes about a job and a release, with places to fill in."""
    from kernel.digest import Sha256  # noqa: PLC0415 - after django.setup()
    from provenance.domain import release, slsa_v1  # noqa: PLC0415 - as above
    from provenance.domain.attesting import asked  # noqa: PLC0415 - as above
    from provenance.domain.slsa_v1 import Sealed  # noqa: PLC0415 - as above
    from provenance.domain.statement import PAYLOAD_TYPE, Subject  # noqa: PLC0415 - as above
    from tests.factories.facts import ISSUER  # noqa: PLC0415 - as above

    facts = _facts(
        repository="@repository@", owner="@owner@", commit="@commit@", ref="@ref@", run_id="@run@"
    )
    sealed = Sealed(
        project=_PROJECT,
        build=_BUILD,
        opened_at=datetime(2001, 1, 1, tzinfo=UTC),
        sealed_at=datetime(2002, 2, 2, tzinfo=UTC),
    )
    subjects = [Subject("@name@", Sha256("0" * 64))]
    written = {
        name: asked(subjects, about, sealed, base_url=settings.PUBLIC_URL).statement.decode()
        for name, about in (("provenance", facts), ("release", None))
    }
    bundle = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "dsseEnvelope": {
            "payload": "@payload@",
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": ""}],
        },
    }
    return {
        **written,
        "facts": json.dumps(facts.to_json()),
        "bundle": json.dumps(bundle),
        "issuer": ISSUER,
        "provenance_type": slsa_v1.PREDICATE_TYPE,
        "release_type": release.PREDICATE_TYPE,
    }


def _fill(template: str, places: Mapping[str, str]) -> str:
    """SQL that gives the template with a row's own values in its places."""
    first = f"%({template})s::text"
    return reduce(lambda sql, one: f"replace({sql}, '{one[0]}', {one[1]})", places.items(), first)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and fill the configured store."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--artifacts", type=int, default=100_000)
    parser.add_argument("--signed", type=int, default=8, help="more of them, the ordinary way")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    environment = settings.ENVIRONMENT
    now = datetime.now(UTC)
    url = environment.migrator_database_url or environment.database_url
    seed(artifacts=options.artifacts, url=str(url), now=now)
    sign_some(count=options.signed, now=now)


if __name__ == "__main__":
    main()
