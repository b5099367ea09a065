"""Translations, from the text that is kept (`.po`) to what Django reads (`.mo`), at install."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parents[1] / "locale"


def build(folder: Path = LOCALE) -> list[Path]:
    """Compile every catalogue under ``folder``; the files written.

    A file that is already right is left alone, so that an install run twice changes nothing.
    """
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        content = BytesIO()
        with source.open("rb") as text:
            write_mo(content, read_po(text))
        target = source.with_suffix(".mo")
        if not target.exists() or target.read_bytes() != content.getvalue():
            target.write_bytes(content.getvalue())
            written.append(target)
    return written


if __name__ == "__main__":
    build()
