"""People who log in."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person. `must_change_password` marks a one-time password: nothing else works with it."""

    must_change_password = models.BooleanField(default=False)

    class Meta(AbstractUser.Meta):
        db_table = "user"

    def set_password(self, raw_password: str | None) -> None:
        """Choosing a password, by whichever form or command, ends a one-time password."""
        super().set_password(raw_password)
        self.must_change_password = False
