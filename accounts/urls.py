from django.urls import path

from accounts.views import activity, home, invitations, members, settings

app_name = "accounts"

urlpatterns = [
    path("", home.home, name="home"),
    path("theme/", home.theme, name="theme"),
    path("invitation/<str:token>/", invitations.invitation, name="invitation"),
    path("t/<slug:tenant>/", home.tenant_home, name="tenant"),
    path("t/<slug:tenant>/members/", members.members, name="members"),
    path("t/<slug:tenant>/members/invite/", members.invite, name="member_invite"),
    path("t/<slug:tenant>/members/<int:membership_id>/role/", members.role, name="member_role"),
    path("t/<slug:tenant>/members/<int:membership_id>/remove/", members.remove, name="member_remove"),
    path(
        "t/<slug:tenant>/members/invitations/<int:invitation_id>/revoke/",
        members.revoke_invitation,
        name="invitation_revoke",
    ),
    path("t/<slug:tenant>/activity/", activity.activity, name="activity"),
    path("t/<slug:tenant>/activity/<int:event_id>/", activity.event, name="activity_event"),
    path("t/<slug:tenant>/settings/", settings.settings, name="tenant_settings"),
]
