"""An artifact's verification told in five chapters: source, run, files, evidence, verdict.

Made from the decision's own document, so that a page can say nothing that was not checked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from artifacts.domain.lifecycle import BuildState
from console.job import Fact, Facts, signed_run, signed_source, witnessed_run, witnessed_source
from console.words import LADDER, STEPS, Rung, advice, level_name
from provenance.domain.build_facts import Witnessed
from provenance.domain.builders import Level
from provenance.domain.evidence import StepName
from provenance.domain.report import Verdict


class Mark(StrEnum):
    """How something stands; `unreached` was not checked, because an earlier check failed."""

    PASSED = "passed"
    FAILED = "failed"
    WAITING = "waiting"
    UNREACHED = "unreached"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Check:
    """One step: what it shows, how it went, and what was wanted where that is something else."""

    step: str
    sentence: str
    mark: Mark
    code: str = ""
    expected: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the story: what is known, and each check that it rests on."""

    title: str
    question: str
    mark: Mark
    sentence: str
    facts: Facts = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class RungShown:
    """A level of the ladder, and whether the artifact stands on it."""

    rung: Rung
    is_reached: bool
    is_next: bool


@dataclass(frozen=True, slots=True)
class Story:
    """All of it. `can_download` says whether the store hands the bytes out."""

    mark: Mark
    headline: str
    sentence: str
    chapters: tuple[Chapter, ...]
    ladder: tuple[RungShown, ...] = ()
    why_not_higher: tuple[str, ...] = ()
    can_download: bool = False


CHAPTERS: Final[Mapping[str, tuple[StepName, ...]]] = {
    "Source": (StepName.SOURCE,),
    "Run": (StepName.ISSUER, StepName.IDENTITY, StepName.BUILDER),
    "Files": (StepName.SUBJECT, StepName.SCOPE, StepName.BUILD),
    "Evidence": (
        StepName.BUNDLE,
        StepName.KEY,
        StepName.TIME,
        StepName.CHAIN,
        StepName.SCT,
        StepName.CERTIFICATE,
        StepName.LOG,
        StepName.SIGNATURE,
        StepName.LOG_CONSISTENCY,
        StepName.PAYLOAD_TYPE,
        StepName.STATEMENT,
        StepName.PREDICATE_TYPE,
        StepName.SCHEMA,
    ),
}
QUESTIONS: Final[Mapping[str, str]] = {
    "Source": "Where does it come from?",
    "Run": "Who built it?",
    "Files": "Is it this very file?",
    "Evidence": "Who says so, and can it be forged?",
    "Verdict": "May it be used?",
}
_UNREACHED: Final = "Not checked: an earlier check failed, and nothing behind it is proven."


def story_of_verdict(verdict: Verdict, facts: Witnessed | None) -> Story:
    """The story of a published artifact. `facts` are what the store witnessed of its job."""
    document = verdict.document
    shown = _attestation_shown(document)
    steps = list(shown["steps"]) if shown else []
    chapters = (
        _source(steps, document["provenance"], facts),
        _run(steps, document["provenance"], facts),
        _chapter("Files", steps, "The statement names this path, these bytes and this build."),
        _evidence(steps, shown),
        _verdict(verdict),
    )
    if verdict.allowed:
        return Story(
            Mark.PASSED,
            f"Verified: {level_name(verdict.level)}",
            _allowed_sentence(document["provenance"]),
            chapters,
            ladder(verdict.level),
            tuple(document["why_not_higher"]),
            can_download=True,
        )
    headline = f"Not verified: {verdict.reason}"
    sentence = advice(verdict.reason)
    if verdict.serves:
        sentence = f"The project only observes, so it is handed out all the same. {sentence}"
    return Story(Mark.FAILED, headline, sentence, chapters, can_download=verdict.serves)


