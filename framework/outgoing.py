"""Proxies and trusted certificates of outgoing requests, the same for all HTTP libraries.

Each library reads the usual variables in its own way: httpx (and so MCP) knows no networks in `NO_PROXY`, `requests`
(and so the exporter of spans and the sign-in with an Azure identity) does not know `SSL_CERT_FILE`, and buckets do not
know `*`. So the variables are put into a form that all of them understand, once, at the start.

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
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
# This machine, and the addresses at which clouds tell a machine who it is: no proxy knows the way there, and what is
# told to one would be its keys. Sources: Azure, managed identities; AWS, metadata of instances, containers and pods.
_OF_THE_MACHINE = ("localhost", "127.0.0.1", "::1", "169.254.169.254", "169.254.170.2", "169.254.170.23")


def proxy_for(url: str) -> str | None:
    """Return the proxy that a request to `url` goes through; None where it goes straight there."""
    address, proxies = urlsplit(url), getproxies()
    host = address.hostname or ""
    proxy = proxies.get(address.scheme) or proxies.get("all")
    exempt = proxies.get("no", "")
    if not proxy or EVERYTHING in _entries(exempt) or proxy_bypass(host) or _is_in_network(exempt, host):
        return None
    return proxy


def prepare_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """Put the variables of proxies and certificates into a form that all libraries understand.

    Args:
        environment: The variables of the process. Networks of `NO_PROXY` are joined by those addresses in them that
            another variable names, such as the URL of an MCP server; `*` takes the proxies away. Where there is one,
            the machine itself is never reached through it.
    """
    if authorities := environment.get("SSL_CERT_FILE"):
        for name in ("REQUESTS_CA_BUNDLE", "OTEL_EXPORTER_OTLP_CERTIFICATE"):
            environment.setdefault(name, authorities)
    if any(environment.get(name) or environment.get(name.lower()) for name in _PROXIES):
        for name in [each for each in ("NO_PROXY", "no_proxy") if environment.get(each)] or ["NO_PROXY"]:
            entries = _entries(environment.get(name, ""))
            environment[name] = ",".join(dict.fromkeys([*entries, *_OF_THE_MACHINE]))
    for name in ("NO_PROXY", "no_proxy"):
        exempt = environment.get(name, "")
        entries = _entries(exempt)
        if EVERYTHING in entries:
            for proxy in _PROXIES:
                environment.pop(proxy, None)
                environment.pop(proxy.lower(), None)
        elif entries:
            inside = {host for host in _hosts_of(environment.values()) if _is_in_network(exempt, host)}
            environment[name] = ",".join([*entries, *sorted(inside.difference(entries))])


def prepare_sign_in(secret: str | None, environment: MutableMapping[str, str] = os.environ) -> None:
    """Put the secret of the Azure sign-in where its library looks for it, wherever the settings found it.

    Args:
        secret: The secret of an app registration, which may come from a file or from `.env`; None without one.
        environment: The variables of the process.
    """
    if secret is not None:
        environment["AZURE_CLIENT_SECRET"] = secret


def _entries(exempt: str) -> list[str]:
    return [entry for each in exempt.split(",") if (entry := each.strip())]


def _is_in_network(exempt: str, host: str) -> bool:
    """Return whether `NO_PROXY` names a network, such as ``10.0.0.0/8``, that the address `host` lies in."""
    for network in _entries(exempt):
        with suppress(ValueError):
            if ip_address(host) in ip_network(network, strict=False):
                return True
    return False


def _hosts_of(values: Iterable[str]) -> set[str]:
    hosts = set()
    for value in values:
        if value.startswith(("http://", "https://")):
            with suppress(ValueError):
                hosts.add(urlsplit(value).hostname or "")
    return hosts - {""}
