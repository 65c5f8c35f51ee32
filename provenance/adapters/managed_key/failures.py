"""What is wrong with a key: what the libraries of its holders say, in the words of a refusal.

They raise classes of their own, often with one class for several things; what holds still are
codes, and words of the servers that the tables below look for. The rest is told as it was found.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from securesystemslib.exceptions import UnsupportedLibraryError

from provenance.adapters.signing_algorithms import UnsupportedKey
from provenance.errors import SignerRefused, SignerUnavailable

# For each scheme: a pattern in what the library's exception says, class included; the reason; and
# what would be right. The first that matches counts.
_Rows = tuple[tuple[str, str, str], ...]
_NETWORK: Final[_Rows] = (
    (
        r"(?i)timed? ?out",
        "no-answer-in-time",
        "an answer of the key service within its client's limit",
    ),
    (
        r"ConnectionError|EndpointConnectionError|ServiceRequestError|ServiceUnavailable|Connect",
        "not-reachable",
        "the key service at the address that is configured",
    ),
)
_VAULT: Final[_Rows] = (
    (r"no handler for route", "no-such-mount", "a transit engine at this mount"),
    (
        r"^Forbidden|permission denied",
        "permission-denied",
        "a token whose policy allows read on MOUNT/keys/KEY and update on MOUNT/sign/KEY",
    ),
    (r"^Unauthorized|missing client token", "no-token", "VAULT_TOKEN or the key's secret file"),
    (r"^VaultDown|sealed", "key-service-sealed", "Vault unsealed and active"),
    (
        r"higher than the latest|less than the minimum|version is too (new|old)",
        "no-such-key-version",
        "a version that exists and may sign (min_encryption_version)",
    ),
    (r"does not support sign", "unsupported-key", "a key that signs"),
    (r"^InvalidPath|key not found", "no-such-key", "a key of this name at this mount"),
)
_AWS: Final[_Rows] = (
    (r"NotFoundException", "no-such-key", "a key of this id or alias, in this region and account"),
    (
        r"AccessDenied|KMSInvalidGrant|NotAuthorized",
        "permission-denied",
        "kms:GetPublicKey and kms:Sign on this key",
    ),
    (r"DisabledException|InvalidState", "key-disabled", "a key that is enabled"),
    (
        r"InvalidKeyUsage|UnsupportedOperation",
        "unsupported-key",
        "an asymmetric key with usage SIGN_VERIFY",
    ),
    (
        r"Signature expired|Signature not yet current|RequestExpired|RequestTimeTooSkewed",
        "clock-differs",
        "this machine's clock within minutes of the service's",
    ),
    (
        r"NoCredentials|UnrecognizedClient|InvalidClientTokenId|ExpiredToken|InvalidSignature",
        "no-credentials",
        "credentials as every AWS tool finds them, not expired",
    ),
    (r"NoRegion", "no-region", "AWS_DEFAULT_REGION"),
)
_HSM: Final[_Rows] = (
    (r"PYKCS11LIB", "no-pkcs11-library", "the PKCS#11 library's path in PYKCS11LIB"),
    (r"No PKCS#11 token", "no-such-token", "a token of this label; `pkcs11-tool --list-slots`"),
    (r"Multiple PKCS#11 tokens", "no-such-token", "one token: name its label in the URI"),
    (r"PinLocked", "pin-locked", "a PIN that is not locked by wrong attempts"),
    (r"PinIncorrect|PinInvalid|PinLenRange", "wrong-pin", "the user PIN of the token"),
    (r"could not find|found multiple|No keys found", "no-such-key", "one EC key pair of this id"),
    (r"not a supported EC curve|unsupported scheme", "unsupported-key", "ECDSA P-256 or P-384"),
    (r"shared object|cannot open|library", "no-pkcs11-library", "a library in PYKCS11LIB"),
    (r"invalid literal", "malformed-key-uri", "hsm:[KEYID][?label=LABEL], the id as a number"),
)
_CLOUD: Final[_Rows] = (
    (r"NotFound", "no-such-key", "this key and version"),
    (r"PermissionDenied|Forbidden|\b403\b", "permission-denied", "the right to read and sign"),
    (r"Credential|Unauthenticated|\b401\b", "no-credentials", "credentials as its own tools want"),
    (r"FailedPrecondition|Disabled", "key-disabled", "a key version that is enabled"),
    (r"UnsupportedAlgorithm|UnsupportedKeyType", "unsupported-key", "see docs/signers.md"),
)
_TABLES: Final[Mapping[str, _Rows]] = {
    "vault": _VAULT,
    "awskms": _AWS,
    "hsm": _HSM,
    "gcpkms": _CLOUD,
    "azurekms": _CLOUD,
}


@contextmanager
def explained(scheme: str, uri: str) -> Iterator[None]:
    """Turn whatever a key's holder raises into a refusal that says what is wrong.

    Raises:
        SignerUnavailable: with a reason of the tables, or `key-not-usable` and what was said.
    """
    try:
        yield
    except (SignerUnavailable, SignerRefused, UnsupportedKey, UnsupportedLibraryError):
        raise
    except ModuleNotFoundError as error:
        raise UnsupportedLibraryError(str(error)) from error
    except Exception as error:
        # Libraries of five vendors, that document only some of what they raise.
        said = f"{type(error).__name__}: {error}"
        for pattern, reason, expected in (*_TABLES.get(scheme, ()), *_NETWORK):
            if re.search(pattern, said):
                raise SignerUnavailable(
                    reason=reason, key=uri, found=said[:300], expected=expected
                ) from error
        raise SignerUnavailable(reason="key-not-usable", key=uri, found=said[:300]) from error
