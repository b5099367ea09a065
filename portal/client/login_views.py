"""Who sees a client as its customer: let in by e-mail, and taken out again."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from peers.queries import ClientView, find_client, view_client
from portal.client import dialogs
from portal.client.act_words import Words
from portal.client.forms import ActForm
from portal.client.queries import login_row, scene_of
from portal.doors import for_tenant
from resellers.invitations import invite_customer
from resellers.services.customers import add_login, find_login, remove_login
from resellers.services.members import Person
from rest.errors import Conflict, Forbidden, Missing, Refusal
from tenants.permissions import may
from tenants.scoping import Caller


class LoginForm(ActForm):
    """Somebody, by his e-mail address."""

    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"dir": "ltr"}),
        help_text=_("An address that nobody has gets an account: its password is set by mail."),
    )

    def arrange(self) -> None:
        self.fields["email"].initial = self.view.client.email


@require_http_methods(["GET", "POST"])
@for_tenant("clients:write")
def add(request: HttpRequest, caller: Caller, uuid: UUID) -> HttpResponse:
    """Let somebody see the client, who gets a mail."""
    view = view_client(find_client(caller, uuid))
    form = LoginForm(request.POST if request.method == "POST" else None, view=view)
    if request.method == "GET" or not form.is_valid():
        return _form(request, form, 200 if request.method == "GET" else 400)
    person = Person(email=form.cleaned_data["email"])
    try:
        if not may(caller, "configs:read"):
            raise Forbidden(gettext("A customer sees the files, which your role may not see."))
        login = add_login(caller=caller, client_id=uuid, person=person, at=clock())
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return _form(request, form, 409 if isinstance(refusal, Conflict) else 400)
    invite_customer(login, caller.tenant)
    messages.success(request, gettext("%s gets a mail with the way in.") % person.email)
    return dialogs.gone_to(request, dialogs.page_of(request, caller.tenant, uuid))


@require_http_methods(["GET", "POST"])
@for_tenant("clients:write")
def remove(request: HttpRequest, caller: Caller, uuid: UUID, login_id: UUID) -> HttpResponse:
    """Take somebody out."""
    view = view_client(find_client(caller, uuid))
    login = find_login(caller, login_id)
    if login.client_id != view.client.pk:
        raise Missing("This client has no such login.")
    if request.method == "POST":
        remove_login(caller=caller, login_id=login_id, at=clock())
        messages.success(request, gettext("The login is removed."))
        return dialogs.gone_to(request, dialogs.page_of(request, caller.tenant, uuid))
    return _question(request, caller, view, login_row(login, scene_of(caller, clock())).name)


def _question(request: HttpRequest, caller: Caller, view: ClientView, name: str) -> HttpResponse:
    words = Words(
        gettext("Remove the login of %s?") % name,
        (
            gettext("The next page is refused. What else this person sees stays as it is."),
            gettext("Files that were downloaded go on working; new keys end that."),
        ),
        gettext("Remove 1 login"),
        "",
        is_bad=True,
    )
    context = {"words": words, "is_possible": True}
    return dialogs.show(request, "client/act.html", view, ActForm(view=view), context)


def _form(request: HttpRequest, form: LoginForm, status: int) -> HttpResponse:
    return dialogs.show(request, "client/login_new.html", form.view, form, {}, status=status)
