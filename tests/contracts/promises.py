"""The table of adapters and promises: what the contract suites saw, against what is committed.

UPDATE=1 writes it anew. A server that did not take part keeps its column.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

TABLE: Final = Path(__file__).with_name("promises.md")
PORTS: Final = {
    "test_blob_store": "BlobStore",
    "test_inventory": "Inventory",
    "test_object_holds": "ObjectHolds",
    "test_staging_area": "StagingArea",
    "test_direct_uploads": "DirectUploads",
    "test_s3_store": "A bucket, beyond the ports",
    "test_capability_probe": "CapabilityProbe",
}
KEEP_VERSIONS: Final = frozenset({"versioned_bucket", "locked_bucket"})
VERSIONED: Final = "-versioned"
ADAPTERS: Final = (
    "memory",
    "directory",
    "versitygw",
    f"versitygw{VERSIONED}",
    "minio",
    f"minio{VERSIONED}",
)
KEPT, BROKEN, NOT_ASKED = "kept", "BROKEN", "-"
HEADER: Final = """# What every store promises

Written by `tests/contracts` and compared by every run of it; `UPDATE=1` writes it anew. A row is a
test of a contract suite, a cell what it saw on that adapter; *versioned* is the same server with a
bucket that keeps old versions, with object lock where that is asked about. versitygw takes part in
every run, minio in `.ci/second-opinion`.

The two servers differ in nothing that is asked here. A dash is a question that does not arise: a
directory has no direct uploads, what is beyond the ports is about buckets only, and a test about
versions is asked where there are some. Where the servers are known to differ, nothing rests on it:
versitygw knows no lifecycle rules and takes no key `x` beside `x/y`; minio's rules do not give up
uploads that were left open, and it has no CORS rules. The store sweeps such uploads itself, its
keys never nest, and no browser uploads.
"""

Rows = dict[tuple[str, str], dict[str, str]]
_observed: Rows = {}


def note(item: pytest.Item, *, is_kept: bool) -> None:
    """What one test saw on one adapter; several runs of a test must all be good."""
    module = Path(item.path).stem
    adapter = adapter_of(item)
    if module not in PORTS or adapter is None:
        return
    promise = getattr(item, "originalname", item.name).removeprefix("test_").replace("_", " ")
    row = _observed.setdefault((PORTS[module], promise), {})
    if row.get(adapter) != BROKEN:
        row[adapter] = KEPT if is_kept else BROKEN


def adapter_of(item: pytest.Item) -> str | None:
    """The adapter that a test was given, by its parameters."""
    params: Mapping[str, object] = getattr(getattr(item, "callspec", None), "params", {})
    named = params.get("store") or params.get("place") or params.get("server")
    if not isinstance(named, str):
        return None
    fixtures = set(getattr(item, "fixturenames", ()))
    is_versioned = params.get("bucket") is True or fixtures & KEEP_VERSIONS
    return f"{named}{VERSIONED}" if is_versioned else named


def settle() -> None:
    """Compare what was seen with the table, or write it.

    Raises:
        AssertionError: the table says something else.
    """
    committed = dict(_read()) if TABLE.exists() else {}
    if os.environ.get("UPDATE"):
        merged = {key: {**committed.get(key, {}), **row} for key, row in _observed.items()}
        TABLE.write_text(_written(merged))
        return
    differing = [
        f"{port}: {promise}: {adapter} is {cell}"
        for (port, promise), row in _observed.items()
        for adapter, cell in row.items()
        if committed.get((port, promise), {}).get(adapter) != cell
    ]
    assert not differing, f"{TABLE.name} says otherwise; UPDATE=1 writes it anew: {differing}"


def rows() -> Rows:
    """The committed table."""
    return dict(_read())


def _read() -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    port = ""
    for line in TABLE.read_text().splitlines():
        if line.startswith("## "):
            port = line.removeprefix("## ")
        elif line.startswith("| ") and not line.startswith("| promise "):
            promise, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            seen = zip(ADAPTERS, cells, strict=True)
            yield (port, promise), {name: cell for name, cell in seen if cell != NOT_ASKED}


def _written(found: Rows) -> str:
    blocks = [HEADER]
    for port in PORTS.values():
        lines = [f"## {port}", "", f"| promise | {' | '.join(ADAPTERS)} |"]
        lines.append("|---" * (len(ADAPTERS) + 1) + "|")
        lines += [
            f"| {promise} | {' | '.join(row.get(name, NOT_ASKED) for name in ADAPTERS)} |"
            for (of, promise), row in sorted(found.items())
            if of == port
        ]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)
