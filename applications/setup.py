"""An application that works from its first minute: made and authorized in one step."""

from django.db import transaction

from accounts.models import Tenant
from apis.models import API
from applications.models import Application
from applications.operations import authorize_application, create_application
from audit.actors import Actor


@transaction.atomic
def create_authorized_application(
    tenant: Tenant, by: Actor, name: str, app_type: str, authorize_for: API | None
) -> tuple[Application, str | None]:
    """Return the new application and its secret in clear, shown now or never (None for a public one).

    authorize_for: an API that it may ask all of today's scopes of. Raises ValidationError; then nothing was made.
    """
    application, secret = create_application(tenant, by, name=name, app_type=app_type)
    if authorize_for is not None:
        scopes = authorize_for.scopes.values_list("value", flat=True)
        authorize_application(application, authorize_for, by, scopes=scopes)
    return application, secret
