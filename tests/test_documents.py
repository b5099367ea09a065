"""What the documents say is so: targets, knobs, folders, links, numbers."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
_BINARY = {".png", ".webp", ".ico", ".woff2", ".mo"}
#: Names of a machine or of its registry have no place in a repository (split here, to not match).
_PATHS = ("/wo" + "rk/", "/ho" + "me/[a-z]", "/ro" + "ot/", "/opt/py" + "pi")
_REGISTRIES = ("https?://[a-z.]*pypi" + r"\.", "index" + "-url", "find" + "-links [/h]")


def repository_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def documents() -> list[Path]:
    return [path for path in repository_files() if path.suffix == ".md"]


def settings_variables() -> set[str]:
    source = (ROOT / "vwg" / "settings.py").read_text()
    return set(re.findall(r"env\.\w+\(\s*[\"']([A-Z][A-Z0-9_]*)[\"']", source))


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_make_target_a_document_names_exists() -> None:
    named = {
        (path.name, target)
        for path in documents()
        for target in re.findall(r"(?:`|^|[;&] )make ([a-z]+)", path.read_text(), re.MULTILINE)
    }

    assert named
    assert {(name, target) for name, target in named if target not in make_targets()} == set()


def test_the_readme_explains_every_make_target() -> None:
    assert {target for target in make_targets() if f"`make {target}`" not in README} == {"help"}


def test_the_readme_lists_every_environment_variable_and_no_other() -> None:
    listed = set(re.findall(r"^\| `([A-Z][A-Z0-9_]*)` \|", README, re.MULTILINE))

    assert listed == settings_variables()


def test_environment_variables_are_read_in_the_settings_alone() -> None:
    """Settings are the one door. PATH and HOME, handed on to commands, are no settings."""
    outside = {"deploy", "tests", "bench", ".ci"}
    readers = [
        str(path.relative_to(ROOT))
        for path in repository_files()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] not in outside
        and re.search(r"os\.(getenv\(|environ(\[|\.get\())\"(?!PATH|HOME)", path.read_text())
    ]

    assert readers == []


def test_every_folder_has_its_line_in_the_map() -> None:
    folders = {
        path.relative_to(ROOT).parts[0]
        for path in repository_files()
        if len(path.relative_to(ROOT).parts) > 1
    } - {".ci", "static", "templates", "locale"}

    assert {folder for folder in folders if f"| `{folder}/` |" not in README} == set()


def test_every_link_of_a_document_leads_somewhere() -> None:
    broken = [
        f"{path.name}: {target}"
        for path in documents()
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())
        if not (path.parent / target).exists()
    ]

    assert broken == []


def test_decisions_are_numbered_without_a_gap() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))

    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for number, page in enumerate(pages, 1):
        assert page.read_text().startswith(f"# {number}. "), page.name


@pytest.mark.parametrize(
    "pattern", ["|".join(_PATHS), "|".join(_REGISTRIES)], ids=["paths", "registries"]
)
def test_no_file_names_a_machine_or_a_registry(pattern: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in repository_files()
        if path.suffix not in _BINARY and path.name != "test_documents.py"
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if re.search(pattern, line) and "--no-emit-" not in line
    ]

    assert found == []


def test_the_founding_log_lines_are_in_the_readme() -> None:
    for line in (
        "Successfully added X new peers to interface wg0",
        "Configuration applied successfully without disrupting active connections",
        "Runtime configuration failed, falling back to service restart",
    ):
        assert line in README
