"""The secret of this store's client at the provider, read from its file each time it is needed."""

import logging

from access.domain.oidc_people import OidcProvider
from access.errors import OidcLoginUnavailable

logger = logging.getLogger(__name__)


def client_secret(provider: OidcProvider) -> str:
    """The secret that the provider knows this store's client by.

    Raises:
        OidcLoginUnavailable: the file cannot be read, or has nothing in it; the log names it.
    """
    file, secret = provider.client_secret_file, ""
    try:
        secret = file.read_text().strip()
        reason = "" if secret else "nothing is in it"
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
    if reason:
        logger.error("client secret not readable", extra={"file": str(file), "reason": reason})
        raise OidcLoginUnavailable(setting="STRONGROOM_LOGIN_OIDC_CLIENT_SECRET_FILE")
    return secret
