"""What stands before Gradio besides the guard's refusals: rates by address, headers, names, health."""

import asyncio
import json

import pytest

from klingo1.settings import Settings
from klingo1.web.guard import Guard, Policy
from klingo1.web.headers import secured
from klingo1.web.rates import Rate, Rates, address_of


def ask(guard, path="/", method="GET", *, body=b"", peer="198.51.100.7", **headers):
    """One request through a guard: (status, headers, body)."""
    answers = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        answers.append(message)

    named = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": named, "client": (peer, 5000)}
    asyncio.run(guard(scope, receive, send))
    return answers[0]["status"], dict(answers[0]["headers"]), answers[1].get("body", b"")


async def application(scope, receive, send):
    cookies = [(b"set-cookie", b"session=1; Path=/; SameSite=None; Secure"), (b"server", b"uvicorn")]
    await send({"type": "http.response.start", "status": 200, "headers": cookies})
    await send({"type": "http.response.body", "body": b"page"})


@pytest.mark.parametrize(
    ("forwarded", "proxies", "counted"),
    [
        ("203.0.113.9", 0, "198.51.100.7"),  # nobody vouches for it
        ("1.1.1.1, 203.0.113.9", 1, "203.0.113.9"),  # the visitor wrote the first one
        ("6.6.6.6, 203.0.113.9, 10.0.0.2", 2, "203.0.113.9"),
        ("203.0.113.9", 3, "203.0.113.9"),
        ("rubbish", 1, "198.51.100.7"),
        ("", 1, "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", 1, "2001:db8:1:2::"),
        ("[2001:db8:1:2::9]", 1, "2001:db8:1:2::"),
        ("::ffff:203.0.113.9", 1, "203.0.113.9"),
        ("203.0.113.9:51234", 1, "203.0.113.9"),
        ("[2001:db8:1:2::9]:51234", 1, "2001:db8:1:2::"),
        ("fe80::1%eth0", 1, "fe80::"),
    ],
)
def test_f59_an_address_is_the_one_that_a_known_proxy_wrote(forwarded, proxies, counted):
    """Whatever a visitor writes in front of it changes nothing."""
    assert address_of("198.51.100.7", forwarded, proxies=proxies) == counted


def test_f59_rotating_x_forwarded_for_does_not_lift_the_rate():
    """A hundred invented addresses behind one proxy are still one visitor, in one bucket."""
    now = [0.0]
    rates = Rates({"click": Rate(5, 1.0), "read": Rate(5, 1.0)}, now=lambda: now[0])
    guard = Guard(application, policy=Policy(proxies=1, limited=True), rates=rates)
    statuses = [ask(guard, "/config", x_forwarded_for=f"10.1.1.{n}, 203.0.113.9")[0] for n in range(100)]
    assert (statuses.count(200), statuses.count(429)) == (5, 95)
    assert ask(guard, "/config", x_forwarded_for="203.0.113.10")[0] == 200
    now[0] = 1.0
    status, _, _ = ask(guard, "/config", x_forwarded_for="203.0.113.9")
    assert status == 200
    _, headers, _ = ask(guard, "/config", x_forwarded_for="203.0.113.9")
    assert int(headers[b"retry-after"]) == 1


def test_trying_keys_is_slow():
    """The page is no oracle for stolen keys: six tries, then two a minute."""
    guard = Guard(application, policy=Policy(limited=True))
    bodies = (b'{"data": {"key": "x"}, "fn_name": "give_key"}', b'{"fn_name": "give\\u005fkey"}')
    call = {"method": "POST", "content_type": "application/json"}
    statuses = [ask(guard, "/gradio_api/component_server", body=bodies[n % 2], **call)[0] for n in range(10)]
    assert (statuses.count(200), statuses.count(429)) == (6, 4)


def test_streams_of_one_address_are_counted_and_given_back():
    """Forty at once; one that ends makes room."""
    rates = Rates(at_once={"stream": 2})
    assert [rates.begin("a", "stream") for _ in range(3)] == [True, True, False]
    rates.end("a", "stream")
    assert rates.begin("a", "stream")
    assert rates.begin("b", "stream")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:7860", 200),
        ("[::1]:7860", 200),
        ("localhost:7860", 200),
        ("192.168.1.20:7860", 200),
        ("studio.example:7860", 200),
        ("evil.example:7860", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
    ],
)
def test_a_desk_answers_to_its_own_names_only(tmp_path, host, status):
    """A name that an attacker lets lead to this machine (DNS rebinding) gets nothing."""
    settings = Settings(home=tmp_path, hosts=("studio.example",))
    assert ask(Guard(application, policy=Policy.of(settings)), host=host)[0] == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/monitoring"),
        ("GET", "/monitoring/summary"),
        ("GET", "/gradio_api/dev/reload"),
        ("GET", "/gradio_api/runs"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/gradio_api/token"),
        ("GET", "/gradio_api/vibe-code"),
        ("GET", "/gradio_api/custom_component/1/server/x/y"),
        ("POST", "/gradio_api/vibe-edit"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/stream/abc"),
        ("POST", "/login"),
        ("GET", "/docs"),
    ],
)
def test_routes_that_the_page_does_not_need_are_closed(method, path):
    """An allow-list: whatever Gradio adds is closed until somebody opens it."""
    assert ask(Guard(application), path, method)[0] == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "OPTIONS"])
