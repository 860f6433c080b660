"""Instructions to install extras. The project is on no package index, and somebody else may take its name there."""

import re
import tomllib
from pathlib import Path

from pipeline.runtime import errors

ROOT = Path(__file__).parents[2]


def test_nothing_says_to_install_the_project_by_its_bare_name() -> None:
    files = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("pipeline/**/*.py")]
    bare = re.compile(r"pip install (?:-e )?'?atvgnet(?![^'`\n]* @ git\+)")
    assert [path.name for path in files if bare.search(path.read_text(encoding="utf-8"))] == []


def test_the_extra_in_a_message_contains_the_missing_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for package, extra in errors._EXTRAS.items():
        names = [re.split(r"[\[><=.]", one)[0].replace("-", "_") for one in extras[extra]]
        assert package in names
        assert f"`pip install '.[{extra}]'`" in errors.install_command(extra)
