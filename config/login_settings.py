"""What is said of the settings of logging in; docs/settings.md has a line of each."""

from typing import Final

from config.setting import Kind, Setting, User

LOGIN: Final = (
    Setting(
        "LOGIN_OIDC_ISSUER",
        Kind.URL,
        User.WEB,
        "issuer of an OpenID Connect provider with which people log in to [the pages](console.md), "
        "exactly as it writes itself; its client's redirect address is the public one with "
        "`/login/oidc/callback` behind it",
        "https://login.example.com",
    ),
    Setting(
        "LOGIN_OIDC_CLIENT_ID",
        Kind.TEXT,
        User.WEB,
        "the client that the provider knows this store by",
        "strongroom",
    ),
    Setting(
        "LOGIN_OIDC_CLIENT_SECRET_FILE",
        Kind.PATH,
        User.WEB,
        "the file with its secret; read at each login",
        "/run/strongroom/oidc-secret",
    ),
    Setting(
        "LOGIN_OIDC_NAME",
        Kind.TEXT,
        User.WEB,
        "what the button says behind *Log in with*; the issuer's host where nothing is said",
        "Acme",
    ),
    Setting(
        "LOGIN_OIDC_NEW_PEOPLE",
        Kind.TEXT,
        User.WEB,
        "`admit` gives somebody new an account without any right; `refuse` lets in only those who "
        "have one ([who somebody is](console.md#who-somebody-is))",
        "refuse",
        "admit",
    ),
)
