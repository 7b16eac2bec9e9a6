"""Forward proxies: Squid and tinyproxy as they are installed on this machine, with a login, for 127.0.0.1 only."""

from __future__ import annotations

import os
import pwd
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from attrs import frozen

from tests.integration.gateways import free_address, require, running

USER = "user"
PASSWORDS = {"squid": "s3cr:t@p%w/d", "tinyproxy": "s3cret"}
"""Only letters and digits in the configuration of tinyproxy."""

SQUID = """
http_port {address}
visible_hostname proxy.example
pid_filename none
cache deny all
cache_log {folder}/cache.log
access_log stdio:{folder}/log
coredump_dir {folder}
pinger_enable off
shutdown_lifetime 0 seconds
auth_param basic program /usr/lib/squid/basic_ncsa_auth {folder}/passwords
acl login proxy_auth REQUIRED
acl permitted dstdomain -n 127.0.0.1
http_access deny !login
http_access allow permitted
http_access deny all
"""

TINYPROXY = """
Listen {host}
Port {port}
Allow 127.0.0.1
LogFile "{folder}/log"
LogLevel Info
BasicAuth {user} {password}
Filter "{folder}/filter"
FilterDefaultDeny Yes
"""


@frozen
class Proxy:
    """A running proxy."""

    name: str
    address: str
    log: Path

    def url(self, password: str = "") -> str:
        """Its URL, with the user and the right password, or another one."""
        return f"http://{USER}:{quote(password or PASSWORDS[self.name], safe='')}@{self.address}"

    def requests(self, at_least: int = 0) -> int:
        """The number of requests in its log, which may come a moment after the response."""
        end = time.monotonic() + 5
        while (count := self._logged()) < at_least and time.monotonic() < end:
            time.sleep(0.05)
        return count

    def _logged(self) -> int:
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        mark = {"squid": " HIER_", "tinyproxy": "Request (file descriptor"}[self.name]
        return len([line for line in lines if mark in line and "transaction-end-before-headers" not in line])


@contextmanager
def forward_proxy(name: str) -> Iterator[Proxy]:
    """Run `squid` or `tinyproxy`, with its files in a temporary folder, not as root."""
    require(name)
    user = pwd.getpwnam("nobody")
    other_user: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    with TemporaryDirectory(prefix="talkdesk-bridge-") as temporary:
        folder, address = Path(temporary), free_address()
        folder.chmod(0o777)  # for the other user
        host, _, port = address.partition(":")
        values = {
            "address": address,
            "host": host,
            "port": port,
            "folder": folder,
            "user": USER,
            "password": PASSWORDS[name],
        }
        hashing = ["openssl", "passwd", "-apr1", PASSWORDS[name]]
        hashed = subprocess.run(hashing, check=True, capture_output=True, text=True).stdout
        (folder / "passwords").write_text(f"{USER}:{hashed}", encoding="ascii")
        (folder / "filter").write_text("^127\\.0\\.0\\.1$\n", encoding="ascii")
        configuration = folder / "configuration"
        configuration.write_text({"squid": SQUID, "tinyproxy": TINYPROXY}[name].format(**values), encoding="utf-8")
        command = {"squid": ["squid", "-N", "-f"], "tinyproxy": ["tinyproxy", "-d", "-c"]}[name]
        with running([*command, str(configuration)], address, **(other_user if os.geteuid() == 0 else {})):
            yield Proxy(name, address, folder / "log")
