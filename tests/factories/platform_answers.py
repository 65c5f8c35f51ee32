"""Asking a platform's double, and what its answer has to be."""

from datetime import timedelta

from provenance.domain.build_facts import Witnessed
from provenance.domain.confirmation import Confirmation
from provenance.errors import JobContradicted, PlatformUnavailable
from provenance.ports import RunConfirmation
from tests.factories.platform_doubles import SEALED_AT


def ask(platforms: RunConfirmation, facts: Witnessed, **later: int) -> object:
    return platforms.ask(facts, sealed_at=SEALED_AT, now=SEALED_AT + timedelta(**later))


def confirmed(answer: object) -> Confirmation:
    assert isinstance(answer, Confirmation), answer
    return answer


def contradicted(answer: object) -> str:
    assert isinstance(answer, JobContradicted), answer
    return str(answer.facts["field"])


def unavailable(answer: object) -> str:
    assert isinstance(answer, PlatformUnavailable), answer
    return str(answer.facts["reason"])
