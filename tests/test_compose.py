"""The compose file: its form, that its parts know each other, and that the page accepts its settings."""

import copy
import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml

from klingo1.settings import CLUSTER_AHEAD, Settings

ROOT = Path(__file__).parents[1]
DOCUMENT = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = DOCUMENT["services"]
PAGES = [name for name in SERVICES if name.startswith("page")]
GIVEN = {"POSTGRES_PASSWORD": "s3cret", "STICKY_SECRET": "word"}

SCHEMA = json.loads(
    resources.files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json").read_bytes()
)
"""The Compose specification's own JSON schema, of which this package brings a copy: nothing is fetched."""
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}


def filled(text, given=GIVEN):
    """`${NAME}`, `${NAME:-default}` and `${NAME:?why}` as compose fills them."""

    def value(found):
        name, kind, rest = found.groups()
        if name in given:
            return given[name]
        assert kind != ":?", f"{name} is required: {rest}"
        return rest or ""

    return re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", value, text)


def faults_of(document):
    """Where a document breaks the specification."""
    check = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
    return ["/".join(map(str, fault.absolute_path)) for fault in check.iter_errors(document)]


def test_the_form_is_that_of_the_specification():
    """The schema of the Compose specification finds nothing; our words and settings are strings."""
    assert faults_of(DOCUMENT) == []
    for name, service in SERVICES.items():
        assert "image" in service
        assert all(isinstance(v, str) for v in service.get("environment", {}).values()), name
        assert all(isinstance(word, str) for word in service.get("command", [])), name


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("services/page-1/restartt", "always"),
        ("services/page-1/init", ["sometimes"]),
        ("services/ledger/healthcheck/retries", ["often"]),
        ("services/ledger/depends_on", {"page-1": {"condition": "service_is_fine"}}),
        ("services/proxy/ports", "8080"),
    ],
)
def test_a_mistake_in_the_file_would_be_found(path, value):
    """The schema is strict enough to find a misspelt key, a wrong type and an unknown word."""
    document = copy.deepcopy(DOCUMENT)
    *way, last = path.split("/")
    part = document
    for name in way:
        part = part[name]
    part[last] = value
    assert any(fault in path for fault in faults_of(document))


def test_every_part_that_is_named_is_there():
    """Volumes, networks, files and the services waited for exist, and nobody waits in a circle."""
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).is_file() if source.startswith(".") else source in DOCUMENT["volumes"]
        assert set(service["networks"]) <= set(DOCUMENT["networks"])
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] in CONDITIONS
            assert how["condition"] != "service_healthy" or "healthcheck" in SERVICES[other]

    def before(name, waiting):
        assert name not in waiting, f"{name} waits for itself"
        for other in SERVICES[name].get("depends_on", {}):
            before(other, {*waiting, name})

    for name in SERVICES:
        before(name, set())


@pytest.mark.parametrize("page", PAGES)
def test_the_page_accepts_its_settings(page):
    """What the file sets is read without an error, and means two replicas on one ledger and one cluster."""
    values = {name: filled(text) for name, text in SERVICES[page]["environment"].items()}
    settings = Settings.read(values)
    assert settings.database_url == "postgresql://klingo1@ledger/klingo1"
    assert values["PGPASSWORD"] == filled(SERVICES["ledger"]["environment"]["POSTGRES_PASSWORD"]) == "s3cret"
    assert (settings.draft_cluster, settings.draft_workers) == ("tcp://scheduler:8786", CLUSTER_AHEAD)
    assert settings.hosted
    assert settings.proxies == 1
    assert settings.budget_day
    assert settings.budget_visitor_day


def test_the_pages_are_alike_and_share_their_home_with_each_other_alone():
    """Two pages with one environment; workers get the files of an order with it and see no page's disk."""
    first, second = (SERVICES[page] for page in PAGES)
    assert {**first, "hostname": ""} == {**second, "hostname": ""}
    assert set(first["volumes"]) == {"home:/data"}
    assert "volumes" not in SERVICES["worker"]
    assert "KLINGO1_HOME=/data" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert first["image"] == SERVICES["worker"]["image"] == SERVICES["scheduler"]["image"]


def test_visitors_stay_with_one_page_and_only_the_proxy_is_open():
    """The proxy knows every page and binds a visitor by a cookie; nothing else has a port."""
    rules = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    upstreams = re.search(r"reverse_proxy ([^{]+)\{", rules)[1].split()
    assert upstreams == [f"{page}:7860" for page in PAGES]
    assert "lb_policy cookie" in rules
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    variables = set(re.findall(r"\{\$(\w+)", rules))
    assert variables == set(SERVICES["proxy"]["environment"])


def test_no_secret_stands_in_the_file():
    """Passwords come from outside, and compose refuses to start without them."""
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert not re.search(r"(?i)(password|secret|key): +[^\s$#]", text)
    with pytest.raises(AssertionError, match="required"):
        filled(SERVICES["ledger"]["environment"]["POSTGRES_PASSWORD"], {})


def test_what_the_image_copies_is_let_through():
    """The ignore list names everything that the Dockerfile copies."""
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name in " ".join(copied).split():
        assert (ROOT / name).exists()
        assert f"!{name}" in allowed
