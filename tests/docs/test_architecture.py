"""docs/architecture.md lists every package of the library, and the files that it names exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_package_has_a_line() -> None:
    first_cells = re.findall(r"^\| (.*?) \|", section("Packages"), re.MULTILINE)
    listed = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    packages = {path.parent.name for path in (ROOT / "pipeline").glob("*/__init__.py")}
    assert listed == packages | {"stages"}


def test_packages_are_in_the_order_of_the_import_rules() -> None:
    contract = re.search(r"^layers = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE)
    assert contract
    layers = [re.findall(r"(?:pipeline\.)?(\w+)", line) for line in re.findall(r'"(.*?)"', contract[1])]
    rows = [re.findall(r"`(\w+)`", cell) for cell in re.findall(r"^\| (`.*?) \|", section("Packages"), re.MULTILINE)]
    layers = [[name for name in layer if name != "pipeline"] for layer in layers]
    assert [sorted(row) for row in rows] == [sorted(layer) for layer in layers]


def test_the_files_exist() -> None:
    names = re.findall(
        r"`((?:\w+/)+(?:\w+\.py)?|\w+\.yaml)`", section("Three objects") + section("Where to change what")
    )
    assert len(names) > 40
    missing = [name for name in names if not ((ROOT / "pipeline" / name).exists() or (ROOT / name).exists())]
    assert not missing
