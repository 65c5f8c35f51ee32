"""A token of SoftHSM2: a PKCS#11 library that needs no hardware. Debian's `softhsm2` has it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from tests.factories.managed_keys import pem_of

LIBRARY: Final = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN: Final = "1234"


def is_installed() -> bool:
    return LIBRARY.exists() and shutil.which("softhsm2-util") is not None


@dataclass(frozen=True)
class Token:
    """A token with one EC key pair, whose id is 2."""

    label: str
    environment: dict[str, str]


def create_token(folder: Path, *, label: str = "attestor") -> Token:
    """Make it below the folder."""
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    environment = {"SOFTHSM2_CONF": str(config), "PYKCS11LIB": str(LIBRARY)}
    pem = folder / "hsm.pem"
    pem.write_bytes(pem_of(ec.generate_private_key(ec.SECP256R1())))
    _util(
        environment, "--init-token", "--free", f"--label={label}", "--so-pin=5678", f"--pin={PIN}"
    )
    _util(
        environment,
        *(f"--import={pem}", f"--token={label}", f"--pin={PIN}", "--id=02", "--label=key"),
    )
    pem.unlink()
    return Token(label, environment)


def _util(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run(["softhsm2-util", *arguments], env=environment, check=True, capture_output=True)
