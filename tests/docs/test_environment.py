"""docs/environment.md lists the variables that the code reads or sets, and those that other pages name."""

import ast
import re
from pathlib import Path

from tests.docs.source import ROOT, tree

PAGE = ROOT / "docs/environment.md"
PREFIXES = ("ATVGNET", "DASK", "DVC", "MLFLOW", "NCCL", "GLOO", "OMP", "CUDA")
NAME = re.compile(rf"(?:{'|'.join(PREFIXES)})_[A-Z_]+")


def variables_of(path: Path) -> set[str]:
    """Variables in a module: keys of ``os.environ`` and ``os.getenv``, and strings that look like a variable."""
    variables = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
            variables.add(node.value)
        key = None
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            key = node.slice
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("os.environ.get", "os.getenv"):
            key = node.args[0]
        if isinstance(key, ast.Constant):
            variables.add(str(key.value))
    return variables


def listed() -> set[str]:
    return {
        name
        for row in re.findall(r"^\| (.*?) \|", PAGE.read_text(), re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }


def test_every_variable_of_the_code_is_listed() -> None:
    modules = [*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "stages").rglob("*.py"), ROOT / "tests/conftest.py"]
    used = set().union(*map(variables_of, modules))
    assert {"ATVGNET_JOBS", "CXX", "DASK_SCHEDULER_ADDRESS", "LOCAL_RANK", "MLFLOW_DISABLE_TELEMETRY"} <= used
    assert used <= listed(), used - listed()
    ours = {name for name in listed() if name.startswith(("ATVGNET_", "DASK_", "DVC_"))}
    assert ours <= used, ours - used


def test_every_variable_that_the_docs_name_is_listed() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        named = set(NAME.findall(page.read_text(encoding="utf-8"))) - {"MLFLOW_TRACKING_USERNAME"}
        assert named <= listed(), f"{page.name}: {named - listed()}"
