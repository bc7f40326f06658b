"""Reading an ask for addresses and names as people write it: every mistake told at once (I2, I8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from adslib.domain.assignment import AddressRequest, problems_of
from adslib.domain.errors import Invalid, Problem
from adslib.domain.network_reading import read_number, read_texts
from adslib.domain.prefix import read_address
from adslib.domain.reading.findings import did_you_mean
from adslib.domain.zone import read_label

READERS: Mapping[str, Callable[[Any], Any]] = {
    "vlan": read_number,
    "version": read_number,
    "count": read_number,
    "address": bool,
    "name": bool,
    "addresses": lambda value: tuple(read_address(part) for part in read_texts(value)),
    "names": lambda value: tuple(read_label(part) for part in read_texts(value)),
}
"""How each value is read; the others are texts."""

ASKED = tuple(field.name for field in fields(AddressRequest))


def read_request(written: Mapping[str, Any]) -> AddressRequest:
    """The ask that is described.

    What is wanted by itself says the rest: as many as there are `addresses` or `names`, and a name where `names` are
    given.

    Args:
        written: by the names of `AddressRequest`; what is None is not said.

    Raises:
        Invalid: everything that is wrong with it.
    """
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for key, value in written.items():
        if key not in ASKED:
            problems.append(Problem(f"nothing is called '{key}'", "the request", did_you_mean(key, ASKED)))
        elif value is not None:
            try:
                read = READERS.get(key, str)(value)
            except Invalid as error:
                problems += [Problem(f"{key}: {each.message}", "the request", each.remedy) for each in error.problems]
            else:
                values |= {} if read is None else {key: read}
    if problems:
        raise Invalid(problems=problems)
    addresses, names = values.get("addresses", ()), values.get("names", ())
    implied = {"count": len(addresses or names) or 1, "name": bool(names)}
    request = AddressRequest(**{**implied, **values})
    if found := problems_of(request):
        raise Invalid(problems=found)
    return request
