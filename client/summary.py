"""What a published build's provenance says, as the store summarizes it: for people and scripts.

This is the store's word, shown to whoever pushed. `strongroom verify` checks it.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from client.answers import objects, texts
from client.console import Console
from client.errors import StoreRefused
from client.http import Store

MOST_JOBS: Final = 20
LABELS: Final = (
    ("builder", "builder"),
    ("level", "level"),
    ("source", "repository"),
    ("commit", "commit"),
    ("ref", "ref"),
    ("workflow", "workflow"),
    ("subject", "subject"),
    ("run", "invocation"),
    ("bundle", "bundle"),
)


def provenance_of(store: Store, build: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One summary for each job that brought files, from the report about its first file."""
    firsts: dict[str, Mapping[str, Any]] = {}
    for artifact in objects(build.get("artifacts")):
        firsts.setdefault(str(artifact.get("job")), artifact)
    return [_summary(store, artifact) for artifact in list(firsts.values())[:MOST_JOBS]]


def show_provenance(console: Console, found: list[dict[str, Any]]) -> None:
    """The summaries, a member a line."""
    for one in found:
        console.say(f"provenance of {one['path']}, as the store reports it: {one['verdict']}")
        for label, name in LABELS:
            if one.get(name):
                console.say(f"  {label:9} {one[name]}")
        for why in one.get("why_not_higher", []):
            console.say(f"  {'':9} not higher: {why}")
        if one.get("reason"):
            console.say(f"  {'reason':9} {one['reason']}")


def _summary(store: Store, artifact: Mapping[str, Any]) -> dict[str, Any]:
    path, identity = str(artifact.get("path")), _uuid(artifact.get("id"))
    if identity is None:
        return {"path": path, "verdict": "unknown"}
    address = store.address("api", "v1", "artifacts", identity)
    try:
        report = store.get(f"{address}/verification").document
    except StoreRefused as refused:
        return {"path": path, "verdict": "unknown", "reason": refused.code}
    provenance = report.get("provenance")
    said = provenance if isinstance(provenance, dict) else {}
    attestation = _uuid(said.get("attestation"))
    return {
        "path": path,
        "verdict": report.get("verdict"),
        "reason": report.get("reason"),
        "level": report.get("level"),
        "why_not_higher": texts(report.get("why_not_higher")),
        **{name: said.get(name) for name in ("kind", "builder", "repository", "commit", "ref")},
        **{name: said.get(name) for name in ("workflow", "invocation", "subject")},
        "bundle": f"{address}/attestations/{attestation}" if attestation else None,
    }


def _uuid(value: object) -> str | None:
    try:
        return str(UUID(str(value)))
    except ValueError:
        return None
