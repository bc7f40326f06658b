"""What every gateway promises of what it keeps: snapshots and instance templates (A8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.gateways.subjects import Subject, tar
from adslib.domain.errors import Conflict, Invalid, NotFound
from adslib.domain.gateway import Capability, Gateway
from adslib.domain.lifecycle import MachineState

C = Capability
RUNNING, STOPPED = MachineState.RUNNING, MachineState.STOPPED


@pytest.mark.req("A8")
@pytest.mark.needs(C.CREATE, C.SNAPSHOTS)
class ContractOfSnapshots:
    """Snapshots are taken, listed, restored and deleted, and go with their machine."""

    def test_they_are_listed_oldest_first(self, subject: Subject, gateway: Gateway) -> None:
        made = gateway.create(subject.order())
        assert list(gateway.snapshots(made.ref)) == []
        taken = [gateway.create_snapshot(made.ref, name) for name in ("zero", "one", "two")]
        assert list(gateway.snapshots(made.ref)) == taken
        assert [snapshot.name for snapshot in taken] == ["zero", "one", "two"]
        assert all(snapshot.ref == made.ref and snapshot.taken.endswith("+00:00") for snapshot in taken)

    def test_a_name_is_used_once_and_must_be_good(self, subject: Subject, gateway: Gateway) -> None:
        made = gateway.create(subject.order())
        gateway.create_snapshot(made.ref, "before")
        with pytest.raises(Conflict, match="before"):
            gateway.create_snapshot(made.ref, "before")
        for name in ("", "../up", "Upper", "a/b", "x" * 64):
            with pytest.raises(Invalid, match="is no name for a snapshot"):
                gateway.create_snapshot(made.ref, name)
        assert [snapshot.name for snapshot in gateway.snapshots(made.ref)] == ["before"]

    def test_going_back_keeps_a_machine_running_or_stopped(self, subject: Subject, gateway: Gateway) -> None:
        made = gateway.create(subject.order())
        gateway.create_snapshot(made.ref, "before")
        assert gateway.restore_snapshot(made.ref, "before").state is RUNNING
        gateway.stop(made.ref)
        assert gateway.restore_snapshot(made.ref, "before").state is STOPPED

    def test_going_back_to_what_is_not_there_changes_nothing(self, subject: Subject, gateway: Gateway) -> None:
        made = gateway.create(subject.order())
        gateway.create_snapshot(made.ref, "before")
        for name in ("after", "../before", ""):
            with pytest.raises(NotFound, match="no snapshot"):
                gateway.restore_snapshot(made.ref, name)
        assert gateway.look(made.ref) == made

    def test_they_are_deleted_one_by_one_and_with_their_machine(self, subject: Subject, gateway: Gateway) -> None:
        wanted = subject.order()
        made = gateway.create(wanted)
        gateway.create_snapshot(made.ref, "one")
        gateway.create_snapshot(made.ref, "two")
        for _twice in range(2):
            gateway.delete_snapshot(made.ref, "one")
        assert [snapshot.name for snapshot in gateway.snapshots(made.ref)] == ["two"]
        gateway.delete(made.ref)
        assert list(gateway.snapshots(gateway.create(wanted).ref)) == []


@pytest.mark.req("A8")
@pytest.mark.needs(C.CREATE, C.TEMPLATES, C.CAPTURE)
class ContractOfCapturing:
    """Instance templates are made of machines."""

    def test_a_machine_is_made_like_another(self, subject: Subject, gateway: Gateway) -> None:
        made = subject.machine(gateway)
        captured = gateway.create_template(made.ref, "golden")
        assert captured in gateway.templates()
        assert gateway.look(made.ref) == made
        alike = gateway.create(subject.order(image="golden"))
        assert (alike.image, alike.state) == ("golden", RUNNING)

    def test_its_name_must_be_good_and_free(self, subject: Subject, gateway: Gateway) -> None:
        made = subject.machine(gateway)
        gateway.create_template(made.ref, "golden")
        before = list(gateway.templates())
        for name in ("golden", subject.images[0]):
            with pytest.raises(Conflict, match=name):
                gateway.create_template(made.ref, name)
        with pytest.raises(Invalid, match="is no name for"):
            gateway.create_template(made.ref, "../up")
        with pytest.raises(NotFound, match="no machine"):
            gateway.create_template("nobody", "silver")
        assert list(gateway.templates()) == before

    def test_it_outlives_its_machine_and_goes_for_itself(self, subject: Subject, gateway: Gateway) -> None:
        made = subject.machine(gateway)
        before = list(gateway.templates())
        gateway.create_template(made.ref, "golden")
        gateway.delete(made.ref)
        assert "golden" in [template.name for template in gateway.templates()]
        for _twice in range(2):
            gateway.delete_template("golden")
        assert list(gateway.templates()) == before


@pytest.mark.req("A8")
@pytest.mark.needs(C.CREATE, C.TEMPLATES, C.UPLOAD)
class ContractOfTemplates:
    """Instance templates are uploaded, listed, used and deleted."""

    def test_a_machine_is_made_from_an_uploaded_one(self, subject: Subject, gateway: Gateway, tmp_path: Path) -> None:
        file = tar(tmp_path / "a.tar", {"srv/hello": "hello"})
        uploaded = gateway.upload_template("golden", str(file))
        assert uploaded.size_bytes == file.stat().st_size
        assert uploaded in gateway.templates()
        names = [template.name for template in gateway.templates()]
        assert names == sorted(names)
        assert gateway.create(subject.order(image="golden")).image == "golden"

    def test_the_same_file_again_changes_nothing_and_another_is_refused(self, gateway: Gateway, tmp_path: Path) -> None:
        file, other = tar(tmp_path / "a.tar", {"a": "1"}), tar(tmp_path / "b.tar", {"b": "22" * 20000})
        assert gateway.upload_template("golden", str(file)) == gateway.upload_template("golden", str(file))
        with pytest.raises(Conflict, match="golden"):
            gateway.upload_template("golden", str(other))
        gateway.delete_template("golden")
        assert gateway.upload_template("golden", str(other)).size_bytes == other.stat().st_size

    def test_a_deleted_one_is_gone_and_can_be_deleted_again(
        self, subject: Subject, gateway: Gateway, tmp_path: Path
    ) -> None:
        before = list(gateway.templates())
        gateway.upload_template("golden", str(tar(tmp_path / "a.tar", {"a": "1"})))
        for _twice in range(2):
            gateway.delete_template("golden")
        assert list(gateway.templates()) == before
        with pytest.raises(Invalid, match="golden"):
            gateway.create(subject.order(image="golden"))

    def test_those_built_in_stay(self, subject: Subject, gateway: Gateway, tmp_path: Path) -> None:
        built_in = subject.images[0]
        with pytest.raises(Invalid, match=f"'{built_in}' is built in"):
            gateway.delete_template(built_in)
        with pytest.raises(Conflict, match=built_in):
            gateway.upload_template(built_in, str(tar(tmp_path / "a.tar", {"a": "1"})))

    def test_a_bad_name_or_file_is_refused(self, gateway: Gateway, tmp_path: Path) -> None:
        before = list(gateway.templates())
        good = str(tar(tmp_path / "a.tar", {"a": "1"}))
        for name, file in (("../up", good), ("", good), ("golden", str(tmp_path / "absent.tar"))):
            with pytest.raises(Invalid, match=r"is no name for|cannot be read"):
                gateway.upload_template(name, file)
        assert list(gateway.templates()) == before
