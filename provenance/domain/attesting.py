"""From a request's facts to what a signer is asked for: bytes, identity, certificate claims."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from provenance.domain import release, slsa_v1
from provenance.domain.build_facts import Witnessed
from provenance.domain.builders import builder_id, mode_of, release_attestor_id
from provenance.domain.confirmation import Confirmation
from provenance.domain.platforms import FORMS
from provenance.domain.slsa_v1 import Sealed
from provenance.domain.statement import Statement, Subject, encode


@dataclass(frozen=True, slots=True)
class Asked:
    """One statement to be signed: its bytes, whose it is, and the certificate's CI claims."""

    predicate_type: str
    statement: bytes
    identity: str
    claims: Mapping[int, str]


def asked(
    subjects: Sequence[Subject],
    facts: Witnessed | None,
    sealed: Sealed,
    *,
    base_url: str,
    confirmation: Confirmation | None = None,
) -> Asked:
    """Provenance where the store witnessed a job, a release attestation where it did not.

    `confirmation` says what the platform was asked, of facts that are confirmed.

    Raises:
        UnattestableEvent: the job's commit is not the code that ran.
    """
    if facts is None:
        predicate: dict[str, Any] = release.release(project=sealed.project, build=sealed.build)
        kind, identity = release.PREDICATE_TYPE, release_attestor_id(base_url=base_url)
        claims: Mapping[int, str] = {}
    else:
        predicate = slsa_v1.provenance(facts, sealed, base_url=base_url, confirmation=confirmation)
        kind = slsa_v1.PREDICATE_TYPE
        identity = builder_id(facts.issuer_name, mode_of(facts), base_url=base_url)
        claims = certificate_claims(facts)
    return Asked(kind, encode(Statement(tuple(subjects), kind, predicate)), identity, claims)


# Fulcio's extension numbers under 1.3.6.1.4.1.57264.1 (fulcio, docs/oid-info.md). The signer
# sets .8 (issuer) and .9 (Build Signer URI = builder.id) itself; the CI workflow is .18.
RUNNER_ENVIRONMENT: Final = 11
SOURCE_REPOSITORY_URI: Final = 12
SOURCE_REPOSITORY_DIGEST: Final = 13
SOURCE_REPOSITORY_REF: Final = 14
SOURCE_REPOSITORY_ID: Final = 15
SOURCE_REPOSITORY_OWNER_URI: Final = 16
SOURCE_REPOSITORY_OWNER_ID: Final = 17
BUILD_CONFIG_URI: Final = 18
BUILD_CONFIG_DIGEST: Final = 19
BUILD_TRIGGER: Final = 20
RUN_INVOCATION_URI: Final = 21
SOURCE_REPOSITORY_VISIBILITY: Final = 22
DEPLOYMENT_ENVIRONMENT: Final = 23
TOKEN_SUBJECT: Final = 24


def certificate_claims(facts: Witnessed) -> dict[int, str]:
    """The CI claims that go into the certificate beside the identity; the signer drops empty ones.

    What an issuer does not prove is not claimed: without a repository only the subject is left.
    """
    if not facts.repository:
        return {TOKEN_SUBJECT: facts.subject}
    return {
        RUNNER_ENVIRONMENT: facts.hosting.value,
        SOURCE_REPOSITORY_URI: facts.repository_url,
        SOURCE_REPOSITORY_DIGEST: facts.commit,
        SOURCE_REPOSITORY_REF: facts.ref,
        SOURCE_REPOSITORY_ID: facts.repository_id,
        SOURCE_REPOSITORY_OWNER_URI: f"{facts.server_url}/{facts.owner}",
        SOURCE_REPOSITORY_OWNER_ID: facts.owner_id,
        BUILD_CONFIG_URI: f"{facts.server_url}/{facts.workflow_ref}",
        BUILD_CONFIG_DIGEST: facts.workflow_commit,
        BUILD_TRIGGER: facts.event,
        RUN_INVOCATION_URI: FORMS[facts.platform].invocation(facts),
        SOURCE_REPOSITORY_VISIBILITY: facts.visibility,
        DEPLOYMENT_ENVIRONMENT: facts.environment,
        TOKEN_SUBJECT: facts.subject,
    }
