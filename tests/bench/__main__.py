"""`python -m tests.bench`: Django is made ready first, because factories of the tests are used."""

import os

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.bench.command import main

    main()
