"""The house keeps its shape: small files, small functions, plain names, nothing that tells of its makers' machines."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("ingest", "warehouse", "analysis", "app")
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "core", "types", "misc"}


def tracked(*suffixes: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if name.endswith(suffixes) and (ROOT / name).exists()]


def sources() -> list[Path]:
    return [path for path in tracked(".py") if path.relative_to(ROOT).parts[0] in (*PACKAGES, "sample_reports")]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_files_are_at_most_400_lines() -> None:
    long = {str(p.relative_to(ROOT)): n for p in tracked(".py") if (n := len(p.read_text("utf-8").splitlines())) > 400}
    assert not long


def test_pages_are_at_most_150_lines() -> None:
    pages = [path for path in sources() if path.parent.name == "pages"]
    assert pages
    assert not [path.name for path in pages if len(path.read_text("utf-8").splitlines()) > 150]


def test_functions_are_at_most_50_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in sources()
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 > 50
    ]
    assert not long


def test_no_module_is_named_for_nothing() -> None:
    assert not [path for path in sources() if path.stem in FORBIDDEN_NAMES]


def test_no_file_beside_the_web_app_shadows_a_module() -> None:
    # Streamlit puts the script's folder first on sys.path.
    allowed = {"__init__", "main", "launch", "charts", "theme", "filters", "cached", "words", "pages"}
    beside = {path.stem for path in sources() if path.parent == ROOT / "app" / "web"}
    shadowing = {name for name in beside - allowed if find_spec(name)}
    assert not shadowing


@pytest.mark.parametrize("pattern", [r"unittest\.mock", r"monkeypatch\.setattr"])
def test_nothing_of_ours_is_patched(pattern: str) -> None:
    found = [p for p in tracked(".py") if p != Path(__file__) and re.search(pattern, p.read_text("utf-8"))]
    assert not found


def test_the_lock_file_names_only_the_public_index() -> None:
    lock = (ROOT / "uv.lock").read_text("utf-8")
    hosts = set(re.findall(r'"https?://([^/"]+)', lock))
    assert hosts <= {"pypi.org", "files.pythonhosted.org"}


def test_every_dependency_says_why_it_is_here() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    declared = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[<>=~!\[ ]", line)[0] for line in declared}
    documented = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    assert not [name for name in sorted(names) if f"| {name} |" not in documented]


def test_no_path_of_a_makers_machine_is_named() -> None:
    secret = re.compile("/wo" + "rk/|/ro" + "ot/|/ho" + "me/[a-z]")
    text = tracked(".py", ".md", ".toml", ".sql", ".sh", ".yml", ".yaml", "Makefile", "run")
    assert not [path for path in text if secret.search(path.read_text("utf-8"))]


def test_each_step_of_the_schema_has_a_number_of_its_own() -> None:
    numbers = [path.name[:4] for path in sorted((ROOT / "warehouse" / "schema").glob("*.sql"))]
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
