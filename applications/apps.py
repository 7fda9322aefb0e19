from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate

from applications import same_tenant


class ApplicationsConfig(AppConfig):
    name = "applications"

    def ready(self) -> None:
        pre_migrate.connect(same_tenant.before_migrate, sender=self)
        post_migrate.connect(same_tenant.after_migrate, sender=self)
