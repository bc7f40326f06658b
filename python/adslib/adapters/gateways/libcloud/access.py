"""Who asks which provider: credentials are read where they lie when a gateway is opened, and kept nowhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from adslib.adapters.gateways.surroundings import Secret
from adslib.domain.errors import Invalid


@dataclass(frozen=True, slots=True)
class Access:
    """What a driver of the library is told of who asks: its arguments, and the variables that other tools use, too.

    Args:
        needed: what must be. wanted: what may be absent.
    """

    needed: Mapping[str, str]
    wanted: Mapping[str, str] = field(default_factory=dict)


PROVIDERS: Mapping[str, Access] = {
    "ec2": Access(
        {"key": "AWS_ACCESS_KEY_ID", "secret": "AWS_SECRET_ACCESS_KEY"},
        {"token": "AWS_SESSION_TOKEN"},
    ),
    "openstack": Access(
        {
            "key": "OS_USERNAME",
            "secret": "OS_PASSWORD",
            "ex_force_auth_url": "OS_AUTH_URL",
            "ex_tenant_name": "OS_PROJECT_NAME",
        },
        {"ex_domain_name": "OS_USER_DOMAIN_NAME", "ex_tenant_domain_id": "OS_PROJECT_DOMAIN_ID"},
    ),
    "digitalocean": Access({"key": "DIGITALOCEAN_ACCESS_TOKEN"}),
    "gce": Access(
        {"user_id": "GCE_SERVICE_ACCOUNT", "key": "GOOGLE_APPLICATION_CREDENTIALS", "project": "GOOGLE_CLOUD_PROJECT"}
    ),
    "azure_arm": Access(
        {
            "tenant_id": "AZURE_TENANT_ID",
            "subscription_id": "AZURE_SUBSCRIPTION_ID",
            "key": "AZURE_CLIENT_ID",
            "secret": "AZURE_CLIENT_SECRET",
        }
    ),
}
"""The providers, by the names that the library gives them."""


def credentials(gateway: str, access: Access, given: Mapping[str, str], secret: Secret) -> dict[str, str]:
    """The credentials, by the arguments of the library's driver.

    Args:
        given: where they lie, by argument: `env:NAME` or `file:/path`; else they are in the usual variables.

    Raises:
        Invalid: what was given says nothing of where they lie; it is not repeated, as it may be a secret.
        Failed: they are not there.
    """
    # A token that lies beside the usual credentials does not belong to others.
    beside = {name: variable for name, variable in access.wanted.items() if os.environ.get(variable) and not given}
    usual = {**access.needed, **beside}
    known = {**access.needed, **access.wanted}
    place = f"gateway {gateway}"
    for argument, where in given.items():
        if argument not in known:
            remedy = f"use some of: {', '.join(known)}"
            what = f"'{argument}' is none of this provider's" if where else "a word alone does not say where one lies"
            raise Invalid(f"option credentials: {what}", place=place, remedy=remedy)
        if not where.startswith(("env:", "file:/")):
            remedy = f"write {argument}=env:{known[argument]}, or {argument}=file:/path"
            raise Invalid(f"option credentials: '{argument}' does not say where it lies", place=place, remedy=remedy)
    references = {argument: f"env:{variable}" for argument, variable in usual.items()} | dict(given)
    return {argument: secret(reference, place) for argument, reference in references.items()}
