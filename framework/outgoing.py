"""Proxies and trusted certificates of outgoing requests, the same for all HTTP libraries.

Each library reads the usual variables in its own way: httpx (and so MCP) does not support networks in `NO_PROXY`,
`requests` (and so the exporter of spans and the sign-in with an Azure identity) does not support `SSL_CERT_FILE`, and
clients of buckets do not support `*`. So the variables are normalized once, at the start.

Sources: curl's manual page, NO_PROXY; httpx 0.28 `_utils.get_environment_proxies`; requests 2.32 `utils`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, MutableMapping
from contextlib import suppress
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

EVERYTHING = "*"
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
# This machine and the metadata services of clouds: proxies cannot reach them, and would see the machine's credentials.
# Sources: Azure, managed identities; AWS, metadata of instances, containers and pods.
_LOCAL_ADDRESSES = ("localhost", "127.0.0.1", "::1", "169.254.169.254", "169.254.170.2", "169.254.170.23")


def proxy_for(url: str) -> str | None:
    """Return the proxy for requests to `url`; None for a direct connection."""
    address, proxies = urlsplit(url), getproxies()
    host = address.hostname or ""
    proxy = proxies.get(address.scheme) or proxies.get("all")
    exempt = proxies.get("no", "")
    if not proxy or EVERYTHING in _split_entries(exempt) or proxy_bypass(host) or _is_in_network(exempt, host):
        return None
    return proxy


def prepare_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """Normalize the variables of proxies and certificates for all libraries.

    Args:
        environment: The variables of the process. To networks in `NO_PROXY`, those of their addresses are added that
            other variables contain, such as the URL of an MCP server; `*` removes the proxies. With a proxy, this
            machine itself is added to `NO_PROXY`.
    """
    if authorities := environment.get("SSL_CERT_FILE"):
        for name in ("REQUESTS_CA_BUNDLE", "OTEL_EXPORTER_OTLP_CERTIFICATE"):
            environment.setdefault(name, authorities)
    if any(environment.get(name) or environment.get(name.lower()) for name in _PROXY_VARIABLES):
        for name in [each for each in ("NO_PROXY", "no_proxy") if environment.get(each)] or ["NO_PROXY"]:
            entries = _split_entries(environment.get(name, ""))
            environment[name] = ",".join(dict.fromkeys([*entries, *_LOCAL_ADDRESSES]))
    for name in ("NO_PROXY", "no_proxy"):
        exempt = environment.get(name, "")
        entries = _split_entries(exempt)
        if EVERYTHING in entries:
            for proxy in _PROXY_VARIABLES:
                environment.pop(proxy, None)
                environment.pop(proxy.lower(), None)
        elif entries:
            inside = {host for host in _url_hosts(environment.values()) if _is_in_network(exempt, host)}
            environment[name] = ",".join([*entries, *sorted(inside.difference(entries))])


def prepare_sign_in(secret: str | None, environment: MutableMapping[str, str] = os.environ) -> None:
    """Set the variable in which the Azure library looks for the secret of the sign-in.

    Args:
        secret: The secret of an app registration, which the settings may read from a file or `.env`; None without one.
        environment: The variables of the process.
    """
    if secret is not None:
        environment["AZURE_CLIENT_SECRET"] = secret


def _split_entries(exempt: str) -> list[str]:
    return [entry for each in exempt.split(",") if (entry := each.strip())]


def _is_in_network(exempt: str, host: str) -> bool:
    """Return whether `NO_PROXY` contains a network, such as ``10.0.0.0/8``, to which the address `host` belongs."""
    for network in _split_entries(exempt):
        with suppress(ValueError):
            if ip_address(host) in ip_network(network, strict=False):
                return True
    return False


def _url_hosts(values: Iterable[str]) -> set[str]:
    hosts = set()
    for value in values:
        if value.startswith(("http://", "https://")):
            with suppress(ValueError):
                hosts.add(urlsplit(value).hostname or "")
    return hosts - {""}
