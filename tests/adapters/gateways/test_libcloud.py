"""Machines of a cloud: what its user may choose, what goes wrong there, and that nothing is left behind (A8, A13)."""

from __future__ import annotations

import base64
import email
import socket
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key
from libcloud.common.exceptions import BaseHTTPError

from adapters.gateways.subjects import Subject
from adslib.adapters.gateways import open_gateway
from adslib.adapters.gateways.libcloud import trouble
from adslib.adapters.gateways.libcloud.ec2.library import Library
from adslib.adapters.gateways.remote import calls
from adslib.adapters.host_keys import KnownHosts
from adslib.adapters.secrets import read_secret
from adslib.domain.errors import AdsError, Failed, Invalid, NotFound
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Size
from clouds import DEBIAN, KEYS, REGION, ROCKY, Cloud
from servers import free_port

pytestmark = [pytest.mark.req("A8", "A9"), pytest.mark.once]

RUNNING, STOPPED = MachineState.RUNNING, MachineState.STOPPED


@pytest.fixture
def ec2(make_subject: Callable[..., Subject]) -> Subject:
    """A gateway of a cloud that speaks EC2."""
    return make_subject("libcloud")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that failed are made again at once, and only once."""
    monkeypatch.setattr(calls, "PAUSE", 0.001)
    monkeypatch.setattr(calls, "TRIES", 2)


# ── nothing is left behind ───────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A13")
def test_what_was_made_is_gone_when_it_is_deleted(ec2: Subject, cloud: Cloud) -> None:
    before = cloud.count()
    gateway = ec2.open()
    made, kept = gateway.create(ec2.order()), gateway.create(ec2.order())
    for name in ("one", "two"):
        gateway.create_snapshot(made.ref, name)
    for name in ("one", "two", "one"):
        gateway.restore_snapshot(made.ref, name)
    gateway.create_template(kept.ref, "golden")
    alike = gateway.create(ec2.order(image="golden"))
    assert cloud.count() == {"machines": 3, "volumes": 3, "images": 3, "snapshots": 5, "addresses": 0}
    for machine in (made, kept, alike):
        gateway.delete(machine.ref)
    gateway.delete_template("golden")
    assert cloud.count() == before


def test_a_stopped_machine_costs_its_disk_alone_and_comes_back_the_same(ec2: Subject, cloud: Cloud) -> None:
    gateway = ec2.open()
    made = gateway.create(ec2.order())
    gateway.stop(made.ref)
    assert [volume["State"] for volume in cloud.eyes.describe_volumes()["Volumes"]] == ["in-use"]
    assert gateway.start(made.ref) == made


# ── what a user chooses ──────────────────────────────────────────────────────────────────────────────


def test_sizes_are_those_that_are_allowed_with_their_disks_and_costs(ec2: Subject, cloud: Cloud) -> None:
    gateway = ec2.open(sizes="m5.large, t3.small=50", disk=30)
    offer = gateway.offer()
    assert offer.sizes == (Size("t3.small", 2, 2048, 50), Size("m5.large", 2, 8192, 30))
    assert 0.01 < offer.costs["t3.small"] < offer.costs["m5.large"] < 0.5
    made = gateway.create(ec2.order(size=offer.sizes[0]))
    assert made.size == ec2.open().look(made.ref).size == offer.sizes[0]
    assert [volume["Size"] for volume in cloud.eyes.describe_volumes()["Volumes"]] == [50]


def test_a_machine_is_where_its_user_wants_it(ec2: Subject, cloud: Cloud) -> None:
    eyes = cloud.eyes
    subnets = {subnet["AvailabilityZone"]: subnet["SubnetId"] for subnet in eyes.describe_subnets()["Subnets"]}
    network = eyes.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = eyes.create_security_group(GroupName="ours", Description="ours", VpcId=network)["GroupId"]
    eyes.create_key_pair(KeyName="ops")
    zone = f"{REGION}c"
    gateway = ec2.open(
        locations=[zone],
        subnets={zone: subnets[zone]},
        security_groups=group,
        key_name="ops",
        user="debian-12=admin, rocky-9=rocky, ec2-user",
        ssh_key=__file__,
        public=True,
    )
    made = gateway.create(ec2.order(os="rocky-9"))
    seen = eyes.describe_instances(InstanceIds=[made.ref])["Reservations"][0]["Instances"][0]
    assert (seen["SubnetId"], seen["KeyName"], seen["ImageId"]) == (subnets[zone], "ops", ROCKY)
    assert [each["GroupId"] for each in seen["NetworkInterfaces"][0]["Groups"]] == [group]
    assert (made.location, made.os, made.image) == (zone, "rocky-9", "rocky-9")
    assert made.reach.address == seen["PublicIpAddress"]
    assert (made.reach.user, made.reach.become, made.reach.key) == ("rocky", "sudo", __file__)


def test_machines_of_others_are_seen_but_not_taken_for_ours(ec2: Subject, cloud: Cloud) -> None:
    cloud.eyes.run_instances(ImageId=DEBIAN, InstanceType="m5.large", MinCount=1, MaxCount=1)
    ours = ec2.open().create(ec2.order())
    other = open_gateway("libcloud", "there", ec2.options, home=ec2.home, secret=read_secret)
    assert {machine.id for machine in ec2.open().machines()} == {ours.id, ""}
    assert {machine.id for machine in other.machines()} == {""}
    [theirs] = [machine for machine in ec2.open().machines() if not machine.id]
    assert (theirs.os, theirs.image, theirs.size.name, theirs.size.cpu) == ("debian-12", "debian-12", "m5.large", 2)
    assert ec2.open(limit=2).offer().room == 1


# ── the first boot ───────────────────────────────────────────────────────────────────────────────────


def told(cloud: Cloud, ref: str) -> str:
    """What a machine is told for its first boot."""
    given = cloud.eyes.describe_instance_attribute(InstanceId=ref, Attribute="userData")
    return base64.b64decode(given["UserData"]["Value"]).decode()


def test_the_host_key_is_pinned_before_the_machine_answers(ec2: Subject, cloud: Cloud) -> None:
    pinned = KnownHosts(ec2.home)
    gateway = open_gateway("libcloud", "here", ec2.options, home=ec2.home, secret=read_secret, host_keys=pinned)
    made = gateway.create(ec2.order())
    keys = yaml.safe_load(told(cloud, made.ref))["ssh_keys"]
    private = load_ssh_private_key(keys["ed25519_private"].encode(), None)
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert pinned.pinned(made.id) == [public] == [keys["ed25519_public"]]
    assert made.reach.vars == {"ansible_ssh_common_args": pinned.arguments(made.id)}
    secret = ec2.home / "libcloud" / "here" / "host-keys"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    gateway.delete(made.ref)
    assert pinned.pinned(made.id) == []


@pytest.mark.parametrize(
    ("more", "kind"),
    [("#!/bin/sh\ntrue\n", "text/x-shellscript"), ("#cloud-config\npackages: [nginx]\n", "text/cloud-config")],
)
def test_what_the_user_says_of_the_first_boot_is_told_too(
    ec2: Subject, cloud: Cloud, tmp_path: Path, more: str, kind: str
) -> None:
    file = tmp_path / "more"
    file.write_text(more)
    both = email.message_from_string(told(cloud, ec2.open(user_data=str(file)).create(ec2.order()).ref))
    parts: list[Any] = both.get_payload()  # type: ignore[assignment]
    assert [part.get_content_type() for part in parts] == ["text/cloud-config", kind]
    assert parts[1].get_payload(decode=True).decode() == more
    alone = ec2.open(user_data=str(file), host_keys=False).create(ec2.order())
    assert told(cloud, alone.ref) == more
    assert alone.reach.vars == {}


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"region": "mars-east-1"}, r"no region of EC2 'mars-east-1'.*eu-west-1"),
        ({"provider": "cumulus"}, r"no provider 'cumulus'.*ec2"),
        ({"images": {"debian-12": "ami-00000000"}}, r"ami-00000000.*option 'images'"),
        ({"images": {}}, r"images=debian-12="),
        ({"sizes": "t3.smal"}, r"no size 't3.smal'.*t3.small"),
        ({"sizes": "t3.small=big"}, r"sizes: t3.small=big will not do"),
        ({"locations": "us-east-1z"}, r"no location 'us-east-1z'.*us-east-1a"),
        ({"key_name": "nobody"}, r"nobody.*option 'key_name'"),
        ({"subnets": "subnet-00000000"}, r"subnet-00000000.*option 'subnets'"),
        ({"security_groups": "sg-00000000"}, r"sg-00000000.*option 'security_groups'"),
        ({"ssh_key": "/absent"}, r"no file /absent"),
        ({"user": [1]}, r"option user: \[1\] will not do"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_choice_is_named_and_nothing_is_made(
    ec2: Subject, cloud: Cloud, options: Mapping[str, Any], said: str
) -> None:
    before = cloud.count()
    with pytest.raises(Invalid, match=said):
        ec2.open(**options).create(ec2.order())
    assert cloud.count() == before


def test_wrong_credentials_are_told_from_other_trouble(ec2: Subject, cloud: Cloud) -> None:
    wanted = ec2.order()
    with cloud.suspicious(), pytest.raises(Failed, match="EC2 does not take the credentials") as refused:
        ec2.open().create(wanted)
    assert "option 'credentials'" in str(refused.value)
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in str(refused.value)
    assert cloud.count()["machines"] == 0


def test_credentials_are_read_where_they_lie_and_are_never_options(
    ec2: Subject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("hidden")
    file.chmod(0o600)
    with monkeypatch.context() as without:
        without.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(Failed, match="env:AWS_SECRET_ACCESS_KEY is not set"):
            ec2.open()
        assert ec2.open(credentials=f"secret=file:{file}").machines() == []
    for options in (
        {"credentials": {"secret": "hidden"}},
        {"credentials": {"pin": "hidden"}},
        {"credentials": "hidden"},
        {"secret": "hidden"},
        {"arguments": {"ex_admin_pass": "hidden"}},
    ):
        with pytest.raises(Invalid) as refused:
            ec2.open(**options)
        assert "hidden" not in str(refused.value)


@pytest.mark.usefixtures("hasty")
def test_a_cloud_that_is_down_is_told_in_bounded_time(ec2: Subject) -> None:
    with pytest.raises(Failed, match=r"EC2 cannot be reached.*'host'"):
        ec2.open(port=free_port()).machines()
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(Failed, match="EC2 did not answer in time"):
        ec2.open(port=deaf.getsockname()[1], timeout=1).machines()
    with pytest.raises(Failed, match="no TLS"):
        ec2.open(secure=True).machines()
    assert ec2.open().machines() == []


def test_a_machine_that_the_cloud_ends_at_once_has_failed(
    ec2: Subject, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Library.run_instances

    def run_and_end(library: Library, words: Mapping[str, str], tags: Mapping[str, str]) -> Any:
        node = real(library, words, tags)
        cloud.eyes.terminate_instances(InstanceIds=[node.id])
        return node

    wanted = ec2.order()
    with monkeypatch.context() as ending:
        ending.setattr(Library, "run_instances", run_and_end)
        with pytest.raises(Failed, match="it did not run"):
            ec2.open().create(wanted)
    assert ec2.open().create(wanted).state is RUNNING
    assert cloud.count()["machines"] == 1


@pytest.mark.parametrize(
    ("said", "status", "kind", "remedy", "again"),
    [
        ("RequestLimitExceeded: Request limit exceeded.", 503, Failed, "", True),
        ("IncorrectInstanceState: it is stopping", 400, Failed, "", True),
        ("HTTP status 502", 502, Failed, "", True),
        ("InstanceLimitExceeded: no more", 400, Failed, "quota raised", False),
        ("InsufficientInstanceCapacity: none left", 500, Failed, "another size or location", True),
        ("UnauthorizedOperation: You are not authorized.", 403, Failed, "this user do that at the provider", False),
        ("InvalidAMIID.NotFound: The image does not exist", 400, Invalid, "option 'images'", False),
        ("no such server", 404, NotFound, "", False),
    ],
)
def test_what_a_provider_says_is_told_with_what_to_do(
    said: str, status: int, kind: type[AdsError], remedy: str, again: bool
) -> None:
    error = BaseHTTPError(status, said)
    told = trouble.told("EC2", error)
    assert type(told) is kind
    assert said.rstrip(".") in str(told)
    assert ".." not in str(told)
    assert remedy in str(told)
    assert trouble.passing(error) is again
    assert trouble.told("EC2", KeyError("a defect")) is None


def test_an_absent_library_costs_only_those_who_need_it(ec2: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        for name in list(sys.modules):
            if name.startswith("adslib.adapters.gateways.libcloud"):
                without.delitem(sys.modules, name)
            elif name.partition(".")[0] == "libcloud":
                without.setitem(sys.modules, name, None)
        with pytest.raises(Failed, match=r"pip install 'adslib\[libcloud\]'"):
            ec2.open()
        assert open_gateway("local", "local", {}, home=ec2.home).name == "local"
