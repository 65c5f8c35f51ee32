"""The tests' settings without a database: `makemigrations --check` compares files with models."""

from tests.settings import *  # noqa: F403 - all of them, but for the line below

DATABASES = {"default": {"ENGINE": "django.db.backends.dummy"}}
