"""Fields refuse what others quietly repair."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework import serializers

from rest.fields import PlainText, StrictBoolean, StrictChoice, StrictInteger, StrictSerializer


@pytest.mark.parametrize(
    "text", ["Sara", "سارا‌جان", "小明", "😀", "<script>", "{{7*7}}", "a/b", " a ", "=1+1", "é"]
)
def test_visible_text_is_kept_exactly(text: str) -> None:
    assert PlainText(max_length=120).run_validation(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "a\nPostUp = touch /tmp/x",
        "\r",
        "a\x0b",
        "a\x85b",
        "a\u2028b",
        "a\u2029b",
        "\x1b[31m",
        "a\u202eb",
        "a\u2066b",
        "\u200b\u200c",
        "\ufeff",
        "\ud800",
        "a\0b",
        "\x7f",
        "",
        "   ",
        "\u3000",
        "\u3164",
        "x" * 121,
    ],
)
def test_unusable_text_is_refused(text: str) -> None:
    with pytest.raises(serializers.ValidationError):
        PlainText(max_length=120).run_validation(text)


@pytest.mark.parametrize("value", [1, 1.5, True, [], {}, None])
def test_only_a_text_is_a_text(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        PlainText().run_validation(value)


def test_blank_is_allowed_only_where_it_is_said() -> None:
    assert PlainText(allow_blank=True).run_validation("") == ""
    with pytest.raises(serializers.ValidationError):
        PlainText(allow_blank=True).run_validation("  ")


@pytest.mark.parametrize("value", ["1", 1.0, 1.5, True, False, None, [], "1420abc", 10**400])
def test_only_an_integer_is_an_integer(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        StrictInteger(min_value=0, max_value=65535).run_validation(value)


@pytest.mark.parametrize("value", ["true", "on", 1, 0, None, []])
def test_only_a_boolean_is_a_boolean(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        StrictBoolean().run_validation(value)
    assert StrictBoolean().run_validation(False) is False


@pytest.mark.parametrize("value", [1, True, [], {}, "b"])
def test_only_a_listed_word_is_a_choice(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        StrictChoice(choices=["1", "True"]).run_validation(value)


class Thing(StrictSerializer):
    id = serializers.IntegerField(read_only=True)
    name = PlainText(required=False)


def codes(body: Any, instance: Any = None) -> dict[str, str]:
    serializer = Thing(instance, data=body)
    serializer.is_valid()
    return {field: errors[0].code for field, errors in serializer.errors.items()}


THING = SimpleNamespace(id=7, name="a")


def test_an_unknown_field_is_named() -> None:
    assert codes({"name": "a", "is_superuser": True}) == {"is_superuser": "unknown_field"}


def test_all_wrong_fields_are_named_at_once() -> None:
    assert codes({"name": 1, "x": 1}) == {"name": "not_text", "x": "unknown_field"}


def test_a_read_only_field_may_be_sent_back_unchanged() -> None:
    assert codes({"id": 7, "name": "b"}, THING) == {}


def test_a_read_only_field_may_not_be_changed() -> None:
    assert codes({"id": 8}, THING) == {"id": "read_only"}


def test_a_read_only_field_may_not_be_chosen() -> None:
    assert codes({"id": 7}) == {"id": "read_only"}


@pytest.mark.parametrize("body", [[], "x", 1, None, True])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    serializer = Thing(data=body)
    assert not serializer.is_valid()
