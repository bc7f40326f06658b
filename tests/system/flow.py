"""Cases of the flow of addresses and names, and the three ways in through which each of them goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import yaml

import adslib
from adslib.usecases.ads import Ads

FOLDER = Path(__file__).with_name("flows")
EXITS = {"invalid": 2, "no-zone": 2, "outside-network": 2, "not-found": 4, "unknown-vlan": 4, "no-network": 4}
"""The exit code of a refusal by its code; the others are conflicts: 3."""
VERBS = ("network", "edit", "ask", "release")
Written = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """What is there, what is done step by step, and what has to come of each step."""

    name: str
    networks: Sequence[Written]
    steps: Sequence[Written]


@dataclass(frozen=True)
class Answer:
    """What came of a step: what was told, and allocations, or the refusal: its code, or the exit code."""

    told: str
    rows: Sequence[Written] = ()
    refusal: str | int = ""


def cases() -> Iterator[Case]:
    """The cases of all files."""
    for path in sorted(FOLDER.glob("*.yml")):
        read = yaml.safe_load(path.read_text())
        for name, written in read["cases"].items():
            case = written if isinstance(written, dict) else {"steps": written}
            networks = case.get("networks", read["networks"])
            yield Case(
                f"{path.stem}: {name}", [{"name": each, **said} for each, said in networks.items()], case["steps"]
            )


def verb_of(step: Written) -> str:
    """What a step does."""
    return next(verb for verb in VERBS if verb in step)


def described(number: int, step: Written) -> dict[str, Any]:
    """What a step says; an ask is for a machine of its own, unless a key says whose it is."""
    said = step[verb_of(step)]
    return {"machine": f"m{number}", **said} if verb_of(step) == "ask" and "key" not in said else dict(said)


class Way(Protocol):
    """A way in: does one step. `given` are the allocations that a release names."""

    def __call__(self, verb: str, said: Written, given: Sequence[str]) -> Answer: ...


@dataclass
class Trip:
    """One case on its way through."""

    case: Case
    way: Way
    answers: list[Answer] = field(default_factory=list)

    def run(self) -> None:
        """Do every step, and look at what comes of it."""
        for network in self.case.networks:
            answer = self.way("network", network, ())
            assert not answer.refusal, answer
        for number, step in enumerate(self.case.steps, 1):
            verb = verb_of(step)
            if verb == "release":
                number_or_id = step["release"]
                known = isinstance(number_or_id, int)
                given = [row["id"] for row in self.answers[number_or_id - 1].rows] if known else [number_or_id]
                self.answers.append(self.way(verb, {}, given))
            else:
                self.answers.append(self.way(verb, described(number, step), ()))
            look(self.case, number, step, self.answers[-1])


def look(case: Case, number: int, step: Written, answer: Answer) -> None:
    """Whether what came of a step is what has to come of it."""
    place = f"{case.name}, step {number}: {answer}"
    refused = step.get("refused", "")
    assert answer.refusal in ((refused, EXITS.get(refused, 3)) if refused else ("",)), place
    assert " ".join(step.get("told", "").split()) in " ".join(answer.told.split()), place
    rows = answer.rows
    if "get" in step:
        assert [f"{row['address']} {row['name']}".strip() for row in rows] == step["get"], place
    if "links" in step:
        assert [row["link"] for row in rows] == step["links"], place


def in_python(ads: Ads) -> Way:
    """Through the library."""

    def go(verb: str, said: Written, given: Sequence[str]) -> Answer:
        try:
            if verb == "network":
                return Answer(ads.networks.add(said).message)
            if verb == "edit":
                return Answer(ads.networks.edit(said["name"], {k: v for k, v in said.items() if k != "name"}).message)
            if verb == "release":
                return Answer(ads.addresses.release(given).message)
            outcome = ads.addresses.allocate(adslib.read_request(said))
        except adslib.AdsError as error:
            return Answer(str(error), refusal=error.code)
        return Answer(outcome.message, outcome.after["addresses"])

    return go


OPTIONS = {"addresses": "want", "names": "want-name", "resolvers": "resolver", "held": "hold"}


def words(said: Written) -> Iterator[str]:
    """What is said as options of the command line."""
    for key, value in said.items():
        if isinstance(value, bool):
            yield f"--{'' if value else 'no-'}{key}"
            continue
        for each in value if isinstance(value, list) else [value]:
            yield f"--{OPTIONS.get(key, key)}={each}"


def on_the_command_line(run: Callable[..., Any]) -> Way:
    """Through `ads`; `run` runs one command line."""

    def go(verb: str, said: Written, given: Sequence[str]) -> Answer:
        rest = {key: value for key, value in said.items() if key not in ("name", "prefix")}
        commands: dict[str, Callable[[], list[str]]] = {
            "network": lambda: ["network", "add", said["name"], said["prefix"], *words(rest)],
            "edit": lambda: ["network", "edit", said["name"], *words(rest)],
            "ask": lambda: ["address", "allocate", *words(said)],
            "release": lambda: ["address", "release", *given],
        }
        result = run(*commands[verb](), "--format", "json", expect=None)
        if result.code:
            assert result.out == "", result
            return Answer(result.err, refusal=result.code)
        return Answer(result.data["message"], result.data["after"].get("addresses", ()))

    return go
