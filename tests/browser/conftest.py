"""The page in the system's Chromium: served by app.py in a process of its own, watched for errors.

A page that throws, or that asks anything of another machine, fails its test.
"""

import pytest
from faults.server import FaultServer
from filming import film
from PIL import Image, ImageDraw

from browser.visitor import ARGS, DESKTOP, KEY, Served, chromium, visit

EMPTY = """() => {
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  klingo.load({ pictures: [], prompt: '', duration: klingoFacts.durationDefault, video: {},
    aspect: klingoFacts.aspectDefault, engine: 'draft', size: klingoFacts.draftSizes[0] });
  document.activeElement.blur();
  window.scrollTo(0, 0);
}"""


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """One page for the tests that leave it running."""
    one = Served(tmp_path_factory.mktemp("served"), small=True).start()
    yield one
    one.stop()


@pytest.fixture(scope="session")
def hosted(tmp_path_factory):
    """One page for many visitors, each with a history of their own."""
    one = Served(
        tmp_path_factory.mktemp("hosted"), small=True, KLINGO1_HOSTED="1", GRADIO_SERVER_NAME="127.0.0.1"
    ).start()
    yield one
    one.stop()


@pytest.fixture(scope="session")
def paid(tmp_path_factory):
    """(service, page): a desk with a key, whose runs all end at once as a film of 3 s with 30 pictures a
    second; a run may cost $0.60, a day $30. A test that changes the service's script or film sets them back.
    """
    folder = tmp_path_factory.mktemp("paid")
    made = film(folder / "made.mp4", seconds=3, fps=30, size=(1280, 720), sound=True)
    with FaultServer(key=KEY, film=made.read_bytes(), script=["completed"]) as service:
        environ = {"WAVESPEED_BASE_URL": service.url, "WAVESPEED_API_KEY": KEY}
        one = Served(folder, **environ, KLINGO1_BUDGET_RUN="0.60", KLINGO1_BUDGET_DAY="30").start()
        yield service, one
        one.stop()


@pytest.fixture(scope="module")
def browser():
    """Chromium for one file: Playwright's loop runs in this thread, and other files want their own."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=15_000)  # a machine may be busy with more than this
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser, served):
    """A new visitor at a desk-sized window."""
    with visit(browser, served.url) as opened:
        yield opened


@pytest.fixture(scope="module")
def one_visitor(browser, served):
    """A visitor whom the tests of one file share: opening the page is the dearest part of most of them."""
    with visit(browser, served.url) as opened:
        yield opened


@pytest.fixture
def emptied(one_visitor):
    """The page of a visitor who has emptied the form and made no run here."""
    one_visitor.set_viewport_size(DESKTOP)
    one_visitor.unroute_all()
    one_visitor.evaluate(EMPTY)
    return one_visitor


@pytest.fixture
def payer(browser, paid):
    """A visitor of the page that has a key, with Kling O1 chosen."""
    with visit(browser, paid[1].url) as opened:
        opened.get_by_role("radio", name="Kling O1").click()
        yield opened


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Nine pictures that can be told apart, and some that must be refused."""
    folder = tmp_path_factory.mktemp("photos")
    colours = [
        "#b5482f",
        "#2f6db5",
        "#2fb57a",
        "#b59a2f",
        "#7a2fb5",
        "#2fb5b1",
        "#b52f80",
        "#5a5a5a",
        "#101070",
    ]
    for number, colour in enumerate(colours, 1):
        picture = Image.linear_gradient("L").resize((640, 480)).convert("RGB")
        picture = Image.blend(picture, Image.new("RGB", (640, 480), colour), 0.5)
        pen = ImageDraw.Draw(picture)
        pen.ellipse((200, 80, 440, 420), fill="#f0d060")
        pen.rectangle((40 * number, 20, 40 * number + 60, 120), fill=colour)
        picture.save(folder / f"picture {number}.jpg")
    Image.new("RGB", (200, 640), "red").save(folder / "tiny.png")
    Image.new("RGB", (1200, 400), "red").save(folder / "long.png")
    (folder / "words.txt").write_text("no picture")
    (folder / "broken.jpg").write_bytes((folder / "picture 1.jpg").read_bytes()[:200])
    (folder / "empty.png").write_bytes(b"")
    (folder / "huge.jpg").write_bytes((folder / "picture 1.jpg").read_bytes() + b"\0" * (11 * 2**20))
    half = (folder / "picture 1.jpg").read_bytes()
    (folder / "half.jpg").write_bytes(half[: len(half) // 2])
    return folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Three seconds of moving picture in a size that both engines take."""
    import av

    file = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for index in range(72):
            picture = Image.new("RGB", (1280, 720), (index * 3, 90, 160))
            for packet in stream.encode(av.VideoFrame.from_image(picture)):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return file
