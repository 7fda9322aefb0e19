from django.apps import AppConfig


class APIsConfig(AppConfig):
    name = "apis"
    verbose_name = "APIs"
