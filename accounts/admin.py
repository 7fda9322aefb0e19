"""Operators' pages about people. Tenants are in `tokens.admin`: making one makes keys."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from accounts.forms import RoleForm
from accounts.models import Invitation, Membership, User
from accounts.operations import add_member, change_role, remove_member, revoke_invitation, update_member
from accounts.operator_pages import OperationPages, values
from audit.actors import Actor
from audit.operator_pages import ReadOnlyRows


class MembershipRows(ReadOnlyRows):
    model = Membership
    fields = ["tenant", "role", "created_at"]
    readonly_fields = ["created_at"]


class MemberForm(forms.ModelForm):
    """What an operator may change of a person. Passwords are people's own."""

    class Meta:
        model = User
        fields = ["name", "is_active", "is_staff"]


@admin.register(User)
class UserAdmin(OperationPages):
    list_display = ["email", "name", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["email", "name", "user_id"]
    form = MemberForm
    permanent = ["email", "user_id", "date_joined", "last_login"]
    inlines = [MembershipRows]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[User]:
        return super().get_queryset(request).filter(tenant__isnull=True)

    def update(self, user: User, form: Any, by: Actor) -> User:
        return update_member(user, by, **values(form, MemberForm))


class NewMembershipForm(forms.ModelForm):
    class Meta:
        model = Membership
        fields = ["tenant", "user", "role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = User.objects.members()  # type: ignore[attr-defined]


@admin.register(Membership)
class MembershipAdmin(OperationPages):
    list_display = ["user", "tenant", "role", "created_at"]
    list_filter = ["tenant", "role"]
    list_select_related = ["user", "tenant"]
    search_fields = ["user__email", "user__name"]
    form = RoleForm
    add_form = NewMembershipForm
    permanent = ["tenant", "user", "created_at"]

    def create(self, form: Any, by: Actor) -> Membership:
        chosen = form.cleaned_data
        return add_member(chosen["tenant"], by, chosen["user"], chosen["role"])

    def update(self, membership: Membership, form: Any, by: Actor) -> Membership:
        return change_role(membership, by, form.cleaned_data["role"])

    def remove(self, membership: Membership, by: Actor) -> None:
        remove_member(membership, by)


@admin.register(Invitation)
class InvitationAdmin(OperationPages):
    """Open and used invitations; deleting one revokes it. The link itself is stored nowhere."""

    list_display = ["__str__", "email", "makes_operator", "created_at", "expires_at", "used_at"]
    list_filter = ["tenant", "makes_operator"]
    list_select_related = ["tenant"]
    search_fields = ["email"]
    permanent = ["tenant", "role", "email", "makes_operator", "created_at", "expires_at", "used_at"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.used_at is None) and super().has_delete_permission(request, obj)

    def remove(self, invitation: Invitation, by: Actor) -> None:
        revoke_invitation(invitation, by)
