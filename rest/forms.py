"""What the admin site's forms share."""

from __future__ import annotations

from abc import ABCMeta
from typing import Any

from django import forms
from django.forms.models import ModelFormMetaclass


class _Meta(ModelFormMetaclass, ABCMeta):
    """Django's metaclass, and the one that heeds `abc.abstractmethod`."""


class AbstractForm(forms.ModelForm[Any], metaclass=_Meta):
    """A model form that may leave methods to its children: none is made before they are there."""
