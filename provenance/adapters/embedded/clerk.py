"""Answers a round of questions at the desk: certificates from the CA, places in the log.

The order is what makes a signature mean something: leaves are committed first, then the
checkpoint is signed and kept, and only then does anybody receive an SCT or a promise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from kernel import faults
from provenance.adapters.embedded.authority import issue, prepare
from provenance.adapters.embedded.desk import Asked, CertificateAsked, EntryAsked
from provenance.adapters.embedded.generations import Generation, Tree
from provenance.adapters.embedded.identity import IdentityIssuer
from provenance.adapters.embedded.trees import Appended, append, keep_checkpoint
from provenance.adapters.embedded.wire import (
    Logged,
    certificate_leaf,
    checkpoint,
    log_entry,
    sct_list,
    statement_entry,
)
from provenance.errors import SignerRefused


@dataclass(frozen=True, slots=True)
class Clerk:
    """The CA and the log of one generation, believing the tokens of one identity issuer."""

    generation: Generation
    identities: IdentityIssuer
    clock: Callable[[], datetime]

    def answer(self, round_: Sequence[Asked]) -> None:
        """Answer everybody of a round, with one append to each tree.

        One bad question is refused on its own; only what concerns all of them is raised.
        """
        self._certify([asked for asked in round_ if isinstance(asked, CertificateAsked)])
        self._log([asked for asked in round_ if isinstance(asked, EntryAsked)])

    def _certify(self, round_: Sequence[CertificateAsked]) -> None:
        authority, tree = self.generation.authority, self.generation.certificates
        now = self.clock()
        prepared = []
        for asked in round_:
            try:
                certifiable = self.identities.verify(asked.unverified_token)
                prepared.append((asked, prepare(authority, asked.request, certifiable, now=now)))
            except SignerRefused as refusal:
                asked.answer.set_exception(refusal)
        if not prepared:
            return
        leaves = [
            certificate_leaf(precertificate.tbs, issuer_spki=authority.key.spki, now=now)
            for _, precertificate in prepared
        ]
        self._commit(tree, leaves)
        faults.reach("provenance.certified")
        certificates = [
            issue(authority, precertificate, sct_list(leaf, key=tree.key, now=now))
            for (_, precertificate), leaf in zip(prepared, leaves, strict=True)
        ]
        # Not before all are made: those who have their answer would compete for the interpreter.
        for (asked, _), certificate in zip(prepared, certificates, strict=True):
            asked.answer.set_result(certificate)

    def _log(self, round_: Sequence[EntryAsked]) -> None:
        if not round_:
            return
        tree = self.generation.statements
        bodies = [statement_entry(asked.proposed) for asked in round_]
        appended, note = self._commit(tree, bodies)
        faults.reach("provenance.logged")
        logged = [
            Logged(body, index, appended.at, appended.size, appended.root, audit_path)
            for index, (body, audit_path) in enumerate(
                zip(bodies, appended.audit_paths, strict=True), start=appended.start
            )
        ]
        entries = [log_entry(one, checkpoint=note, key=tree.key) for one in logged]
        for asked, entry in zip(round_, entries, strict=True):
            asked.answer.set_result(entry)

    def _commit(self, tree: Tree, bodies: Sequence[bytes]) -> tuple[Appended, str]:
        appended = append(tree.name, bodies, clock=self.clock)
        note = checkpoint(tree.origin, appended.size, appended.root, key=tree.key)
        keep_checkpoint(tree.name, size=appended.size, note=note, now=appended.at)
        return appended, note
