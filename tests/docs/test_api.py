"""`make docs` writes a page for every public module, without a warning."""

import os
import sys
from pathlib import Path

import pytest

from tests.commands import run_forked

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_every_public_module_has_a_page(tmp_path: Path) -> None:
    done = run_forked([sys.executable, "docs/api.py", str(tmp_path)], ROOT, os.environ, apart=True)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    modules = [path for path in (ROOT / "pipeline").rglob("*.py") if path.name not in ("__init__.py", "__main__.py")]
    for module in modules:
        page = tmp_path / module.relative_to(ROOT).with_suffix(".html")
        assert page.exists(), page
    text = (tmp_path / "pipeline/bundles/bundle.html").read_text()
    assert "A model bundle: one folder with everything that generation needs." in text
