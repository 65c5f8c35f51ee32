"""A good bundle, and every way to edit it after it was signed, with the step that must notice."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from tests.factories.bundles import AT, PAYLOAD, Instance, Parts, base64_of, entry_of

Forgery = Callable[[dict[str, Any]], None]

INSTANCE = Instance()
GOOD = INSTANCE.bundle()
OTHER = INSTANCE.bundle(Parts(payload=PAYLOAD.replace(b'"n":1', b'"n":2')))


def edit_payload(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["payload"] = OTHER["dsseEnvelope"]["payload"]


def edit_payload_type(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["payloadType"] = "text/plain"


def edit_signature(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["signatures"] = OTHER["dsseEnvelope"]["signatures"]


def edit_certificate(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["certificate"] = OTHER["verificationMaterial"]["certificate"]


def edit_whole_envelope(bundle: dict[str, Any]) -> None:
    """Another statement, well signed with a certificate of this CA, but not what was logged."""
    edit_certificate(bundle)
    bundle["dsseEnvelope"] = OTHER["dsseEnvelope"]


def edit_entry(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["tlogEntries"] = OTHER["verificationMaterial"]["tlogEntries"]


def edit_proof_hash(bundle: dict[str, Any]) -> None:
    entry_of(bundle)["inclusionProof"]["hashes"][0] = base64_of(bytes(32))


def drop_proof_hash(bundle: dict[str, Any]) -> None:
    entry_of(bundle)["inclusionProof"]["hashes"].pop()


def edit_proof_root(bundle: dict[str, Any]) -> None:
    entry_of(bundle)["inclusionProof"]["rootHash"] = base64_of(bytes(32))


def edit_proof_size(bundle: dict[str, Any]) -> None:
    """The audit path of leaf 0 is as long in a tree of 8 as in one of 7."""
    entry_of(bundle)["inclusionProof"]["treeSize"] = "8"


def edit_checkpoint(bundle: dict[str, Any]) -> None:
    """A genuine checkpoint of the same log, of another size."""
    larger = entry_of(INSTANCE.bundle(Parts(neighbours=7)))
    entry_of(bundle)["inclusionProof"]["checkpoint"] = larger["inclusionProof"]["checkpoint"]


def edit_checkpoint_text(bundle: dict[str, Any]) -> None:
    held = entry_of(bundle)["inclusionProof"]["checkpoint"]
    held["envelope"] = held["envelope"].replace("store.test - 1\n7\n", "store.test - 1\n9\n")


def drop_promise(bundle: dict[str, Any]) -> None:
    del entry_of(bundle)["inclusionPromise"]


def edit_promise(bundle: dict[str, Any]) -> None:
    entry_of(bundle)["inclusionPromise"] = entry_of(OTHER)["inclusionPromise"]


def edit_time(bundle: dict[str, Any]) -> None:
    entry_of(bundle)["integratedTime"] = str(int(AT.timestamp()) + 2)


def edit_time_out_of_the_world(bundle: dict[str, Any]) -> None:
    entry_of(bundle)["integratedTime"] = str(2**62)


def edit_index(bundle: dict[str, Any]) -> None:
    entry_of(bundle)["logIndex"] = "1"


def edit_log_id(bundle: dict[str, Any]) -> None:
    entry_of(bundle)["logId"]["keyId"] = base64_of(bytes(32))


def add_signature(bundle: dict[str, Any]) -> None:
    signatures = bundle["dsseEnvelope"]["signatures"]
    signatures.append(deepcopy(signatures[0]))


def drop_signature(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["signatures"] = []


def drop_envelope(bundle: dict[str, Any]) -> None:
    del bundle["dsseEnvelope"]


def drop_proof(bundle: dict[str, Any]) -> None:
    del entry_of(bundle)["inclusionProof"]


def add_entry(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["tlogEntries"].append(entry_of(OTHER))


def add_member(bundle: dict[str, Any]) -> None:
    bundle["verdict"] = "trust me"


def garble_certificate(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["certificate"]["rawBytes"] = base64_of(b"not DER")


def garble_timestamps(bundle: dict[str, Any]) -> None:
    timestamps = [{"signedTimestamp": base64_of(b"not a timestamp")}]
    bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] = timestamps


EDITS: dict[Forgery, tuple[str, str]] = {
    edit_payload: ("signature", "signature-invalid"),
    edit_payload_type: ("signature", "signature-invalid"),
    edit_signature: ("signature", "signature-invalid"),
    edit_certificate: ("signature", "signature-invalid"),
    edit_whole_envelope: ("log-consistency", "log-mismatch"),
    edit_entry: ("log-consistency", "log-mismatch"),
    edit_proof_hash: ("log", "log-entry-invalid"),
    drop_proof_hash: ("log", "log-entry-invalid"),
    edit_proof_root: ("log", "log-entry-invalid"),
    edit_proof_size: ("log", "log-entry-invalid"),
    edit_checkpoint: ("log", "log-entry-invalid"),
    edit_checkpoint_text: ("log", "log-entry-invalid"),
    drop_promise: ("time", "no-verified-time"),
    edit_promise: ("log", "log-entry-invalid"),
    edit_time: ("log", "log-entry-invalid"),
    edit_time_out_of_the_world: ("time", "no-verified-time"),
    edit_index: ("log", "log-entry-invalid"),
    edit_log_id: ("log", "log-entry-invalid"),
    add_signature: ("bundle", "malformed-bundle"),
    drop_signature: ("bundle", "malformed-bundle"),
    drop_envelope: ("bundle", "malformed-bundle"),
    drop_proof: ("bundle", "malformed-bundle"),
    add_entry: ("bundle", "malformed-bundle"),
    add_member: ("bundle", "malformed-bundle"),
    garble_certificate: ("bundle", "malformed-bundle"),
    garble_timestamps: ("time", "no-verified-time"),
}


def as_message_signature(bundle: dict[str, Any]) -> None:
    del bundle["dsseEnvelope"]
    bundle["messageSignature"] = {"signature": "AAAA"}


def as_managed_key(bundle: dict[str, Any]) -> None:
    material = bundle["verificationMaterial"]
    del material["certificate"]
    material["publicKey"] = {"hint": "AAAA"}


def as_intoto_entry(bundle: dict[str, Any]) -> None:
    entry_of(bundle)["kindVersion"] = {"kind": "intoto", "version": "0.0.2"}


def as_newer_bundle(bundle: dict[str, Any]) -> None:
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle.v9.9+json"


OTHER_KINDS = [as_message_signature, as_managed_key, as_intoto_entry, as_newer_bundle]
