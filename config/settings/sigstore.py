"""STRONGROOM_SIGSTORE_… and STRONGROOM_PUBLIC_SIGSTORE_…: the instances of Sigstore."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class Reader(Protocol):
    """Reads settings by the part of their name that is not common to all."""

    @property
    def problems(self) -> list[str]: ...
    def optional(self, name: str, /) -> str | None: ...
    def path(self, name: str, /) -> Path | None: ...
    def flag(self, name: str, /) -> bool: ...
    def positive(self, name: str, default: int, /) -> int: ...


@dataclass(frozen=True, slots=True)
class TufRepository:
    """Where an instance's description is fetched from: the first root is the operator's to bring.

    `cache` is a folder of the worker's, which remembers what it has seen.
    """

    url: str
    root: Path
    cache: Path


@dataclass(frozen=True, slots=True)
class SigstoreDescription:
    """An instance, from two files or from a TUF repository; `prefix` begins its settings' names."""

    prefix: str
    trusted_root: Path | None
    signing_config: Path | None
    tuf: TufRepository | None

    @property
    def is_given(self) -> bool:
        """Whether there is any."""
        return any((self.trusted_root, self.signing_config, self.tuf))


@dataclass(frozen=True, slots=True)
class SigstoreInstance:
    """What the signer `sigstore` works with. Without a token the store is its own issuer.

    `described` is private, `public` one that may write into public logs what owners want there;
    `issuer_is_isolated` says that the issuer's documents are not answered by the web server.
    """

    described: SigstoreDescription
    public: SigstoreDescription
    identity_token_file: Path | None
    identity_token: str | None = field(repr=False)
    issuer_is_isolated: bool
    threads: int

    @property
    def has_own_issuer(self) -> bool:
        """Whether the worker mints the attestor's identity tokens itself."""
        return self.identity_token_file is None and self.identity_token is None


def read_sigstore(reader: Reader, *, prefix: str) -> SigstoreInstance:
    """What is set; what is wrong is added to the reader's problems."""
    instance = SigstoreInstance(
        described=_described(
            reader,
            f"{prefix}SIGSTORE",
            files=(reader.path("SIGSTORE_TRUSTED_ROOT"), reader.path("SIGSTORE_SIGNING_CONFIG")),
            url=reader.optional("SIGSTORE_TUF_URL"),
            folders=(reader.path("SIGSTORE_TUF_ROOT"), reader.path("SIGSTORE_TUF_CACHE")),
        ),
        public=_described(
            reader,
            f"{prefix}PUBLIC_SIGSTORE",
            files=(
                reader.path("PUBLIC_SIGSTORE_TRUSTED_ROOT"),
                reader.path("PUBLIC_SIGSTORE_SIGNING_CONFIG"),
            ),
            url=reader.optional("PUBLIC_SIGSTORE_TUF_URL"),
            folders=(
                reader.path("PUBLIC_SIGSTORE_TUF_ROOT"),
                reader.path("PUBLIC_SIGSTORE_TUF_CACHE"),
            ),
        ),
        identity_token_file=reader.path("SIGSTORE_IDENTITY_TOKEN_FILE"),
        identity_token=reader.optional("SIGSTORE_IDENTITY_TOKEN"),
        issuer_is_isolated=reader.flag("SIGSTORE_ISSUER_IS_ISOLATED"),
        threads=reader.positive("SIGSTORE_THREADS", 32),
    )
    if instance.identity_token_file and instance.identity_token:
        reader.problems.append(
            f"{prefix}SIGSTORE_IDENTITY_TOKEN_FILE and {prefix}SIGSTORE_IDENTITY_TOKEN are both "
            "set; one is enough"
        )
    return instance


def _described(
    reader: Reader,
    whole: str,
    *,
    files: tuple[Path | None, Path | None],
    url: str | None,
    folders: tuple[Path | None, Path | None],
) -> SigstoreDescription:
    """One instance; `whole` is how the names of its settings begin."""
    tuf = None
    root, cache = folders
    if url and root and cache:
        tuf = TufRepository(url.rstrip("/"), root, cache)
    elif url or root or cache:
        reader.problems.append(
            f"{whole}_TUF_URL, {whole}_TUF_ROOT and {whole}_TUF_CACHE belong together"
        )
    parts = urlsplit(url or "https://tuf.example.com")
    is_local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not parts.netloc or not (parts.scheme == "https" or is_local):
        reader.problems.append(f"{whole}_TUF_URL is {url!r}; it must begin with https://")
    if tuf and any(files):
        reader.problems.append(f"{whole} is given by files and by {whole}_TUF_URL; one is enough")
    return SigstoreDescription(whole, *files, tuf)
