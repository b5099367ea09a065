"""A form of the admin site that does not say how it is served is never made."""

from __future__ import annotations

import pytest

from gateways import admin
from resellers import forms


@pytest.mark.parametrize("kind", [admin.ServedForm, forms.ServedForm])
def test_an_unfinished_form_is_refused(kind: type[object]) -> None:
    with pytest.raises(TypeError, match="abstract"):
        kind()
