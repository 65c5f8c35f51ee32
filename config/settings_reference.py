"""Every setting that config/settings/env.py reads, described once; docs/settings.md is made of it.

    python -m config.settings_reference > docs/settings.md

It imports nothing of Django: the description of a setting must not need the settings.
"""

from collections.abc import Iterator
from typing import Final

from config.login_settings import LOGIN
from config.setting import NONE, REQUIRED, Kind, Setting, User
from config.signing_settings import SIGNING

_GROUPS: Final[dict[str, tuple[Setting, ...]]] = {
    "The installation": (
        Setting(
            "PROFILE",
            Kind.TEXT,
            User.ALL,
            "`production`, `embedded` (what `make up` runs) or `test`; only production refuses "
            "the development issuer",
            "production",
            REQUIRED,
        ),
        Setting(
            "PUBLIC_URL",
            Kind.URL,
            User.ALL,
            "the origin that users see, `https://host[:port]`. It is part of every builder id and "
            "certificate: changing it makes a new attestor",
            "https://store.example.com",
            REQUIRED,
        ),
        Setting(
            "SECRET_KEY",
            Kind.TEXT,
            User.WEB,
            "signs sessions; at least 50 random characters. Never used for attestations",
            "(`openssl rand -hex 32`)",
            REQUIRED,
        ),
        Setting(
            "ALLOWED_HOSTS",
            Kind.LIST,
            User.WEB,
            "further host names that may appear in `Host`",
            "10.0.0.7 probe.internal",
        ),
        Setting(
            "TRUSTED_PROXIES",
            Kind.LIST,
            User.WEB,
            "addresses or networks whose `X-Forwarded-For` is believed when a download is logged",
            "127.0.0.1 10.0.0.0/8",
        ),
    ),
    "Database and broker": (
        Setting(
            "DATABASE_URL",
            Kind.URL,
            User.ALL,
            "PostgreSQL 15 or newer, as the runtime role",
            "postgresql://strongroom_runtime:…@db.example.com/strongroom",
            REQUIRED,
        ),
        Setting(
            "MIGRATOR_DATABASE_URL",
            Kind.URL,
            User.MIGRATIONS,
            "the same database as the role that owns the schema; give it to no server",
            "postgresql://strongroom_migrator:…@db.example.com/strongroom",
        ),
        Setting(
            "BROKER_URL",
            Kind.URL,
            User.ALL,
            "Redis or Valkey (`redis://…`, `rediss://…`, `redis+socket://…`) or RabbitMQ "
            "(`amqp://…`, `amqps://…`)",
            "redis://:…@127.0.0.1:6379/0",
            REQUIRED,
        ),
        Setting(
            "BROKER_CA_FILE",
            Kind.PATH,
            User.ALL,
            "whose certificates are believed at `rediss://` and `amqps://` (PEM), if not the "
            "system's",
            "/etc/ssl/broker-authority.pem",
        ),
    ),
    "Bytes": (
        Setting(
            "BLOB_DIRECTORY",
            Kind.PATH,
            User.BOTH,
            "folder that keeps the bytes; one file system, shared by all web servers. This or a "
            "bucket is needed, and not both",
            "/var/lib/strongroom/blobs",
        ),
        Setting(
            "S3_BUCKET",
            Kind.TEXT,
            User.BOTH,
            "name of the bucket that keeps the bytes. Credentials are found as every AWS tool "
            "finds them: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, a profile, or the "
            "machine's role",
            "strongroom-blobs",
        ),
        Setting(
            "S3_ENDPOINT",
            Kind.URL,
            User.BOTH,
            "another S3-compatible server than Amazon's",
            "https://s3.example.com",
        ),
        Setting(
            "S3_PUBLIC_ENDPOINT",
            Kind.URL,
            User.BOTH,
            "where clients reach the same server, for direct uploads and for "
            "`STRONGROOM_DOWNLOADS=redirect`, if not at `STRONGROOM_S3_ENDPOINT`; signatures name "
            "the host, so it must be exactly what they see",
            "https://files.example.com",
        ),
        Setting("S3_REGION", Kind.TEXT, User.BOTH, "the bucket's region", "eu-west-1", "us-east-1"),
        Setting(
            "S3_PATH_STYLE",
            Kind.FLAG,
            User.BOTH,
            "whether the bucket's name stands in the path, as most servers of one's own want it",
            "true",
            "false",
        ),
        Setting(
            "S3_ENCRYPTION",
            Kind.TEXT,
            User.BOTH,
            "what each object asks for, if not what the bucket does by itself: `AES256` or "
            "`aws:kms`",
            "AES256",
        ),
        Setting(
            "S3_PART_BYTES",
            Kind.BYTES,
            User.WEB,
            "size of the parts of a large upload, at least 5242880; an upload holds two of them "
            "in memory, and has at most 10,000",
            "33554432",
            "16777216",
        ),
        Setting(
            "SECOND_COPY",
            Kind.TEXT,
            User.WORKER,
            "where a copy of all bytes is kept up to date by other means than ours, under the same "
            "keys: a bucket of the same server, or a folder where bytes are in a folder. It is "
            "only read, to mend damaged blobs",
            "strongroom-blobs-copy",
        ),
        Setting(
            "SCRUB_BYTES_PER_SECOND",
            Kind.BYTES,
            User.WORKER,
            "how fast all stored bytes are measured again, round after round; 0 for never. What is "
            "damaged is not handed out any more, and mended where a whole copy is",
            "16777216",
            "4194304",
        ),
        Setting(
            "RETENTION_EVERY_HOURS",
            Kind.COUNT,
            User.WORKER,
            "how often what has expired is planned and taken away without being asked; 0 for never",
            "168",
            "24",
        ),
        Setting(
            "RETENTION_MOST_PERCENT",
            Kind.COUNT,
            User.WORKER,
            "a scheduled run that would take away more of all artifacts waits until a person "
            "applies its plan; with 0 each one does",
            "5",
            "10",
        ),
        Setting(
            "RETENTION_MOST_BYTES",
            Kind.BYTES,
            User.WORKER,
            "the same for the bytes of these artifacts together",
            "1099511627776",
            "107374182400",
        ),
        Setting(
            "DOWNLOADS",
            Kind.TEXT,
            User.WEB,
            "how bytes leave: `stream` through the app; `x-accel` by nginx in front of it; "
            "`redirect` from the bucket. [What each means](operate.md#how-downloads-leave)",
            "x-accel",
            "stream",
        ),
    ),
    "Signing": SIGNING,
    "Keeping": (
        Setting(
            "HOLD_LIFT_PERSONS",
            Kind.COUNT,
            User.WEB,
            "how many different people it takes to lift a legal hold, within a week; 2 or more",
            "3",
            "2",
        ),
        Setting(
            "TRASH_DAYS",
            Kind.COUNT,
            User.BOTH,
            "how long what was removed can be restored; its bytes are kept as long",
            "30",
            "7",
        ),
        Setting(
            "EVIDENCE_DAYS",
            Kind.COUNT,
            User.ALL,
            "how long attestations of a build are kept behind its last tombstone, until an "
            "operator [may end them](keeping.md#the-clock-of-evidence); 365 or more. Unset: "
            "for ever",
            "3650",
        ),
    ),
    "Limits": (
        Setting(
            "MAX_UPLOAD_BYTES",
            Kind.BYTES,
            User.WEB,
            "the largest upload through the web server",
            "10737418240",
            "5368709120",
        ),
        Setting(
            "DIRECT_UPLOAD_BYTES",
            Kind.BYTES,
            User.WEB,
            "the size from which `strongroom push` sends a file straight to the bucket, where that "
            "takes direct uploads; what is larger than `STRONGROOM_MAX_UPLOAD_BYTES` goes that way "
            "in any case",
            "134217728",
            "67108864",
        ),
        Setting(
            "MAX_BUILD_FILES",
            Kind.COUNT,
            User.WEB,
            "how many files one build may have. A seal names them all, in at most 8 MiB of JSON",
            "20000",
            "10000",
        ),
        Setting(
            "MAX_OPEN_ARCHIVES",
            Kind.COUNT,
            User.WEB,
            "how many archives one process lists, or measures a member of, at once; who comes then "
            "waits a second and is refused as `archives-busy`",
            "8",
            "4",
        ),
    ),
    "Watching": (
        Setting(
            "AUDIT_CHECKPOINT_DIRECTORY",
            Kind.PATH,
            User.WORKER,
            "folder where the worker writes each signed checkpoint of the [audit trail](audit.md), "
            "a file for each: best one that this host can add to and not change",
            "/mnt/checkpoints",
        ),
        Setting(
            "METRICS_DIRECTORY",
            Kind.PATH,
            User.ALL,
            "folder where the processes of one host add up their metrics; emptied at each start "
            "of the host",
            "/run/strongroom/metrics",
        ),
        Setting(
            "METRICS_TOKEN",
            Kind.TEXT,
            User.WEB,
            "bearer token that `/metrics` asks for; production needs one",
            "(`openssl rand -hex 24`)",
        ),
        Setting(
            "LOG_LEVEL",
            Kind.TEXT,
            User.ALL,
            "`DEBUG`, `INFO`, `WARNING` or `ERROR`; logs are JSON lines on standard error",
            "WARNING",
            "INFO",
        ),
        Setting(
            "SILENCED_CHECKS",
            Kind.LIST,
            User.CHECKS,
            "deploy warnings (`strongroom.W…`) that you have read and accept",
            "strongroom.W002",
        ),
        Setting(
            "FAULT_POINTS",
            Kind.LIST,
            User.TESTS,
            "where tests kill the process; refused in every profile but `test`",
            "blob.promoted=/tmp/trigger",
        ),
    ),
    "Logging in": LOGIN,
}
SETTINGS: Final = tuple(setting for group in _GROUPS.values() for setting in group)

_HEAD: Final = """\
# Settings

Read once, from the environment or from the file that `STRONGROOM_ENV_FILE` names (`KEY=VALUE`
lines; the environment wins). A process with a missing, wrong or unknown setting does not start,
and names all of them at once. *Used by* says which processes do something with it.

This page is made from `config/settings_reference.py` by
`python -m config.settings_reference > docs/settings.md`.
"""


def page() -> str:
    """docs/settings.md."""
    return "".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    for title, settings in _GROUPS.items():
        yield f"\n## {title}\n\n"
        yield "| setting | form | default | used by | what it is | example |\n"
        yield "|---|---|---|---|---|---|\n"
        for setting in settings:
            cells = (
                f"`{setting.variable}`",
                setting.kind.value,
                setting.default if setting.default in (REQUIRED, NONE) else f"`{setting.default}`",
                setting.user.value,
                setting.text,
                setting.example if "`" in setting.example else f"`{setting.example}`",
            )
            yield f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is the answer
