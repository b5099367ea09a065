"""Tenants and plans in the admin site; what is asked for there, the services of the API do."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from gateways.admin import act_on_each
from peers.models import Client
from quotas.models import Plan
from resellers.forms import MembershipFormSet, PlanForm, ServedForm, TenantForm
from resellers.services.members import Person, add_member, change_role, remove_member
from resellers.services.suspension import resume_tenant, suspend_tenant
from resellers.values import LIMIT_CHECKS
from tenants.models import Membership, Tenant
from tenants.scoping import Caller, caller_of

_LISTS = ["limits_interfaces", "interfaces", "limits_pools", "pools"]


def _live_clients(link: str) -> Coalesce:
    """How many clients that are not deleted hang on the row."""
    rows = Client.objects.filter(**{link: OuterRef("pk")}, deleted_at__isnull=True)
    return Coalesce(Subquery(rows.values(link).annotate(n=Count("pk")).values("n")), 0)


class ServedAdmin(admin.ModelAdmin[Any]):
    """Rows that operators change here through the services that the API calls too."""

    form: type[ServedForm]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> type[ServedForm]:
        """The form, told who acts."""
        form = super().get_form(request, obj, change=change, **options)
        told = {"caller": caller_of(request)}
        return cast(type[ServedForm], type(form.__name__, (form,), told))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Have the service do it, in the transaction of the admin's view."""
        if form.changed_data or not change:
            done = form.serve()
            vars(obj).update(vars(done))
            form.instance.pk = done.pk

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The service saved the form's own lists already."""
        for formset in formsets:
            self.save_formset(request, form, formset, change=change)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class MemberInline(admin.TabularInline[Membership, Model]):
    """Who may act for the tenant."""

    model = Membership
    formset = MembershipFormSet  # type: ignore[assignment]
    fields = ["person", "role", "created_at"]
    readonly_fields = ["person", "created_at"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "tenant")

    @admin.display(description=pgettext_lazy("admin", "member"))
    def person(self, member: Membership) -> str:
        return str(member.user)


class NewcomerInline(admin.TabularInline[Membership, Model]):
    """Who may act for it from now on. Apart, since a row that is there needs no list of people."""

    model = Membership
    verbose_name_plural = pgettext_lazy("admin", "new members")
    extra = 1
    fields = ["user", "role"]
    autocomplete_fields = ["user"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).none()


@admin.register(Tenant)
class TenantAdmin(ServedAdmin):
    """Status is changed by suspending and resuming, which also block and unblock the clients."""

    form = TenantForm
    list_display = ["slug", "name", "status", "clients", "max_clients", "is_twin", "created_at"]
    list_filter = ["status", ("sandbox_of", admin.EmptyFieldListFilter)]
    search_fields = ["slug", "name", "contact_email", "uuid"]
    readonly_fields = [
        "uuid", "status", "status_reason", "status_since", "sandbox_of", "version", "created_at",
        "updated_at",
    ]  # fmt: skip
    filter_horizontal = ["interfaces", "pools"]
    actions = ["suspend", "resume"]
    inlines = [MemberInline, NewcomerInline]
    fieldsets = [
        (None, {"fields": ["slug", "name", "uuid", "version", "created_at", "updated_at"]}),
        (
            pgettext_lazy("admin", "Status"),
            {"fields": ["status", "status_reason", "status_since", "sandbox_of"]},
        ),
        (pgettext_lazy("admin", "Limits"), {"fields": [*LIMIT_CHECKS, *_LISTS]}),
        (
            pgettext_lazy("admin", "Contact"),
            {"fields": ["contact_name", "contact_email", "contact_phone"]},
        ),
        (
            pgettext_lazy("admin", "Branding"),
            {"fields": ["brand_name", "brand_color", "brand_color_dark", "support_url",
                        "config_prefix", "customers_sign_in"]},
        ),
        (pgettext_lazy("admin", "Place"), {"fields": ["timezone", "language"]}),
        (pgettext_lazy("admin", "Warnings"), {"fields": ["warn_percents", "warn_days"]}),
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        rows: QuerySet[Tenant] = super().get_queryset(request)
        return rows.defer("brand_logo").annotate(live_clients=_live_clients("tenant"))

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[str]:
        """The slug is in other people's scripts: it stays."""
        return [*self.readonly_fields, *(["slug"] if obj else [])]

    @admin.action(
        description=pgettext_lazy("admin", "Suspend: nobody gets in, every client is cut off"),
        permissions=["change"],
    )
    def suspend(self, request: HttpRequest, tenants: QuerySet[Tenant]) -> None:
        self._turn(request, tenants, suspend_tenant)

    @admin.action(
        description=pgettext_lazy("admin", "Resume those that are suspended"),
        permissions=["change"],
    )
    def resume(self, request: HttpRequest, tenants: QuerySet[Tenant]) -> None:
        self._turn(request, tenants, resume_tenant)

    def _turn(self, request: HttpRequest, tenants: QuerySet[Tenant], act: Any) -> None:
        actor, at = caller_of(request).actor, timezone.now()
        act_on_each(
            self, request, tenants, lambda one: act(tenant=one, reason="", actor=actor, at=at)
        )

    @admin.display(description=pgettext_lazy("admin", "clients"), ordering="live_clients")
    def clients(self, tenant: Tenant) -> int:
        return int(vars(tenant)["live_clients"])

    @admin.display(boolean=True, description=pgettext_lazy("admin", "sandbox"))
    def is_twin(self, tenant: Tenant) -> bool:
        return tenant.is_sandbox

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Members, each by its service; who becomes an owner first."""
        who, at = caller_of(request), timezone.now()
        caller = Caller(form.instance, who.operator, who.scopes, who.actor)
        formset.save(commit=False)
        for member in formset.new_objects:
            person = Person(username=member.user.get_username())
            add_member(caller=caller, person=person, role=member.role, at=at)
        for member, _ in sorted(formset.changed_objects, key=lambda pair: pair[0].role != "owner"):
            change_role(caller=caller, user_id=member.user.uuid, role=member.role, at=at)
        for member in formset.deleted_objects:
            remove_member(caller=caller, user_id=member.user.uuid, at=at)


@admin.register(Plan)
class PlanAdmin(ServedAdmin):
    """What tenants sell."""

    form = PlanForm
    list_display = [
        "name", "tenant", "total_bytes", "duration_days", "devices", "clients", "archived_at",
    ]  # fmt: skip
    list_filter = [("archived_at", admin.EmptyFieldListFilter), "reset", "at_limit"]
    list_select_related = ["tenant"]
    search_fields = ["name", "description", "tenant__slug", "uuid"]
    autocomplete_fields = ["tenant"]
    readonly_fields = ["uuid", "version", "archived_at", "created_at", "updated_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        rows: QuerySet[Plan] = super().get_queryset(request)
        return rows.annotate(live_clients=_live_clients("plan"))

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> list[str]:
        return [*self.readonly_fields, *(["tenant"] if obj else [])]

    @admin.display(description=pgettext_lazy("admin", "clients"), ordering="live_clients")
    def clients(self, plan: Plan) -> int:
        return int(vars(plan)["live_clients"])
