"""The hand-over page, opened by a real browser without a network."""

import base64
import re
from pathlib import Path

import pytest
from browser.visitor import ARGS, chromium
from conftest import draw_picture
from filming import facts_of, film, finished

from klingo1.errors import InvalidRequest
from klingo1.handover import write_page
from klingo1.request import Engine

pytestmark = pytest.mark.browser

HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script></p></main>",
    "[x](javascript:alert(1)) ![](https://beacon.example/x.png) {{7*7}} ${7*7} %s {STYLE}",
    "</title><meta http-equiv=refresh content='0;url=https://beacon.example/'>",
    "<style>body{background:url(https://beacon.example/)}</style>",
    "\"' onmouseover='document.title=1' & &amp; &lt;",
    "नमस्ते 中文 😀 עברית line one\nline two",
    "x" * 2500,
]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Opens a file offline; every request, message and error of the page is noted."""
    contexts = []

    def go(path, *, width=1280, dark=False):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            offline=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.noted = []
        page.on("request", lambda request: page.noted.append(request.url.partition(";base64,")[0]))
        page.on("console", lambda message: page.noted.append(message.text))
        page.failures = []
        page.on("requestfailed", lambda request: page.failures.append((request.url, request.failure)))
        page.on("pageerror", lambda error: page.noted.append(str(error)))
        page.goto(Path(path).as_uri())
        return page

    yield go
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return film(tmp_path_factory.mktemp("films") / "v.mp4", size=(640, 360), seconds=1.5, sound=True)


def shown(page, selector):
    return [element.inner_text() for element in page.query_selector_all(selector)]


def test_the_video_plays_offline_and_nothing_is_asked_for(visit, video, tmp_path):
    """Time passes in it, its sound and size are there, and the file itself is the only request."""
    to = write_page(finished(video, [draw_picture(tmp_path / "a.jpg")]), tmp_path / "page.html")
    page = visit(to)
    played = page.evaluate("""async () => {
        const video = document.querySelector('video');
        video.muted = true;
        await video.play();
        await new Promise(done =>
            video.addEventListener('timeupdate', () => video.currentTime > .2 && done()));
        const canvas = document.createElement('canvas');
        canvas.width = 640; canvas.height = 360;
        const pen = canvas.getContext('2d');
        pen.drawImage(video, 0, 0);
        return [video.videoWidth, video.videoHeight, video.duration, video.webkitAudioDecodedByteCount > 0,
                [...pen.getImageData(20, 20, 1, 1).data]];
    }""")
    assert played[:2] == [640, 360]
    assert played[2] == pytest.approx(1.5, abs=0.1)
    assert played[3] is True
    assert played[4][0] > 180
    assert played[4][1] < 70
    assert page.noted == [to.as_uri()]


def test_the_embedded_video_is_the_file_bit_for_bit(video, tmp_path):
    """Also over the seams of the blocks it is read in."""
    long = film(tmp_path / "long.mp4", size=(1280, 720), seconds=6, codec="mpeg4")
    long.write_bytes(long.read_bytes() + bytes(2_000_001))
    for source in (video, long):
        to = write_page(finished(source, ["https://e.com/a.png"]), tmp_path / "page.html")
        embedded = re.search(r'src="data:video/mp4;base64,([^"]*)"', to.read_text(encoding="utf-8"))[1]
        assert base64.b64decode(embedded, validate=True) == source.read_bytes()


@pytest.mark.parametrize("prompt", HOSTILE)
def test_every_word_of_a_prompt_is_shown_literally(visit, video, tmp_path, prompt):
    """No markup, no script, no template, no request comes of it."""
    job = finished(video, [draw_picture(tmp_path / "a.jpg")], prompt=prompt)
    page = visit(write_page(job, tmp_path / "page.html"), width=390)
    assert page.text_content(".prompt") == prompt
    assert page.title() == " ".join(prompt.split())[:80]
    assert page.query_selector("script") is None
    assert len(page.query_selector_all("img, video, style")) == 3
    assert page.noted == [(tmp_path / "page.html").as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_control_and_direction_characters_are_left_out(visit, video, tmp_path):
    """What would turn or hide the words that follow is gone, the words are not."""
    job = finished(video, ["https://e.com/a.png"], prompt="a\x00b\x1b[31mc\u202ed")
    page = visit(write_page(job, tmp_path / "page.html"))
    assert page.text_content(".prompt") == "ab[31mcd"


def test_the_policy_forbids_everything_that_is_not_in_the_file(visit, video, tmp_path):
    """Even a script that got in somehow could neither run nor call anybody; the style itself is allowed."""
    to = write_page(finished(video, ["https://e.com/a.png"]), tmp_path / "page.html")
    text = to.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    injected = tmp_path / "injected.html"
    extra = "<script>document.title='owned'</script><img src='https://beacon.example/x.png'>"
    injected.write_text(text.replace("</main>", extra + "</main>"), encoding="utf-8")
    page = visit(injected)
    assert page.title() != "owned"
    assert page.failures == [("https://beacon.example/x.png", "csp")]
    assert page.evaluate("getComputedStyle(document.querySelector('.stage')).borderTopLeftRadius") == "16px"


def test_settings_references_and_engine_are_told(visit, video, tmp_path):
    """Each reference with its name and role; what has no picture here says why; no address is told."""
    image = draw_picture(tmp_path / "a.jpg")
    reference = film(tmp_path / "ref.mp4", seconds=0.4)
    images = [image, "https://e.com/a.png?signature=canary", tmp_path / "canary.png"]
    job = finished(video, images, duration=7, reference=reference, roles=("character",))
    to = write_page(job, tmp_path / "page.html")
    page = visit(to)
    captions = ["@Image1 character", "@Image2", "@Image3", "@Video1 motion"]
    assert shown(page, "figcaption") == captions
    assert shown(page, ".missing") == ["on the web", "no longer kept"]
    sizes = page.evaluate(
        "[...document.querySelectorAll('li img')].map(i => [i.naturalWidth, i.naturalHeight])"
    )
    assert sizes == [[480, 360], [320, 180]]
    facts = dict(zip(shown(page, "dt"), shown(page, "dd"), strict=True))
    assert facts["Engine"] == "Kling Video O1"
    assert facts["Length"] == "7 s"
    assert facts["Shape"] == "16:9"
    assert facts["Size"] == "640 × 360 px"
    assert facts["Sound"] == "yes"
    assert facts["Reference’s own sound"] == "kept"
    assert facts["Made on"] == "21 September 2026"
    assert "Cost" not in facts
    assert "canary" not in to.read_text(encoding="utf-8")
    assert str(tmp_path) not in to.read_text(encoding="utf-8")


def test_the_cost_is_told_only_when_wanted(visit, video, tmp_path):
    """To the tenth of a cent, as it was charged."""
    job = finished(video, ["https://e.com/a.png"], duration=3)
    page = visit(write_page(job, tmp_path / "page.html", with_cost=True))
    assert dict(zip(shown(page, "dt"), shown(page, "dd"), strict=True))["Cost"] == "$0.336"


@pytest.mark.parametrize("engine", list(Engine))
def test_a_draft_says_that_it_is_one(visit, video, tmp_path, engine):
    """In the title, on the page and in plain words; a paid result says nothing of the kind."""
    page = visit(write_page(finished(video, ["https://e.com/a.png"], engine=engine), tmp_path / "page.html"))
    draft = engine is Engine.DRAFT
    assert page.title().startswith("DRAFT") is draft
    assert shown(page, ".chip") == (["DRAFT"] if draft else [])
    assert ("no AI model was used" in page.inner_text("main")) is draft


def contrast(page, selector):
    """The contrast ratio of an element's text against the ground it stands on."""
    return page.evaluate(
        """selector => {
        const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 :
            ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
        const numbers = words => words.match(/[\\d.]+/g).map(Number);
        let element = document.querySelector(selector);
        const ink = light(numbers(getComputedStyle(element).color));
        const under = () => numbers(getComputedStyle(element).backgroundColor);
        while ((under()[3] ?? 1) === 0) element = element.parentElement;
        const ground = light(under());
        return (Math.max(ink, ground) + .05) / (Math.min(ink, ground) + .05);
    }""",
        selector,
    )


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_reads_well_in_light_and_dark_on_phone_and_desktop(visit, video, tmp_path, dark, width):
    """Nothing sticks out, the video comes first and fills the width, and every text stands out enough."""
    job = finished(video, [draw_picture(tmp_path / "a.jpg")] * 7, engine=Engine.DRAFT)
    page = visit(write_page(job, tmp_path / "page.html"), width=width, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    box = page.query_selector("video").bounding_box()
    assert box["y"] + box["height"] < 900
    assert box["width"] > 0.8 * width
    for selector in (".prompt", ".note", ".chip", "dt", "dd", "footer", "header span", "figcaption b", "h2"):
        assert contrast(page, selector) >= 4.5, selector
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(19, 19, 18)") is dark
    sides = page.evaluate(
        "[...document.querySelectorAll('li img')].map(i => i.getBoundingClientRect().right)"
    )
    assert max(sides) <= width


def test_axe_finds_nothing(visit, video, tmp_path):
    """Names, landmarks, contrast and order satisfy the rules of axe-core."""
    axe = Path(__file__).parent / "browser" / "axe.min.js"
    if not axe.exists():
        pytest.skip("axe-core is not here")
    to = write_page(
        finished(video, [draw_picture(tmp_path / "a.jpg")], engine=Engine.DRAFT), tmp_path / "p.html"
    )
    # The checker is a script, so the policy has to go for this one test.
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", to.read_text(encoding="utf-8"))
    to.write_text(text, encoding="utf-8")
    page = visit(to)
    page.add_script_tag(content=axe.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run().then(r => r.violations.map(v => v.id))")
    # No captions exist for a film without speech.
    assert set(found) <= {"video-caption"}


def test_without_a_video_nothing_is_written(tmp_path):
    """No video yet, or one that cannot be read."""
    broken = tmp_path / "v.mp4"
    broken.write_text("no video")
    for video in (None, broken):
        with pytest.raises(InvalidRequest):
            write_page(finished(video, ["https://e.com/a.png"]), tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == [broken]


def test_facts_of_the_film_are_true(video):
    """The film these tests play has the sound they listen for."""
    assert facts_of(video)["sound"] > 1