def story_before_verdict(
    state: BuildState, facts: Witnessed | None, refused: Mapping[str, Any] | None
) -> Story:
    """The story of an artifact whose build is not published: nothing of it is signed."""
    is_refused = state is BuildState.REFUSED
    mark = Mark.FAILED if is_refused else Mark.WAITING
    code = str((refused or {}).get("code", ""))
    evidence = (
        f"No statement can be signed about this build: {code}."
        if is_refused
        else "The statement about this file has not been signed yet."
    )
    noted = _witnessed_only(facts)
    chapters = (
        Chapter(
            "Source",
            QUESTIONS["Source"],
            Mark.NOTED,
            noted,
            witnessed_source(facts) if facts else (),
        ),
        Chapter("Run", QUESTIONS["Run"], Mark.NOTED, noted, witnessed_run(facts) if facts else ()),
        Chapter(
            "Files",
            QUESTIONS["Files"],
            Mark.NOTED,
            "The store has measured the digest itself, from the bytes that it keeps.",
        ),
        Chapter("Evidence", QUESTIONS["Evidence"], mark, evidence),
        Chapter(
            "Verdict",
            QUESTIONS["Verdict"],
            mark,
            "Nothing is handed out before it is published.",
        ),
    )
    if is_refused:
        return Story(
            mark,
            f"Refused: {code}" if code else "Refused",
            "This build can never be published. Push the files again, in the way that the "
            "reason's page describes; that makes a new build.",
            chapters,
        )
    return Story(
        mark,
        "Not signed yet",
        "The bytes are stored. A worker signs the statement about them; this takes a second as a "
        "rule. The build's page shows each attempt.",
        chapters,
    )


def checks_of(steps: Sequence[Mapping[str, Any]]) -> tuple[Check, ...]:
    """Every step that was taken, in its order."""
    return tuple(_check(step) for step in steps)


def ladder(level: Level) -> tuple[RungShown, ...]:
    """The levels from the bottom up; one is the next."""
    reached = [rung for rung in LADDER if rung.level.rank <= level.rank]
    return tuple(
        RungShown(rung, rung in reached, is_next=number == len(reached))
        for number, rung in enumerate(LADDER)
    )


