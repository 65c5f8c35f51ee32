"""One artifact's life, lived and told by the pages of a store of its own.

    python -m tests.bench.history --out DIR

CI jobs push with the real client; then people at a real browser write a rule and see what it does,
hold, cannot lift alone, lift together, plan and apply; the trash is emptied by the store's worker,
and a tombstone and the evidence stay. Days pass by the clock of `moved_clock`; everything else is
as after `make up`. Each station is examined by axe and photographed, wide and light, narrow and
dark. Ends with 1 if anything is wrong with a page.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import django
from playwright.sync_api import Page, expect

from config.embedded.running import Running, running
from tests.factories.browser import LOOKS, new_tab, running_browser
from tests.factories.command import Command
from tests.factories.desk import Desk
from tests.factories.moved_clock import MovedClock

NAME: Final = "acme/widget"
OWNERS: Final = ("olga", "otto")
PROJECT: Final = f"/administration/projects/{NAME}"
ORGANIZATION: Final = "/administration/organizations/acme"
FILE: Final = "dist/widget-1.0.tar.gz"
# A person plans here: what the clock would plan on its own is not part of this story.
SETTINGS: Final = {"STRONGROOM_RETENTION_EVERY_HOURS": "0"}
_SECONDS: Final = 240


@dataclass(frozen=True, slots=True)
class Stage:
    """The store, the desk that people sit at, and where the pictures go."""

    instance: Running
    desk: Desk
    clock: MovedClock
    out: Path
    numbers: Iterator[int]

    @property
    def page(self) -> Page:
        return self.desk.tab.page

    def station(self, name: str) -> None:
        """Look at what is there, and take a picture of it in each look."""
        name = f"{next(self.numbers):02}-{name}"
        for scheme, width in reversed(LOOKS):
            self.desk.tab.wear(scheme, width)
            self.desk.look()
            self.desk.tab.picture(self.out / f"{name}-{scheme}-{width}.png")
        sys.stdout.write(f"{name}\n")

    def day(self, days: int, *, name: str) -> None:
        """So many days after the upload that person logs in: nobody's session lasts so long."""
        self.clock.set_ahead(days)
        self.desk.log_in(name)

    def confirm(self, name: str, label: str) -> None:
        """Write the name that is asked for, and press the button."""
        self.page.get_by_label(f"Write {name} to go on").fill(name)
        self.desk.press(label)

    def until(self, condition: Callable[[], bool]) -> None:
        """Look at the page again until it says so; a worker is at it."""
        deadline = time.monotonic() + _SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(self.page.inner_text("main"))
            time.sleep(1)
            self.page.reload()


def live(stage: Stage, artifact: str) -> None:
    """From the upload to the tombstone."""
    is_told(stage, artifact)
    rule(stage, artifact)
    hold = is_held(stage, artifact)
    is_lifted_by_two(stage, artifact, hold)
    goes(stage, artifact)
    is_gone(stage, artifact)


def is_told(stage: Stage, artifact: str) -> None:
    """The artifact as its first visitors see it."""
    stage.day(0, name="olga")
    stage.desk.go(f"/artifacts/{artifact}")
    stage.station("uploaded")


def rule(stage: Stage, artifact: str) -> None:
    """Somebody writes a rule, sees what it does, and saves it."""
    desk, page = stage.desk, stage.page
    stage.day(40, name="olga")
    desk.go(f"{PROJECT}/retention")
    desk.press("Write rules")
    desk.press("Add a rule")
    page.get_by_label("Name").first.fill("main-30d")
    page.get_by_label("How many").first.fill("30")
    page.get_by_text("To which files").first.click()
    page.get_by_label("Refs").first.fill("refs/heads/main")
    stage.station("rule-written")
    desk.press("Preview what it does")
    expect(page.get_by_role("main")).to_contain_text("1 newly go")
    desk.write("Why", "builds of main filled the bucket")
    stage.station("previewed")
    stage.confirm(NAME, "Save the rules, and end 1 file")
    stage.station("rule-saved")
    desk.go(f"/artifacts/{artifact}/history")
    stage.station("expired")


def is_held(stage: Stage, artifact: str) -> str:
    """It is put on hold; the address of the hold."""
    stage.day(41, name="olga")
    stage.desk.go(f"/artifacts/{artifact}/history")
    stage.page.get_by_role("link", name="Put it on hold").click()
    stage.desk.write("Why", "lawsuit 7 C 112: the customer's build")
    stage.station("hold-written")
    stage.desk.press("Place the hold")
    stage.station("held")
    hold = stage.desk.address
    stage.desk.go(f"/artifacts/{artifact}")
    stage.station("kept-by-the-hold")
    return hold


def is_lifted_by_two(stage: Stage, artifact: str, hold: str) -> None:
    """One asks and cannot lift it; another lifts it."""
    stage.day(60, name="olga")
    stage.desk.go(hold)
    stage.desk.write("Why", "the lawsuit is settled")
    stage.desk.press("Ask to have it lifted")
    expect(stage.page.get_by_role("main")).to_contain_text("Nobody lifts a hold alone")
    expect(stage.page.get_by_role("button", name="Lift the hold")).to_have_count(0)
    stage.station("not-lifted-alone")
    stage.day(61, name="otto")
    stage.desk.go(hold)
    stage.desk.write("Why", "it is, I have the ruling here")
    stage.page.get_by_label(f"Write {NAME} to go on").fill(NAME)
    stage.station("second-person")
    stage.desk.press("Lift the hold")
    stage.station("lifted")
    stage.desk.go(f"/artifacts/{artifact}/history")
    stage.station("expired-again")


