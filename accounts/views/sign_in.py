"""allauth's pages with the statuses of ours: 422 for a form with errors, 429 when there were too many tries."""

from typing import Any

from allauth.account import views
from django.contrib import messages
from django.http import HttpResponse


class _WithStatus:
    """A form that is refused says so in its status, too."""

    def form_invalid(self, form: Any) -> HttpResponse:
        codes = {error.code for errors in form.errors.as_data().values() for error in errors}
        status = 429 if "too_many_login_attempts" in codes else 422
        return self.render_to_response(self.get_context_data(form=form), status=status)  # type: ignore[attr-defined]


class SignIn(_WithStatus, views.LoginView):
    pass


class Confirm(_WithStatus, views.ReauthenticateView):
    pass


class ChangePassword(_WithStatus, views.PasswordChangeView):
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, "Password changed. Your other sessions have been signed out.")
        return response
