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
    """An artifact by where it is, and the bundle of the attestation that counts."""

    store: str
    project: str
    path: str
    build: str
    download_url: str
    bundle_url: str
    is_timestamped: bool
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
    """Fetch file, bundle and what it is checked against, and verify with nothing of ours."""
    file, bundle = shlex.quote(checked.file), shlex.quote(f"{checked.file}.sigstore.json")
    predicate_type = attestation["predicate_type"]
    get = "curl --fail --silent --show-error --location"
    authorized = get
    if not checked.is_public:
        authorized += ' --header "Authorization: Bearer $STRONGROOM_TOKEN"'
    expected = _expected_key if "signing_key" in attestation else _expected_identity
    fetched, options = expected(checked, attestation)
    return "\n".join(
        (
            f"{authorized} --output {file} \\\n  {checked.download_url}",
            f"{authorized} --output {bundle} \\\n  {checked.bundle_url}",
            *(f"{get} --output {name} \\\n  {url}" for name, url in fetched.items()),
            f"cosign verify-blob-attestation --bundle {bundle} \\",
            f"  --type {_COSIGN_TYPES.get(predicate_type, predicate_type)} \\",
            *(f"  {option} \\" for option in options),
            *(["  --use-signed-timestamps \\"] if checked.is_timestamped else []),
            f"  {file}",
        )
    )


_Expected = tuple[Mapping[str, str], list[str]]


def _expected_identity(checked: Checked, attestation: Mapping[str, Any]) -> _Expected:
    identity = attestation["builder"] or release_attestor_id(base_url=checked.store)
    return _trusted_root(checked), [
        "--trusted-root trusted_root.json",
        f"--certificate-identity {identity}",
        f"--certificate-oidc-issuer {checked.store}",
    ]


def _expected_key(checked: Checked, attestation: Mapping[str, Any]) -> _Expected:
    """A managed key, with what witnesses it has; docs/verifiers.md has these commands, tried."""
    key = attestation["signing_key"]
    fetched = {"key.pem": f"{checked.store}/.well-known/signing-keys/{key}.pem"}
    options = ["--key key.pem"]
    if "log" not in attestation:
        options.append("--insecure-ignore-tlog")
    if "log" in attestation or checked.is_timestamped:
        fetched |= _trusted_root(checked)
        options.append("--trusted-root trusted_root.json")
    return fetched, options


def _trusted_root(checked: Checked) -> dict[str, str]:
    return {"trusted_root.json": f"{checked.store}/.well-known/trusted_root.json"}


def push_from_ci(*, store: str, project: str) -> str:
    """What a job of a trusted publisher runs."""
    return (
        f"export STRONGROOM_URL={store} STRONGROOM_PROJECT={project}\n"
        "strongroom push 'dist/*' --wait"
    )
