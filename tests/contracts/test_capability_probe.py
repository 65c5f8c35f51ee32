"""The probe of a bucket … (servers that break one promise each, and a real one that keeps all)."""

import pytest

from artifacts.adapters.s3.connection import Bucket, S3Settings
from artifacts.adapters.s3.probe import S3Probe
from artifacts.domain.capabilities import CONSEQUENCES, NEEDED_FOR_DIRECT, missing_for_direct
from artifacts.errors import StorageUnavailable
from artifacts.ports import Finding
from tests.factories.loose_s3 import FAULTS, running_loose_s3
from tests.factories.s3_server import ACCESS_KEY, SECRET_KEY

ABOUT_HISTORY = {"versioning", "object-lock", "legal-hold"}


def bucket_at(endpoint: str) -> Bucket:
    settings = S3Settings("bucket", endpoint, uses_path_style=True, read_seconds=5)
    return Bucket(settings, sleep=lambda _seconds: None)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)


def broken(findings: list[Finding]) -> set[str]:
    return {finding.name for finding in findings if not finding.holds}


def test_finds_that_a_real_server_keeps_its_promises(bucket: Bucket) -> None:
    findings = S3Probe(bucket).probe()

    assert broken(list(findings)) == ABOUT_HISTORY
    assert {finding.name for finding in findings} == set(CONSEQUENCES)
    assert missing_for_direct({one.name: one.holds for one in findings}) == []
    assert bucket.page("", after="") == []
    assert list(bucket.uploads()) == []


def test_sees_that_old_versions_are_kept(versioned_bucket: Bucket) -> None:
    findings = S3Probe(versioned_bucket).probe()

    assert "versioning" not in broken(list(findings))
    assert versioned_bucket.page("", after="") == []


def test_sees_that_what_is_held_cannot_be_removed(locked_bucket: Bucket) -> None:
    findings = S3Probe(locked_bucket).probe()

    assert broken(list(findings)) == set()
    assert locked_bucket.page("", after="") == []


def test_believes_no_lock_that_lets_go(credentials: None) -> None:  # noqa: ARG001 - for boto3
    with running_loose_s3("legal-hold") as (endpoint, _shelf):
        findings = {one.name: one for one in S3Probe(bucket_at(endpoint)).probe()}

    assert findings["object-lock"].holds
    assert not findings["legal-hold"].holds
    assert findings["legal-hold"].seen == "what was held could be removed"


def test_finds_nothing_wrong_with_the_double_when_it_breaks_nothing() -> None:
    with running_loose_s3() as (endpoint, shelf):
        findings = S3Probe(bucket_at(endpoint)).probe()

        assert broken(list(findings)) == ABOUT_HISTORY, findings
        assert shelf.objects == {}
        assert shelf.uploads == {}


@pytest.mark.parametrize("fault", FAULTS)
def test_finds_the_promise_that_a_server_breaks(fault: str) -> None:
    with running_loose_s3(fault) as (endpoint, _shelf):
        findings = S3Probe(bucket_at(endpoint)).probe()

    assert fault in broken(list(findings)), findings
    missing = missing_for_direct({one.name: one.holds for one in findings})
    assert (fault in missing) is (fault in NEEDED_FOR_DIRECT)


def test_says_when_nothing_can_be_reached() -> None:
    with running_loose_s3() as (endpoint, _shelf):
        pass

    with pytest.raises(StorageUnavailable):
        S3Probe(bucket_at(endpoint)).probe()


def test_takes_what_was_not_tried_for_missing() -> None:
    assert missing_for_direct({}) == sorted(NEEDED_FOR_DIRECT)
