#!/usr/bin/python

# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests instances from their own machine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: verification
short_description: Test instances from their own machine
version_added: 0.1.0
description:
  - Runs the tests of one or several instances of a machine at the same time, each until it succeeds
    or its tries are used up.
  - The result of every test is returned, with the cause where it failed.
author:
  - The ads authors (@ads)
attributes:
  check_mode:
    support: full
    description: Tests nothing, as nothing may stand yet.
  diff_mode:
    support: none
    description: Tests change nothing.
  platform:
    support: full
    platforms: posix
    description: Any machine with Python.
options:
  tests:
    description: The tests. Each has one of C(http), C(tcp), C(command).
    type: list
    elements: dict
    required: true
    suboptions:
      instance:
        description: The instance that is tested, as results name it.
        type: str
        required: true
      address:
        description: The address that the instance listens on.
        type: str
        default: 127.0.0.1
      ports:
        description: Its ports by name.
        type: dict
        default: {}
      http:
        description: A path of the instance, or a URL. Redirections are not followed.
        type: str
      tcp:
        description: A port, by name or number, that takes connections.
        type: str
      command:
        description: >-
          A command for C(sh) that ends with 0. It finds C(ADS_ROOT), C(ADS_ADDRESS) and C(ADS_PORT_NAME) for every
          port in its environment.
        type: str
      port:
        description: Port for O(tests[].http), by name or number. By default C(http), or the only one there is.
        type: str
      status:
        description: The HTTP status that must come.
        type: int
        default: 200
      contains:
        description: Text that the answer or the output must contain.
        type: str
        default: ""
      retries:
        description: How often it is tried.
        type: int
        default: 30
      delay:
        description: Seconds between two tries.
        type: float
        default: 0.5
      timeout:
        description: Seconds that one try may take, more than 0. It is cut off then, and counts as failed.
        type: float
        default: 10
  root:
    description: Directory that is the machine's file system. Empty on a machine of its own.
    type: str
    default: ""
  fail:
    description: Whether the task fails if a test does.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Test the media server
  ads.deploy.verification:
    tests:
      - {instance: media-1, address: 10.0.0.5, ports: {http: 8080}, http: /healthz}
      - {instance: media-1, address: 10.0.0.5, ports: {http: 8080}, tcp: http}
      - {instance: media-1, command: 'test -f "$ADS_ROOT/etc/media.json"', retries: 1}
"""

RETURN = r"""
tests:
  description: What came of every test.
  returned: always
  type: list
  elements: dict
  contains:
    instance:
      description: The instance.
      type: str
    test:
      description: The test.
      type: str
    ok:
      description: Whether it succeeded.
      type: bool
    seconds:
      description: How long it took, all tries together.
      type: float
    cause:
      description: Why the last try failed. Empty where it succeeded.
      type: str
  sample: [{"instance": "media-1", "test": "http /healthz", "ok": true, "seconds": 0.004, "cause": ""}]
