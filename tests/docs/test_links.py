"""Links between the docs resolve, and the files that the docs name exist."""

import re
from pathlib import Path

import pytest

from tests.corpora.sections import default_sections

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub derives from headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_resolve(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


def test_the_modules_that_the_docs_name_exist() -> None:
    for page in PAGES:
        if page.name in ("CHANGELOG.md", "extending.md"):
            continue
        for name in re.findall(r"\b((?:pipeline|stages|tests|benchmarks)/[\w/]+\.py)\b", page.read_text("utf-8")):
            assert (ROOT / name).exists(), f"{page.name}: {name}"


@pytest.mark.parametrize("page", ["README.md", "docs/corpora.md"])
def test_every_corpus_is_in_the_docs(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for name in default_sections():
        assert f"| `{name}` |" in text, name
