# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way from the collection to the library: opened for one task, closed with it, its errors told in words."""

from __future__ import annotations

import traceback

try:
    import adslib

    HAS_ADSLIB = True
    ADSLIB_IMPORT_ERROR = None
except ImportError:
    HAS_ADSLIB = False
    ADSLIB_IMPORT_ERROR = traceback.format_exc()

COLLECTION_VERSION = "0.1.0"

DATABASE = dict(
    database=dict(type="str"),
    actor=dict(type="str"),
)


def preload():
    """Import early what every task needs; what is wrong is told when a task needs it."""
    if misfit():
        return
    try:
        adslib.preload()
    except adslib.AdsError:
        return


def misfit():
    """What is wrong with the versions of library and collection; empty if they fit together."""
    have, want = adslib.__version__.split(".")[:2], COLLECTION_VERSION.split(".")[:2]
    if have == want:
        return ""
    return "the collection ads.deploy {0} needs adslib {1}.{2}, found {3}: install both in the same version".format(
        COLLECTION_VERSION, want[0], want[1], adslib.__version__
    )


def carry_out(run, params, check_mode):
    """Do one thing on an open library.

    Args:
        run: takes the library, `params` and `check_mode`, and returns a result dictionary, as the verbs' `run` do.
        params: its arguments, with database and actor. check_mode: nothing is to be changed, nor a store made.

    Returns:
        The result; on an error of ads one with failed, msg, code and problems.
    """
    wrong = misfit()
    if wrong:
        return dict(failed=True, msg=wrong, code="versions")
    try:
        given = dict(database_url=params.get("database") or "", actor=params.get("actor") or "")
        with adslib.connect(create=not check_mode, **given) as ads:
            return run(ads, params, check_mode)
    except adslib.AdsError as error:
        problems = [dict(message=p.message, place=p.place, remedy=p.remedy) for p in error.problems]
        return dict(failed=True, msg=str(error), code=error.code, problems=problems)
