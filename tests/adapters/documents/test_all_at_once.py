"""Whatever finds it, reader, schema or meaning: all that is wrong with a document is told in one refusal (A2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adslib.adapters.documents import collect, load
from adslib.domain.errors import Invalid

YAML = """\
environment: shop
allow_host_changes: yes
parameters:
  count: {type: int, default: 010}
components:
  web:
    version: 1.0
    files:
      - {path: /etc/a, content: a, mode: 0644}
      - {path: etc/b, content: !vault b}
services:
  web:
    component: wep
    sesions: none
    machine: {kind: contaner, memory: lots}
    ports: {http: 80, http: 81}
    instances: {{ count }}
    vars: *missing
  web: {}
  db: {roles: [x], requires: [cache], vars: {size: 1e999}}
  8080: {roles: [y]}
"""
IN_YAML = """\
shop.yml:2 allow_host_changes: 'yes' is a truth in YAML 1.1 and text in 1.2. Write true, or "yes"
shop.yml:4 parameters.count.default: 010 is octal in YAML 1.1 and decimal in 1.2. Write "010" for text (file modes)
shop.yml:7 components.web.version: expected text, got 1.0. Quote it: "1.0"
shop.yml:9 components.web.files[0].mode: 0644 is octal in YAML 1.1 and decimal in 1.2. Write "0644" for text \
(file modes)
shop.yml:10 components.web.files[1].content: the tag !vault is not allowed. Write plain values
shop.yml:10 components.web.files[1].path: 'etc/b' is no absolute path on the machine. Begin it with '/'
shop.yml:13 services.web.component: there is no component 'wep'. Did you mean 'web'?
shop.yml:14 services.web.sesions: unknown key 'sesions'. Did you mean 'sessions'?
shop.yml:15 services.web.machine.kind: "contaner" does not stand here. Did you mean 'container'?
shop.yml:15 services.web.machine.memory: 'lots' is no amount of memory. Write MiB as a number, or '512M', '2G'
shop.yml:16 services.web.ports: the key 'http' is given twice. It already stands in line 16
shop.yml:17 services.web.instances: a list or map is no key. Put quotes around {{ … }}
shop.yml:18 services.web.vars: there is no anchor '&missing' above. Write '&' before its use
shop.yml:19 services: the key 'web' is given twice. It already stands in line 12
shop.yml:20 services.db.vars.size: the number 1e999 is too large. Quote it if it is text
shop.yml:20 services.db.requires[0]: there is no service 'cache'. Define it under 'services'
shop.yml:21 services: the key '8080' is not text. Write "8080"
"""

XML = """\
<environment xmlns="urn:ads:definition:1" name="shop">
  <allow_host_changes type="bool">yes</allow_host_changes>
  <components>
    <component name="web">
      <version type="float">1.0</version>
      <files><item><path>etc/b</path><content encoding="base64">!</content></item></files>
    </component>
  </components>
  <services>
    <service name="web">
      <component>wep</component>
      <sesions>none</sesions>
      <machine><kind>contaner</kind><memory>lots</memory></machine>
      <ports><entry key="http" type="int">99999</entry><entry type="int">1</entry></ports>
      <instances type="date">3</instances>
    </service>
    <service name="web"/>
    <service name="db">text<roles><item>x</item></roles>
      <requires><item>cache</item></requires>
    </service>
  </services>
</environment>
"""
IN_XML = """\
shop.xml:2 allow_host_changes: 'yes' is no value of type 'bool'. Leave 'type' out for text
shop.xml:5 components.web.version: expected text, got 1.0. Quote it: "1.0"
shop.xml:6 components.web.files[0].content: this is no text in base64. Leave 'encoding' out for plain text
shop.xml:6 components.web.files[0].path: 'etc/b' is no absolute path on the machine. Begin it with '/'
shop.xml:11 services.web.component: there is no component 'wep'. Did you mean 'web'?
shop.xml:12 services.web.sesions: <sesions> does not stand here. Did you mean 'sessions'?
shop.xml:13 services.web.machine.kind: "contaner" does not stand here. Did you mean 'container'?
shop.xml:13 services.web.machine.memory: 'lots' is no amount of memory. Write MiB as a number, or '512M', '2G'
shop.xml:14: <entry> has no key. Write <entry key="…">
shop.xml:14 services.web.ports.http: 99999 is more than 65535
shop.xml:15 services.web.instances: Element 'instances', attribute 'type': [facet 'enumeration'] The value 'date' \
is not an element of the set {'str', 'int', 'float', 'bool', 'null', 'map', 'list'}
shop.xml:17 services: 'web' is given twice. It already stands in line 10
shop.xml:18 services.db: the text 'text' stands between elements. Put it into an element
shop.xml:19 services.db.requires[0]: there is no service 'cache'. Define it under 'services'
"""

JSON = """\
{"environment": "shop",
 "services": {"web": {"roles": ["a"], "instances": 1e999,
   "roles": ["b"],
   "sesions": "\\ud800"}}}
