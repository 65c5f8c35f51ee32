"""Every refusal that access can give: tokens of the store, identity tokens, publishers, issuers.

Three kinds tell a CI job who has to act: 401, the token does not prove who asks; 403, it does,
and that one may not; 422, the token says something that this store cannot use.
"""

from kernel.errors import Kind, Refusal


class TokenMalformed(Refusal):
    """The credentials are not a token of this store."""

    code = "token-malformed"
    kind = Kind.UNAUTHENTICATED


class TokenUnknown(Refusal):
    """This store has no such token."""

    code = "token-unknown"
    kind = Kind.UNAUTHENTICATED


class TokenExpired(Refusal):
    """The token has expired."""

    code = "token-expired"
    kind = Kind.UNAUTHENTICATED


class TokenRevoked(Refusal):
    """The token was revoked."""

    code = "token-revoked"
    kind = Kind.UNAUTHENTICATED


class CsrfFailed(Refusal):
    """A browser session may only change things with its CSRF token."""

    code = "csrf-failed"
    kind = Kind.FORBIDDEN


class TokenNotFound(Refusal):
    """There is no such token, or none that this actor may manage."""

    code = "token-not-found"
    kind = Kind.NOT_FOUND


class TokenNotAllowed(Refusal):
    """A token cannot be made like this."""

    code = "token-not-allowed"
    kind = Kind.INVALID


class IdentityTokenMalformed(Refusal):
    """The identity token cannot be read."""

    code = "identity-token-malformed"
    kind = Kind.MALFORMED


class AlgorithmNotAllowed(Refusal):
    """The identity token is signed with an algorithm that this store does not accept."""

    code = "algorithm-not-allowed"
    kind = Kind.UNAUTHENTICATED


class UnknownIssuer(Refusal):
    """This store does not accept identity tokens of this issuer."""

    code = "unknown-issuer"
    kind = Kind.UNAUTHENTICATED


class IssuerDisabled(Refusal):
    """An administrator has switched this issuer off: none of its tokens is exchanged."""

    code = "issuer-disabled"
    kind = Kind.UNAUTHENTICATED


class UnknownKey(Refusal):
    """The issuer has no signing key of this id and algorithm."""

    code = "unknown-key"
    kind = Kind.UNAUTHENTICATED


class SignatureInvalid(Refusal):
    """The identity token was not signed by this key of its issuer."""

    code = "signature-invalid"
    kind = Kind.UNAUTHENTICATED


class WrongAudience(Refusal):
    """The identity token was made for somebody else, not for this store alone."""

    code = "wrong-audience"
    kind = Kind.UNAUTHENTICATED


class IdentityTokenExpired(Refusal):
    """The identity token has expired."""

    code = "identity-token-expired"
    kind = Kind.UNAUTHENTICATED


class IdentityTokenNotYetValid(Refusal):
    """The identity token is not valid yet; a clock may be wrong."""

    code = "identity-token-not-yet-valid"
    kind = Kind.UNAUTHENTICATED


class IdentityTokenLivesTooLong(Refusal):
    """The identity token is valid for longer than this store accepts."""

    code = "identity-token-lives-too-long"
    kind = Kind.UNAUTHENTICATED


class TokenIdMissing(Refusal):
    """The identity token has no `jti`, so that it could be used twice."""

    code = "token-id-missing"
    kind = Kind.INVALID


class TokenIdReused(Refusal):
    """The identity token was exchanged before; ask the CI platform for a new one."""

    code = "token-id-reused"
    kind = Kind.CONFLICT


class EventNotAllowed(Refusal):
    """Jobs that were started by this event may not upload."""

    code = "event-not-allowed"
    kind = Kind.FORBIDDEN


class ForkNotAllowed(Refusal):
    """The pipeline runs a fork's code for another project, and may not upload as that project."""

    code = "fork-not-allowed"
    kind = Kind.FORBIDDEN


class ClaimMissing(Refusal):
    """The identity token lacks a claim that this store needs."""

    code = "claim-missing"
    kind = Kind.INVALID


