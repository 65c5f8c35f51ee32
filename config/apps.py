"""The assembly as a Django app: management commands and deploy checks."""

from django.apps import AppConfig


class AssemblyConfig(AppConfig):
    name = "config"
    label = "assembly"

    def ready(self) -> None:
        """Register the deploy checks and arm the tests' fault points."""
        from django.conf import settings  # noqa: PLC0415 - apps are loading

        from config import checks  # noqa: F401, PLC0415 - registers on import
        from kernel import faults  # noqa: PLC0415 - apps are loading

        faults.arm(settings.FAULT_POINTS)
