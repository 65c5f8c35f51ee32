"""What is written into statements, read back by in-toto's own types."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.statement import Statement as InTotoStatement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementPb

from kernel.digest import Sha256
from provenance.domain.attesting import asked
from provenance.domain.build_facts import MalformedFacts, Platform, Witnessed
from provenance.domain.build_schema import first_violation
from provenance.domain.confirmation import Confirmation
from provenance.domain.fields import fields_of
from provenance.domain.platforms import FORMS
from provenance.domain.slsa_v1 import Sealed, UnattestableEvent, provenance
from provenance.domain.statement import Statement, Subject, encode, is_timestamped, parse
from tests.factories.evidence import BASE_URL, BUILD, PROJECT, confirmation_of
from tests.factories.facts import witnessed, witnessed_by_subject, witnessed_on_gitlab

SEALED = Sealed(
    project=PROJECT,
    build=BUILD,
    opened_at=datetime(2026, 11, 21, 8, 0, 0, tzinfo=UTC),
    sealed_at=datetime(2026, 11, 21, 8, 0, 5, 999, tzinfo=UTC),
)
JOBS = [witnessed(), witnessed_on_gitlab(), witnessed_by_subject()]
SUBJECTS = (Subject("a.txt", Sha256("ab" * 32)), Subject("ä/b.txt", Sha256("cd" * 32)))


@pytest.mark.parametrize("facts", [*JOBS, None])
def test_writes_statements_that_in_totos_own_types_accept(facts: Witnessed | None) -> None:
    document = json.loads(asked(SUBJECTS, facts, SEALED, base_url=BASE_URL).statement)

    read = ParseDict(document, StatementPb())
    InTotoStatement.copy_from_pb(read).validate()
    if facts is not None:
        ParseDict(document["predicate"], Provenance())


def test_writes_the_same_bytes_for_the_same_facts() -> None:
    first = asked(SUBJECTS, witnessed(), SEALED, base_url=BASE_URL)
    again = asked(SUBJECTS, witnessed(), SEALED, base_url=BASE_URL)

    assert first.statement == again.statement
    assert parse(first.statement) == Statement(
        SUBJECTS, first.predicate_type, provenance(witnessed(), SEALED, base_url=BASE_URL)
    )


def test_keeps_names_that_are_not_ascii_as_they_are() -> None:
    encoded = encode(Statement(SUBJECTS, "https://example.com/type", {}))

    assert "ä/b.txt".encode() in encoded


def test_gives_the_certificate_the_predicates_builder_id() -> None:
    made = asked(SUBJECTS, witnessed(), SEALED, base_url=BASE_URL)

    predicate = json.loads(made.statement)["predicate"]
    assert predicate["runDetails"]["builder"]["id"] == made.identity
    assert made.identity == f"{BASE_URL}/builders/github/hosted-unconfirmed/v1"
    assert 9 not in made.claims
    assert made.claims[18].endswith("release.yml@refs/tags/v1.4.0")


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
def test_refuses_events_whose_commit_is_not_the_code_that_ran(event: str) -> None:
    with pytest.raises(UnattestableEvent):
        provenance(witnessed(event=event), SEALED, base_url=BASE_URL)


def test_says_nothing_of_levels_or_people_in_provenance() -> None:
    text = asked(SUBJECTS, witnessed(), SEALED, base_url=BASE_URL).statement.decode()

    assert "LEVEL" not in text
    assert "actor" not in text


def test_names_the_reusable_workflow_where_there_is_one() -> None:
    facts = witnessed(
        job_workflow_ref="acme/ci/.github/workflows/build.yml@refs/heads/main",
        job_workflow_commit="b" * 40,
    )

    dependencies = provenance(facts, SEALED, base_url=BASE_URL)["buildDefinition"][
        "resolvedDependencies"
    ]

    assert [entry["name"] for entry in dependencies] == ["source", "workflow", "job_workflow"]
    assert dependencies[2]["digest"] == {"gitCommit": "b" * 40}


def leaves(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, f"{path}/{key}")
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member, path)
    else:
        yield path.lstrip("/")


@pytest.mark.parametrize("facts", JOBS, ids=lambda facts: facts.platform.value)
def test_documents_exactly_the_fields_that_a_predicate_has(facts: Witnessed) -> None:
    can_be_confirmed = facts.platform is not Platform.GENERIC
    predicate = provenance(
        replace(facts, confirmed=can_be_confirmed),
        SEALED,
        base_url=BASE_URL,
        confirmation=confirmation_of(facts) if can_be_confirmed else None,
    )

    assert first_violation(predicate, base_url=BASE_URL) is None
    assert {field.path for field in fields_of(FORMS[facts.platform])} == set(leaves(predicate))


def test_says_what_was_compared_in_statements_of_confirmed_jobs_and_in_no_others() -> None:
    facts, told = witnessed(confirmed=True), confirmation_of(witnessed())

    def violates(facts: Witnessed, confirmation: Confirmation | None) -> bool:
        made = provenance(facts, SEALED, base_url=BASE_URL, confirmation=confirmation)
        return first_violation(made, base_url=BASE_URL) is not None

    assert not violates(facts, told)
    assert violates(facts, None)
    assert violates(witnessed(), told)
    assert not violates(witnessed(), None)
    assert violates(facts, replace(told, compared=("moon_phase",)))


def test_closes_the_schema_of_each_build_type_against_the_others() -> None:
    for facts in JOBS:
        predicate = provenance(facts, SEALED, base_url=BASE_URL)
        for other in FORMS.values():
            kind = f"{BASE_URL}/buildtypes/{other.build_type_name}/v1"
            if other is not FORMS[facts.platform]:
                predicate["buildDefinition"]["buildType"] = kind
                assert first_violation(predicate, base_url=BASE_URL) is not None


def test_says_of_a_gitlab_job_what_its_token_says() -> None:
    made = asked(SUBJECTS, witnessed_on_gitlab(), SEALED, base_url=BASE_URL)
    predicate = json.loads(made.statement)["predicate"]

    definition = predicate["buildDefinition"]
    assert definition["buildType"] == f"{BASE_URL}/buildtypes/gitlab-ci-upload/v1"
    assert definition["externalParameters"]["workflow"] == {
        "repository": "https://gitlab.com/acme/tools/widget",
        "ref": "refs/tags/v1.4.0",
        "path": ".gitlab-ci.yml",
    }
    assert definition["internalParameters"]["gitlab"]["project_id"] == "4242"
    assert [entry["uri"] for entry in definition["resolvedDependencies"]] == [
        "git+https://gitlab.com/acme/tools/widget@refs/tags/v1.4.0",
        "git+https://gitlab.com/acme/tools/widget//.gitlab-ci.yml@refs/tags/v1.4.0",
    ]
    job = "https://gitlab.com/acme/tools/widget/-/jobs/31337"
    assert predicate["runDetails"]["metadata"]["invocationId"] == made.claims[21] == job
    assert made.claims[16] == "https://gitlab.com/acme/tools"
    assert (
        made.claims[18] == "https://gitlab.com/acme/tools/widget//.gitlab-ci.yml@refs/tags/v1.4.0"
    )


def test_says_of_a_subject_nothing_that_it_does_not_prove() -> None:
    made = asked(SUBJECTS, witnessed_by_subject(), SEALED, base_url=BASE_URL)
    definition = json.loads(made.statement)["predicate"]["buildDefinition"]

    assert made.identity == f"{BASE_URL}/builders/acme-ci/identity-only/v1"
    assert set(definition) == {"buildType", "externalParameters", "internalParameters"}
    assert {text for text in made.claims.values() if text} == {"job:release/widget"}


@pytest.mark.parametrize("empty", ["environment", "ref_protected", "job_id", "visibility"])
def test_leaves_out_what_the_token_did_not_say(empty: str) -> None:
    predicate = provenance(witnessed(**{empty: ""}), SEALED, base_url=BASE_URL)

    assert first_violation(predicate, base_url=BASE_URL) is None
    assert "" not in predicate["buildDefinition"]["internalParameters"]["github"].values()


def test_reads_back_the_facts_that_it_stored() -> None:
    assert Witnessed.from_json(json.loads(json.dumps(witnessed().to_json()))) == witnessed()


@pytest.mark.parametrize(
    "change",
    [{"extra": "1"}, {"platform": "other"}, {"confirmed": "yes"}, {"commit": 5}],
)
def test_refuses_stored_facts_of_another_form(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedFacts):
        Witnessed.from_json({**witnessed().to_json(), **change})


def test_knows_two_tokens_of_one_job_as_one_job() -> None:
    first, second = witnessed(token_id_sha256="1" * 64), witnessed(token_id_sha256="2" * 64)

    assert first.job_key == second.job_key
    assert first.without_token() == second.without_token()
    assert witnessed(run_attempt="2").job_key != first.job_key


def _with_timestamps(given: list[dict[str, str]]) -> bytes:
    data = {"timestampVerificationData": {"rfc3161Timestamps": given}}
    return json.dumps({"verificationMaterial": data}).encode()


@pytest.mark.parametrize(
    ("bundle", "answer"),
    [
        (_with_timestamps([{"signedTimestamp": "MAo="}]), True),
        (_with_timestamps([]), False),
        (b'{"verificationMaterial": {"tlogEntries": []}}', False),
        (b'{"verificationMaterial": {"timestampVerificationData": null}}', False),
        (b"[]", False),
        (b"\xff", False),
    ],
)
def test_says_whether_a_bundle_has_timestamps(bundle: bytes, answer: bool) -> None:  # noqa: FBT001 - a case
    assert is_timestamped(bundle) is answer