def test_other_methods_are_refused(method):
    """The page reads and posts, and does nothing else."""
    assert ask(Guard(application), "/config", method)[0] in {403, 405}


def test_every_answer_carries_the_policy_and_strict_cookies():
    """Refusals too; a visitor's file can never run as a page, and no header tells which server this is."""
    guard = Guard(application)
    for path in ("/", "/gradio_api/file=/tmp/x.html", "/gradio_api/proxy=http://x"):
        _, headers, _ = ask(guard, path)
        assert headers[b"x-content-type-options"] == b"nosniff"
        assert b"default-src" in headers[b"content-security-policy"]
        assert b"server" not in headers
    _, headers, _ = ask(guard, "/gradio_api/file=/tmp/x.html")
    assert b"sandbox" in headers[b"content-security-policy"]
    _, headers, _ = ask(guard, "/")
    assert headers[b"set-cookie"] == b"session=1; Path=/; HttpOnly; SameSite=Strict"


def test_a_space_may_frame_the_page_and_keep_its_cookie():
    """On a Space the page stands in a frame of huggingface.co, where a strict cookie would be lost."""
    cookie = (b"set-cookie", b"session=1; SameSite=None; Secure")
    headers = secured([cookie], is_file=False, on_space=True, https=True)
    assert cookie in headers
    policy = dict(headers)[b"content-security-policy"]
    assert b"frame-ancestors https://huggingface.co" in policy
    assert (b"strict-transport-security", b"max-age=31536000") in headers


@pytest.mark.parametrize(("ok", "status"), [(True, 200), (False, 503)])
def test_healthz_answers_a_probe(ok, status):
    """200 or 503, with facts and nothing of any visitor."""
    guard = Guard(application, health=lambda: {"ok": ok, "ledger": "writable", "drafts": 3})
    answered, headers, body = ask(guard, "/healthz")
    assert answered == status
    assert json.loads(body) == {"ok": ok, "ledger": "writable", "drafts": 3}
    assert headers[b"cache-control"] == b"no-store"


def test_what_a_page_asks_each_second_is_answered_before_gradio():
    """The state of a run is told by the guard itself, by the same rules as any call, and nothing else is."""
    asked = []

    def status(data):
        asked.append(data)
        return {"state": "done"}

    guard = Guard(application, direct={"status": status})
    call = {"method": "POST", "content_type": "application/json"}
    body = b'{"data": {"job": "1"}, "fn_name": "st\\u0061tus", "component_id": 3}'
    path = "/gradio_api/component_server"
    status_code, headers, answer = ask(guard, path, body=body, **call)
    assert (status_code, json.loads(answer)) == (200, {"state": "done"})
    assert headers[b"cache-control"] == b"no-store"
    assert b"content-security-policy" in headers
    assert ask(guard, path, body=body, **call, origin="https://elsewhere.example")[0] == 403
    assert ask(guard, path, body=body.replace(b"3}", b"3" + b" " * 70_000 + b"}"), **call)[0] == 413
    assert ask(guard, path, body=b'{"data": {}, "fn_name": "stop"}', **call)[2] == b"page"
    assert ask(guard, "/gradio_api/queue/join", body=body, **call)[2] == b"page"
    assert asked == [{"job": "1"}]


def test_uploads_without_a_length_are_refused_where_rates_hold():
    """What cannot be counted beforehand is not taken from strangers; too much is refused unread."""
    guard = Guard(application, policy=Policy(limited=True))
    form = "multipart/form-data; boundary=B"
    upload = {"path": "/gradio_api/upload", "method": "POST", "content_type": form}
    assert ask(guard, **upload)[0] == 411
    assert ask(guard, **upload, content_length="999999999999")[0] == 413
    assert ask(guard, **upload, content_length="1000", transfer_encoding="chunked")[0] == 411
    assert ask(guard, **upload, content_length="1000")[0] == 200
    assert ask(guard, **upload | {"content_type": "application/json"}, content_length="1000")[0] == 415


def test_a_failure_behind_the_guard_is_named_by_its_kind_alone(caplog):
    """Tracebacks hold words and paths: of strangers the log has the kind of error, of a desk all of it."""

    async def broken(scope, receive, send):
        raise ValueError("walrus-canary")

    assert ask(Guard(broken, policy=Policy(limited=True)), "/config")[0] == 500
    assert "ValueError" in caplog.text
    assert "walrus-canary" not in caplog.text
    with pytest.raises(ValueError, match="walrus"):
        ask(Guard(broken), "/config")


def test_a_visitors_file_is_kept_by_no_proxy():
    """Pictures and videos are private, whatever a cache on the way thinks."""
    _, headers, _ = ask(Guard(application), "/gradio_api/file=/tmp/a.png")
    assert headers[b"cache-control"] == b"private, no-cache"
