"""A stand-in for OpenStack on loopback: Keystone, Nova and Glance, as far as a gateway asks them.

Written after their API reference, it shows that calls are put as that wants them, and nothing about a real one.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

KEYS = {"OS_USERNAME": "tests", "OS_PASSWORD": "not-a-secret", "OS_PROJECT_NAME": "tests"}
REGION, ZONES = "RegionOne", ["nova", "nova-2"]
SYSTEMS = ("debian-12", "rocky-9")
TIME = "2026-01-01T00:00:00Z"
SERVICES = {"compute": ("nova", "/compute/v2.1"), "image": ("glance", "/image"), "network": ("neutron", "/network")}
SERVER_WORDS = {
    *("name", "metadata", "imageRef", "flavorRef", "user_data", "config_drive", "key_name"),
    *("availability_zone", "networks", "security_groups"),
}
"""What may be said of a new server, of all that Nova knows."""


class OpenStack:
    """It runs in a thread of this process."""

    def __init__(self) -> None:
        self.servers: dict[str, dict[str, Any]] = {}
        self.images: dict[str, dict[str, Any]] = {}
        self.numbers = itertools.count(10)
        self.server = make_server("127.0.0.1", 0, self._app(), threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def keys(self) -> Mapping[str, str]:
        """The credentials of its user, as variables."""
        return {**KEYS, "OS_AUTH_URL": f"{self.url}/v3"}

    @property
    def options(self) -> Mapping[str, Any]:
        """Options of a gateway to it."""
        images = {name: name for name in SYSTEMS}
        return {"provider": "openstack", "region": REGION, "images": images, "locations": ZONES, "patience": 60}

    def empty(self) -> None:
        """Forget all but the images of operating systems."""
        self.servers.clear()
        self.images.clear()
        self.images.update({name: _image(name, name) for name in SYSTEMS})

    def count(self) -> object:
        """What there is: servers and images."""
        return sorted(self.servers), sorted(self.images)

    def end(self) -> None:
        """Stop it."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def _app(self) -> Flask:
        app = Flask(__name__)
        nova, glance = "/compute/v2.1", "/image/v2"
        for path, answer, method in (
            ("/v3/auth/tokens", self._token, "POST"),
            (f"{nova}/flavors/detail", lambda: jsonify(flavors=FLAVORS), "GET"),
            (f"{nova}/servers/detail", lambda: jsonify(servers=list(self.servers.values())), "GET"),
            (f"{nova}/servers", self._make, "POST"),
            (f"{nova}/servers/<id>", lambda id: jsonify(server=self.servers[id]), "GET"),
            (f"{nova}/servers/<id>", self._delete, "DELETE"),
            (f"{nova}/servers/<id>/action", self._act, "POST"),
            (f"{nova}/images/<id>", self._delete_image, "DELETE"),
            (f"{glance}/images", lambda: jsonify(images=list(self.images.values())), "GET"),
            (f"{glance}/images/<id>", self._show_image, "GET"),
        ):
            app.add_url_rule(path, f"{method} {path}".replace(".", "-"), answer, methods=[method])
        return app

    def _token(self) -> tuple[Response, int]:
        if request.json["auth"]["identity"]["password"]["user"]["password"] != KEYS["OS_PASSWORD"]:
            return jsonify(error={"code": 401, "message": "You are not authorized", "title": "Unauthorized"}), 401
        where = {"region": REGION, "region_id": REGION, "interface": "public"}
        catalog = [
            {"type": kind, "name": name, "endpoints": [{**where, "id": kind, "url": f"{self.url}{path}"}]}
            for kind, (name, path) in SERVICES.items()
        ]
        token = {"expires_at": "2099-01-01T00:00:00.000000Z", "issued_at": TIME, "catalog": catalog, "roles": []}
        answer = jsonify(token={**token, "user": {"id": "u", "name": "tests"}, "project": {"id": "p"}})
        answer.headers["X-Subject-Token"] = "token"
        return answer, 201

    def _make(self) -> tuple[Response, int]:
        said = request.json["server"]
        if unknown := set(said) - SERVER_WORDS:
            return jsonify(badRequest={"code": 400, "message": f"Additional properties: {unknown}"}), 400
        id = str(uuid4())
        address = {"addr": f"10.0.0.{next(self.numbers) % 250}", "version": 4, "OS-EXT-IPS:type": "fixed"}
        self.servers[id] = {
            "id": id,
            "name": said["name"],
            "status": "ACTIVE",
            "metadata": said["metadata"],
            "addresses": {"private": [address]},
            "image": {"id": said["imageRef"]},
            "flavor": {"id": said["flavorRef"]},
            "OS-EXT-AZ:availability_zone": said.get("availability_zone", ZONES[0]),
            "hostId": "h",
            "tenant_id": "p",
            "user_id": "u",
            "created": TIME,
            "updated": TIME,
            "links": [{"rel": "self", "href": f"{self.url}/servers/{id}"}],
        }
        return jsonify(server={"id": id, "links": []}), 202

    def _act(self, id: str) -> tuple[Response | str, int] | tuple[str, int, dict[str, str]]:
        [(action, words)] = request.json.items()
        server = self.servers[id]
        if action == "createImage":
            image = str(uuid4())
            self.images[image] = _image(image, words["name"])
            return "", 202, {"Location": f"{self.url}/image/v2/images/{image}"}
        if action == "rebuild":
            if set(words) - {"imageRef", "name", "metadata"}:
                return jsonify(badRequest={"code": 400, "message": "Additional properties are not allowed"}), 400
            server["image"] = {"id": words["imageRef"]}
            server["metadata"] = words.get("metadata", server["metadata"])
        server["status"] = "SHUTOFF" if action == "os-stop" else "ACTIVE"
        return "", 202

    def _delete(self, id: str) -> tuple[str, int]:
        self.servers.pop(id, None)
        return "", 204

    def _delete_image(self, id: str) -> tuple[str, int]:
        self.images.pop(id, None)
        return "", 204

    def _show_image(self, id: str) -> tuple[Response, int]:
        if id in self.images:
            return jsonify(self.images[id]), 200
        return jsonify(code="404 Not Found", title="Not Found", message=f"No image found with ID {id}"), 404


FLAVORS = [
    {"id": "1", "name": "m1.small", "ram": 2048, "vcpus": 1, "disk": 20, "swap": ""},
    {"id": "4", "name": "m1.large", "ram": 8192, "vcpus": 4, "disk": 80, "swap": ""},
]


def _image(id: str, name: str) -> dict[str, Any]:
    about = {"created_at": TIME, "updated_at": TIME, "min_ram": 0, "min_disk": 0, "visibility": "private"}
    return {"id": id, "name": name, "status": "active", **about}
