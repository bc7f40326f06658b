"""The demonstration: a request for a user of each pod travels through the router to that pod, and to no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from system.home import Home, get, wait_for

EXAMPLE = Path(__file__).parents[2] / "examples" / "telephony" / "telephony.yml"


def url(home: Home, id: str) -> str:
    found = home.instance("telephony", id)
    return f"http://{found['address']}:{found['ports']['http']}"


@pytest.mark.req("A1", "A15", "A16")
def test_telephony(home: Home) -> None:
    """Both routers, both pods, the wrong pod, an unknown user, and a data centre that stands in for another."""
    name = home.define_file(EXAMPLE, media_count=1)
    deployed = home.carry("deploy", name)
    assert deployed.code == 0, deployed
    assert home.state(name) == "live"
    assert len(home.show(name)["instances"]) == 12
    for place in ("us-west", "us-east"):
        router = url(home, f"{place}/router-1")
        for user, pod in (("alice", "pod-1"), ("bob", "pod-2")):
            for status, said in (get(f"{router}/call?user={user}"), get(f"{router}/call", **{"X-User": user})):
                assert status == 200, said
                answer = json.loads(said)
                assert answer["user"] == user
                assert answer["greeting"] == f"welcome, {user}"
                assert (answer["pod"], answer["unit"]) == (pod, f"{pod}/{place}")
                assert answer["instance"] == f"{pod}/{place}/media-1"
                assert answer["version"] == "1.0.0"
        assert get(f"{router}/call?user=zed") == (404, "unknown user\n")
    media = url(home, "pod-2/us-west/media-1")
    assert get(f"{media}/call?user=alice")[0] == 403

    home.init(name, "pod-1/us-west/media-1", "stopProcess", "media-1")
    router = url(home, "us-west/router-1")
    wait_for(lambda: "pod-1/us-east/media-1" in get(f"{router}/call?user=alice")[1])
    assert "pod-2/us-west/media-1" in get(f"{router}/call?user=bob")[1]
    # The next run brings it back, and nothing else is touched.
    mended = home.play("deploy", name)
    assert mended.code == 0, mended.output
    assert mended.changed == {home.instance(name, "pod-1/us-west/media-1")["machine"]}
    wait_for(lambda: "pod-1/us-west/media-1" in get(f"{router}/call?user=alice")[1])
    assert home.carry("undeploy", name).code == 0
    home.expect_nothing_left()
