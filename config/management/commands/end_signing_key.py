"""End a managed signing key after a rotation: `end_signing_key ID` (docs/signers.md).

The ids are those of /.well-known/signing-keys.json.
"""

from config.management.signing_key_command import SigningKeyCommand
from provenance.usecases.end_signing_key import end_signing_key


class Command(SigningKeyCommand):
    """It is believed for what it signed before."""

    help = __doc__ or ""
    decide = staticmethod(end_signing_key)
    outcome = "is believed for what it signed until now"
