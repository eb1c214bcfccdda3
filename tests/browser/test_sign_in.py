"""Signing in on a Space, with a provider on a real socket: whose key pays, and who is who afterwards."""

import httpx
import pytest
from faults.server import FaultServer
from identity_provider import Provider

from browser.visitor import DESKTOP, Served, generate, hydrated, mood

pytestmark = pytest.mark.browser
KEY = "wsk_canary_of_the_space_03"


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    """The page as a Space serves it, lending its key within $2 a visitor and day."""
    with Provider() as provider, FaultServer(key=KEY) as service:
        environ = provider.environ | {
            "KLINGO1_SIGN_IN": "1",
            "KLINGO1_BUDGET_DAY": "5",
            "KLINGO1_BUDGET_VISITOR_DAY": "2",
            "KLINGO1_PROXIES": "0",
            "WAVESPEED_API_KEY": KEY,
            "WAVESPEED_BASE_URL": service.url,
            "GRADIO_SERVER_NAME": "127.0.0.1",
        }
        served = Served(tmp_path_factory.mktemp("space"), small=True, **environ).start()
        yield served, service, provider
        served.stop()


def kept(page):
    """The owner's token that the page goes by."""
    return page.evaluate("window.klingo.get('owner')")


def test_a_visitor_signs_in_makes_a_paid_run_on_the_pages_key_and_signs_out(space, browser, photos):
    """Before: no key. Signed in: the page's key pays, within limits. Signed out: as before, runs not seen."""
    served, service, _ = space
    context = browser.new_context(viewport=DESKTOP, locale="en-US", reduced_motion="reduce")
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(served.url)
    visitor = kept(hydrated(page))
    page.get_by_role("radio", name="Kling O1").click()
    assert page.get_by_text("Or sign in: this page’s key pays then").is_visible()
    page.get_by_role("link", name="Sign in with Hugging Face").click()
    page.locator(".who", has_text="ada").wait_for()
    signed_in = kept(hydrated(page))
    assert (signed_in[:2], signed_in == visitor) == ("u-", False)
    page.get_by_role("radio", name="Kling O1").click()
    page.get_by_text("This page’s key pays for you, within its limits.").wait_for()
    assert not page.get_by_role("button", name="Forget it").is_visible()
    generate(page, photos)
    mood(page, "good")
    assert service.billed == 1
    assert {r.headers.get("authorization") for r in service.requests if r.route == "submit"} == {
        f"Bearer {KEY}"
    }
    job = page.evaluate("window.klingo.get('job')")
    page.reload()
    assert kept(hydrated(page))[:52] == signed_in[:52]
    assert page.evaluate("window.klingo.get('job')") == job
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("link", name="Sign in with Hugging Face").wait_for()
    assert kept(hydrated(page)) == visitor
    assert page.locator("#k-history li").count() == 0
    assert KEY not in page.content()
    context.close()


def test_a_made_up_cookie_or_pass_is_nobody(space, browser):
    """No session but one that this Space has signed; a callback without its own state signs nobody in."""
    served, _, _provider = space
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        listeners = client.get("/config").json()["dependencies"]
        arrive = next(d["id"] for d in listeners if d["api_name"].startswith("arrive"))

        def arrived(memory, **headers):
            body = {"data": [memory], "fn_index": arrive, "session_hash": "s"}
            answer = client.post(
                f"/gradio_api/run/{listeners[arrive]['api_name']}", json=body, headers=headers
            )
            return answer.json()["data"]

        for cookie in ("session=eyJvYXV0aF9pbmZvIjp7fX0=.x.y", "session=x; session=y", "session="):
            _, session = arrived({}, cookie=cookie)
            assert (session["user"], session["has_key"], session["owner"][:2]) == ("", False, "v-")
        made_up = f"u-{'0' * 24}-{'0' * 24}.9999999999.{'0' * 24}"
        _, session = arrived({"owner": made_up})
        assert (session["owner"][:2], session["has_key"]) == ("v-", False)
        answer = client.get("/login/callback?code=code-0&state=made-up")
        assert answer.headers["location"].startswith("/login/huggingface")
        assert "oauth_info" not in answer.headers.get("set-cookie", "")
        foreign = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
        assert client.get("/logout", headers=foreign).status_code == 403
        for target in ("//evil.example", "https://evil.example/x", "/\\evil.example"):
            answer = client.get("/logout", params={"_target_url": target})
            assert answer.headers["location"].startswith("/")
            assert not answer.headers["location"].startswith(("//", "/\\"))
