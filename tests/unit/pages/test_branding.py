"""A seller may choose any colour; a customer can always read it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portal.share.branding import (
    BLACK,
    DARK_GROUNDS,
    LEGIBLE,
    LIGHT_GROUNDS,
    WHITE,
    Rgb,
    accents,
    contrast,
    legible,
    parse,
    style_sheet,
)

CSS = Path(__file__).resolve().parents[3] / "static" / "css" / "portal.css"
COLORS = [f"{r:02x}{g:02x}{b:02x}" for r in (0, 128, 255) for g in (0, 128, 255) for b in (0, 255)]


def test_contrast_is_the_standards() -> None:
    assert contrast(WHITE, BLACK) == pytest.approx(21)
    assert contrast((119, 119, 119), WHITE) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize(("grounds", "towards"), [(LIGHT_GROUNDS, BLACK), (DARK_GROUNDS, WHITE)])
def test_every_colour_becomes_legible(color: str, grounds: tuple[Rgb, Rgb], towards: Rgb) -> None:
    accent, on_accent, tint = accents(parse(color), grounds, towards)
    assert all(contrast(accent, ground) >= LEGIBLE for ground in grounds)
    assert contrast(on_accent, accent) >= LEGIBLE
    ink = (17, 24, 26) if towards == BLACK else (229, 235, 236)
    assert contrast(ink, tint) >= LEGIBLE


def test_a_legible_colour_is_left_alone() -> None:
    assert legible(parse("8a3b12"), LIGHT_GROUNDS, BLACK) == parse("8a3b12")
    assert ":root { --accent: #8a3b12; --on-accent: #ffffff;" in style_sheet("8a3b12", "f0a074")


def test_the_grounds_are_those_of_the_style_sheet() -> None:
    css = CSS.read_text()
    found = [
        tuple(parse(re.findall(rf"--{name}: #([0-9a-f]{{6}})", css)[place]) for name in names)
        for place, names in ((0, ("surface", "bg")), (1, ("surface", "bg")))
    ]
    assert found == [LIGHT_GROUNDS, DARK_GROUNDS]
