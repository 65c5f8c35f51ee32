"""Django's settings for the tests and for mypy: the product's own, over tests/environment.py."""

import tests.environment  # noqa: F401 - sets the environment before it is read
from config.settings import *  # noqa: F403 - the settings module under test, whole

MIDDLEWARE = ["tests.answers_as_written.AnswersAsWritten", *MIDDLEWARE]  # noqa: F405 - the product's
