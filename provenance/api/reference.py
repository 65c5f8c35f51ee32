"""Provenance's part of the API reference: what statements and consumers refer to."""

from typing import Annotated, Final, NotRequired, TypedDict

from kernel.reference import Answer, Asker, Operation, Operations, Parameter, Reader
from kernel.rest import MalformedRequest
from kernel.shapes import STORE, Count, Says, Time, Url
from provenance.api.log import MOST_DIGITS
from provenance.domain.builders import Level
from provenance.domain.trust_document import SIGSTORE_MEDIA_TYPE as TRUST_ROOT
from provenance.errors import NoSuchPage, NoSuchTree, NoSuchTreeSize, TrustRootMissing

_DOCUMENT: Final = dict[str, object]
_FIELD: Final = {"path": str, "source": str, "meaning": str}
_BUILDER: Final = Annotated[str, Says(examples=[f"{STORE}/builders/github/hosted-unconfirmed/v1"])]
_BUILD_TYPE: Final = Annotated[str, Says(examples=[f"{STORE}/buildtypes/github-job/v1"])]
_TREE: Final = Annotated[str, Says(examples=["log-1"])]
_HASH: Final = Annotated[str, Says(description="SHA-256, in base64.", examples=["47DEQpj8HBS…"])]
_SIZE: Final = Annotated[int, Says(minimum=0, maximum=10**MOST_DIGITS - 1)]
_HTML: Final = ("text/html; charset=utf-8",)
_HTML_TOO: Final = "A page for whoever asks for `text/html`; both say the same."


class Window(TypedDict):
    """From when to when a key counts; no `end` while it goes on."""

    start: Time
    end: NotRequired[Time]


class PublicKey(TypedDict):
    """A public key, in the members of Sigstore's `PublicKey`."""

    rawBytes: Annotated[str, Says(description="DER SubjectPublicKeyInfo, in base64.")]
    keyDetails: str
    validFor: Window


class SigningKeyDocument(TypedDict):
    """A managed signing key, and for which builders it speaks."""

    id: Annotated[str, Says(description="The hex SHA-256 of the key.")]
    publicKey: PublicKey
    issuer: str
    speaksFor: list[str]
    demands: list[str]
    revokedAt: NotRequired[Time]
    pem: Url


def _root(text: str) -> Answer:
    return Answer(
        200,
        text,
        _DOCUMENT,
        {"mediaType": TRUST_ROOT},
        media_type=TRUST_ROOT,
        headers=("Content-Disposition", "X-Trust-Root-Version"),
    )


def _attestor(name: str, what: str, who: str) -> Operation:
    return Operation(
        id=name,
        reader=Reader.CONSUMER,
        summary=f"{who}, and what they do not state",
        text=_HTML_TOO,
        asker=Asker.ANYBODY,
        answers=(
            Answer(
                200,
                "The attestor.",
                {
                    "title": str,
                    "id": Annotated[str, Says(examples=[f"{STORE}/attestors/{what}/v1"])],
                    "predicate_type": str,
                    "states": str,
                    "does_not_state": str,
                    "level": str,
                },
                also=_HTML,
            ),
        ),
    )


