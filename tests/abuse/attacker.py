"""Who attacks: sends what it is told, over real sockets."""

import itertools
import json
import re

import httpx

from abuse.attacks import JSON

STREAMS = re.compile(r"/gradio_api/(heartbeat|queue/data|upload_progress|call/)")


class Attacker:
    """Sends what it is told; each request comes from an address of its own, unless rates are the point."""

    def __init__(self, page):
        self.page = page
        self.client = httpx.Client(base_url=page["url"], timeout=httpx.Timeout(8, read=8), trust_env=False)
        self._numbers = itertools.count(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def send(self, method, path, body=b"", headers=None, *, address=""):
        """(status, the first 100 kB of the answer); 0 when nothing came."""
        number = next(self._numbers)
        source = address or f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}"
        given = dict(headers or {}) | {"x-forwarded-for": source}
        wait = 0.4 if method == "GET" and STREAMS.match(path) else 8
        try:
            with self.client.stream(
                method, path, content=body or None, headers=given, timeout=httpx.Timeout(8, read=wait)
            ) as answer:
                text = b""
                try:
                    for part in answer.iter_raw():
                        text += part
                        if len(text) > 100_000:
                            break
                except httpx.HTTPError:
                    pass
                return answer.status_code, text
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0, b""

    def config(self):
        return json.loads(self.client.get("/config", headers={"x-forwarded-for": "192.0.2.1"}).content)

    def part(self, name):
        """The id of the component that offers a server function."""
        found = [c for c in self.config()["components"] if name in (c["props"].get("server_fns") or ())]
        return found[0]["id"]

    def click(self, name):
        """The number of a listener."""
        return next(d["id"] for d in self.config()["dependencies"] if d["api_name"] == name)

    def ask(self, name, **data):
        body = {"data": data, "fn_name": name, "component_id": self.part(name), "session_hash": "s"}
        return self.send("POST", "/gradio_api/component_server", json.dumps(body).encode(), JSON)


def multipart(files):
    """(body, headers) of an upload."""
    parts = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n%s\r\n" % (name.encode(), data)
        for name, data in files
    )
    return parts + b"--B--\r\n", {"content-type": "multipart/form-data; boundary=B"}