def goes(stage: Stage, artifact: str) -> None:
    """A plan says so, and is applied by a worker; it is in the trash."""
    stage.day(62, name="olga")
    stage.desk.go(f"{PROJECT}/plans")
    stage.desk.press("Make a plan now")
    stage.station("planned")
    stage.desk.press("Apply it …")
    stage.desk.write("Why", "room for the release")
    stage.station("to-be-applied")
    stage.confirm(NAME, "Remove 1 file")
    stage.until(lambda: stage.page.get_by_text("Ended", exact=True).count() == 1)
    stage.station("applied")
    stage.desk.go(f"{PROJECT}/trash")
    stage.station("trash")
    stage.desk.go(f"/artifacts/{artifact}/history")
    stage.station("in-the-trash")


def is_gone(stage: Stage, artifact: str) -> None:
    """The time to restore it is over: the store's worker buries it, and the evidence stays."""
    stage.day(70, name="olga")
    stage.page.goto(f"{stage.desk.url}/artifacts/{artifact}/history")
    stage.until(lambda: "This is its tombstone" in stage.page.inner_text("main"))
    stage.station("tombstone")
    kept = stage.page.get_by_role("region", name="Evidence kept").get_by_role("link")
    bundles = [str(link.get_attribute("href")) for link in kept.all()]
    for bundle in bundles:
        answer = stage.page.request.get(f"{stage.desk.url}{bundle}")
        assert answer.ok, bundle
        assert "dsseEnvelope" in answer.json(), bundle
    assert len(bundles) > 1, "evidence of the build, and of the removal"
    stage.desk.go(f"{ORGANIZATION}/audit")
    stage.station("audit-trail")


def upload(instance: Running, folder: Path) -> str:
    """Two jobs push: one of the branch, whose file this is about, and one of a tag; its id."""
    ask(instance, "organizations", {"organization": NAME.partition("/")[0]})
    ask(instance, "projects", dict(zip(("organization", "project"), NAME.split("/"), strict=True)))
    publisher = {
        "issuer": "development",
        "repository_id": "4242",
        "owner_id": "77",
        "workflow_path": ".github/workflows/release.yml",
    }
    ask(instance, f"projects/{NAME}/publishers", publisher)
    first = push(instance, folder, FILE, {"ref": "refs/heads/main", "run_id": "1"})
    push(instance, folder, "dist/widget-1.1.tar.gz", {"ref": "refs/tags/v1.1", "run_id": "2"})
    found = ask(instance, f"builds/{first}")
    return str(found["artifacts"][0]["id"])


def push(instance: Running, folder: Path, path: str, claims: Mapping[str, str]) -> str:
    """A CI job pushes a file of this path, and waits until it is attested; the build's id."""
    job = folder / Path(path).stem
    file = job / path
    file.parent.mkdir(parents=True)
    file.write_bytes(path.encode() * 100_000)
    audience = fetch(f"{instance.url}/_/oidc/audience")["audience"]
    asked = {"aud": audience, "repository": NAME, "check_run_id": claims["run_id"], **claims}
    environ = {
        "STRONGROOM_URL": instance.url,
        "STRONGROOM_PROJECT": NAME,
        "STRONGROOM_ID_TOKEN": fetch(f"{instance.report.issuer_url}/token", asked)["token"],
    }
    pushed = Command(job, environ)("push", "dist", "--wait", "--json")
    if pushed.code:
        raise RuntimeError(pushed.err)
    return str(pushed.json["build"])


def ask(instance: Running, address: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the API answers to the administrator."""
    return fetch(f"{instance.url}/api/v1/{address}", body, token=instance.admin_token)


def fetch(url: str, body: Mapping[str, Any] | None = None, token: str = "") -> dict[str, Any]:
    """A JSON answer; with a body, to a POST."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - loopback
        found: dict[str, Any] = json.load(answer)
    return found


def seat_owners(instance: Running) -> str:
    """Two who own the organization; the password of both."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["STRONGROOM_ENV_FILE"] = str(instance.home.environment)
    django.setup()
    from access.domain.roles import Role  # noqa: PLC0415 - after setup()
    from access.queries import organization_place  # noqa: PLC0415
    from artifacts.models import Organization  # noqa: PLC0415
    from tests.factories.people import PASSWORD, account  # noqa: PLC0415

    place = organization_place(Organization.objects.get(slug=NAME.partition("/")[0]))
    for name in OWNERS:
        person = account(name, place, Role.OWNER)
        person.set_password(PASSWORD)
        person.save()
    return PASSWORD


@contextmanager
def staged(folder: Path, out: Path) -> Iterator[tuple[Stage, str]]:
    """A fresh store with an artifact in it, and a browser before it; the artifact's id."""
    clock = MovedClock(folder / "days-ahead")
    clock.set_ahead(0)
    out.mkdir(parents=True, exist_ok=True)
    with running(folder / "data", settings={**SETTINGS, **clock.settings}) as instance:
        artifact = upload(instance, folder)
        password = seat_owners(instance)
        with running_browser() as browser, new_tab(browser) as tab:
            desk = Desk(tab, instance.url, password)
            yield Stage(instance, desk, clock, out, count(1)), artifact


def main(arguments: Sequence[str] | None = None) -> int:
    """Live it, and say what was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder for the pictures")
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="history-") as folder,
        staged(Path(folder), options.out) as (stage, artifact),
    ):
        live(stage, artifact)
        tab = stage.desk.tab
        strayed = [f"asked of another machine: {one}" for one in tab.strayed]
        troubles = [*stage.desk.troubles, *strayed, *tab.complaints]
    sys.stdout.write("".join(f"{one}\n" for one in troubles))
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