"""

import http.client
import os
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillAtIt

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ads.deploy.plugins.module_utils.shell import StillRunning, run_line

TEST = {
    "instance": {"type": "str", "required": True},
    "address": {"type": "str", "default": "127.0.0.1"},
    "ports": {"type": "dict", "default": {}},
    "http": {"type": "str"},
    "tcp": {"type": "str"},
    "command": {"type": "str"},
    "port": {"type": "str"},
    "status": {"type": "int", "default": 200},
    "contains": {"type": "str", "default": ""},
    "retries": {"type": "int", "default": 30},
    "delay": {"type": "float", "default": 0.5},
    "timeout": {"type": "float", "default": 10},
}
ARGUMENTS = {
    "tests": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": TEST,
        "mutually_exclusive": [["http", "tcp", "command"]],
        "required_one_of": [["http", "tcp", "command"]],
    },
    "root": {"type": "str", "default": ""},
    "fail": {"type": "bool", "default": True},
}
AT_ONCE = 16
SHOWN = 300


class Unfit(Exception):
    """A test that did not succeed; the text is the cause."""


class Hopeless(Unfit):
    """A test that cannot succeed however often it is tried."""


class Late(Unfit):
    """A try that was cut off by the timeout of its test."""

    def __init__(self, test, what):
        Unfit.__init__(
            self, "%s within %g s: raise the test's 'timeout' if it may take longer" % (what, test["timeout"])
        )


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return None


# The instance itself is asked, not a proxy for it.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())


def port_of(test, wanted):
    """Return the number of a port by its name or number; by default that of http, or the only one.

    Raises:
        Hopeless: the instance has no such port.
    """
    ports = test["ports"]
    if not wanted:
        wanted = "http" if "http" in ports or len(ports) != 1 else next(iter(ports))
    if str(wanted).isdigit():
        return int(wanted)
    if wanted not in ports:
        there = ", ".join(sorted(ports)) or "none"
        raise Hopeless("it has no port %r; its ports: %s. Correct the test or the service's ports" % (wanted, there))
    return int(ports[wanted])


def try_http(test, root):
    """Ask once by HTTP."""
    url = test["http"]
    if "://" not in url:
        host = "[%s]" % test["address"] if ":" in test["address"] else test["address"]
        url = "http://%s:%d/%s" % (host, port_of(test, test["port"]), url.lstrip("/"))
    try:
        status, body = within(test["timeout"], lambda: answer_of(url, test["timeout"]))
    except (OSError, http.client.HTTPException, StillAtIt) as problem:
        reason = problem.reason if isinstance(problem, urllib.error.URLError) else problem
        raise Late(test, "%s does not answer" % url) if cut_off(reason) else Unfit("%s: %s" % (url, reason))
    except ValueError as problem:
        raise Hopeless("%s is no URL: %s" % (url, problem))
    text = body.decode("utf-8", "replace")
    if status != test["status"]:
        raise Unfit("%s answers %d instead of %d: %s" % (url, status, test["status"], text.strip()[:SHOWN]))
    expect(test["contains"], text, url)


def answer_of(url, timeout):
    """Return the status and the body that come from a URL, whatever the status is."""
    try:
        with DIRECT.open(url, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read()


def within(seconds, act):
    """Return what a call returns; give it up after some seconds, as the timeout of a socket starts anew with each byte.

    Raises:
        StillAtIt: it takes longer. Its thread ends with the module.
    """
    done = Future()

    def work():
        try:
            done.set_result(act())
        except Exception as problem:  # noqa: BLE001 - whoever asks for the result gets it
            done.set_exception(problem)

    threading.Thread(target=work, daemon=True).start()
    return done.result(seconds)


def cut_off(problem):
    """Whether our timeout ended a try; that of the network has a number."""
    return isinstance(problem, (StillAtIt, socket.timeout)) and not getattr(problem, "errno", None)


def try_tcp(test, root):
    """Connect once."""
    place = (test["address"], port_of(test, test["tcp"]))
    try:
        socket.create_connection(place, timeout=test["timeout"]).close()
    except OSError as problem:
        if cut_off(problem):
            raise Late(test, "no connection to %s port %d" % place)
        raise Unfit("no connection to %s port %d: %s" % (place + (problem.strerror or problem,)))


def try_command(test, root):
    """Run the command once."""
    surroundings = dict(os.environ, ADS_ROOT=root, ADS_ADDRESS=test["address"])
    surroundings.pop("ADS_JOB", None)
    for name, number in test["ports"].items():
        surroundings["ADS_PORT_" + re.sub(r"\W", "_", name).upper()] = str(number)
    try:
        code, output = run_line(test["command"], root or "/", surroundings, test["timeout"])
    except StillRunning:
        raise Late(test, "%s does not end" % test["command"])
    if code != 0:
        words = output.strip()[-SHOWN:]
        raise Unfit("%s ends with %d%s" % (test["command"], code, ": " + words if words else ""))
    expect(test["contains"], output, test["command"])


def expect(wanted, text, whose):
    """Make sure that an answer contains what it should."""
    if wanted not in text:
        raise Unfit("the answer of %s does not contain %r: %s" % (whose, wanted, text.strip()[:SHOWN]))


TRIES = {"http": try_http, "tcp": try_tcp, "command": try_command}


def outcome(test, root):
    """Try a test until it succeeds or its tries are used up."""
    kind = next(kind for kind in TRIES if test[kind] is not None)
    began = time.monotonic()
    cause = ""
    for attempt in range(max(1, test["retries"])):
        if attempt:
            time.sleep(test["delay"])
        try:
            TRIES[kind](test, root)
            cause = ""
            break
        except Hopeless as problem:
            cause = str(problem)
            break
        except Unfit as problem:
            cause = str(problem)
    seconds = round(time.monotonic() - began, 3)
    name = "%s %s" % (kind, test[kind])
    return {"instance": test["instance"], "test": name, "ok": not cause, "seconds": seconds, "cause": cause}


def main():
    """Test all instances at once."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    root = module.params["root"]
    work = module.params["tests"]
    if module.check_mode or not work:
        module.exit_json(changed=False, tests=[], skipped=module.check_mode)
    for test in work:
        if not test["timeout"] > 0:
            wrong = "%s: timeout: %g is out of bounds: use more than 0 seconds" % (test["instance"], test["timeout"])
            module.fail_json(msg=wrong, tests=[])
    if root and not os.path.isdir(root):
        module.fail_json(msg="ads_root %s is no directory: create or start the machine first" % root, tests=[])
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(work))) as pool:
        tests = list(pool.map(lambda test: outcome(test, root), work))
    failed = [test for test in tests if not test["ok"]]
    if failed and module.params["fail"]:
        causes = "\n".join("%(instance)s: %(test)s: %(cause)s" % test for test in failed)
        module.fail_json(msg="%d of %d tests failed:\n%s" % (len(failed), len(tests), causes), tests=tests)
    module.exit_json(changed=False, tests=tests)


if __name__ == "__main__":
    main()
