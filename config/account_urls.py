"""Signing in and out, by django-allauth; only the pages that Gatehouse uses. No cache keeps any of them."""

from allauth.account.views import logout
from django.urls import path
from django.views.decorators.cache import never_cache

from accounts.views import sign_in

urlpatterns = [
    path("sign-in/", never_cache(sign_in.SignIn.as_view()), name="account_login"),
    path("sign-out/", never_cache(logout), name="account_logout"),
    path("password/", never_cache(sign_in.ChangePassword.as_view()), name="account_change_password"),
    path("confirm/", never_cache(sign_in.Confirm.as_view()), name="account_reauthenticate"),
]
