"""The pages behind a problem's ``type``: public, the same for everybody, without a script."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
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
