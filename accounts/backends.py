"""Members sign in with their e-mail address. End users of a tenant never do so here."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest

from accounts.models import User


class MemberBackend(AuthenticationBackend):
    """Checks e-mail address and password of members; the same address may belong to end users of any tenant too."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        email, password = credentials.get("email") or credentials.get("username"), credentials.get("password")
        if not isinstance(email, str) or not isinstance(password, str) or "\x00" in email + password:
            return None
        user = User.objects.members().filter(email=email.strip().lower()).first()
        if user is None:
            # Spend what a real check spends, so that the answer's time does not tell who has an account.
            User().set_password(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
