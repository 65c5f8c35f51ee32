"""Reconcile a store of many keys: `python -m tests.bench.reconcile --keys 100000`.

In a folder and, where versitygw is on PATH, on S3; a line of figures for each. Memory is VmHWM of
the process that compares and repairs: before, after comparing, and at its end.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import pytest


def main() -> int:
    """Run it and print the figures; the status is pytest's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=100_000, help="how many blobs there are")
    parser.add_argument("--only", default="", help="directory or s3")
    asked = parser.parse_args()
    with tempfile.NamedTemporaryFile("r", prefix="reconcile-") as figures:
        os.environ["RECONCILE_KEYS"] = str(asked.keys)
        os.environ["RECONCILE_FIGURES"] = figures.name
        tests = Path(__file__).parents[1] / "integration/artifacts/test_reconcile_many.py"
        status = pytest.main(["-q", "--timeout", "0", str(tests), "-k", asked.only or "test"])
        sys.stdout.write(figures.read())
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
