"""compose, groups and keyed_groups without Jinja give what ansible-core's own Constructable gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

NAMES = ("web-1", "web-2", "db")
DEFAULTS: dict[str, Any] = {
    "strict": False,
    "compose": {},
    "groups": {},
    "keyed_groups": [],
    "use_extra_vars": False,
    "leading_separator": True,
}

Options = dict[str, Any]
Outcome = tuple[Any, Any, str]

# Hosts differ in what they have; `labels` may be a map with the same keys, or anything else.
words = st.sampled_from(["", "a", "us-west", "Rack 7", "{{ a }}", "{% raw %}", "{'a': 1}", "True", "5", "é"])
scalars = st.one_of(words, st.none(), st.booleans(), st.integers(-1, 9), st.just(1.5))
maps = st.dictionaries(st.sampled_from(["a", "b", "items", "x y"]), scalars, max_size=3)
values = st.one_of(scalars, st.lists(scalars, max_size=3), maps, st.dictionaries(st.sampled_from(["a", "b"]), maps))
hosts = st.lists(
    st.dictionaries(st.sampled_from(["a", "labels", "flag", "items"]), values, max_size=4), min_size=1, max_size=3
)
paths = st.sampled_from(
    [
        *("a", "flag", "labels", "labels.a", "labels.b", "labels.a.b", "labels.items", "items", "items.a", "missing"),
        *("missing.a", "true", "None", "range", "omit", "inventory_hostname", "group_names", "not", "a.b.c", "lookup"),
        *("a | default('x')", "labels['a']", "a ~ 'x'", "a == 'a'", "flag is defined", "inventory_hostname == 'db'"),
        *("", " a", "a b", "hostvars", "composed", "composed.a", 7, None, True),
    ]
)
entries = st.fixed_dictionaries(
    {"key": paths},
    optional={
        "prefix": st.sampled_from(["", "p", "p-q"]),
        "separator": st.sampled_from(["", "_", "-"]),
        "parent_group": st.sampled_from(["above", "web_1", "p_a", "above-it", "{{ a }}", "", None]),
        "default_value": st.sampled_from(["none", "", None]),
        "trailing_separator": st.sampled_from([True, False, None]),
    },
)
options = st.fixed_dictionaries(
    {
        "strict": st.booleans(),
        "leading_separator": st.booleans(),
        "compose": st.dictionaries(st.sampled_from(["composed", "second"]), paths, max_size=2),
        "groups": st.dictionaries(st.sampled_from(["chosen", "other one"]), paths, max_size=2),
        "keyed_groups": st.lists(entries, max_size=2),
    }
)


@pytest.fixture(scope="module")
def run(collections_path: Path) -> Callable[[bool, Options, list[dict[str, Any]]], Outcome]:
    """Construct with ours (True) or with ansible-core's (False): host variables, groups, and what was raised."""
    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader([str(collections_path)])
    from ansible.inventory.data import InventoryData
    from ansible.parsing.dataloader import DataLoader
    from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

    class Plugin(BaseInventoryPlugin, Constructable):
        NAME = "test"

    try:
        from ansible.template import trust_as_template
    except ImportError:
        # Before 2.19 every string is a template unless it is marked.
        def trust_as_template(value: str) -> str:
            return value

    def trusted(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: trusted(item) for key, item in value.items()}
        if isinstance(value, list):
            return [trusted(item) for item in value]
        return trust_as_template(value) if isinstance(value, str) else value

    def construct(ours: bool, chosen: Options, variables: list[dict[str, Any]]) -> Outcome:
        from ansible_collections.ads.deploy.plugins.plugin_utils.constructing import Constructing
        from ansible_collections.ads.deploy.plugins.plugin_utils.untrusted import Untrusted

        plugin = Plugin()
        inventory = InventoryData()
        plugin.parse(inventory, DataLoader(), "test.ads.yml")
        plugin._options = {**DEFAULTS, **trusted(chosen)}
        names = NAMES[: len(variables)]
        for name, own in zip(names, variables, strict=True):
            inventory.add_host(name)
            for key, value in own.items():
                inventory.get_host(name).set_variable(key, Untrusted()(value))
        raised = ""
        try:
            if ours:
                Constructing(plugin, names).construct()
            else:
                for name in names:
                    of_host, strict = inventory.get_host(name).get_vars(), chosen.get("strict", False)
                    plugin._set_composite_vars(plugin.get_option("compose"), of_host, name, strict)
                    plugin._add_host_to_composed_groups(plugin.get_option("groups"), {}, name, strict)
                    plugin._add_host_to_keyed_groups(plugin.get_option("keyed_groups"), {}, name, strict)
        except Exception as error:  # noqa: BLE001
            # Whatever ansible-core raises, a defect of its own included, is what ours has to raise.
            raised = f"{type(error).__name__}: {error}"
        found = {name: {**host.vars} for name, host in inventory.hosts.items()}
        groups = {
            name: (sorted(host.name for host in group.hosts), sorted(child.name for child in group.child_groups))
            for name, group in inventory.groups.items()
        }
        return found, groups, raised

    return construct


def without_addresses(outcome: Outcome) -> str:
    """An outcome to compare: where an older core prints an object of Python, its address is no part of the result."""
    return re.sub(r"0x[0-9a-f]+", "0x", repr(outcome))


@pytest.mark.req("A16")
@given(chosen=options, variables=hosts)
@example(chosen={"keyed_groups": [{"key": "labels.a"}], "strict": True}, variables=[{"labels": {}}])
@example(chosen={"keyed_groups": [{"key": "labels.items"}]}, variables=[{"labels": {"items": "x"}}])
@example(chosen={"compose": {"composed": "a"}}, variables=[{"a": "{{ a }}"}])
@example(chosen={"compose": {"composed": "a"}, "keyed_groups": [{"key": "composed"}]}, variables=[{"a": "x"}])
@example(chosen={"groups": {"chosen": "flag"}}, variables=[{"flag": True}, {"flag": False}, {}])
@example(chosen={"groups": {"chosen": "flag"}, "keyed_groups": [{"key": "group_names"}]}, variables=[{"flag": True}])
@example(chosen={"keyed_groups": [{"key": "a"}]}, variables=[{"a": 5}])
@example(chosen={"keyed_groups": [{"key": "inventory_hostname", "separator": ""}]}, variables=[{}, {}, {}])
def test_constructing_is_as_ansible_core_does_it(
    run: Callable[..., Outcome], chosen: Options, variables: list[dict[str, Any]]
) -> None:
    assert without_addresses(run(True, chosen, variables)) == without_addresses(run(False, chosen, variables))
