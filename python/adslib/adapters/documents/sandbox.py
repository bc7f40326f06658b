"""Expressions of a definition: Jinja2 that sees parameters and loop variables only (A2).

Runs in the rendering child. Blocks that use names of the deployment stay as they are, block by block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from jinja2 import StrictUndefined, TemplateError, Undefined, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from adslib.domain.reading.findings import did_you_mean
from adslib.domain.reading.parameters import belongs_to_deployment, holds_template

MARKS = re.compile(r"\{\{|\{%|\{#")
SIMPLE = re.compile(
    r"\{\{\s*(?!(?:true|false|none|not)\b)([A-Za-z_][A-Za-z0-9_]*)(?:\.[A-Za-z_][A-Za-z0-9_]*)*\s*\}\}", re.IGNORECASE
)
"""A block that is a plain dotted name: what it uses is seen without parsing."""
INSIDE = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[{}]""", re.DOTALL)
DIGITS_OF_POWER = 4096
"""Bits that the result of ``**`` may have."""
ANSIBLE = frozenset(
    {"ansible_facts", "hostvars", "groups", "group_names", "inventory_hostname", "inventory_hostname_short", "item"}
    | {"inventory_dir", "lookup", "query", "q", "play_hosts", "playbook_dir", "role_path", "omit", "vars", "now"}
)
SHOWN = 120


class ExpressionError(Exception):
    """What is wrong with an expression, and what would be right."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a scalar: text, or what stands between one kind of marks."""

    kind: str
    text: str

    @property
    def inner(self) -> str:
        """The expression itself."""
        return self.text[2:-2].strip("-+") if self.kind == "{{" else ""