def _attestation_shown(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The one that the answer rests on, else the one whose failure is the answer's reason."""
    attestations: Sequence[Mapping[str, Any]] = document["attestations"]
    provenance = document["provenance"]
    if provenance is not None:
        return next(one for one in attestations if one["id"] == provenance["attestation"])
    return next((one for one in attestations if one["reason"] == document["reason"]), None)


def _chapter(
    title: str,
    steps: Sequence[Mapping[str, Any]],
    passed: str,
    facts: Facts = (),
) -> Chapter:
    """A chapter whose mark follows from its own steps alone."""
    checks = tuple(_check(step) for step in steps if StepName(step["step"]) in CHAPTERS[title])
    failed = next((check for check in checks if check.mark is Mark.FAILED), None)
    taken = {check.step for check in checks}
    if failed is not None:
        mark, sentence = Mark.FAILED, f"This is not shown: {failed.code}."
    elif not taken >= {name.value for name in CHAPTERS[title] if _is_always_taken(name)}:
        mark, sentence = Mark.UNREACHED, _UNREACHED
    else:
        mark, sentence = Mark.PASSED, passed
    return Chapter(title, QUESTIONS[title], mark, sentence, facts, checks)


def _is_always_taken(name: StepName) -> bool:
    """Releases have no builder, and which cryptographic steps there are depends on the bundle."""
    return name in {
        StepName.SOURCE,
        StepName.ISSUER,
        StepName.IDENTITY,
        StepName.SUBJECT,
        StepName.SCOPE,
        StepName.BUILD,
        StepName.SIGNATURE,
        StepName.SCHEMA,
    }


def _check(step: Mapping[str, Any]) -> Check:
    return Check(
        step["step"],
        STEPS[StepName(step["step"])],
        Mark.PASSED if step["passed"] else Mark.FAILED,
        step.get("code", ""),
        step.get("expected", ""),
        step.get("found", ""),
    )


def _source(
    steps: Sequence[Mapping[str, Any]],
    provenance: Mapping[str, Any] | None,
    facts: Witnessed | None,
) -> Chapter:
    if provenance is not None and provenance["kind"] == "provenance":
        known = signed_source(provenance)
        passed = (
            "The signed statement names this repository and commit, and the policy accepts it."
            if "repository" in provenance
            else "The issuer proves who uploaded it, and nothing of a repository."
        )
        return _chapter("Source", steps, passed, known)
    passed = "No CI job stands behind it: somebody uploaded it with a token of the store."
    return _chapter("Source", steps, passed, witnessed_source(facts) if facts else ())


def _run(
    steps: Sequence[Mapping[str, Any]],
    provenance: Mapping[str, Any] | None,
    facts: Witnessed | None,
) -> Chapter:
    if provenance is not None and provenance["kind"] == "provenance":
        passed = "The job that uploaded it is known from its platform's own signed token."
        return _chapter("Run", steps, passed, signed_run(provenance))
    passed = "No job is claimed. The store's release attestor says only that it published it."
    return _chapter("Run", steps, passed, witnessed_run(facts) if facts else ())


def _evidence(steps: Sequence[Mapping[str, Any]], shown: Mapping[str, Any] | None) -> Chapter:
    if shown is None:
        sentence = "There is no attestation about these bytes in this build."
        return Chapter("Evidence", QUESTIONS["Evidence"], Mark.FAILED, sentence)
    facts: Facts = (Fact("Predicate type", shown["predicate_type"]),)
    if "signed_at" in shown:
        facts += (Fact("Signed at", _moment(shown["signed_at"])),)
    if "log" in shown:
        facts += (Fact("Log entry", f"{shown['log']['index']} in {shown['log']['key_id']}"),)
    if "signing_key" in shown:
        facts += (Fact("Managed key", shown["signing_key"]),)
    passed = "The store's attestor signed it, and each witness that the trust root demands agrees."
    return _chapter("Evidence", steps, passed, facts)


def _verdict(verdict: Verdict) -> Chapter:
    basis = verdict.document["basis"]
    facts = (
        Fact("Decided at", _moment(verdict.document["decided_at"])),
        Fact(
            "By",
            f"policy {basis['policy_version']}, trust map {basis['trust_map_version']}, trust "
            f"root {basis['trust_root_version']}, revocation epoch {basis['revocation_epoch']}",
        ),
    )
    if verdict.allowed:
        return Chapter(
            "Verdict",
            QUESTIONS["Verdict"],
            Mark.PASSED,
            f"Yes. It is handed out, with {level_name(verdict.level)}.",
            facts,
        )
    answer = (
        f"The policy says no ({verdict.reason}), and the project only observes: it is handed out."
        if verdict.serves
        else f"No: {verdict.reason}. Downloads are refused."
    )
    return Chapter("Verdict", QUESTIONS["Verdict"], Mark.FAILED, answer, facts)


def _moment(rfc3339: str) -> str:
    """A time of the decision's document as pages write times, with its seconds."""
    return f"{datetime.fromisoformat(rfc3339):%Y-%m-%d %H:%M:%S} UTC"


def _allowed_sentence(provenance: Mapping[str, Any] | None) -> str:
    if provenance is None or provenance["kind"] == "release":
        return (
            "This store published these bytes in this project. Nothing is claimed about how or "
            "where they were built."
        )
    if "repository" not in provenance:
        return "A holder of a known identity uploaded these bytes. Nothing is said of a build."
    return (
        "A job of a known workflow, at a known commit, uploaded these bytes. That they were "
        "compiled from that commit is not claimed."
    )


def _witnessed_only(facts: Witnessed | None) -> str:
    if facts is None:
        return "It came with a token of the store that stands for no CI job."
    return "Witnessed from the job's token when it was uploaded; nothing of it is signed."
