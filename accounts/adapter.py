"""How Gatehouse uses django-allauth: members only, nobody signs up without an invitation, and each try is logged."""

from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.models import User

log = structlog.get_logger("gatehouse.sign_in")


class MemberAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "The e-mail address or the password is wrong.",
        "too_many_login_attempts": "Too many wrong passwords. Wait five minutes, then try again.",
        "enter_current_password": "This is not your current password.",
        "incorrect_password": "This is not your password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        # These pages answer browsers with pages, whatever the request's headers ask for.
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        # `config.middleware.TrustedProxy` has settled whose address this is.
        return request.META["REMOTE_ADDR"]

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/"

    def add_message(self, *args: object, **kwargs: object) -> None:
        """Say nothing: signing in and out show for themselves."""

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            log.warning("sign_in_limited", **_where(request), email=_email(credentials))
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        log.warning("sign_in_failed", **_where(request), email=_email(credentials))

    def reauthenticate(self, user: User, password: str) -> bool:  # type: ignore[override]
        # allauth would look for the address in its own table of verified ones, which members have no row in.
        return self.authenticate(context.request, email=user.email, password=password) == user

    def login(self, request: HttpRequest, user: User) -> None:  # type: ignore[override]
        super().login(request, user)
        log.info("signed_in", **_where(request), user=user.user_id, email=user.email)

    def logout(self, request: HttpRequest) -> None:
        user = request.user
        super().logout(request)
        log.info("signed_out", **_where(request), user=getattr(user, "user_id", ""))


def _where(request: HttpRequest) -> dict[str, str]:
    return {"ip": request.META.get("REMOTE_ADDR", ""), "request": getattr(request, "request_id", "")}


def _email(credentials: dict[str, Any]) -> str:
    return str(credentials.get("email", ""))[:254]
