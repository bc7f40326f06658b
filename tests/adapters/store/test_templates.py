"""Templates in the store, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.store.records import NOON
from adslib.adapters.store import Store
from adslib.domain.environment import Origin, Template
from adslib.domain.errors import Conflict, NotFound

FULL = Template(
    "small",
    {"services": {"media": {"instances": 1}}},
    ("pods/*", "services/media/instances"),
    "for tries",
    Origin("t.yml", clean=True),
    NOON,
    "ann",
    "acme",
    2,
)


@pytest.mark.req("A4")
@pytest.mark.parametrize("template", [FULL, Template("bare", {}, ())], ids=["full", "bare"])
def test_a_template_comes_back_as_it_was(store: Store, template: Template) -> None:
    with store.transaction() as tx:
        tx.templates.add(template)
    with store.reading() as tx:
        assert tx.templates.get(template.name) == template
        assert tx.templates.list(tenant=template.tenant) == [template]
        assert tx.templates.list(tenant="nobody") == []


@pytest.mark.req("A4")
def test_templates_are_changed_and_deleted(store: Store) -> None:
    with store.transaction() as tx:
        tx.templates.add(FULL)
        with pytest.raises(Conflict, match="already a template 'small'"):
            tx.templates.add(FULL)
        written = tx.templates.update(replace(FULL, description="for all"))
        assert tx.templates.get("small") == written == replace(FULL, description="for all", generation=3)
        with pytest.raises(Conflict, match="template 'small' was changed by somebody else: it is at generation 3"):
            tx.templates.update(FULL)
        tx.templates.delete("small")
        assert tx.templates.find("small") is None
        with pytest.raises(NotFound, match="no template 'small'"):
            tx.templates.get("small")
        with pytest.raises(NotFound, match="no template 'small'"):
            tx.templates.delete("small")
        with pytest.raises(NotFound, match="no template 'small' any more"):
            tx.templates.update(FULL)
