"""The shape of the code: its face, the direction of its imports, what importing costs, module sizes."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import klingo1

ROOT = Path(klingo1.__file__).parent
MODULES = {
    ".".join(("klingo1", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}
VALUES = {"errors", "settings", "request", "prediction", "pricing", "job", "version"}
ONLY_IN = {
    "gradio": ("klingo1.ui.",),
    "httpx": (
        "klingo1.client",
        "klingo1.lines",
        "klingo1.wire",
        "klingo1.retry",
        "klingo1.upload",
        "klingo1.download",
        "klingo1.answer",
        "klingo1.engines",
        "klingo1.outside",
        "klingo1.web.",
    ),
    "sqlalchemy": (
        "klingo1.book",
        "klingo1.database",
        "klingo1.erasure",
        "klingo1.groups",
        "klingo1.ledger",
        "klingo1.money",
        "klingo1.records",
        "klingo1.schema",
        "klingo1.usual",
        "klingo1.draft.store",
        "klingo1.draft.shelf",
        "klingo1.draft.jobs",
        "klingo1.draft.uploads",
    ),
    "fsspec": ("klingo1.files",),
    "cv2": ("klingo1.draft.",),
    "av": (
        "klingo1.intake_process",
        "klingo1.clips",
        "klingo1.probe",
        "klingo1.decoding",
        "klingo1.filters",
        "klingo1.gif",
        "klingo1.recipe",
        "klingo1.transcode",
        "klingo1.draft.",
    ),
}
NO_GRADIO = {"klingo1.ui.handlers", "klingo1.ui.words"}


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_face_is_one_sorted_list():
    """`__all__` is sorted, and every name in it is there."""
    assert list(klingo1.__all__) == sorted(klingo1.__all__)
    for name in klingo1.__all__:
        assert getattr(klingo1, name) is not None


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_a_library_is_imported_only_where_the_design_has_it(package):
    """Gradio, the network, the database and the decoders each have their places."""
    for module, path in MODULES.items():
        if module.startswith(ONLY_IN[package]) and module not in (NO_GRADIO if package == "gradio" else ()):
            continue
        used = [name for name in imports_of(path) if name.split(".")[0] == package]
        assert not used, f"{module} imports {package}"


def test_the_draft_engine_knows_nothing_of_the_studio():
    """Draft imports value types only, never client, ledger, studio or the page."""
    allowed = VALUES | {"draft", "mentions", "references", "clips", "pictures", "web", "coach"}
    for module, path in MODULES.items():
        if module.startswith("klingo1.draft"):
            for name in imports_of(path):
                parts = name.split(".")
                if parts[0] == "klingo1" and len(parts) > 1:
                    assert parts[1] in allowed or parts[1].isupper(), f"{module} imports {name}"


def test_value_types_stand_on_nothing_above_them():
    """errors, request, prediction, pricing, job and settings import each other only."""
    for name in VALUES:
        for imported in imports_of(MODULES[f"klingo1.{name}"]):
            parts = imported.split(".")
            if parts[0] == "klingo1" and len(parts) > 1:
                assert parts[1] in VALUES, f"{name} imports {imported}"


def test_the_page_sees_the_studio_and_value_types():
    """Ui never reaches past the studio into the ledger or the client."""
    hidden = {"ledger", "client", "course", "submission", "schema", "records", "money", "wire", "entries"}
    for module, path in MODULES.items():
        if module.startswith("klingo1.ui"):
            used = {name.split(".")[1] for name in imports_of(path) if name.startswith("klingo1.")}
            assert not used & hidden, f"{module} imports {used & hidden}"


def test_no_module_is_longer_than_three_hundred_lines():
    """A module can be read in one sitting; a script or a style of the page as well."""
    shown = [
        path
        for folder in (ROOT, ROOT.parent / "assets")
        for suffix in ("js", "css", "html")
        for path in folder.rglob(f"*.{suffix}")
    ]
    assert len(shown) > 40
    files = MODULES | {path.name: path for path in shown}
    lengths = {m: len(p.read_text(encoding="utf-8").splitlines()) for m, p in files.items()}
    assert {m: n for m, n in lengths.items() if n >= 300} == {}


def test_importing_klingo1_loads_nothing_heavy():
    """`import klingo1` leaves the page, the decoders and the database unloaded."""
    code = (
        "import sys, klingo1; print([m for m in ('gradio','av','cv2','sqlalchemy','PIL','numpy','fsspec') "
        "if m in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    assert out.stdout.strip() == "[]"


def test_nothing_in_the_face_is_shadowed_by_a_module():
    """Importing a module sets its name in the package; none may carry a name of the face."""
    assert not {name.rpartition(".")[2] for name in MODULES if name.count(".") == 1} & (
        set(klingo1.__all__) - {"errors"}
    )
