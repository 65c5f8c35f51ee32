"""Names that are given once: by which rule, and to which bytes."""

from typing import Final

from django.db import connection

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.retention import Cited, immutable_by
from artifacts.errors import NameImmutable
from artifacts.models import Artifact, NamedFile, Project, Tombstone, TrashedArtifact
from artifacts.queries.expiry import Sql, conditions_sql
from artifacts.queries.retention import holder_of, policies_of

_TURN: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))"
_NAMES: Final = 0x4E41_4D45  # any seed that nobody else hashes with


def immutable_rule(file: NamedFile) -> Cited | None:
    """The rule that makes the file's name immutable."""
    return immutable_by(
        file.path,
        file.ref,
        is_protected=file.ref_is_protected,
        policies=policies_of(file.project),
    )


def is_immutable_sql(project: Project) -> Sql:
    """Whether a rule makes the name of the row of `artifact` around it immutable."""
    rules = [one for attached in policies_of(project) for one in attached.policy.immutable]
    asked = [conditions_sql(one.conditions) for one in rules]
    texts = [" AND ".join(one.text for one in each) or "true" for each in asked]
    parameters = tuple(value for each in asked for one in each for value in one.parameters)
    return Sql(" OR ".join(f"({text})" for text in texts) or "false", parameters)


def require_mutable(file: NamedFile) -> None:
    """Refuse what would take the name back.

    Raises:
        NameImmutable: a rule makes it immutable.
    """
    cited = immutable_rule(file)
    if cited is not None:
        raise refusal(file, cited)


def require_name_new(artifact: Artifact) -> None:
    """Refuse other bytes for a name that is given once. After the row, in its transaction.

    Uploads to one such name take turns, so that of two at once one is refused. What a refused
    build called so was never published, and takes no name.

    Raises:
        NameImmutable: the name is that of other bytes, or was.
    """
    cited = immutable_rule(artifact)
    if cited is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(_TURN, [f"{artifact.project_id}/{artifact.path}", _NAMES])
    named = {"project": artifact.project_id, "path": artifact.path}
    others = Artifact.objects.filter(**named).exclude(build__state=BuildState.REFUSED)
    for found in (
        others.exclude(blob=artifact.blob_id).values_list("blob__sha256", flat=True),
        TrashedArtifact.objects.filter(**named)
        .exclude(blob=artifact.blob_id)
        .values_list("blob__sha256", flat=True),
        Tombstone.objects.filter(**named)
        .exclude(sha256=artifact.blob.sha256)
        .values_list("sha256", flat=True),
    ):
        existing = found.first()
        if existing is not None:
            raise refusal(
                artifact, cited, existing_sha256=existing, sent_sha256=artifact.blob.sha256
            )


def refusal(file: NamedFile, cited: Cited, **facts: object) -> NameImmutable:
    """The same as a refusal that names the rule."""
    return NameImmutable(
        path=file.path,
        rule=cited.name,
        level=cited.level.word,
        of=holder_of(cited, file.project),
        version=cited.version,
        **facts,
    )
