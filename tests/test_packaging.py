"""What is shipped: our packages and what they need, and that it runs without the tests' packages."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("ingest", "warehouse", "analysis", "app", "sample_reports")
MADE = ("sample_reports/mail/", "sample_reports/files/", "sample_reports/truth.json", "sample_reports/README.md")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.splitlines() if (ROOT / name).exists()}


def test_the_wheel_holds_the_packages_and_nothing_that_the_demonstration_makes(wheel: zipfile.ZipFile) -> None:
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == {name for name in tracked(*PACKAGES) if not name.startswith(MADE)}


def test_the_wheel_names_its_command_and_its_licence(wheel: zipfile.ZipFile) -> None:
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert "whosends = app.cli:main" in wheel.read(f"{info}/entry_points.txt").decode()
    assert "License-Expression: Apache-2.0" in wheel.read(f"{info}/METADATA").decode()
    assert f"{info}/licenses/LICENSE" in wheel.namelist()


def test_nothing_that_runs_needs_the_tests_packages() -> None:
    code = """
import json, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"pytest", "hypothesis", "playwright", "trustme", "tests", "hatchling"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
import importlib, pkgutil
names = [m.name for p in json.loads(sys.argv[1]) for m in pkgutil.walk_packages([p], p + ".")]
for name in names:
    if not name.startswith("app.web.pages.") and name != "app.web.main":  # scripts that Streamlit runs
        importlib.import_module(name)
print(len(names))
"""
    command = [sys.executable, "-c", code, json.dumps(PACKAGES)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 50
