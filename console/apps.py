"""The pages that people see, as a Django app."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"
