"""`python -m tests.soak`: the tests' settings, then the outages."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from tests.soak.outages import main  # noqa: E402 - after setup

sys.exit(main())
