"""The guard: outlives the supervisor just long enough to end what a killed one left behind.

It holds the reading end of a pipe; the supervisor alone holds the other end, so that the kernel
closes it however the supervisor dies. `python -m config.embedded.guard PIPE MARKER CLUSTER`.
"""

import os
import sys
from pathlib import Path
from typing import Final

from config.embedded.lineage import Lineage

GRACE_SECONDS: Final = 3


def main(pipe: int, lineage: Lineage) -> None:
    """Wait until the supervisor is gone, then end what carries its marker."""
    while os.read(pipe, 1):
        pass
    lineage.end(grace_seconds=GRACE_SECONDS)


if __name__ == "__main__":
    main(int(sys.argv[1]), Lineage(marker=sys.argv[2], cluster=Path(sys.argv[3])))
