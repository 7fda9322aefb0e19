"""Say with numbers and names what a change to an application takes away, before anybody presses the button."""

from applications.models import Application, AuthenticationMethod, ClientSecret
from applications.pages import authorized_apis


def losses_of(application: Application) -> str:
    """Return what ends when an application becomes one that keeps no secrets: “Its 2 secrets …”, or ""."""
    if application.is_public:
        return ""
    parts = [
        _count(application.secrets.live().count(), "secret"),
        _count(application.credentials.live().count(), "public key"),
    ]
    held = " and ".join(part for part in parts if part)
    apis = authorized_apis(application)
    sentences = []
    if held:
        sentences.append(f"This ends its {held} at once.")
    if apis:
        sentences.append(f"It gets no more tokens for {', '.join(apis)}.")
    return " ".join(sentences)


def last_way_in(application: Application, secret: ClientSecret) -> bool:
    """Return whether nothing is left to authenticate with once this secret has stopped."""
    uses_secrets = application.token_endpoint_auth_method != AuthenticationMethod.PRIVATE_KEY_JWT
    return uses_secrets and not application.secrets.live().exclude(pk=secret.pk).exists()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""
