"""People and tokens in the admin (tenants: `resellers.admin`). A token's digest is never shown."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from audit.events import Target, record
from tenants.models import ApiToken, User
from tenants.scoping import caller_of
from tenants.tokens import revoke


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """People: their level as operators stands beside Django's own fields. Who leaves is switched
    off: his name stands in the events.
    """

    list_display = ["username", "email", "operator", "is_active", "last_login"]
    list_filter = ["operator", "is_active"]
    search_fields = ["username", "email", "first_name", "last_name", "uuid"]
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (pgettext_lazy("admin", "Person"), {"fields": ["first_name", "last_name", "email"]}),
        (
            pgettext_lazy("admin", "Rights"),
            {"fields": ["is_active", "operator", "is_staff", "is_superuser"]},
        ),
        (pgettext_lazy("admin", "Dates"), {"fields": ["last_login", "date_joined"]}),
    ]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save, and record what changed; of a password only that it did. One that was given by
        somebody else opens nothing but the page that changes it.
        """
        if not change:
            obj.must_change_password = obj.has_usable_password()
        super().save_model(request, obj, form, change)
        if change and not form.changed_data:
            return
        told = ["email", "operator", "is_active", "is_staff", "is_superuser", "username"]
        names = [name for name in told if name in form.changed_data]
        others = sorted({*form.changed_data} - {*told, "password1", "password2", "usable_password"})
        record(
            actor=caller_of(request).actor,
            action="user.updated" if change else "user.created",
            target=Target("user", str(obj.uuid), obj.get_username()),
            before={name: form.initial.get(name) for name in names} if change else {},
            after={**{name: getattr(obj, name) for name in names}, "fields": others},
        )

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Record that it was changed."""
        user = self.get_object(request, unquote(id))
        before = user.password if user is not None else ""
        response: HttpResponse = super().user_change_password(request, id, form_url)
        after = User.objects.filter(uuid=user.uuid).first() if user is not None else None
        if after is not None and after.password != before:
            after.must_change_password = after.has_usable_password() and after.pk != request.user.pk
            after.save(update_fields=["must_change_password"])
            target = Target("user", str(after.uuid), after.get_username())
            record(actor=caller_of(request).actor, action="user.password_changed", target=target)
        return response


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    """To look at and to revoke. Tokens are made where their text can be shown once."""

    list_display = [
        "name",
        "tenant",
        "user",
        "prefix",
        "operator",
        "expires_at",
        "revoked_at",
        "last_used_at",
        "last_used_ip",
    ]
    list_filter = ["operator", ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["tenant", "user"]
    search_fields = ["name", "prefix", "tenant__slug", "user__username", "uuid"]
    exclude = ["digest"]
    actions = ["revoke_selected"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tenants.change_apitoken")

    @admin.action(
        description=pgettext_lazy("admin", "Revoke the selected tokens"), permissions=["revoke"]
    )
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        at = timezone.now()
        for token in queryset.filter(revoked_at__isnull=True):
            revoke(token=token, at=at, actor=caller_of(request).actor)
        self.message_user(request, "The tokens are revoked.", messages.SUCCESS)


class Proof(admin.ModelAdmin[Any]):
    """What opens a person's account: seen, and taken away where it is lost; never made or changed
    for somebody else. What it holds is shown to nobody.
    """

    list_select_related = ["user"]
    search_fields = ["user__username", "user__email"]
    removed = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Take it away, and record whose it was."""
        with transaction.atomic():
            user = obj.user
            self.take(obj)
            record(
                actor=caller_of(request).actor,
                action=self.removed,
                target=Target("user", str(user.uuid), user.get_username()),
            )

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Each by itself."""
        for one in queryset:
            self.delete_model(request, one)

    def take(self, obj: Any) -> None:
        """End it."""
        obj.delete()


for _model in (
    EmailAddress, Authenticator, UserSession, SocialAccount, SocialApp, SocialToken
):  # fmt: skip
    admin.site.unregister(_model)  # those of allauth let anybody's be edited, and show secrets


@admin.register(Authenticator)
class AuthenticatorAdmin(Proof):
    """Second factors and passkeys."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    fields = ["user", "type", "created_at", "last_used_at"]
    removed = "user.factor_removed"


@admin.register(UserSession)
class UserSessionAdmin(Proof):
    """Where people are signed in. One that is deleted asks to sign in with its next request."""

    list_display = ["user", "ip", "user_agent", "created_at"]
    fields = ["user", "ip", "user_agent", "created_at"]
    removed = "user.sessions_ended"

    def take(self, obj: UserSession) -> None:
        obj.end()
