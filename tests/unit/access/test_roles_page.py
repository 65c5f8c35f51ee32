"""docs/rights.md says of each role what the code says."""

from pathlib import Path

from access.domain.roles import PERMISSIONS, Role
from kernel.actor import Permission

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rights.md"


def test_shows_the_roles_as_they_are() -> None:
    lines = [f"| role | {' | '.join(one.value for one in Permission)} |", "|---|---|---|---|---|"]
    for role in Role:
        cells = "".join(" yes |" if one in PERMISSIONS[role] else " |" for one in Permission)
        lines.append(f"| {role.value} |{cells}")

    assert "\n".join(lines) in PAGE.read_text()
