"""Who holds a managed key, and what an operator is told when it cannot be used."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from provenance.adapters.managed_key.holders import KeyHolder
from provenance.adapters.signing_algorithms import verify_signature
from provenance.domain.signing_keys import Algorithm
from provenance.errors import SignerUnavailable
from tests.factories.key_services.kms import Kms, running_kms
from tests.factories.key_services.softhsm import PIN, create_token, is_installed
from tests.factories.key_services.vault import Vault, running_vault
from tests.factories.managed_keys import KINDS, key_in, secret_in
from tests.factories.private_sigstore.doubles import nobody

MESSAGE = b"DSSEv1 something"


def reason(holder: KeyHolder) -> str:
    """Why it cannot sign; the refusal says what was found or is expected, and no secret."""
    with pytest.raises(SignerUnavailable) as refusal:
        holder.open().sign(MESSAGE)
    facts = refusal.value.facts
    assert set(facts) & {"found", "expected"}, facts
    assert "hvs.worker" not in str(refusal.value)
    assert PIN not in str(facts.get("found"))
    return str(facts["reason"])


def check(holder: KeyHolder, algorithm: Algorithm) -> None:
    """It signs, with the key that it says."""
    opened = holder.open()
    signature = opened.sign(MESSAGE)

    assert opened.algorithm is algorithm
    verify_signature(opened.public, signature, MESSAGE)
    with pytest.raises(InvalidSignature):
        verify_signature(opened.public, signature, MESSAGE + b"!")


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [
        ("p256", Algorithm.ECDSA_P256),
        ("p384", Algorithm.ECDSA_P384),
        ("ed25519", Algorithm.ED25519),
        ("rsa2048", Algorithm.RSA_2048),
    ],
)
def test_signs_with_a_key_in_a_file(tmp_path: Path, kind: str, algorithm: Algorithm) -> None:
    check(KeyHolder(key_in(tmp_path, kind)), algorithm)


def test_signs_with_a_file_under_a_passphrase(tmp_path: Path) -> None:
    uri = key_in(tmp_path, passphrase="correct horse")
    holder = KeyHolder(uri, secret_in(tmp_path, "correct horse"))

    check(holder, Algorithm.ECDSA_P256)
    assert "with a passphrase" in holder.open().described
    assert reason(KeyHolder(uri, secret_in(tmp_path, "battery", "wrong"))) == "wrong-passphrase"
    assert reason(KeyHolder(uri)) == "no-key-secret"
    assert reason(KeyHolder(uri, tmp_path / "nowhere")) == "missing-key-secret"


def test_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    uri = key_in(tmp_path)
    file = Path(uri.removeprefix("file:"))

    assert reason(KeyHolder(f"file:{tmp_path}/nowhere.pem")) == "missing-key-file"
    assert reason(KeyHolder(f"{uri}/below")) == "missing-key-file"
    for mode in (0o640, 0o604):
        file.chmod(mode)
        assert reason(KeyHolder(uri)) == "exposed-key-file"
    file.chmod(0o600)
    check(KeyHolder(uri), Algorithm.ECDSA_P256)
    file.write_bytes(b"no key")
    assert reason(KeyHolder(uri)) == "malformed-key-file"


@pytest.mark.parametrize("kind", ["p521", "rsa1024"])
def test_refuses_keys_that_verifiers_do_not_share(tmp_path: Path, kind: str) -> None:
    assert reason(KeyHolder(key_in(tmp_path, kind))) == "unsupported-key"


@pytest.mark.parametrize("uri", ["ssh:key", "/etc/key.pem", "file2:/etc/key.pem"])
def test_names_the_schemes_that_there_are(uri: str) -> None:
    assert reason(KeyHolder(uri)) == "unknown-key-uri"


@dataclass(frozen=True)
class InVault:
    vault: Vault
    secret: Path

    def at(self, path: str) -> KeyHolder:
        return KeyHolder(f"vault:{path}", self.secret)


@pytest.fixture
def in_vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InVault]:
    keys: dict[str, Any] = {
        kind: [KINDS[kind](), KINDS[kind]()] for kind in ("p256", "p384", "ed25519", "rsa2048")
    }
    vault = Vault({**keys, "p521": [KINDS["p521"]()]})
    monkeypatch.delenv("VAULT_TOKEN", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with running_vault(vault) as address:
        monkeypatch.setenv("VAULT_ADDR", address)
        yield InVault(vault, secret_in(tmp_path, vault.token))


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [
        ("p256", Algorithm.ECDSA_P256),
        ("p384", Algorithm.ECDSA_P384),
        ("ed25519", Algorithm.ED25519),
        ("rsa2048", Algorithm.RSA_2048),
    ],
)
def test_signs_with_vault(in_vault: InVault, kind: str, algorithm: Algorithm) -> None:
    check(in_vault.at(f"transit/{kind}/2"), algorithm)

    one, two = (in_vault.at(f"transit/{kind}/{version}").open() for version in (1, 2))
    assert one.spki != two.spki


def test_says_what_is_wrong_with_vault(in_vault: InVault) -> None:
    vault = in_vault.vault
    check(in_vault.at("transit/p256/1"), Algorithm.ECDSA_P256)

    assert reason(in_vault.at("elsewhere/p256/1")) == "no-such-mount"
    assert reason(in_vault.at("transit/nokey/1")) == "no-such-key"
    assert reason(in_vault.at("transit/p256/3")) == "no-such-key-version"
    assert reason(in_vault.at("transit/aes/1")) == "unsupported-key"
    assert reason(in_vault.at("transit/p521/1")) == "unsupported-key"
    assert reason(in_vault.at("transit/p256")) == "malformed-key-uri"
    vault.min_version = 2
    assert reason(in_vault.at("transit/p256/1")) == "no-such-key-version"
    vault.may_sign = False
    assert reason(in_vault.at("transit/p256/2")) == "permission-denied"
    vault.token = "hvs.another"
    assert reason(in_vault.at("transit/p256/2")) == "permission-denied"
    vault.is_sealed = True
    assert reason(in_vault.at("transit/p256/2")) == "key-service-sealed"


def test_says_that_vault_is_away(in_vault: InVault, monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody() as address:
        monkeypatch.setenv("VAULT_ADDR", address)

        assert reason(in_vault.at("transit/p256/1")) == "not-reachable"


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kms]:
    kms = Kms(ec.generate_private_key(ec.SECP256R1()))
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    with running_kms(kms) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", address)
        yield kms


IN_AWS: Final = KeyHolder("awskms:alias/attestor")


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [
        ("p256", Algorithm.ECDSA_P256),
        ("p384", Algorithm.ECDSA_P384),
        ("rsa2048", Algorithm.RSA_2048),
    ],
)
def test_signs_with_aws(kms: Kms, kind: str, algorithm: Algorithm) -> None:
    kms.key = KINDS[kind]()

    check(IN_AWS, algorithm)


@pytest.mark.parametrize(
    ("refuses", "expected"),
    [
        (("GetPublicKey", "AccessDeniedException", "not authorized"), "permission-denied"),
        (
            ("Sign", "AccessDeniedException", "not authorized to perform: kms:Sign"),
            "permission-denied",
        ),
        (("Sign", "DisabledException", "alias/attestor is disabled."), "key-disabled"),
        (("Sign", "KMSInvalidStateException", "pending deletion."), "key-disabled"),
        (("GetPublicKey", "UnsupportedOperationException", "symmetric"), "unsupported-key"),
        (("Sign", "InvalidKeyUsageException", "ENCRYPT_DECRYPT"), "unsupported-key"),
        (("Sign", "InvalidSignatureException", "Signature expired: 20261121T0"), "clock-differs"),
        (("Sign", "UnrecognizedClientException", "token is invalid."), "no-credentials"),
        (("Sign", "SomethingNewException", "never heard of"), "key-not-usable"),
    ],
)
def test_says_what_is_wrong_with_aws(
    kms: Kms, refuses: tuple[str, str, str], expected: str
) -> None:
    check(IN_AWS, Algorithm.ECDSA_P256)

    kms.refuses = refuses

    assert reason(IN_AWS) == expected


def test_says_that_aws_has_no_such_key(kms: Kms) -> None:
    kms.key_id = "alias/another"

    assert reason(IN_AWS) == "no-such-key"


def test_says_that_aws_is_away(kms: Kms, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - its settings
    with nobody() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", address)

        assert reason(IN_AWS) == "not-reachable"


HSM: Final = """
import sys
from pathlib import Path
from cryptography.exceptions import InvalidSignature
from provenance.adapters.managed_key.holders import KeyHolder
from provenance.adapters.signing_algorithms import verify_signature
from provenance.errors import SignerUnavailable

