"""Uploads that race a collector for minutes: `python -m tests.soak.collect --seconds 300`.

On a directory and, where versitygw is on PATH, on S3; a line of figures for each race.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import pytest


def main() -> int:
    """Run the races and print their figures; the status is pytest's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="how long each race takes")
    parser.add_argument("--only", default="", help="a part of a race's name, such as directory")
    asked = parser.parse_args()
    with tempfile.NamedTemporaryFile("r", prefix="soak-") as figures:
        os.environ["SOAK_SECONDS"] = str(asked.seconds)
        os.environ["SOAK_FIGURES"] = figures.name
        tests = Path(__file__).parents[1] / "integration/artifacts/test_collector_races.py"
        wanted = "test_loses_no_live_blob" + (f" and {asked.only}" if asked.only else "")
        status = pytest.main(["-q", "--timeout", "0", str(tests), "-k", wanted])
        sys.stdout.write(figures.read())
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
