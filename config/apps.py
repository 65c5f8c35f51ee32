"""The assembly as a Django app: management commands and deploy checks."""

from django.apps import AppConfig


class AssemblyConfig(AppConfig):
    name = "config"
    label = "assembly"
