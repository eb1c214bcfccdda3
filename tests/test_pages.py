"""Several whole pages on one PostgreSQL ledger, as they are deployed: each with a home of its own."""

import os

import pytest
from browser.visitor import Served
from conftest import draw_picture
from gradio_client import Client, handle_file
from test_replicas import await_that

from klingo1.download import is_whole_mp4
from klingo1.files import Files
from klingo1.job import State
from klingo1.ledger import Ledger


@pytest.mark.soak
@pytest.mark.skipif(os.name != "posix", reason="a process is killed by a signal")
def test_a_page_killed_in_mid_film_leaves_it_to_the_others(postgres_server, tmp_path):
    """Three pages make a draft each; one is killed while it films: all films are made, and any home has them.

    Pages that end politely leave no connection.
    """
    url, files = postgres_server.new_database(), f"file://{tmp_path / 'shared'}"
    picture = draw_picture(tmp_path / "picture.jpg")
    pages = []
    book = Ledger(url, home=tmp_path / "viewer")
    try:
        for name in "abc":
            (tmp_path / name).mkdir()
            pages.append(Served(tmp_path / name, KLINGO1_DATABASE_URL=url, KLINGO1_FILES=files))
            pages[-1].start()
        asked = [
            Client(page.url, verbose=False).submit(
                [handle_file(str(picture))], "walking in the snow", api_name="/generate"
            )
            for page in pages
        ]
        await_that(lambda: len(book.in_state(State.RUNNING)) == 3)
        dead = f":{pages[0]._process.pid}:"
        (lost,) = [job for job in book.in_state(State.RUNNING) if dead in book.record(job.id).worker]
        pages[0].kill()
        await_that(lambda: len(book.in_state(State.DONE)) == 3, seconds=200)
        assert dead not in book.record(lost.id).worker
        viewer = Files(tmp_path / "viewer", files)
        assert all(is_whole_mp4(viewer.bring(job).video) for job in book.in_state(State.DONE))
        for one in asked[1:]:
            assert ".mp4" in str(one.result(timeout=60))
    finally:
        book.close()
        for page in pages:
            page.stop()
    assert postgres_server.clients(url) == 0
