"""Four pictures of a page on one sheet: light and Persian, beside them dark and a phone."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops

WIDE: Final = 700
NARROW: Final = 300
GAP: Final = 8
#: What lies further down is left away.
HIGH: Final = 620
_GROUND: Final = (128, 136, 138)
#: So much may a sheet differ from the one that is there and still show the same: text is drawn a
#: little otherwise from one Chromium to the next.
_NEARLY: Final = 0.002


def make_sheet(folder: Path, name: str, target: Path) -> bool:
    """Write the sheet of a picture; whether it shows something else than the one before."""
    phone = _small(folder / f"{name}-phone.png", NARROW)
    if not (folder / f"{name}-light.png").exists():  # only a phone has it
        return _keep(phone, target)
    light, persian = (_small(folder / f"{name}-{look}.png", WIDE) for look in ("light", "fa"))
    dark = _small(folder / f"{name}-dark.png", NARROW)
    height = max(light.height + GAP + persian.height, dark.height + GAP + phone.height)
    sheet = Image.new("RGB", (WIDE + GAP + NARROW, height), _GROUND)
    sheet.paste(light, (0, 0))
    sheet.paste(persian, (0, light.height + GAP))
    sheet.paste(dark, (WIDE + GAP, 0))
    sheet.paste(phone, (WIDE + GAP, dark.height + GAP))
    return _keep(sheet, target)


def make_picture(path: Path, target: Path) -> bool:
    """Write one picture alone, as wide as a README; likewise."""
    return _keep(_small(path, 960), target)


def _small(path: Path, width: int) -> Image.Image:
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    height = round(picture.height * width / picture.width)
    small = picture.resize((width, height), Image.Resampling.LANCZOS)
    return small.crop((0, 0, width, min(height, HIGH)))


def _keep(sheet: Image.Image, target: Path) -> bool:
    written = BytesIO()
    sheet.save(written, "WEBP", quality=45, method=6)
    if target.exists() and _is_like(Image.open(BytesIO(written.getvalue())), Image.open(target)):
        return False
    target.write_bytes(written.getvalue())
    return True


def _is_like(one: Image.Image, other: Image.Image) -> bool:
    if one.size != other.size:
        return False
    apart = ImageChops.difference(one.convert("L"), other.convert("L")).point(
        lambda value: 255 if value > 40 else 0
    )
    return apart.histogram()[255] <= _NEARLY * one.width * one.height
