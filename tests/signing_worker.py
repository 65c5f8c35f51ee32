"""One worker that signs: `python -m tests.signing_worker KEY_FILE NAME COUNT OUTPUT`.

It waits for a line on its standard input, so that several start at the same moment, and writes
its bundles one a line.
"""

import sys
from pathlib import Path

import django


def main(key_file: Path, name: str, count: int, output: Path) -> None:
    from provenance.adapters.embedded.signer import (  # noqa: PLC0415 - after django.setup()
        BATCH,
        EmbeddedSigner,
    )
    from provenance.ports import Signed, SigningJob  # noqa: PLC0415 - as above
    from tests.factories.signing_jobs import IDENTITY, STORE, statement  # noqa: PLC0415 - as above

    signer = EmbeddedSigner(key_file=key_file, issuer=STORE)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with output.open("wb") as lines:
        for start in range(0, count, BATCH):
            jobs = [
                SigningJob(statement(f"{name} {number}".encode()), IDENTITY, {})
                for number in range(start, min(start + BATCH, count))
            ]
            for answer in signer.sign(jobs):
                if not isinstance(answer, Signed):
                    raise answer
                lines.write(answer.bundle + b"\n")


if __name__ == "__main__":
    django.setup()
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
