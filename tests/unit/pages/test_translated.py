"""Every visible text of pages and code is there in Persian too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation import templatize

ROOT = Path(__file__).resolve().parents[3]
PERSIAN = ROOT / "locale/fa/LC_MESSAGES/django.po"
#: Where words for people stand.
FOLDERS = ["portal", "templates", "tenants", "rest", "resellers", "peers", "quotas", "gateways"]
KEYWORDS = {
    "gettext": None, "gettext_lazy": None, "gettext_noop": None, "_": None,
    "ngettext": (1, 2), "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip

MERGES = {"<<<<<<<", "=======", ">>>>>>>"}

Words = tuple[str | None, str | tuple[str, ...]]


def texts_of(path: Path) -> Iterator[Words]:
    """The texts of a file that are meant to be translated, each with its context."""
    source = path.read_text()
    if path.suffix != ".py":
        source = templatize(source, origin=str(path))
    for _, message, _, context in extract("python", BytesIO(source.encode()), KEYWORDS):
        yield context, message if isinstance(message, str) else tuple(message)


def missing_in(catalogue: Catalog, words: Words) -> bool:
    """Whether a text, or its plural, has no translation, or one that is not looked over."""
    context, message = words
    found = catalogue.get(message if isinstance(message, str) else message[0], context)
    if found is None or found.fuzzy:
        return True
    if isinstance(message, tuple):  # a text that is also used alone may stand there without plural
        return not (isinstance(found.string, tuple) and all(found.string))
    return not (found.string[0] if isinstance(found.string, tuple) else found.string)


def entries(text: str) -> Iterator[list[str]]:
    """The entries of a catalogue as they stand in the file: their lines."""
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            yield lines


def faults_of(text: str) -> list[str]:
    """What a merge by union leaves behind: entries glued together, or there twice; and what is
    not looked over.
    """
    found, seen = [], set()
    for lines in entries(text):
        starts = [line.split(" ", 1)[0] for line in lines if not line.startswith('"')]
        where = " ".join(lines)[:120]
        if len(starts) != len(set(starts)):
            found.append(f"glued together: {where}")
        if not {"msgid"} < set(starts) or not any(word.startswith("msgstr") for word in starts):
            found.append(f"half an entry: {where}")
        end = next((n for n, one in enumerate(lines) if one.startswith("msgstr")), None)
        key = "".join(lines[:end]).replace('""', "").replace('""', "")
        if key in seen:
            found.append(f"twice: {where}")
        seen.add(key)
    found += [
        f"not looked over: {line}" for line in text.splitlines() if line.startswith("#, fuzz")
    ]
    found += [f"left over: {line}" for line in text.splitlines() if line.startswith("#~")]
    return found + [f"a merge: {line}" for line in text.splitlines() if line[:7] in MERGES]


def sources() -> list[Path]:
    """The files that may hold words."""
    return [
        path
        for folder in FOLDERS
        for kind in ("*.html", "*.txt", "*.py")
        for path in sorted((ROOT / folder).rglob(kind))
        if "migrations" not in path.parts
    ]


@pytest.fixture(scope="module")
def persian() -> Catalog:
    return read_po(BytesIO(PERSIAN.read_bytes()), locale="fa", domain="django")


def test_nothing_is_without_persian(persian: Catalog) -> None:
    missing = {
        f"{path.relative_to(ROOT)}: {words[1]!r}"
        for path in sources()
        for words in texts_of(path)
        if words[1] and missing_in(persian, words)
    }
    assert sorted(missing) == []


def test_a_text_without_persian_is_found(tmp_path: Path, persian: Catalog) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        '{% load i18n %}{% translate "Home" %}<p title="{% translate "Nobody wrote this" %}">'
        "{% blocktranslate count n=n with number=n %}{{ number }} tree{% plural %}"
        "{{ number }} trees{% endblocktranslate %}</p>"
    )
    code = tmp_path / "code.py"
    code.write_text('from django.utils.translation import gettext as _\nA = _("Nor " "this")\n')
    found = [words for path in (page, code) for words in texts_of(path)]
    assert [text for _, text in found if missing_in(persian, (_, text))] == [
        "Nobody wrote this", ("%(number)s tree", "%(number)s trees"), "Nor this",
    ]  # fmt: skip


def test_what_stands_in_a_text_stands_in_its_persian(persian: Catalog) -> None:
    """A placeholder that is lost or made up would fail on the page, or say less."""
    wrong = [
        (message.id, error) for message in persian if message.id for error in message.check(persian)
    ]
    assert wrong == []


def test_the_catalogue_is_whole() -> None:
    assert faults_of(PERSIAN.read_text()) == []


def test_every_plural_has_all_its_forms(persian: Catalog) -> None:
    wrong = [
        message.id
        for message in persian
        if message.id and message.pluralizable and len(message.string or ()) != persian.num_plurals
    ]
    assert wrong == []


def test_a_broken_catalogue_is_found() -> None:
    whole = 'msgid ""\nmsgstr "x"\n\nmsgid "a"\nmsgstr "b"\n'
    assert faults_of(whole) == []
    for broken, word in (
        (whole + 'msgid "c"\nmsgstr "d"\n', "glued together"),
        (whole + '\nmsgid "a"\nmsgstr "c"\n', "twice"),
        (whole + '\nmsgid ""\n"a"\nmsgstr "c"\n', "twice"),
        (whole + '\n#, fuzzy\nmsgid "c"\nmsgstr "d"\n', "not looked over"),
        (whole + '\nmsgid "c"\n', "half an entry"),
        (whole + "\n=======\n", "a merge"),
    ):
        assert any(fault.startswith(word) for fault in faults_of(broken)), broken
