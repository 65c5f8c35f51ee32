"""What staff fill in: shapes only; the use cases say what may be."""

from typing import TYPE_CHECKING, Any

from django import forms

from access.domain.issuers import NewIssuer
from access.queries import issuers, named_project
from access.usecases.add_publisher import NewPublisher
from artifacts.errors import ProjectNotFound
from provenance.domain.build_facts import Platform

if TYPE_CHECKING:
    from artifacts.models import Project


class NewIssuerForm(forms.Form):
    """An issuer of CI identity tokens."""

    name = forms.CharField(max_length=40, help_text="a-z, 0-9 and '-'; part of its builder ids")
    url = forms.CharField(
        max_length=300, label="URL", help_text="exactly the `iss` claim of its tokens"
    )
    platform = forms.ChoiceField(choices=[(one.value, one.value) for one in Platform])
    allows_private_addresses = forms.BooleanField(
        required=False, help_text="its keys may be fetched from a private network"
    )

    def new_issuer(self) -> NewIssuer:
        """What was filled in."""
        given = self.cleaned_data
        return NewIssuer(
            given["name"],
            given["url"],
            Platform(given["platform"]),
            allows_private_addresses=given["allows_private_addresses"],
        )


class NewPublisherForm(forms.Form):
    """A CI identity to trust: by both ids, by its repository's name, or by its subject."""

    in_project = forms.CharField(max_length=200, label="Project", help_text="organization/project")
    issuer = forms.ChoiceField(choices=())
    repository = forms.CharField(
        max_length=500,
        required=False,
        help_text="its name: the first exchange records both ids; or give the ids",
    )
    repository_id = forms.CharField(max_length=100, required=False)
    owner_id = forms.CharField(max_length=100, required=False)
    workflow_path = forms.CharField(
        max_length=500, required=False, help_text=".github/workflows/release.yml"
    )
    subject = forms.CharField(
        max_length=500, required=False, help_text="of a generic issuer, and then nothing else"
    )
    requires_protected_ref = forms.BooleanField(required=False)

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - Django's shape
        super().__init__(*arguments, **named)
        choices = [(one.name, one.name) for one in issuers()]
        self.fields["issuer"] = forms.ChoiceField(choices=choices)

    def project(self) -> "Project":
        """The project that is meant.

        Raises:
            ProjectNotFound: there is none of this name.
        """
        found = named_project(self.cleaned_data["in_project"])
        if found is None:
            raise ProjectNotFound
        return found

    def new_publisher(self) -> NewPublisher:
        """What was filled in."""
        given = {name: one for name, one in self.cleaned_data.items() if name != "in_project"}
        return NewPublisher(given.pop("issuer"), **given)
