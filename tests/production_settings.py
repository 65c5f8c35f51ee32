"""The product's settings as a production web server would have them, for `check --deploy`."""

import os

from tests.environment import PRODUCTION

os.environ.update(PRODUCTION)

from config.settings import *  # noqa: F403 - the settings module under test, whole
