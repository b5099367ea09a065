"""Forms of the operators' pages. What a value must be, the services decide, as for the API."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from rest.errors import Conflict, Refusal, StaleVersion

_TICKED = (forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect)


class PageForm(forms.Form):
    """A form whose fields look like the portal's; `portal/input.html` shows one of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "f-%s", **kwargs})
        for field in self.fields.values():
            ticked = isinstance(field.widget, _TICKED)
            field.widget.attrs.setdefault("class", "tick" if ticked else "in")
            if isinstance(field, forms.CharField) and not ticked:
                field.widget.attrs.setdefault("autocomplete", "off")

    def refuse(self, refusal: Refusal) -> int:
        """Show a refusal at its field; the status to answer with."""
        name = (refusal.field or "").partition(".")[0]
        self.add_error(name if name in self.fields else None, refusal.message)
        return 409 if isinstance(refusal, Conflict | StaleVersion) else 400


class Lines(forms.CharField):
    """Texts, one a line."""

    widget = forms.Textarea

    def __init__(self, *, rows: int = 3, **kwargs: Any) -> None:
        attrs = {"rows": rows, "class": "in key", "dir": "ltr", "spellcheck": "false"}
        super().__init__(required=False, widget=forms.Textarea(attrs), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(one) for one in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]


class Code(forms.CharField):
    """A key, an address, a name that machines read: from left to right, in Latin digits."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"class": "in key", "dir": "ltr", "spellcheck": "false", "autocapitalize": "none"}
        super().__init__(**{"required": False, "widget": forms.TextInput(attrs), **kwargs})


class Whole(forms.IntegerField):
    """A whole number, or nothing for no limit. Plain text: a wheel changes no number unseen."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "numeric", "dir": "ltr", "class": "in"}
        super().__init__(**{"required": False, "widget": forms.TextInput(attrs), **kwargs})


class ReasonForm(PageForm):
    """Why something is done."""

    reason = forms.CharField(required=False, max_length=255, label=_("Reason"))
