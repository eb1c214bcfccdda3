"""The page: panels of elements, the listeners that join them, the words they say.

Gradio, when it is imported, parses the source of each of its components and writes a stub file for editors
beside it: a fifth of the page's start (`benchmarks/start_up.py`), and nothing that a page needs. Imported
through this package, it does without.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

_WRITER = "gradio.component_meta"


class _WithoutStubs(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        vars(module)["create_or_modify_pyi"] = lambda *_: None


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname == _WRITER else None
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _WithoutStubs(fullname, spec.loader.path)
        return spec


sys.meta_path.insert(0, _Finder())
