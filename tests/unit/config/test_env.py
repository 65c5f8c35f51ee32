"""Settings are complete or the process stops, naming everything that is wrong at once."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from artifacts.domain.handover import Way
from config.settings.env import OF_THE_CLIENT, PREFIX, Profile, read
from config.settings.sigstore import SigstoreDescription

ROOT = Path(__file__).resolve().parent.parent.parent.parent
COMPLETE = {
    "STRONGROOM_PROFILE": "production",
    "STRONGROOM_PUBLIC_URL": "https://store.example.com",
    "STRONGROOM_SECRET_KEY": "s" * 50,
    "STRONGROOM_DATABASE_URL": "postgresql://runtime:secret@db/strongroom",
    "STRONGROOM_BROKER_URL": "redis://broker/0",
    "STRONGROOM_BLOB_DIRECTORY": "/var/lib/strongroom",
}


def test_reads_a_complete_environment() -> None:
    environment = read(COMPLETE)

    assert environment.profile is Profile.PRODUCTION
    assert environment.max_upload_bytes == 5 * 1024**3
    assert environment.direct_upload_bytes == 64 * 1024**2
    assert environment.blob_directory == Path("/var/lib/strongroom")
    assert not environment.attestor_is_isolated


@pytest.mark.parametrize("name", sorted(COMPLETE.keys() - {"STRONGROOM_BLOB_DIRECTORY"}))
def test_stops_and_names_a_missing_setting(name: str) -> None:
    with pytest.raises(SystemExit, match=f"{name} is not set"):
        read({**COMPLETE, name: ""})


def test_keeps_bytes_in_a_directory_or_in_a_bucket() -> None:
    in_bucket = {
        **COMPLETE,
        "STRONGROOM_BLOB_DIRECTORY": "",
        "STRONGROOM_S3_BUCKET": "blobs",
        "STRONGROOM_S3_ENDPOINT": "http://127.0.0.1:7070",
        "STRONGROOM_S3_PATH_STYLE": "true",
    }

    bucket = read(in_bucket).s3

    assert bucket is not None
    assert (bucket.name, bucket.endpoint) == ("blobs", "http://127.0.0.1:7070")
    assert bucket.uses_path_style
    assert bucket.part_bytes == 16 * 1024**2
    for both_or_none in (
        {**in_bucket, "STRONGROOM_BLOB_DIRECTORY": "/var/lib/strongroom"},
        {**in_bucket, "STRONGROOM_S3_BUCKET": ""},
    ):
        with pytest.raises(SystemExit, match=r"BLOB_DIRECTORY .* and STRONGROOM_S3_BUCKET"):
            read(both_or_none)


def test_leaves_alone_what_the_client_reads_and_nothing_else() -> None:
    pages = [(ROOT / "docs" / f"{page}.md").read_text() for page in ("client", "verify")]

    assert read({**COMPLETE, **dict.fromkeys(OF_THE_CLIENT, "x")}).profile is Profile.PRODUCTION
    assert [name for name in OF_THE_CLIENT if not any(name in page for page in pages)] == []
    with pytest.raises(SystemExit, match="STRONGROOM_TOKENS is not a setting"):
        read({**COMPLETE, "STRONGROOM_TOKENS": "x"})


def test_names_everything_that_is_missing_at_once() -> None:
    with pytest.raises(SystemExit) as stopped:
        read({})

    assert all(name in str(stopped.value) for name in COMPLETE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROFILE", "staging"),
        ("PUBLIC_URL", "store.example.com"),
        ("PUBLIC_URL", "https://store.example.com/"),
        ("PUBLIC_URL", "https://store.example.com/path"),
        ("PUBLIC_URL", "ftp://store.example.com"),
        ("DATABASE_URL", "postgresql://a:b@c/d?nonsense=1"),
        ("BROKER_URL", "sqs://key:secret@"),
        ("BROKER_URL", "127.0.0.1:6379"),
        ("BROKER_CA_FILE", "ca.pem"),
        ("BLOB_DIRECTORY", "relative/path"),
        ("S3_ENDPOINT", "s3.example.com"),
        ("S3_ENDPOINT", "https://s3.example.com/bucket"),
        ("S3_PUBLIC_ENDPOINT", "https://s3.example.com/bucket"),
        ("DOWNLOADS", "fast"),
        ("DOWNLOADS", "redirect"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "127.0.0.1 proxy"),
        ("S3_PATH_STYLE", "yes"),
        ("S3_PART_BYTES", "1048576"),
        ("MAX_UPLOAD_BYTES", "5 GiB"),
        ("MAX_UPLOAD_BYTES", "0"),
        ("MAX_UPLOAD_BYTES", "-1"),
        ("DIRECT_UPLOAD_BYTES", "64 MiB"),
        ("ATTESTOR_IS_ISOLATED", "yes"),
        ("SIGNER", "cosign"),
        ("LOGIN_OIDC_ISSUER", "http://login.example.com"),
        ("LOGIN_OIDC_ISSUER", "https://login.example.com/" + "x" * 200),
        ("LOGIN_OIDC_CLIENT_SECRET_FILE", "relative"),
        ("LOGIN_OIDC_NEW_PEOPLE", "yes"),
        ("SIGSTORE_TRUSTED_ROOT", "trusted_root.json"),
        ("SIGSTORE_THREADS", "0"),
        ("SIGSTORE_ISSUER_IS_ISOLATED", "1"),
        ("KEY_SECRET_FILE", "pin"),
        ("KEY_TIMESTAMPS", "http://tsa.example.com"),
        ("KEY_TIMESTAMPS", "https://tsa.example.com ftp://tsa.example.com"),
        ("KEY_LOG", "https://rekor.example.com"),  # without timestamps
        ("SILENCED_CHECKS", "strongroom.E001"),
        ("FAULT_POINTS", "artifacts.received=/trigger"),
        ("MAX_UPLOAD_BYTE", "1024"),
    ],
)
def test_stops_and_names_a_wrong_setting(name: str, value: str) -> None:
    with pytest.raises(SystemExit, match=PREFIX + name):
        read({**COMPLETE, PREFIX + name: value})


@pytest.mark.parametrize("scheme", ["redis", "rediss", "redis+socket", "amqp", "amqps"])
def test_takes_both_kinds_of_broker(scheme: str) -> None:
    url = f"{scheme}://store:secret@broker.example.com/0"

    assert read({**COMPLETE, "STRONGROOM_BROKER_URL": url}).broker_url == url


def test_does_not_show_the_brokers_password() -> None:
    with pytest.raises(SystemExit) as stopped:
        read({**COMPLETE, "STRONGROOM_BROKER_URL": "sqs://key:secret@"})

    assert "secret" not in str(stopped.value)


def test_takes_one_identity_token_and_not_two() -> None:
    token = {PREFIX + "SIGSTORE_IDENTITY_TOKEN": "header.claims.signature"}
    file = {PREFIX + "SIGSTORE_IDENTITY_TOKEN_FILE": "/run/token"}

    assert not read({**COMPLETE, **token}).sigstore.has_own_issuer
    assert not read({**COMPLETE, **file}).sigstore.has_own_issuer
    assert read(COMPLETE).sigstore.has_own_issuer
    with pytest.raises(SystemExit, match="one is enough"):
        read({**COMPLETE, **token, **file})


def test_reads_a_managed_key_and_its_witnesses() -> None:
    witnessed = {
        PREFIX + "SIGNER": "key",
        PREFIX + "KEY_URI": "vault:transit/attestor/1",
        PREFIX + "KEY_TIMESTAMPS": "https://a.example.com/ts http://127.0.0.1:3000/ts/",
        PREFIX + "KEY_LOG": "https://rekor.example.com/",
    }

    key = read({**COMPLETE, **witnessed}).managed_key

    assert key.uri == "vault:transit/attestor/1"
    assert key.timestamps == ("https://a.example.com/ts", "http://127.0.0.1:3000/ts")
    assert key.log == "https://rekor.example.com"
    for wrong in ("https://log2025-1.rekor.sigstore.dev", "https://a.example https://b.example"):
        with pytest.raises(SystemExit, match="KEY_LOG"):
            read({**COMPLETE, **witnessed, PREFIX + "KEY_LOG": wrong})


@pytest.mark.parametrize("name", ["SIGSTORE", "PUBLIC_SIGSTORE"])
def test_takes_an_instance_from_files_or_from_a_repository(name: str) -> None:
    files = {f"{PREFIX}{name}_TRUSTED_ROOT": "/etc/root.json"}
    url = {f"{PREFIX}{name}_TUF_URL": "https://tuf.example.com/"}
    rest = {f"{PREFIX}{name}_TUF_ROOT": "/etc/1.root.json", f"{PREFIX}{name}_TUF_CACHE": "/var/tuf"}

    def described(values: Mapping[str, str]) -> SigstoreDescription:
        instance = read({**COMPLETE, **values}).sigstore
        return instance.public if name == "PUBLIC_SIGSTORE" else instance.described

    assert not described({}).is_given
    assert described(files).trusted_root == Path("/etc/root.json")
    followed = described({**url, **rest})
    assert followed.is_given
    assert followed.tuf is not None
    assert followed.tuf.url == "https://tuf.example.com"
    for wrong, why in (
        (url, "belong together"),
        (rest, "belong together"),
        ({**files, **url, **rest}, "one is enough"),
        ({**rest, f"{PREFIX}{name}_TUF_URL": "http://tuf.example.com"}, "https"),
    ):
        with pytest.raises(SystemExit, match=why):
            described(wrong)


def test_reads_how_downloads_leave() -> None:
    streamed = read({**COMPLETE, "STRONGROOM_TRUSTED_PROXIES": "127.0.0.1 10.0.0.0/8 fd00::/8"})
    redirected = read(
        {
            **COMPLETE,
            "STRONGROOM_BLOB_DIRECTORY": "",
            "STRONGROOM_S3_BUCKET": "blobs",
            "STRONGROOM_S3_ENDPOINT": "http://127.0.0.1:7070",
            "STRONGROOM_S3_PUBLIC_ENDPOINT": "https://s3.example.com",
            "STRONGROOM_DOWNLOADS": "redirect",
        }
    )

    assert (streamed.downloads, len(streamed.trusted_proxies)) == (Way.STREAM, 3)
    assert redirected.downloads is Way.REDIRECT
    assert redirected.s3 is not None
    assert redirected.s3.public_endpoint == "https://s3.example.com"


def test_reads_a_file_under_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "env"
    lines = [f"{name}={value}" for name, value in COMPLETE.items()]
    file.write_text("\n".join(["# settings", *lines, "STRONGROOM_LOG_LEVEL=debug"]))

    environment = read({"STRONGROOM_ENV_FILE": str(file), "STRONGROOM_LOG_LEVEL": "warning"})

    assert environment.public_url == "https://store.example.com"
    assert environment.log_level == "WARNING"


def test_stops_when_the_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="cannot be read"):
        read({"STRONGROOM_ENV_FILE": str(tmp_path / "absent")})


def test_reads_with_whom_people_log_in() -> None:
    given = {
        "STRONGROOM_LOGIN_OIDC_ISSUER": "https://login.example.com",
        "STRONGROOM_LOGIN_OIDC_CLIENT_ID": "strongroom",
        "STRONGROOM_LOGIN_OIDC_CLIENT_SECRET_FILE": "/run/secret",
        "STRONGROOM_LOGIN_OIDC_NEW_PEOPLE": "refuse",
    }

    login = read({**COMPLETE, **given}).login_oidc

    assert read(COMPLETE).login_oidc is None
    assert login is not None
    assert (login.name, login.admits_new_people) == ("login.example.com", False)
    with pytest.raises(SystemExit, match="LOGIN_OIDC_CLIENT_ID is not set beside the issuer"):
        read({**COMPLETE, **given, "STRONGROOM_LOGIN_OIDC_CLIENT_ID": ""})


def test_runs_retention_daily_within_limits_or_never() -> None:
    read_by_default = read(COMPLETE)
    never = read({**COMPLETE, "STRONGROOM_RETENTION_EVERY_HOURS": "0"})

    assert read_by_default.retention_every_hours == 24
    assert read_by_default.retention_most_percent == 10
    assert read_by_default.retention_most_bytes == 100 * 1024**3
    assert never.retention_every_hours == 0


def test_scrubs_at_a_rate_or_never() -> None:
    assert read(COMPLETE).scrub_bytes_per_second == 4 * 1024**2
    assert read({**COMPLETE, "STRONGROOM_SCRUB_BYTES_PER_SECOND": "0"}).scrub_bytes_per_second == 0
    with pytest.raises(SystemExit, match="SCRUB_BYTES_PER_SECOND is '-1'"):
        read({**COMPLETE, "STRONGROOM_SCRUB_BYTES_PER_SECOND": "-1"})


def test_lets_nobody_lift_a_hold_alone() -> None:
    assert read(COMPLETE).hold_lift_persons == 2
    assert read({**COMPLETE, "STRONGROOM_HOLD_LIFT_PERSONS": "3"}).hold_lift_persons == 3
    with pytest.raises(SystemExit, match="HOLD_LIFT_PERSONS is '1'; it must be 2 or more"):
        read({**COMPLETE, "STRONGROOM_HOLD_LIFT_PERSONS": "1"})


def test_has_a_trash_of_a_week() -> None:
    assert read(COMPLETE).trash_days == 7
    with pytest.raises(SystemExit, match="TRASH_DAYS is '0'"):
        read({**COMPLETE, "STRONGROOM_TRASH_DAYS": "0"})


def test_keeps_evidence_for_ever_or_a_year_at_least() -> None:
    assert read(COMPLETE).evidence_days is None
    assert read({**COMPLETE, "STRONGROOM_EVIDENCE_DAYS": "3650"}).evidence_days == 3650
    for days in ("0", "364", "-400", "for ever"):
        with pytest.raises(SystemExit, match=f"EVIDENCE_DAYS is '{days}'; it must be 365 or more"):
            read({**COMPLETE, "STRONGROOM_EVIDENCE_DAYS": days})
