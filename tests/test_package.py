"""The package: what a wheel holds, what an installed klingo1 can do, and its documented face."""

import doctest
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from conftest import draw_picture

import klingo1
from klingo1.version import VERSION

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PARTS = PROJECT["tool"]["setuptools"]
PIP_WHEEL = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
SDIST = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
CODE = {".py", ".pyc"}


def source_files(package):
    """Files that the sources of one package hold, but for caches."""
    folder = ROOT / PARTS["package-dir"].get(package, package.replace(".", "/"))
    return {path.name for path in folder.iterdir() if path.is_file() and path.suffix != ".pyc"}


def test_every_package_of_the_sources_is_listed():
    """A folder of modules that the list forgets would be missing from the wheel."""
    found = {
        ".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "klingo1").rglob("__init__.py")
    }
    assert set(PARTS["packages"]) == found | {"klingo1.assets"}
    assert PARTS["packages"] == sorted(PARTS["packages"])


@pytest.mark.parametrize("package", PARTS["packages"])
def test_every_file_beside_the_code_is_package_data(package):
    """A template, style or word list that no pattern takes would be missing from the wheel."""
    patterns = PARTS["package-data"].get(package, [])
    folder = ROOT / PARTS["package-dir"].get(package, package.replace(".", "/"))
    for name in source_files(package):
        path = folder / name
        assert path.suffix in CODE or any(path.match(pattern) for pattern in patterns), path


def test_the_version_stands_in_one_place():
    """version.py says it, pyproject.toml reads it there, the newest entry of the changelog agrees."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    assert "version" not in PROJECT["project"]
    assert PARTS["dynamic"]["version"] == {"attr": "klingo1.version.VERSION"}
    assert klingo1.__version__ == VERSION
    others = [
        path.name
        for path in (ROOT / "klingo1").rglob("*.py")
        if f'"{VERSION}"' in path.read_text(encoding="utf-8") and path.name != "version.py"
    ]
    assert others == []


def test_the_examples_of_the_face_run(tmp_path, monkeypatch):
    """Every example in `klingo1.__doc__` gives what it says, in a folder with a picture hero.jpg."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KLINGO1_HOME", str(tmp_path / "home"))
    draw_picture(tmp_path / "hero.jpg")
    outcome = doctest.testmod(klingo1)
    assert outcome.attempted >= 10
    assert outcome.failed == 0


def build(target):
    """A wheel made from a source archive of the committed tree's files, unpacked; the tree is left alone."""
    sources = copied_sources(target / "sources")
    archive = [sys.executable, "-c", SDIST, str(target)]
    subprocess.run(archive, cwd=sources, check=True, capture_output=True, timeout=120)
    (sdist,) = target.glob("klingo1-*.tar.gz")
    wheel = [*PIP_WHEEL, "-w", str(target), str(sdist)]
    subprocess.run(wheel, check=True, capture_output=True, timeout=280)
    (wheel,) = target.glob("klingo1-*.whl")
    with zipfile.ZipFile(wheel) as unpacked:
        unpacked.extractall(target / "site")
    return target / "site"


def copied_sources(to):
    """The files that make the package, without what git does not know."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "klingo1", "assets", "pyproject.toml", "README.md", "LICENSE",
         "requirements.txt"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            (to / name).write_bytes((ROOT / name).read_bytes())
    return to


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the list of files comes from git")
class TestWheel:
    """The source archive holds all that the wheel needs, and the wheel all that klingo1 needs."""

    def test_it_holds_everything_and_is_typed(self, site):
        """Every file of every package, the marker for type checkers, the command and the licence."""
        for package in PARTS["packages"]:
            assert source_files(package) <= {p.name for p in (site / package.replace(".", "/")).iterdir()}
        (info,) = site.glob("klingo1-*.dist-info")
        assert info.name == f"klingo1-{VERSION}.dist-info"
        assert (site / "klingo1" / "py.typed").is_file()
        assert "klingo1 = klingo1.cli:main" in (info / "entry_points.txt").read_text()
        metadata = (info / "METADATA").read_text(encoding="utf-8")
        assert "Requires-Dist: gradio" in metadata
        assert "Provides-Extra: replicas" in metadata
        assert not {p.name for p in site.iterdir()} - {"klingo1", info.name}

    def test_an_installed_command_works_far_from_the_sources(self, site, tmp_path):
        """The command, the draft engine's words and the page's parts come from the wheel alone."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("KLINGO1_", "WAVESPEED_"))}
        env |= {"PYTHONPATH": str(site), "KLINGO1_HOME": str(tmp_path / "home")}
        code = (
            "import os, sys, klingo1.cli; from klingo1.ui.page import ASSETS, launch_options;"
            "from klingo1.settings import Settings; from klingo1.studio import Studio;"
            "from klingo1.ui.examples import read_examples;"
            "studio = Studio(Settings.read(os.environ)); studio.start();"
            "options = launch_options(studio); studio.close();"
            "assert klingo1.__file__.startswith(sys.argv[1]), klingo1.__file__;"
            "assert str(ASSETS).startswith(sys.argv[1]); assert options['css'];"
            "assert options['favicon_path']; assert read_examples(ASSETS);"
            "sys.argv = ['klingo1', 'plan', '--prompt', 'a fox in the snow', '--json'];"
            "klingo1.cli.main()"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(site)], cwd=tmp_path, env=env, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert '"snow"' in done.stdout
