"""Who somebody is at another provider, for staff to read: issuer and subject, and whose they are.

allauth's own windows change rows, and who somebody is would be changed with them: they are closed.
"""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin

from kernel.staff.pages import ReadOnly

for model in (EmailAddress, SocialAccount, SocialApp, SocialToken):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(SocialAccount)
class IdentityAdmin(ReadOnly):
    """Which issuer and subject is whom."""

    newest_first = ("-id",)
    list_display = ("user", "provider", "uid", "date_joined")
    list_select_related = ("user",)
    fields = ("user", "provider", "uid", "date_joined")