try:
    opened = KeyHolder(sys.argv[1], Path(sys.argv[2])).open()
    for message in (b"one", b"two"):
        verify_signature(opened.public, opened.sign(message), message)
    print(opened.algorithm.name)
except SignerUnavailable as refusal:
    print(refusal.facts["reason"])
"""


@pytest.mark.skipif(not is_installed(), reason="SoftHSM is not installed: .ci/run does it")
def test_signs_with_a_hardware_token_and_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    """In processes of their own: a PKCS#11 library reads its configuration once."""
    token = create_token(tmp_path)
    pin, wrong = secret_in(tmp_path, PIN), secret_in(tmp_path, "9999", "wrong")

    def told(uri: str, secret: Path = pin, **changed: str) -> str:
        finished = subprocess.run(
            [sys.executable, "-c", HSM, uri, str(secret)],
            env={"PATH": os.environ["PATH"], **token.environment, **changed},
            capture_output=True,
            text=True,
            check=True,
        )
        return finished.stdout.strip()

    assert told("hsm:2?label=attestor") == told("hsm:2") == told("hsm:") == "ECDSA_P256"
    assert told("hsm:2", wrong) == "wrong-pin"
    assert told("hsm:3") == "no-such-key"
    assert told("hsm:2?label=another") == "no-such-token"
    assert told("hsm:two") == "malformed-key-uri"
    assert told("hsm:2", PYKCS11LIB="") == "no-pkcs11-library"
    assert told("hsm:2", PYKCS11LIB=str(tmp_path / "nowhere.so")) == "no-pkcs11-library"


@pytest.mark.parametrize(
    ("uri", "extra"),
    [
        ("gcpkms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1", "gcpkms"),
        ("azurekms://store.vault.azure.net/keys/attestor/1", "azurekms"),
    ],
)
def test_says_what_to_install(uri: str, extra: str) -> None:
    with pytest.raises(SignerUnavailable) as refusal:
        KeyHolder(uri).open()

    assert refusal.value.facts["reason"] == "library-missing"
    assert f"strongroom[{extra}]" in str(refusal.value.facts["expected"])


def test_says_how_a_key_in_azure_is_named() -> None:
    assert (
        reason(KeyHolder("azurekms://store.vault.azure.net/keys/attestor")) == "malformed-key-uri"
    )