class ClaimInvalid(Refusal):
    """A claim of the identity token is not what it has to be."""

    code = "claim-invalid"
    kind = Kind.INVALID


class NoMatchingPublisher(Refusal):
    """No trusted publisher matches this identity, or there is no such project."""

    code = "no-matching-publisher"
    kind = Kind.FORBIDDEN


class PublisherMismatch(Refusal):
    """A trusted publisher names this repository, but another claim differs."""

    code = "publisher-mismatch"
    kind = Kind.FORBIDDEN


class AmbiguousPublisher(Refusal):
    """This identity may upload to several projects; name one."""

    code = "ambiguous-publisher"
    kind = Kind.INVALID


class PublisherNotAllowed(Refusal):
    """A trusted publisher cannot be made like this."""

    code = "publisher-not-allowed"
    kind = Kind.INVALID


class PublisherNotFound(Refusal):
    """The project has no such trusted publisher."""

    code = "publisher-not-found"
    kind = Kind.NOT_FOUND


class IssuerUnavailable(Refusal):
    """The issuer's signing keys cannot be fetched now."""

    code = "issuer-unavailable"
    kind = Kind.UNAVAILABLE


class IssuerNotAllowed(Refusal):
    """This cannot be an issuer of this store."""

    code = "issuer-not-allowed"
    kind = Kind.INVALID


class IssuerNotFound(Refusal):
    """This store has no issuer of that name."""

    code = "issuer-not-found"
    kind = Kind.NOT_FOUND


class IssuerTaken(Refusal):
    """An issuer has this name or this URL already; both are given once and for ever."""

    code = "issuer-taken"
    kind = Kind.CONFLICT


class RoleNotAllowed(Refusal):
    """There is no such role here."""

    code = "role-not-allowed"
    kind = Kind.INVALID


class RoleAboveOwn(Refusal):
    """Nobody gives, changes or takes a role that is above their own."""

    code = "role-above-own"
    kind = Kind.FORBIDDEN


class LastOwner(Refusal):
    """An organization keeps at least one owner whose account is active."""

    code = "last-owner"
    kind = Kind.CONFLICT


class MemberNotFound(Refusal):
    """Nobody of that name is a member here."""

    code = "member-not-found"
    kind = Kind.NOT_FOUND


class InvitationNotFound(Refusal):
    """There is no such invitation, or it is over, or it is not for this account."""

    code = "invitation-not-found"
    kind = Kind.NOT_FOUND


class InvitationNotAllowed(Refusal):
    """An invitation cannot be made like this."""

    code = "invitation-not-allowed"
    kind = Kind.INVALID


class AccountNotAllowed(Refusal):
    """An account cannot be made like this."""

    code = "account-not-allowed"
    kind = Kind.INVALID


class LoginFailed(Refusal):
    """Name and password do not belong together."""

    code = "login-failed"
    kind = Kind.UNAUTHENTICATED


class PasswordIsOneTime(Refusal):
    """The password is right, but only good for choosing another one."""

    code = "password-is-one-time"
    kind = Kind.FORBIDDEN


class PasswordNotAllowed(Refusal):
    """This cannot be the new password."""

    code = "password-not-allowed"
    kind = Kind.INVALID


class TooManyAttempts(Refusal):
    """There were too many attempts to log in; wait before the next one."""

    code = "too-many-attempts"
    kind = Kind.TOO_MANY


class OidcLoginFailed(Refusal):
    """The login at the other provider did not end with a proof that this store accepts."""

    code = "oidc-login-failed"
    kind = Kind.UNAUTHENTICATED


class OidcLoginUnavailable(Refusal):
    """This store cannot ask the other provider now: its operator has to act."""

    code = "oidc-login-unavailable"
    kind = Kind.UNAVAILABLE


class PersonUnknown(Refusal):
    """The provider knows you, and this store has no account for you."""

    code = "person-unknown"
    kind = Kind.FORBIDDEN


class AccountDisabled(Refusal):
    """The account is not active."""

    code = "account-disabled"
    kind = Kind.FORBIDDEN
