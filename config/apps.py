from importlib import import_module

from django.contrib.admin.apps import AdminConfig


class OperatorsAdmin(AdminConfig):
    """Django's admin, with Gatehouse's own site: operators only, behind the console's sign-in."""

    default_site = "config.operators.OperatorsSite"

    def ready(self) -> None:
        super().ready()
        # Registers them; what they look at needs the apps to be there.
        import_module("config.checks")