class Environment(ImmutableSandboxedEnvironment):
    """The sandbox; ``**`` is held to small results because no limit interrupts it."""

    intercepted_binops = frozenset({"**"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, keep_trailing_newline=True, cache_size=0)
        self.globals = {"range": self.globals["range"]}
        # What is drawn at random would differ at every load; the rest has no use in a single value.
        for name in ("random", "pprint", "urlize", "xmlattr"):
            self.filters.pop(name, None)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Evaluate ``**``."""
        if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
            raise ExpressionError("'**' takes numbers")
        if isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > DIGITS_OF_POWER:
            raise ExpressionError("the power is too large")
        return left**right


def blocks(text: str) -> list[Block]:
    """Cut a scalar into text, expressions, statements and comments.

    Raises:
        ExpressionError: a mark is not closed.
    """
    found: list[Block] = []
    at = 0
    while match := MARKS.search(text, at):
        if match.start() > at:
            found.append(Block("text", text[at : match.start()]))
        at = (
            end_of_expression(text, match.end()) if match[0] == "{{" else text.find(f"{match[0][1]}}}", match.end()) + 2
        )
        if at < match.end() + 2:
            raise ExpressionError(f"'{match[0]}' is not closed", "close it, or put such text into a template file")
        found.append(Block(match[0], text[match.start() : at]))
    if at < len(text):
        found.append(Block("text", text[at:]))
    return found


def end_of_expression(text: str, at: int) -> int:
    """Where ``}}`` ends the expression that begins here; braces and quotes inside are passed over; 0: nowhere."""
    depth = 0
    while match := INSIDE.search(text, at):
        at = match.end()
        if match[0] == "{":
            depth += 1
        elif match[0] == "}" and depth:
            depth -= 1
        elif match[0] == "}" and text[at : at + 1] == "}":
            return at + 1
    return 0


class Verbatim(str):
    """Rendered text that may hold blocks for the deployment: those that its author wrote."""

    __slots__ = ()


class Sandbox:
    """Evaluates the scalars of one document.

    Args:
        parameters: names that expressions may use everywhere, for messages.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.environment = Environment()
        self.parameters = frozenset(parameters)
        self.expression = lru_cache(maxsize=4096)(self.compiled)
        self.names = lru_cache(maxsize=4096)(self.names_used)

    def scalar(self, text: str, scope: Mapping[str, Any], deferrable: bool) -> Any:
        """Render one scalar; one that is a single expression keeps the type of its value.

        Args:
            scope: values by name. deferrable: expressions of the deployment may stand here, and stay as they are.

        Returns:
            the value of an expression, or ``Verbatim`` text, whose blocks are the author's own.

        Raises:
            ExpressionError: an unknown or forbidden name, wrong syntax, a failing expression.
        """
        parts = blocks(text)
        if any(part.kind == "{%" for part in parts):
            return self.statements(text, scope)
        stripped = text.strip()
        if len(parts) <= 3 and any(part.kind == "{{" and part.text == stripped for part in parts):
            later = self.deferred(stripped, scope, deferrable)
            return Verbatim(text) if later else self.evaluate(Block("{{", stripped), scope)
        return Verbatim(self.joined(parts, scope, deferrable))

    def joined(self, parts: list[Block], scope: Mapping[str, Any], deferrable: bool) -> str:
        """Text and expressions, block by block."""
        written = ""
        kept: list[str] = []
        trim = False
        for part in parts:
            if part.kind == "{#":
                continue
            if part.kind == "text":
                written += part.text.lstrip() if trim else part.text
                trim = False
            elif self.deferred(part.text, scope, deferrable):
                written += part.text
                kept.append(part.text)
                trim = False
            else:
                if part.text.startswith("{{-"):
                    written = written.rstrip()
                written += self.as_text(self.evaluate(part, scope), part)
                trim = part.text.endswith("-}}")
        # A value beside a brace of the author must not make a block that nobody wrote.
        if [part.text for part in blocks(written) if part.kind != "text"] != kept:
            raise ExpressionError(
                "the values put in here make an expression of their own", "leave braces out of values"
            )
        return written

    def as_text(self, value: Any, part: Block) -> str:
        """A value within text."""
        if value is None or isinstance(value, (list, tuple, dict, set)) or not isinstance(value, (str, int, float)):
            what = "nothing" if value is None else f"a {type(value).__name__}"
            raise ExpressionError(f"{shown(part.text)} gives {what} in the midst of text", "use | join or | default")
        return str(value)

    def deferred(self, text: str, scope: Mapping[str, Any], deferrable: bool) -> bool:
        """Whether a block belongs to the deployment; names are checked on the way."""
        names = self.names(text)
        later = sorted(name for name in names if belongs_to_deployment(name))
        now = sorted(names - set(later) - {"range"})
        self.check_names(now, scope)
        if not later:
            return False
        if now:
            raise ExpressionError(
                f"{shown(text)} mixes {', '.join(now)}, known at load, and {', '.join(later)}, known at deployment",
                "write two blocks, or hand the parameter over in 'vars'",
            )
        if not deferrable:
            raise ExpressionError(
                f"{shown(text)} uses {', '.join(later)}, known only at deployment",
                "such names may stand in process, files, vars, settings and tests",
            )
        return True

    def check_names(self, names: list[str], scope: Mapping[str, Any]) -> None:
        """Every name is a parameter or a loop variable."""
        for name in names:
            if name in scope:
                continue
            if name in ANSIBLE or name.startswith("ansible_"):
                raise ExpressionError(
                    f"'{name}' is Ansible's; a definition sees its parameters only",
                    "use it in a role, a template file or group_vars of the project",
                )
            known = sorted(scope)
            listed = f"known are: {', '.join(known)}" if known else "declare it under 'parameters'"
            raise ExpressionError(f"there is no parameter '{name}'", did_you_mean(name, known, listed))

    def names_used(self, text: str) -> frozenset[str]:
        """The names a block or scalar takes from outside."""
        simple = SIMPLE.fullmatch(text)
        if simple:
            return frozenset({simple[1]})
        try:
            tree = self.environment.parse(text)
            # Only statements bind names; without them every name comes from outside, and no code need be made.
            if "{%" not in text:
                return frozenset(name.name for name in tree.find_all(nodes.Name))
            names = meta.find_undeclared_variables(tree)
        except TemplateError as error:
            raise ExpressionError(f"{shown(text)} is no expression: {error.message}") from None
        # Jinja declares this one itself.
        if any(name.name == "self" for name in tree.find_all(nodes.Name)):
            names.add("self")
        return frozenset(names)

    def compiled(self, source: str) -> Any:
        """The expression, ready to be called."""
        return self.environment.compile_expression(source, undefined_to_none=False)

    def evaluate(self, block: Block, scope: Mapping[str, Any]) -> Any:
        """The native value of one expression."""
        name = block.inner.strip()
        if name in scope:
            return scope[name]
        try:
            value = self.expression(name)(**scope)
            if isinstance(value, Undefined):
                value._fail_with_undefined_error()
        except Exception as error:  # noqa: BLE001 - whatever an expression does, it is told as its own mistake
            refuse(error, block.text)
        return value

    def statements(self, text: str, scope: Mapping[str, Any]) -> str:
        """A scalar with ``{% … %}``, rendered as a whole."""
        names = self.names(text)
        later = sorted(name for name in names if belongs_to_deployment(name))
        if later:
            raise ExpressionError(
                f"statements run at load, where {', '.join(later)} is not known",
                "put it into a template file, which is rendered at deployment",
            )
        self.check_names(sorted(names - {"range"}), scope)
        try:
            written = self.environment.from_string(text).render(**scope)
        except Exception as error:  # noqa: BLE001 - as above
            refuse(error, text)
        if holds_template(written):
            raise ExpressionError(f"{shown(text)} gives template text", "a value holds no '{{', '{%' or '{#'")
        return written


def shown(text: str) -> str:
    """A block as messages show it."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def refuse(error: Exception, text: str) -> NoReturn:
    """Tell why an expression failed."""
    where = shown(text)
    if isinstance(error, ExpressionError):
        raise ExpressionError(f"{where}: {error.message}", error.remedy) from None
    if isinstance(error, MemoryError):
        raise ExpressionError(f"{where} needs too much memory", "a definition holds small values") from None
    if isinstance(error, RecursionError):
        raise ExpressionError(f"{where} calls itself without end") from None
    if isinstance(error, SecurityError):
        raise ExpressionError(f"{where} reaches for what a definition may not: {error}") from None
    raise ExpressionError(f"{where} fails: {str(error) or type(error).__name__}"[:400]) from None
