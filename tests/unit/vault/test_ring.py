"""Sealed values open where they belong, with the keys of the ring, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.ring import Ring, RingError, new_key

PLACE = "peers_peer|1|preshared_key"


@pytest.fixture
def ring() -> Ring:
    return Ring.parse([new_key("a")])


@given(st.text(max_size=200))
def test_what_is_sealed_opens_again(text: str) -> None:
    ring = Ring.parse([new_key("k")])
    assert ring.open(ring.seal(text, place=PLACE), place=PLACE) == text


def test_the_same_text_is_never_sealed_the_same(ring: Ring) -> None:
    assert ring.seal("x", place=PLACE) != ring.seal("x", place=PLACE)


def test_a_value_moved_to_another_row_does_not_open(ring: Ring) -> None:
    sealed = ring.seal("x", place=PLACE)
    with pytest.raises(RingError, match="does not open"):
        ring.open(sealed, place="peers_peer|2|preshared_key")


def test_a_changed_value_does_not_open(ring: Ring) -> None:
    sealed = ring.seal("secret", place=PLACE)
    last = "A" if sealed[-5] != "A" else "B"
    with pytest.raises(RingError):
        ring.open(sealed[:-5] + last + sealed[-4:], place=PLACE)


@pytest.mark.parametrize("value", ["", "v1", "v1.a", "v1.a.", "v1.a.!!!", "v1.a.AAAA", "v2.a.AAAA"])
def test_nonsense_is_refused_not_a_crash(ring: Ring, value: str) -> None:
    with pytest.raises(RingError):
        ring.open(value, place=PLACE)


def test_an_older_key_of_the_ring_still_opens_but_is_not_current() -> None:
    old, new = new_key("old"), new_key("new")
    sealed = Ring.parse([old]).seal("x", place=PLACE)
    both = Ring.parse([new, old])
    assert both.open(sealed, place=PLACE) == "x"
    assert not both.is_current(sealed)
    assert both.is_current(both.seal("x", place=PLACE))


def test_a_key_that_left_the_ring_opens_nothing() -> None:
    sealed = Ring.parse([new_key("old")]).seal("x", place=PLACE)
    with pytest.raises(RingError, match="not in the ring"):
        Ring.parse([new_key("new")]).open(sealed, place=PLACE)


def test_a_derived_ring_does_not_open_what_its_parent_sealed(ring: Ring) -> None:
    with pytest.raises(RingError):
        ring.derive("vwg client keys").open(ring.seal("x", place=PLACE), place=PLACE)


def test_deriving_twice_gives_the_same_keys(ring: Ring) -> None:
    sealed = ring.derive("p").seal("x", place=PLACE)
    assert ring.derive("p").open(sealed, place=PLACE) == "x"


@pytest.mark.parametrize("text", ["", "a", "a:", "a:short", "a:AAAA", "bad id:" + "A" * 43 + "="])
def test_a_bad_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(RingError) as caught:
        Ring.parse([text])
    assert "AAAA" not in str(caught.value)


def test_an_empty_ring_says_which_setting_is_missing() -> None:
    with pytest.raises(RingError, match="VWG_ENCRYPTION_KEYS"):
        Ring.parse([])


def test_no_key_is_in_a_rings_repr() -> None:
    text = new_key("k1")
    assert text.partition(":")[2] not in repr(Ring.parse([text]))
    assert repr(Ring.parse([text])) == "Ring(k1)"
