"""From `.po` to `.mo` without GNU gettext: `python -m control.pages.catalogues`.

Translations are kept as text; what Django reads is made at install. `.mo` as the GNU gettext
manual describes it ("The Format of GNU MO Files"): a header, two tables, NUL-ended strings.
"""

from __future__ import annotations

import ast
import struct
from collections.abc import Iterator
from pathlib import Path

LOCALE = Path(__file__).resolve().parents[2] / "locale"
_MAGIC = 0x950412DE
_CONTEXT, _PLURAL = "\x04", "\0"


def build(folder: Path = LOCALE) -> list[Path]:
    """Compile every catalogue under ``folder``; the files written. Raises ValueError on bad text.

    A file that is already right is left alone, so that an install run twice changes nothing.
    """
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        content = compiled(source.read_text(encoding="utf-8"))
        target = source.with_suffix(".mo")
        if not target.exists() or target.read_bytes() != content:
            target.write_bytes(content)
            written.append(target)
    return written


def compiled(text: str) -> bytes:
    """The `.mo` of a `.po`. Fuzzy, obsolete and untranslated entries are left out."""
    pairs = sorted(
        (key.encode(), value.encode()) for key, value in _entries(text) if value.strip("\0")
    )
    keys = b"".join(key + b"\0" for key, _ in pairs)
    start = 28 + 16 * len(pairs)
    tables: list[bytes] = []
    for column, offset in ((0, start), (1, start + len(keys))):
        for pair in pairs:
            tables.append(struct.pack("<II", len(pair[column]), offset))
            offset += len(pair[column]) + 1
    head = struct.pack(
        "<7I", _MAGIC, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 28 + 16 * len(pairs)
    )
    return head + b"".join(tables) + keys + b"".join(value + b"\0" for _, value in pairs)


def _entries(text: str) -> Iterator[tuple[str, str]]:
    for block in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line for line in block.splitlines() if line]
        if any(line.startswith("#,") and "fuzzy" in line for line in lines):
            continue
        fields = _fields([line for line in lines if not line.startswith("#")])
        if "msgid" in fields:
            yield (
                _key(fields),
                _PLURAL.join(value for name, value in fields.items() if name.startswith("msgstr")),
            )


def _key(fields: dict[str, str]) -> str:
    context = fields["msgctxt"] + _CONTEXT if "msgctxt" in fields else ""
    plural = _PLURAL + fields["msgid_plural"] if "msgid_plural" in fields else ""
    return context + fields["msgid"] + plural


def _fields(lines: list[str]) -> dict[str, str]:
    """Keyword to text; a line that starts with a quote goes on with the one before."""
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        if not line.startswith('"'):
            name, _, line = line.partition(" ")
            found[name] = ""
        try:
            found[name] += ast.literal_eval(line)
        except (SyntaxError, ValueError, KeyError) as error:
            raise ValueError(f"this is no line of a catalogue: {line!r}") from error
    return found


if __name__ == "__main__":
    for path in build():
        print(f"compiled {path.relative_to(LOCALE)}")
