"""Where the page's sentences stand: in templates, scripts and Python, read out of the sources themselves."""

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMPONENTS = ROOT / "klingo1/ui/components"
NAMES = {"klingo1", "WebM", "GIF", "720p", "480p", "Kling O1", "Ctrl", "Enter", "Del", "@", "?", "←", "→"}
NAMES |= {"https://…/clip.mp4"}
READ_BY_PEOPLE = (
    "answer",
    "arrivals",
    "batch_file",
    "batches",
    "clips",
    "coach",
    "course",
    "decoding",
    "download",
    "masks",
    "mentions",
    "pictures",
    "probe",
    "problems",
    "references",
    "request",
    "uploads",
    "ui/handlers",
    "ui/handout",
    "ui/lists",
    "ui/lost",
    "ui/lost_words",
    "ui/views",
    "ui/words",
)
"""Modules whose sentences can reach the page: refusals, advice, phases, what a run tells when it ended."""


class _Template(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = set()

    def handle_starttag(self, tag, attrs):
        self.found |= {value for name, value in attrs if name in {"aria-label", "title", "placeholder"}}

    def handle_data(self, data):
        if re.search("[A-Za-z]", data):
            self.found.add(data.strip())


def in_templates():
    """Texts and spoken attributes of every element's template."""
    found = set()
    for file in COMPONENTS.glob("*.html"):
        reader = _Template()
        reader.feed(file.read_text(encoding="utf-8"))
        found |= reader.found
    return found - NAMES


def _numbered(template):
    """``a ${b} c ${d}`` as "a {0} c {1}"."""
    text, number, at = "", 0, 0
    while at < len(template):
        if template.startswith("${", at):
            depth = 1
            at += 2
            while depth:
                depth += {"{": 1, "}": -1}.get(template[at], 0)
                at += 1
            text += f"{{{number}}}"
            number += 1
        else:
            text += template[at]
            at += 1
    return text


def in_scripts():
    """Every t`…` of the elements' scripts."""
    found = set()
    for file in COMPONENTS.glob("*.js"):
        found |= {_numbered(one) for one in re.findall(r"(?<![\w$.])t`([^`]*)`", file.read_text("utf-8"))}
    return found - {"…"}


def _template(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    text, number = "", 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += part.value
        else:
            text += f"{{{number}}}"
            number += 1
    return text


def _shifted(text):
    return re.sub(r"\{(\d)\}", lambda found: f"{{{int(found[1]) + 1}}}", text)


def _skipped(tree):
    """Docstrings, the pieces of f-strings, and what only a log or a programmer reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            yield from ([node.value] if isinstance(node.value, ast.Constant) else [])
        if isinstance(node, ast.JoinedStr):
            yield from node.values
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in {"warning", "error", "info", "debug", "ValueError", "TypeError", "RuntimeError"}:
                yield from ast.walk(node)


def in_python():
    """Sentences of the modules in READ_BY_PEOPLE, f-strings as templates."""
    found = set()
    for name in READ_BY_PEOPLE:
        tree = ast.parse((ROOT / f"klingo1/{name}.py").read_text(encoding="utf-8"))
        skipped = {id(node) for node in _skipped(tree)}
        for node in ast.walk(tree):
            if id(node) in skipped:
                continue
            text = (_template(node) or "").strip()
            if re.match(r"(is|has|cannot) .*\.$", text):  # a refusal: it begins with the picture's number
                found.add("{0} " + _shifted(text))
            elif re.match(r"([A-Z{]|https).* .*[.…]$", text):
                found.add(text)
    return found
