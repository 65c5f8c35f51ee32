"""The only module that reads the environment: typed, complete, or the process stops.

Values come from the environment, or from the file that STRONGROOM_ENV_FILE names (KEY=VALUE
lines; the environment wins). Everything that is missing or wrong is named at once.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Final, NoReturn, TypeVar
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from access.domain.oidc_people import OidcProvider
from artifacts.domain.addresses import Network
from artifacts.domain.handover import Way
from config.settings.brokers import trouble_with_broker
from config.settings.bucket import S3Bucket
from config.settings.confirmations import ConfirmationApi, NotUsable, read_confirmations
from config.settings.logins import GivenLogin
from config.settings.managed_key import ManagedKey, service_address
from config.settings.managed_key import NotUsable as NotUsableService
from config.settings.sigstore import SigstoreInstance, read_sigstore

PREFIX: Final = "STRONGROOM_"
MEBIBYTE: Final = 1024**2
GIBIBYTE: Final = 1024**3
_SMALLEST_PART: Final = 5 * MEBIBYTE  # S3's own limit
# What the command `strongroom` reads (docs/client.md): a person's shell may well hold these.
OF_THE_CLIENT: Final = frozenset(
    f"{PREFIX}{name}"
    for name in ("URL", "PROJECT", "TOKEN", "ID_TOKEN", "CONFIG_HOME", "TRUST_ROOT", "POLICY")
)


Choice = TypeVar("Choice", bound=StrEnum)


class Profile(StrEnum):
    """What this process is for; `production` refuses whatever is only fit for development."""

    PRODUCTION = "production"
    EMBEDDED = "embedded"
    TEST = "test"


class SignerKind(StrEnum):
    """Who signs: the store with keys of its own, an instance of Sigstore, or a managed key."""

    EMBEDDED = "embedded"
    SIGSTORE = "sigstore"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Environment:
    """Every setting that an operator can give; docs/settings.md describes each."""

    profile: Profile
    public_url: str
    secret_key: str
    database_url: str
    migrator_database_url: str | None
    broker_url: str
    broker_ca_file: Path | None
    blob_directory: Path | None
    s3: S3Bucket | None
    second_copy: str | None
    scrub_bytes_per_second: int
    retention_every_hours: int
    retention_most_percent: int
    retention_most_bytes: int
    signer: SignerKind
    sigstore: SigstoreInstance
    managed_key: ManagedKey
    downloads: Way
    trusted_proxies: tuple[Network, ...]
    attestor_key_file: Path | None
    attestor_is_isolated: bool
    max_upload_bytes: int
    direct_upload_bytes: int
    max_build_files: int
    hold_lift_persons: int
    trash_days: int
    evidence_days: int | None
    max_open_archives: int
    allowed_hosts: tuple[str, ...]
    audit_checkpoint_directory: Path | None
    metrics_directory: Path | None
    metrics_token: str | None
    log_level: str
    silenced_checks: tuple[str, ...]
    confirmations: Mapping[str, ConfirmationApi]
    confirmation_wait_seconds: int
    fault_points: Mapping[str, Path]
    login_oidc: OidcProvider | None


class _Reader:
    """Reads values one by one and remembers what is wrong, so that all of it is told at once."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._used: set[str] = {f"{PREFIX}ENV_FILE", *OF_THE_CLIENT}
        self.problems: list[str] = []

    def optional(self, name: str) -> str | None:
        self._used.add(PREFIX + name)
        return self._values.get(PREFIX + name) or None

    def required(self, name: str, *, example: str) -> str:
        value = self.optional(name)
        if value is None:
            self.problems.append(f"{PREFIX}{name} is not set (for example {example})")
            return ""
        return value

    def flag(self, name: str) -> bool:
        value = self.optional(name)
        if value not in (None, "true", "false"):
            self.problems.append(f"{PREFIX}{name} is {value!r}; it must be true or false")
        return value == "true"

    def positive(self, name: str, default: int) -> int:
        return self._number(name, default, least=1, wanted="a positive number")

    def positive_or_zero(self, name: str, default: int) -> int:
        return self._number(name, default, least=0, wanted="a positive number, or 0 for never")

    def several(self, name: str, default: int) -> int:
        return self._number(name, default, least=2, wanted="2 or more")

    def at_least(self, name: str, least: int) -> int | None:
        if self.optional(name) is None:
            return None
        return self._number(name, least, least=least, wanted=f"{least} or more")

    def _number(self, name: str, default: int, *, least: int, wanted: str) -> int:
        value = self.optional(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or int(value) < least:
            self.problems.append(f"{PREFIX}{name} is {value!r}; it must be {wanted}")
            return default
        return int(value)

    def choice(self, name: str, default: Choice) -> Choice:
        choices = type(default)
        value = self.optional(name) or default.value
        if value in set(choices):
            return choices(value)
        self.problems.append(f"{PREFIX}{name} is {value!r}; one of {', '.join(choices)}")
        return default

    def path(self, name: str) -> Path | None:
        value = self.optional(name)
        if value is not None and not Path(value).is_absolute():
            self.problems.append(f"{PREFIX}{name} is {value!r}; it must be an absolute path")
        return Path(value) if value is not None else None

    def unknown(self) -> list[str]:
        """A misspelt name must not pass silently."""
        return sorted(
            name for name in self._values if name.startswith(PREFIX) and name not in self._used
        )


def read(environ: Mapping[str, str] = os.environ) -> Environment:
    """Read the whole environment; a missing or wrong value ends the process, naming each."""
    reader = _Reader(_values(environ))
    environment = Environment(
        profile=_profile(reader),
        public_url=_public_url(reader),
        secret_key=reader.required("SECRET_KEY", example="50 random characters"),
        database_url=_database_url(reader, "DATABASE_URL", required=True) or "",
        migrator_database_url=_database_url(reader, "MIGRATOR_DATABASE_URL", required=False),
        broker_url=reader.required("BROKER_URL", example="redis://127.0.0.1:6379/0"),
        broker_ca_file=reader.path("BROKER_CA_FILE"),
        blob_directory=reader.path("BLOB_DIRECTORY"),
        s3=_s3(reader),
        second_copy=reader.optional("SECOND_COPY"),
        scrub_bytes_per_second=reader.positive_or_zero("SCRUB_BYTES_PER_SECOND", 4 * MEBIBYTE),
        retention_every_hours=reader.positive_or_zero("RETENTION_EVERY_HOURS", 24),
        retention_most_percent=reader.positive_or_zero("RETENTION_MOST_PERCENT", 10),
        retention_most_bytes=reader.positive_or_zero("RETENTION_MOST_BYTES", 100 * GIBIBYTE),
        signer=reader.choice("SIGNER", SignerKind.EMBEDDED),
        sigstore=read_sigstore(reader, prefix=PREFIX),
        managed_key=_managed_key(reader),
        downloads=reader.choice("DOWNLOADS", Way.STREAM),
        trusted_proxies=_trusted_proxies(reader),
        attestor_key_file=reader.path("ATTESTOR_KEY_FILE"),
        attestor_is_isolated=reader.flag("ATTESTOR_IS_ISOLATED"),
        max_upload_bytes=reader.positive("MAX_UPLOAD_BYTES", 5 * GIBIBYTE),
        direct_upload_bytes=reader.positive("DIRECT_UPLOAD_BYTES", 64 * MEBIBYTE),
        max_build_files=reader.positive("MAX_BUILD_FILES", 10_000),
        hold_lift_persons=reader.several("HOLD_LIFT_PERSONS", 2),
        trash_days=reader.positive("TRASH_DAYS", 7),
        evidence_days=reader.at_least("EVIDENCE_DAYS", 365),
        max_open_archives=reader.positive("MAX_OPEN_ARCHIVES", 4),
        allowed_hosts=tuple((reader.optional("ALLOWED_HOSTS") or "").split()),
        audit_checkpoint_directory=reader.path("AUDIT_CHECKPOINT_DIRECTORY"),
        metrics_directory=reader.path("METRICS_DIRECTORY"),
        metrics_token=reader.optional("METRICS_TOKEN"),
        log_level=(reader.optional("LOG_LEVEL") or "INFO").upper(),
        silenced_checks=_silenced_checks(reader),
        confirmations=_confirmations(reader),
        confirmation_wait_seconds=reader.positive("CONFIRMATION_WAIT_SECONDS", 300),
        fault_points=_fault_points(reader),
        login_oidc=_login_oidc(reader),
    )
    if trouble := trouble_with_broker(environment.broker_url):
        reader.problems.append(f"{PREFIX}BROKER_URL {trouble}")
    if (environment.blob_directory is None) is (environment.s3 is None):
        reader.problems.append(
            f"one of {PREFIX}BLOB_DIRECTORY (for example /var/lib/strongroom/blobs) and "
            f"{PREFIX}S3_BUCKET is needed, and not both"
        )
    if environment.downloads is Way.REDIRECT and environment.s3 is None:
        reader.problems.append(
            f"{PREFIX}DOWNLOADS is {Way.REDIRECT.value!r}; that needs {PREFIX}S3_BUCKET"
        )
    if environment.fault_points and environment.profile is not Profile.TEST:
        reader.problems.append(f"{PREFIX}FAULT_POINTS is only for tests")
    reader.problems.extend(f"{name} is not a setting" for name in reader.unknown())
    if reader.problems:
        _stop(reader.problems)
    return environment


def _stop(problems: list[str]) -> NoReturn:
    lines = "".join(f"  {line}\n" for line in problems)
    sys.exit(
        f"strongroom cannot start; the settings are not complete:\n{lines}See docs/settings.md."
    )


def _values(environ: Mapping[str, str]) -> Mapping[str, str]:
    file = environ.get(f"{PREFIX}ENV_FILE")
    if not file:
        return environ
    try:
        lines = Path(file).read_text().splitlines()
    except OSError as error:
        _stop([f"{PREFIX}ENV_FILE names {file}, which cannot be read: {error.strerror}"])
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {**dict(pairs), **environ}


def _profile(reader: _Reader) -> Profile:
    reader.required("PROFILE", example="production")
    return reader.choice("PROFILE", Profile.PRODUCTION)


def _public_url(reader: _Reader) -> str:
    """The origin that users see. It is part of every builder id, so it has one spelling."""
    value = reader.required("PUBLIC_URL", example="https://store.example.com")
    parts = urlsplit(value)
    if value and (
        parts.scheme not in ("http", "https")
        or not parts.netloc
        or value != f"{parts.scheme}://{parts.netloc}"
    ):
        reader.problems.append(
            f"{PREFIX}PUBLIC_URL is {value!r}; it must be scheme://host[:port] and nothing more"
        )
    return value


def _database_url(reader: _Reader, name: str, *, required: bool) -> str | None:
    example = "postgresql://strongroom_runtime:…@db.example.com/strongroom"
    value = reader.required(name, example=example) if required else reader.optional(name)
    if value:
        try:
            conninfo_to_dict(value)
        except psycopg.ProgrammingError as error:
            reader.problems.append(f"{PREFIX}{name} cannot be read: {error}")
    return value


def _s3(reader: _Reader) -> S3Bucket | None:
    """The bucket, when one is named; its other settings are read, and checked, in any case."""
    endpoint = _endpoint(reader, "S3_ENDPOINT")
    public_endpoint = _endpoint(reader, "S3_PUBLIC_ENDPOINT")
    part_bytes = reader.positive("S3_PART_BYTES", 16 * MEBIBYTE)
    if part_bytes < _SMALLEST_PART:
        reader.problems.append(
            f"{PREFIX}S3_PART_BYTES is {part_bytes}; S3 takes {_SMALLEST_PART} and more"
        )
    bucket = S3Bucket(
        name=reader.optional("S3_BUCKET") or "",
        endpoint=endpoint,
        public_endpoint=public_endpoint or endpoint,
        region=reader.optional("S3_REGION") or "us-east-1",
        uses_path_style=reader.flag("S3_PATH_STYLE"),
        encryption=reader.optional("S3_ENCRYPTION") or "",
        part_bytes=part_bytes,
    )
    return bucket if bucket.name else None


def _managed_key(reader: _Reader) -> ManagedKey:
    found = {
        "KEY_TIMESTAMPS": reader.optional("KEY_TIMESTAMPS"),
        "KEY_LOG": reader.optional("KEY_LOG"),
    }
    addresses: dict[str, list[str]] = {}
    for name, value in found.items():
        try:
            addresses[name] = [
                service_address(one, is_log=name == "KEY_LOG") for one in (value or "").split()
            ]
        except NotUsableService as error:
            reader.problems.append(f"{PREFIX}{name}: {error}")
    timestamps, logs = addresses.get("KEY_TIMESTAMPS", []), addresses.get("KEY_LOG", [])
    if len(logs) > 1:
        reader.problems.append(f"{PREFIX}KEY_LOG names {len(logs)} logs; one is enough")
    if logs and not timestamps:
        # Such a log says that something was signed, and not when.
        reader.problems.append(f"{PREFIX}KEY_LOG also needs {PREFIX}KEY_TIMESTAMPS")
    return ManagedKey(
        uri=reader.optional("KEY_URI"),
        secret_file=reader.path("KEY_SECRET_FILE"),
        timestamps=tuple(timestamps),
        log=next(iter(logs), None),
    )


def _endpoint(reader: _Reader, name: str) -> str | None:
    value = reader.optional(name)
    parts = urlsplit(value or "https://s3.example.com")
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
        reader.problems.append(f"{PREFIX}{name} is {value!r}; it must be scheme://host[:port]")
    return value


def _trusted_proxies(reader: _Reader) -> tuple[Network, ...]:
    """Whose `X-Forwarded-For` is believed: addresses or networks, separated by spaces."""
    found: list[Network] = []
    for text in (reader.optional("TRUSTED_PROXIES") or "").split():
        try:
            found.append(ip_network(text))
        except ValueError as error:
            reader.problems.append(f"{PREFIX}TRUSTED_PROXIES cannot be read: {error}")
    return tuple(found)


def _silenced_checks(reader: _Reader) -> tuple[str, ...]:
    """Warnings that the operator has read and wants; errors cannot be silenced."""
    given = tuple((reader.optional("SILENCED_CHECKS") or "").split())
    errors = [check for check in given if not check.startswith("strongroom.W")]
    if errors:
        reader.problems.append(
            f"{PREFIX}SILENCED_CHECKS holds {', '.join(errors)}; only strongroom.W… can be silenced"
        )
    return given


def _confirmations(reader: _Reader) -> Mapping[str, ConfirmationApi]:
    value = reader.optional("CONFIRMATIONS")
    # Other instances of this machine may be asked over plain HTTP, but never by a real store.
    is_development = reader.optional("PROFILE") in (Profile.EMBEDDED, Profile.TEST)
    try:
        return read_confirmations(value, is_development=is_development) if value else {}
    except NotUsable as error:
        reader.problems.append(f"{PREFIX}CONFIRMATIONS cannot be used: {error}")
        return {}


def _login_oidc(reader: _Reader) -> OidcProvider | None:
    given = GivenLogin(
        issuer=reader.optional("LOGIN_OIDC_ISSUER"),
        client_id=reader.optional("LOGIN_OIDC_CLIENT_ID"),
        client_secret_file=reader.path("LOGIN_OIDC_CLIENT_SECRET_FILE"),
        name=reader.optional("LOGIN_OIDC_NAME"),
        new_people=reader.optional("LOGIN_OIDC_NEW_PEOPLE") or "admit",
    )
    reader.problems.extend(f"{PREFIX}LOGIN_OIDC_{problem}" for problem in given.problems())
    return given.provider()


def _fault_points(reader: _Reader) -> Mapping[str, Path]:
    value = reader.optional("FAULT_POINTS")
    pairs = (entry.partition("=") for entry in (value or "").split())
    return {point: Path(trigger) for point, _, trigger in pairs}
