"""Django's settings: derived from config.settings.env, the same story for every profile."""

import os
from typing import Any, Final
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from config.settings.env import Profile, SignerKind, read
from config.settings.logs import logging_config
from config.settings.staff import UNFOLD as UNFOLD

ENVIRONMENT: Final = read()
PROFILE: Final = ENVIRONMENT.profile
PUBLIC_URL: Final = ENVIRONMENT.public_url
_ORIGIN = urlsplit(PUBLIC_URL)

DEBUG = False
SECRET_KEY = ENVIRONMENT.secret_key
ALLOWED_HOSTS = [_ORIGIN.hostname or "", *ENVIRONMENT.allowed_hosts]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "config",  # first: its templates stand before those of django-unfold
    "unfold",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "kernel.outbox",
    "kernel.audit",
    "provenance",
    "artifacts",
    "access",
    "console",
]
MIDDLEWARE = [
    "config.middleware.RequestContext",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.OneTimePassword",
    "config.middleware.StaffActor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["kernel.lines"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.frame.frame",
            ],
        },
    }
]
WSGI_APPLICATION = "config.wsgi.application"


def _database(url: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - Django's own shape
    """Django's dictionary for a libpq URL; what Django has no key for goes to OPTIONS."""
    known = conninfo_to_dict(url)
    return {
        "ENGINE": "config.database",
        "NAME": known.pop("dbname", ""),
        "USER": known.pop("user", ""),
        "PASSWORD": known.pop("password", ""),
        "HOST": known.pop("host", ""),
        "PORT": str(known.pop("port", "")),
        "OPTIONS": {**known, "connect_timeout": 5, **more.pop("OPTIONS", {})},
        **more,
    }


# A pool, because a download gives its connection back before it streams, and takes one again.
# config/database looks at each that it gives: after PostgreSQL has restarted, every kept connection
# would cost one request a 500.
DATABASES = {
    "default": _database(
        ENVIRONMENT.database_url,
        # The pool's own tries back off for minutes; given up early, the next request tries anew,
        # so that an outage ends when the database is back and not when a timer says so.
        OPTIONS={
            "pool": {"min_size": 0, "max_size": 16, "timeout": 3, "reconnect_timeout": 2},
        },
        ATOMIC_REQUESTS=False,
    )
}
if ENVIRONMENT.migrator_database_url is not None:
    # Two roles: the migrator owns the schema; the runtime role may only read and write rows.
    DATABASES["migrator"] = _database(ENVIRONMENT.migrator_database_url)

AUTH_USER_MODEL = "access.User"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"

# allauth speaks OpenID Connect for us; who somebody is, and whether they get in, is decided by
# use cases of ours, so that none of its own pages or rules is ever reached.
LOGIN_OIDC = ENVIRONMENT.login_oidc
SOCIALACCOUNT_ADAPTER = "access.adapters.oidc_login.Accounts"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
ACCOUNT_EMAIL_VERIFICATION = "none"
SESSION_COOKIE_AGE = 12 * 60 * 60  # as long as the token of `strongroom login`
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # the provider sends people back, with their state in the session

LANGUAGE_CODE = "en"
USE_I18N = False
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["access.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],  # use cases decide
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "config.reference.document.Described",
    "EXCEPTION_HANDLER": "kernel.rest.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Strongroom",
    "VERSION": "1",
    "DESCRIPTION": (
        "A build artifact store with SLSA provenance. Every answer has an `X-Request-ID`. A "
        "refusal is a problem document (RFC 9457) whose `type` is a page that says what to do. "
        "Times are UTC, sizes are bytes, lists come in pages: follow the `Link` header."
    ),
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": "/", "description": "This store."}],
    "TAGS": [
        {"name": "Jobs", "description": "CI jobs push what they built."},
        {"name": "Consumers", "description": "Find, check and download."},
        {"name": "Administrators", "description": "Projects, people, trust and what happened."},
    ],
    "DEFAULT_GENERATOR_CLASS": "config.reference.document.Reference",
    "POSTPROCESSING_HOOKS": [],  # words stand where they are used
}

# Browsers. Everything below is strict; an embedded instance on loopback speaks plain HTTP.
_IS_HTTPS = _ORIGIN.scheme == "https"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _IS_HTTPS else None
SECURE_SSL_REDIRECT = _IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if _IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _IS_HTTPS
SECURE_HSTS_PRELOAD = _IS_HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_HTTPS
X_FRAME_OPTIONS = "DENY"
# Uploads are streamed by their own view; everything else that has a body is small.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# The store's own settings, as the wirings read them.
BROKER_URL = ENVIRONMENT.broker_url
BROKER_CA_FILE = ENVIRONMENT.broker_ca_file
BLOB_DIRECTORY = ENVIRONMENT.blob_directory
S3_BUCKET = ENVIRONMENT.s3
SECOND_COPY = ENVIRONMENT.second_copy
SCRUB_BYTES_PER_SECOND = ENVIRONMENT.scrub_bytes_per_second
RETENTION_EVERY_HOURS = ENVIRONMENT.retention_every_hours
RETENTION_MOST_PERCENT = ENVIRONMENT.retention_most_percent
RETENTION_MOST_BYTES = ENVIRONMENT.retention_most_bytes
DOWNLOADS = ENVIRONMENT.downloads
TRUSTED_PROXIES = ENVIRONMENT.trusted_proxies
MAX_UPLOAD_BYTES = ENVIRONMENT.max_upload_bytes
DIRECT_UPLOAD_BYTES = ENVIRONMENT.direct_upload_bytes
MAX_BUILD_FILES = ENVIRONMENT.max_build_files
MAX_OPEN_ARCHIVES = ENVIRONMENT.max_open_archives
HOLD_LIFT_PERSONS = ENVIRONMENT.hold_lift_persons
TRASH_DAYS = ENVIRONMENT.trash_days
EVIDENCE_DAYS = ENVIRONMENT.evidence_days
ATTESTOR_KEY_FILE = ENVIRONMENT.attestor_key_file
SIGNER: Final = ENVIRONMENT.signer.value
SIGSTORE = ENVIRONMENT.sigstore
MANAGED_KEY = ENVIRONMENT.managed_key
ATTESTOR_KEY_IS_SHARED = not ENVIRONMENT.attestor_is_isolated
CONFIRMATIONS = ENVIRONMENT.confirmations
CONFIRMATION_WAIT_SECONDS = ENVIRONMENT.confirmation_wait_seconds
# Whoever takes over a web server that answers for the issuer's key can answer with another one,
# and have certificates issued to himself as the attestor.
WEB_ANSWERS_FOR_ATTESTOR = (
    (ENVIRONMENT.signer is SignerKind.SIGSTORE or SIGSTORE.public.is_given)
    and SIGSTORE.has_own_issuer
    and not SIGSTORE.issuer_is_isolated
)
ALLOWS_DEVELOPMENT_ISSUER = PROFILE is not Profile.PRODUCTION
AUDIT_CHECKPOINT_DIRECTORY = ENVIRONMENT.audit_checkpoint_directory
METRICS_DIRECTORY = ENVIRONMENT.metrics_directory
METRICS_TOKEN = ENVIRONMENT.metrics_token
FAULT_POINTS = ENVIRONMENT.fault_points
SILENCED_SYSTEM_CHECKS = list(ENVIRONMENT.silenced_checks)
if METRICS_DIRECTORY is not None:
    # prometheus_client reads this when it is first imported, which is after the settings.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS_DIRECTORY)

LOGGING = logging_config(ENVIRONMENT.log_level)