OPERATIONS: Final[Operations] = {
    "GET /builders/{issuer_name}/{mode_name}/v1": Operation(
        id="show_builder",
        reader=Reader.CONSUMER,
        summary="A builder: what its statements say, the most they may claim, and why not more",
        text=_HTML_TOO,
        asker=Asker.ANYBODY,
        answers=(
            Answer(
                200,
                "The builder.",
                {
                    "id": _BUILDER,
                    "issuer": str,
                    "mode": str,
                    "level": Level,
                    "why_not_higher": str,
                    "confirmed": bool,
                    "compared": [str],
                    "states": str,
                    "does_not_state": str,
                    "build_type": _BUILD_TYPE,
                    "not_recorded": [str],
                    "fields": [_FIELD],
                    "other_modes": [_BUILDER],
                },
                also=_HTML,
            ),
        ),
        refusals=(NoSuchPage,),
    ),
    "GET /attestors/release/v1": _attestor(
        "show_release_attestor", "release", "Who signs release attestations"
    ),
    "GET /attestors/removal/v1": _attestor(
        "show_removal_attestor", "removal", "Who signs removals"
    ),
    "GET /predicates/removal/v1": Operation(
        id="show_removal_predicate",
        reader=Reader.CONSUMER,
        summary="The predicate of removals: what they state, and every field",
        text=_HTML_TOO,
        asker=Asker.ANYBODY,
        answers=(
            Answer(
                200,
                "The specification.",
                {
                    "id": Annotated[str, Says(examples=[f"{STORE}/predicates/removal/v1"])],
                    "title": str,
                    "attestor": Url,
                    "states": str,
                    "does_not_state": str,
                    "fields": [_FIELD],
                },
                also=_HTML,
            ),
        ),
    ),
    "GET /buildtypes/{name}/v1": Operation(
        id="show_build_type",
        reader=Reader.CONSUMER,
        summary="A buildType: every field of its predicates and who generates it",
        text=_HTML_TOO,
        asker=Asker.ANYBODY,
        answers=(
            Answer(
                200,
                "The specification.",
                {
                    "id": _BUILD_TYPE,
                    "predicate_type": str,
                    "title": str,
                    "states": str,
                    "does_not_state": str,
                    "schema": Url,
                    "not_recorded": [str],
                    "fields": [_FIELD],
                },
                also=_HTML,
            ),
        ),
        refusals=(NoSuchPage,),
    ),
    "GET /buildtypes/{name}/v1/schema.json": Operation(
        id="show_build_type_schema",
        reader=Reader.CONSUMER,
        summary="The closed JSON Schema of a buildType's predicates",
        text="The verifier enforces it.",
        asker=Asker.ANYBODY,
        answers=(
            Answer(
                200,
                "The schema.",
                _DOCUMENT,
                {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"},
                media_type="application/schema+json",
            ),
        ),
        refusals=(NoSuchPage,),
    ),
    "GET /log/": Operation(
        id="list_trees",
        reader=Reader.CONSUMER,
        summary="The trees of the embedded log, retired ones included",
        asker=Asker.ANYBODY,
        answers=(
            Answer(
                200,
                "All of them; sizes are in leaves.",
                {
                    "trees": [
                        {
                            "tree": _TREE,
                            "kind": str,
                            "origin": str,
                            "size": Count,
                            "retired": bool,
                            "checkpoint": str,
                        }
                    ]
                },
            ),
        ),
    ),
    "GET /log/{tree}/checkpoint": Operation(
        id="show_checkpoint",
        reader=Reader.CONSUMER,
        summary="A tree's newest checkpoint, exactly as it was signed",
        text="A signed note (C2SP tlog-checkpoint).",
        asker=Asker.ANYBODY,
        answers=(
            Answer(
                200,
                "The checkpoint.",
                str,
                "store.example.com/log-1\n5\n47DEQpj8HBS…\n\n— store.example.com/log-1 …\n",
                media_type="text/plain; charset=utf-8",
            ),
        ),
        refusals=(NoSuchTree,),
    ),
    "GET /log/{tree}/consistency": Operation(
        id="prove_consistency",
        reader=Reader.CONSUMER,
        summary="The proof that a larger tree begins with a smaller one",
        text="RFC 9162, section 2.1.4. Keep a checkpoint, and see that nothing was rewritten.",
        asker=Asker.ANYBODY,
        parameters=tuple(
            Parameter(name, _SIZE, text, is_required=True)
            for name, text in (
                ("first", "The size of the smaller tree, in leaves."),
                ("second", "The size of the larger tree, in leaves."),
            )
        ),
        answers=(
            Answer(
                200,
                "The proof.",
                {"tree": _TREE, "first": Count, "second": Count, "hashes": [_HASH]},
            ),
        ),
        refusals=(MalformedRequest, NoSuchTree, NoSuchTreeSize),
    ),
    "GET /.well-known/trusted_root.json": Operation(
        id="show_trust_root",
        reader=Reader.CONSUMER,
        summary="The current trust root, as the exact bytes that were published",
        text="A Sigstore TrustedRoot: `cosign --trusted-root` reads it.",
        asker=Asker.ANYBODY,
        answers=(_root("The trust root."),),
        refusals=(TrustRootMissing,),
    ),
    "GET /.well-known/strongroom-trust-root.json": Operation(
        id="show_trust_document",
        reader=Reader.CONSUMER,
        summary="What `strongroom` pins: the trust root, with the managed signing keys",
        asker=Asker.ANYBODY,
        answers=(
            Answer(
                200,
                "The trust root, exactly as it was published.",
                _DOCUMENT,
                {"mediaType": TRUST_ROOT},
                headers=("Content-Disposition", "X-Trust-Root-Version"),
            ),
        ),
        refusals=(TrustRootMissing,),
    ),
    "GET /.well-known/signing-keys.json": Operation(
        id="list_signing_keys",
        reader=Reader.CONSUMER,
        summary="The managed signing keys, revoked ones included",
        text="Empty where a store signs with certificates only.",
        asker=Asker.ANYBODY,
        answers=(Answer(200, "All of them.", {"signingKeys": [SigningKeyDocument]}),),
    ),
    "GET /.well-known/signing-keys/{identity}.pem": Operation(
        id="show_signing_key",
        reader=Reader.CONSUMER,
        summary="One managed signing key as PEM",
        text="`cosign --key` reads it. A revoked one is not handed out.",
        asker=Asker.ANYBODY,
        answers=(
            Answer(
                200,
                "The public key.",
                str,
                "-----BEGIN PUBLIC KEY-----\n…\n-----END PUBLIC KEY-----\n",
                media_type="application/x-pem-file",
                headers=("Content-Disposition",),
            ),
        ),
        refusals=(NoSuchPage,),
    ),
    "GET /.well-known/trusted_root/{version}.json": Operation(
        id="show_trust_root_version",
        reader=Reader.CONSUMER,
        summary="One version of the trust root: old bundles stay verifiable",
        asker=Asker.ANYBODY,
        answers=(_root("The trust root of that version."),),
        refusals=(NoSuchPage,),
    ),
    "GET /.well-known/trusted_root_history.json": Operation(
        id="list_trust_roots",
        reader=Reader.CONSUMER,
        summary="Every version of the trust root, oldest first",
        asker=Asker.ANYBODY,
        answers=(
            Answer(
                200,
                "All of them.",
                {
                    "current": Count,
                    "versions": [{"version": Count, "published_at": Time, "url": Url}],
                },
            ),
        ),
    ),
    "GET /.well-known/openid-configuration": Operation(
        id="show_openid_configuration",
        reader=Reader.ADMINISTRATOR,
        summary="The store as an issuer, for the Sigstore CA that certifies its attestor",
        text="Only where a store signs with a Sigstore instance (OpenID Connect Discovery 1.0).",
        asker=Asker.ANYBODY,
        answers=(Answer(200, "The discovery document.", _DOCUMENT, {"issuer": STORE}),),
        refusals=(NoSuchPage,),
    ),
    "GET /.well-known/jwks.json": Operation(
        id="show_identity_keys",
        reader=Reader.ADMINISTRATOR,
        summary="The issuer's public keys: the one in use, and one that is announced",
        text="A JSON Web Key Set (RFC 7517).",
        asker=Asker.ANYBODY,
        answers=(Answer(200, "The keys.", {"keys": [dict[str, str]]}),),
        refusals=(NoSuchPage,),
    ),
}
