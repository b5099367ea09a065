"""The pages behind a problem's ``type``, and the icon where browsers look by themselves: public,
the same for everybody, without a script.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from rest.problems import BY_SLUG, PROBLEMS


@require_safe
@cache_control(max_age=300, private=True)
def problem_list(request: HttpRequest) -> HttpResponse:
    """Every kind of problem."""
    return render(request, "rest/problems.html", {"problems": PROBLEMS.values()})


@require_safe
@cache_control(max_age=300, private=True)
def problem(request: HttpRequest, slug: str) -> HttpResponse:
    """One kind of problem: what it means and what to do."""
    found = BY_SLUG.get(slug)
    if found is None:
        raise Http404
    return render(request, "rest/problem.html", {"problem": found})


@require_safe
@cache_control(max_age=86400, private=True)
def favicon(request: HttpRequest) -> HttpResponse:
    """Of what names no icon: JSON in a browser, the API's description, a program's bookmark."""
    return HttpResponseRedirect(static("icon.svg"))
