"""A tenant's colours, made legible. Pure: colours in, a style sheet out.

A tenant may choose any hue for what is acted upon (buttons, links, focus). Where its colour is too
pale to read on the page's grounds (WCAG 2.2, 1.4.3: 4.5:1), it is darkened, in the dark theme
lightened, until it can be read; a customer must never pay for a seller's taste.
"""

from __future__ import annotations

from typing import Final

Rgb = tuple[int, int, int]

LEGIBLE: Final = 4.5
WHITE: Final[Rgb] = (255, 255, 255)
BLACK: Final[Rgb] = (0, 0, 0)
#: ``--surface`` and ``--bg`` of portal.css, in the light and in the dark theme.
LIGHT_GROUNDS: Final[tuple[Rgb, Rgb]] = ((255, 255, 255), (241, 244, 244))
DARK_GROUNDS: Final[tuple[Rgb, Rgb]] = ((18, 25, 27), (12, 17, 19))
_STEPS: Final = 50


def parse(color: str) -> Rgb:
    """``rrggbb`` as numbers."""
    return int(color[0:2], 16), int(color[2:4], 16), int(color[4:6], 16)


def luminance(color: Rgb) -> float:
    """Relative luminance (WCAG 2.2)."""

    def linear(channel: int) -> float:
        share = channel / 255
        return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(channel) for channel in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    """1 to 21."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def mixed(color: Rgb, other: Rgb, share: float) -> Rgb:
    """``color`` with ``share`` (0 to 1) of ``other`` in it."""
    red, green, blue = (
        round(own + (its - own) * share) for own, its in zip(color, other, strict=True)
    )
    return red, green, blue


def legible(color: Rgb, grounds: tuple[Rgb, ...], towards: Rgb) -> Rgb:
    """The colour, moved towards black or white as far as it must be read on every ground."""
    for step in range(_STEPS + 1):
        found = mixed(color, towards, step / _STEPS)
        if all(contrast(found, ground) >= LEGIBLE for ground in grounds):
            return found
    return towards


def accents(color: Rgb, grounds: tuple[Rgb, Rgb], towards: Rgb) -> tuple[Rgb, Rgb, Rgb]:
    """``--accent``, ``--on-accent`` and ``--accent-tint`` of one theme."""
    accent = legible(color, grounds, towards)
    on_accent = max((WHITE, mixed(accent, BLACK, 0.85)), key=lambda one: contrast(one, accent))
    return accent, on_accent, mixed(grounds[0], accent, 0.14 if towards == BLACK else 0.2)


def style_sheet(light: str, dark: str) -> str:
    """What stands behind portal.css: the three tokens that branding may set, in both themes."""
    bright = _tokens(accents(parse(light), LIGHT_GROUNDS, BLACK))
    dim = _tokens(accents(parse(dark), DARK_GROUNDS, WHITE))
    return (
        f":root {{ {bright} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ {dim} }} }}\n"
        f":root[data-theme=dark] {{ {dim} }}\n"
    )


def _tokens(colors: tuple[Rgb, Rgb, Rgb]) -> str:
    names = ("--accent", "--on-accent", "--accent-tint")
    pairs = zip(names, colors, strict=True)
    return " ".join(
        f"{name}: #{red:02x}{green:02x}{blue:02x};" for name, (red, green, blue) in pairs
    )
