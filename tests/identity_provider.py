"""An OpenID provider on a real socket, as far as Gradio's sign-in asks one: whoever comes is `username`."""

import json
import threading
import time
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "client-of-the-space", "secret-of-the-space"


class Provider:
    """Answers discovery, consent (at once), the exchange of a code, and its keys. A code is good once."""

    def __init__(self, username="ada"):
        self.username = username
        self._key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self._nonces = {}

    def __enter__(self):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                provider._get(self)

            def do_POST(self):
                provider._post(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def environ(self):
        """What Hugging Face sets for a Space that asks for sign-in."""
        return {
            "SYSTEM": "spaces",
            "SPACE_ID": "somebody/klingo1",
            "OAUTH_CLIENT_ID": CLIENT,
            "OAUTH_CLIENT_SECRET": SECRET,
            "OAUTH_SCOPES": "openid profile",
            "OPENID_PROVIDER_URL": self.url,
        }

    def _get(self, request):
        asked = urlsplit(request.path)
        if asked.path.endswith("openid-configuration"):
            named = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
            facts = {f"{name}_endpoint": f"{self.url}/{path}" for name, path in named.items()}
            _tell(request, facts | {"issuer": self.url, "jwks_uri": f"{self.url}/keys"})
        elif asked.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            code = f"code-{len(self._nonces)}"
            self._nonces[code] = query.get("nonce", "")
            back = query["redirect_uri"]
            back += ("&" if "?" in back else "?") + urlencode({"code": code, "state": query["state"]})
            request.send_response(302)
            request.send_header("Location", back)
            request.send_header("Content-Length", "0")
            request.end_headers()
        elif asked.path == "/keys":
            _tell(request, {"keys": [self._key.as_dict(private=False)]})
        else:
            request.send_error(404)

    def _post(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        basic = request.headers.get("Authorization", "").removeprefix("Basic ")
        known = b64decode(basic).decode() == f"{CLIENT}:{SECRET}"
        nonce = self._nonces.pop(form.get("code", ""), None)
        if not known or nonce is None:
            request.send_error(401)
            return
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "1",
            "iat": now,
            "exp": now + 600,
            "nonce": nonce,
            "name": "Ada Lovelace",
            "preferred_username": self.username,
            "profile": f"{self.url}/{self.username}",
            "picture": f"{self.url}/{self.username}.png",
        }
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._key)
        _tell(
            request,
            {"access_token": "t", "token_type": "bearer", "expires_in": 3600, "scope": "openid profile"}
            | {"id_token": token},
        )


def _tell(request, facts):
    body = json.dumps(facts).encode()
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