"""
IN_JSON = """\
shop.json:2 services.web.instances: the number is too large. Quote it if it is text
shop.json:3 services.web: the key 'roles' is given twice. It already stands in line 2
shop.json:4 services.web.sesions: half of a surrogate pair is no text. Write the whole character
"""


def written(folder: Path, **files: str) -> Path:
    """Files by their names, with '_' for '.'; the path of the first."""
    paths = [folder / name.replace("_", ".") for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths[0]


def refused(path: Path, read: Any = load) -> str:
    """Why a file is refused, a problem a line."""
    with pytest.raises(Invalid) as caught:
        read(path)
    return str(caught.value).replace(f"{path.parent}/", "") + "\n"


@pytest.mark.req("A2")
@pytest.mark.parametrize(
    ("name", "text", "problems"),
    [("shop_yml", YAML, IN_YAML), ("shop_xml", XML, IN_XML), ("shop_json", JSON, IN_JSON)],
)
def test_one_of_each_kind_is_told_in_one_refusal(tmp_path: Path, name: str, text: str, problems: str) -> None:
    assert refused(written(tmp_path, **{name: text})).splitlines() == problems.splitlines()


@pytest.mark.req("A2")
def test_what_a_reader_refuses_in_a_fragment_is_told_with_the_rest(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        shop_yml="environment: shop\ninclude: [web.yml, same.yml]\nservices: {db: {roles: x}}\n",
        web_yml="services:\n  web: {roles: [x], vars: {on: 1}}\n",
        same_yml="services: {web: {roles: [y]}}\nconfigurations:\n  c: {settings: &s {a: no}}\n  d: {settings: *s}\n",
    )
    assert refused(path).splitlines() == [
        'shop.yml:3 services.db.roles: expected a list, got "x". Write [x]',
        "web.yml:2 services.web.vars: 'on' is a truth in YAML 1.1 and text in 1.2. Write true, or \"on\"",
        "same.yml:1 services.web.roles: 'services.web.roles' is also given in web.yml:2, and differs. "
        "Keep one of the two; lists are not joined",
        "same.yml:3 configurations.c.settings.a: 'no' is a truth in YAML 1.1 and text in 1.2. Write false, or \"no\"",
    ]


@pytest.mark.req("A2")
def test_where_a_file_cannot_be_read_to_its_end_what_was_refused_before_is_told_too(tmp_path: Path) -> None:
    path = written(tmp_path, shop_yml="environment: shop\ninclude: [a.yml]\nproject: yes\n", a_yml="x: 0644\ny: [\n")
    assert [line.partition(" ")[0] for line in refused(path).splitlines()] == ["shop.yml:3:", "a.yml:1:", "a.yml:3:"]


@pytest.mark.req("A2")
def test_what_is_given_twice_or_merged_away_is_told_too(tmp_path: Path) -> None:
    path = written(tmp_path, shop_yml="a: 1\na: yes\nb: {<<: {x: 1, x: 2}, y: 1}\n")
    lines = refused(path, collect).splitlines()
    assert [line.partition(" ")[0].rstrip(":") for line in lines] == ["shop.yml:2", "shop.yml:2", "shop.yml:3"]


@pytest.mark.req("A2")
def test_a_file_with_more_wrong_than_anybody_reads_is_not_read_to_its_end(tmp_path: Path) -> None:
    lines = refused(written(tmp_path, shop_yml="environment: shop\n" + "".join(f"k{n}: yes\n" for n in range(5000))))
    assert len(lines.splitlines()) < 200
    assert lines.endswith("there is more wrong than this. Mend these first\n")
