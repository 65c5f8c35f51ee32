"""Revoke a managed signing key: `revoke_signing_key ID` (docs/signers.md).

The ids are those of /.well-known/signing-keys.json.
"""

from config.management.signing_key_command import SigningKeyCommand
from provenance.usecases.revoke_signing_key import revoke_signing_key


class Command(SigningKeyCommand):
    """It is believed for nothing, whenever it signed."""

    help = __doc__ or ""
    decide = staticmethod(revoke_signing_key)
    outcome = "counts for nothing any more"
