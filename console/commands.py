"""The commands to check an artifact oneself, with its real values: what docs/verify.md explains."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from provenance.domain import slsa_v1
from provenance.domain.builders import release_attestor_id

# cosign has a word of its own for SLSA provenance; any other type is named by its address.
_COSIGN_TYPES: Final[Mapping[str, str]] = {slsa_v1.PREDICATE_TYPE: "slsaprovenance1"}


@dataclass(frozen=True, slots=True)
class Checked:
    """An artifact by where it is; `bundle_url` is of the attestation that counts."""

    store: str
    project: str
    path: str
    build: str
    download_url: str
    bundle_url: str
    is_public: bool

    @property
    def file(self) -> str:
        """The file's name, so that no program takes it for an option."""
        name = self.path.rpartition("/")[2]
        return f"./{name}" if name.startswith("-") else name


def with_strongroom(checked: Checked) -> str:
    """Pull it verified, by what was pinned before."""
    names = f"STRONGROOM_URL={checked.store} STRONGROOM_PROJECT={checked.project}"
    path, build = shlex.quote(checked.path), checked.build
    return (
        f"export {names}\n"
        "strongroom trust\n"
        f"strongroom pull {path} --build {build} --with-bundle\n"
        f"strongroom verify {shlex.quote(checked.file)} --name {path} --build {build}"
    )


def with_cosign(checked: Checked, attestation: Mapping[str, Any]) -> str:
    """Fetch file, bundle and trust root, and verify with nothing of ours.

    Empty where a managed key signed: cosign cannot tell from a trust root for whom a key speaks.
    """
    if "signing_key" in attestation:
        return ""
    file, bundle = shlex.quote(checked.file), shlex.quote(f"{checked.file}.sigstore.json")
    predicate_type = attestation["predicate_type"]
    identity = attestation["builder"] or release_attestor_id(base_url=checked.store)
    get = "curl --fail --silent --show-error --location"
    if not checked.is_public:
        get += ' --header "Authorization: Bearer $STRONGROOM_TOKEN"'
    return (
        f"{get} --output {file} {checked.download_url}\n"
        f"{get} --output {bundle} {checked.bundle_url}\n"
        "curl --fail --silent --show-error --output trusted_root.json "
        f"{checked.store}/.well-known/trusted_root.json\n"
        f"cosign verify-blob-attestation --bundle {bundle} --trusted-root trusted_root.json \\\n"
        f"  --type {_COSIGN_TYPES.get(predicate_type, predicate_type)} \\\n"
        f"  --certificate-identity {identity} \\\n"
        f"  --certificate-oidc-issuer {checked.store} {file}"
    )


def push_from_ci(*, store: str, project: str) -> str:
    """What a job of a trusted publisher runs."""
    return (
        f"export STRONGROOM_URL={store} STRONGROOM_PROJECT={project}\n"
        "strongroom push 'dist/*' --wait"
    )
