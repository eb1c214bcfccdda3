"""The environment, read once."""

import pytest

from klingo1.errors import SettingsError
from klingo1.settings import Settings


def test_nothing_set_is_a_desk_without_a_key(tmp_path):
    """The defaults need no account: a home in the platform's data folder, no caps, not hosted."""
    settings = Settings.read({})
    assert settings.home.is_absolute()
    assert (settings.api_key, settings.hosted, settings.budget_day) == ("", False, None)
    assert settings.base_url == "https://api.wavespeed.ai"


@pytest.mark.parametrize(
    "url", ["https://proxy.example/wave", "https://proxy.example/wave/", "https://proxy.example/wave/api/v3/"]
)
def test_the_base_url_may_name_the_origin_or_the_api(url):
    """Both forms that other programs use mean the same."""
    assert Settings.read({"WAVESPEED_BASE_URL": url}).base_url == "https://proxy.example/wave"


def test_a_dotenv_file_fills_what_the_environment_leaves_open(tmp_path):
    """The environment wins over the file."""
    file = tmp_path / ".env"
    file.write_text("WAVESPEED_API_KEY=from-file\nKLINGO1_BUDGET_DAY=2.50\n")
    settings = Settings.read({"WAVESPEED_API_KEY": "from-environment"}, dotenv_file=file)
    assert settings.api_key == "from-environment"
    assert settings.budget_day == 2_500_000


def test_a_misspelt_name_is_an_error_with_a_suggestion():
    """A cap with a typing error must not silently be no cap."""
    with pytest.raises(SettingsError, match="KLINGO1_BUDGET_DAY") as refused:
        Settings.read({"KLINGO1_BUGDET_DAY": "5"})
    assert refused.value.variable == "KLINGO1_BUGDET_DAY"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KLINGO1_BUDGET_RUN", "five"),
        ("KLINGO1_BUDGET_RUN", "-1"),
        ("KLINGO1_BUDGET_RUN", "nan"),
        ("KLINGO1_HOSTED", "maybe"),
        ("KLINGO1_DRAFT_WORKERS", "0"),
        ("KLINGO1_DRAFT_WORKERS", "http://scheduler:8786"),
        ("KLINGO1_DRAFT_WORKERS", "tcp://scheduler"),
        ("KLINGO1_DRAFT_WORKERS", "tcp://scheduler:many"),
        ("KLINGO1_DRAFT_WORKERS", "tcp://me:word@scheduler:8786"),
        ("KLINGO1_MENTION_FORM", "emoji"),
        ("KLINGO1_PAID", "perhaps"),
        ("KLINGO1_KEEP_DAYS", "-1"),
        ("KLINGO1_QUOTA_GB", "1.5"),
        ("KLINGO1_PROXIES", "99"),
        ("KLINGO1_DRAFT_QUEUE", "0"),
        ("WAVESPEED_BASE_URL", "ftp://example.com"),
    ],
)
def test_an_impossible_value_names_its_variable(name, value):
    """Every value is checked where it is read."""
    with pytest.raises(SettingsError) as refused:
        Settings.read({name: value})
    assert refused.value.variable == name


def test_a_space_is_hosted_by_itself():
    """On a Space the page is hosted unless it is said otherwise."""
    assert Settings.read({"SPACE_ID": "me/klingo1"}).hosted
    assert not Settings.read({"SPACE_ID": "me/klingo1", "KLINGO1_HOSTED": "0"}).hosted


def test_f53_the_key_is_not_in_the_repr():
    """Printing settings shows no secret."""
    settings = Settings.read(
        {"WAVESPEED_API_KEY": "wsk_canary", "KLINGO1_DATABASE_URL": "postgresql://u:pw@h/d"}
    )
    assert "canary" not in repr(settings)
    assert "pw@" not in repr(settings)


def test_a_hosted_page_is_bounded_by_itself():
    """Strangers' files are kept a week, the home is bounded, drafts stand back; a desk keeps everything."""
    hosted, desk = Settings.read({"KLINGO1_HOSTED": "1"}), Settings.read({})
    assert (hosted.keep_days, hosted.quota) == (7, 20 * 2**30)
    assert hosted.draft_niceness > desk.draft_niceness
    assert (desk.keep_days, desk.quota, desk.proxies) == (None, None, 0)
    assert Settings.read({"SPACE_ID": "me/klingo1"}).proxies == 1


@pytest.mark.parametrize("missing", ["KLINGO1_BUDGET_DAY", "KLINGO1_BUDGET_VISITOR_DAY"])
def test_a_key_is_lent_to_visitors_only_under_both_budgets(missing):
    """Sign-in without a cap is an error that names the cap, not an open purse."""
    given = {
        "KLINGO1_HOSTED": "1",
        "KLINGO1_SIGN_IN": "1",
        "WAVESPEED_API_KEY": "wsk_canary",
        "KLINGO1_BUDGET_DAY": "5",
        "KLINGO1_BUDGET_VISITOR_DAY": "1",
    }
    assert Settings.read(given).sign_in
    del given[missing]
    with pytest.raises(SettingsError) as refused:
        Settings.read(given)
    assert refused.value.variable == missing


def test_draft_workers_are_a_number_or_a_cluster():
    """A number is this machine's processes, an address the cluster that is fed instead."""
    assert Settings.read({"KLINGO1_DRAFT_WORKERS": "3"}).draft_workers == 3
    settings = Settings.read({"KLINGO1_DRAFT_WORKERS": "tcp://scheduler:8786/"})
    assert settings.draft_cluster == "tcp://scheduler:8786"
    assert settings.draft_workers > 1
    assert Settings.read({}).draft_cluster == ""


def test_the_cutout_network_must_be_there(tmp_path):
    """A wrong path is said at the start, not after a minute of rendering."""
    file = tmp_path / "net.onnx"
    with pytest.raises(SettingsError) as caught:
        Settings.read({"KLINGO1_CUTOUT_MODEL": str(file)})
    assert caught.value.variable == "KLINGO1_CUTOUT_MODEL"
    file.write_bytes(b"onnx")
    assert Settings.read({"KLINGO1_CUTOUT_MODEL": str(file)}).cutout_model == file
    assert Settings.read({}).cutout_model is None
