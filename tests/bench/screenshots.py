"""Photograph every page of a store, wide and narrow, light and dark, and let axe examine it.

    STRONGROOM_ENV_FILE=.strongroom/env python -m tests.bench.screenshots --out DIR --name admin

of the store that `tests.bench.seed` has filled, and whose worker has signed. The password of the
administrator of that name stands in `BENCH_PASSWORD`. Ends with 1 if axe complains of
a page, or something stands out of it. Of a zip that was uploaded to it, the members are shown too.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Final

import django
from django.conf import settings

from tests.factories.browser import NARROW, WIDE, Scheme, Tab, new_tab, running_browser

_SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
LOOKS: Final = {
    f"{scheme}-{width}": (scheme, width) for scheme, width in product(_SCHEMES, (WIDE, NARROW))
}
PASSWORD: Final = "BENCH_PASSWORD"


def photograph(tab: Tab, pages: Mapping[str, str], *, url: str, out: Path) -> list[str]:
    """A picture of each in the folder; what is wrong with them."""
    troubles = []
    for name, path in pages.items():
        tab.page.goto(url + path)
        tab.picture(out / f"{name}.png")
        troubles += [f"{name}: {one}" for one in tab.troubles()]
    return troubles


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and photograph the configured store."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder for the pictures")
    parser.add_argument("--name", default="admin", help="an administrator")
    parser.add_argument("--only", default="", help="what the names of the pages begin with")
    parser.add_argument(
        "--look", choices=list(LOOKS), action="append", help="one of the four; may be repeated"
    )
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests.factories.tour import (  # noqa: PLC0415 - after setup()
        administration_pages,
        archive_pages,
        console_pages,
        measured_pages,
        staff_pages,
    )

    url, troubles = settings.PUBLIC_URL, []
    outside = {**console_pages(), "login": "/login"}
    inside = {
        "home-as-staff": "/",
        "password": "/password",
        "logout": "/logout",
        **archive_pages(),
        **administration_pages(),
        **measured_pages(),
        **staff_pages(),
    }
    with running_browser() as browser:
        for look in options.look or LOOKS:
            scheme, width = LOOKS[look]
            out = options.out / look
            out.mkdir(parents=True, exist_ok=True)
            with new_tab(browser, width=width, scheme=scheme) as tab:
                found = photograph(tab, _chosen(outside, options.only), url=url, out=out)
                tab.log_in(url=url, name=options.name, password=os.environ[PASSWORD])
                found += photograph(tab, _chosen(inside, options.only), url=url, out=out)
                found += [f"asked of another machine: {one}" for one in tab.strayed]
            troubles += [f"{look} {one}" for one in found]
    sys.stdout.write("".join(f"{one}\n" for one in troubles))
    return 1 if troubles else 0


def _chosen(pages: Mapping[str, str], beginning: str) -> dict[str, str]:
    return {name: path for name, path in pages.items() if name.startswith(beginning)}


if __name__ == "__main__":
    sys.exit(main())
