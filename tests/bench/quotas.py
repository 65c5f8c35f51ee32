"""What a quota costs uploads: `python -m tests.bench.quotas --uploads 100`."""

import argparse
import os
import sys
from pathlib import Path

import pytest


def main() -> int:
    """Run them; they print the figures; the status is pytest's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=100, help="of each thread and kind")
    os.environ["QUOTA_UPLOADS"] = str(parser.parse_args().uploads)
    return int(pytest.main(["-q", str(Path(__file__).with_name("quota_rounds.py"))]))


if __name__ == "__main__":
    sys.exit(main())
