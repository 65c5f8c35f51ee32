"""Who is a member of what, and who was invited to be one."""

import uuid

from django.db import models

from access.domain.roles import ROLES_IN_A_PROJECT, Role
from access.models.user import User

_CHOICES = [(role.value, role.value) for role in Role]


def _one_place(table: str) -> list[models.BaseConstraint]:
    """Each row is about an organization or about a project, and a project has no owners."""
    in_project = [role.value for role in ROLES_IN_A_PROJECT]
    return [
        models.CheckConstraint(
            condition=models.Q(organization__isnull=False, project=None)
            | models.Q(organization=None, project__isnull=False, role__in=in_project),
            name=f"{table}_is_about_one_place",
        ),
        models.CheckConstraint(
            condition=models.Q(role__in=[role.value for role in Role]),
            name=f"{table}_role_is_known",
        ),
    ]


class Membership(models.Model):
    """A person's role in an organization, and so in all its projects, or in one project."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey("artifacts.Organization", on_delete=models.PROTECT, null=True)
    project = models.ForeignKey("artifacts.Project", on_delete=models.PROTECT, null=True)
    role = models.CharField(max_length=10, choices=_CHOICES)
    since = models.DateTimeField()
    given_by = models.CharField(max_length=200)

    class Meta:
        db_table = "membership"
        constraints = [
            *_one_place("membership"),
            models.UniqueConstraint(
                fields=["person", "organization"], name="one_role_per_organization"
            ),
            models.UniqueConstraint(fields=["person", "project"], name="one_role_per_project"),
        ]

    def __str__(self) -> str:
        return f"{self.person.get_username()}: {self.role} of {self.organization or self.project}"


class Invitation(models.Model):
    """A role that waits for whoever shows the secret, which is shown once and not stored.

    `invitee` is a name or an address for people to read; where an account has that very name, the
    invitation is for that account alone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    invitee = models.CharField(max_length=200)
    organization = models.ForeignKey("artifacts.Organization", on_delete=models.PROTECT, null=True)
    project = models.ForeignKey("artifacts.Project", on_delete=models.PROTECT, null=True)
    role = models.CharField(max_length=10, choices=_CHOICES)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    inviter = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="invitations"
    )
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "invitation"
        constraints = _one_place("invitation")

    def __str__(self) -> str:
        return f"{self.invitee}: {self.role} of {self.organization or self.project}"


class LoginAttempt(models.Model):
    """An attempt to log in that has not succeeded; the name is kept as its SHA-256 only.

    People type passwords into the wrong field.
    """

    id = models.BigAutoField(primary_key=True)
    name_sha256 = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "login_attempt"
        indexes = [
            models.Index(fields=["name_sha256", "at"], name="login_attempt_by_name"),
            models.Index(fields=["address", "at"], name="login_attempt_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ} from {self.address}"
