"""A real DNS server on loopback: NSD with zones given as text.

    server = Nsd({"example.test": "@ A 192.0.2.1\\n"})
    server.start()
    Resolver(ResolverSettings(nameservers=("127.0.0.1",), port=server.port))

Each zone gets its SOA and NS records by itself. NSD is authoritative only: what lies outside its
zones is REFUSED, and a zone whose file is broken is SERVFAIL.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.servers.dovecot import free_port, require

_CONFIG = """server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{home}"
  database: ""
  pidfile: "{home}/nsd.pid"
  xfrdfile: "{home}/xfrd.state"
  zonelistfile: "{home}/zone.list"
  logfile: "{home}/log"
  server-count: 1
remote-control:
  control-enable: no
"""
_HEAD = """$ORIGIN {zone}.
$TTL 300
@ SOA ns.{zone}. hostmaster.{zone}. 1 60 60 60 60
@ NS ns.{zone}.
"""


class Nsd:
    """The server; `port` is both UDP and TCP."""

    def __init__(self, zones: Mapping[str, str], parent: Path | None = None) -> None:
        self._program = require("nsd")
        self._zones = dict(zones)
        self._process: subprocess.Popen[bytes] | None = None
        self.home = Path(tempfile.mkdtemp(prefix="nsd-", dir=parent))
        self.port = 0

    def start(self) -> None:
        for _ in range(5):
            self.port = self.port or free_port(socket.SOCK_DGRAM)
            self._write()
            if self._start_once():
                return
            self.stop()
            self.port = 0
        raise RuntimeError(f"NSD did not start: {self.log()[-2000:]}")

    def _write(self) -> None:
        config = _CONFIG.format(port=self.port, home=self.home)
        for zone, records in self._zones.items():
            (self.home / f"{zone}.zone").write_text(_HEAD.format(zone=zone) + records)
            config += f'zone:\n  name: "{zone}"\n  zonefile: "{zone}.zone"\n'
        (self.home / "nsd.conf").write_text(config)

    def _start_once(self) -> bool:
        self._process = subprocess.Popen(
            [self._program, "-d", "-c", str(self.home / "nsd.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return True
            time.sleep(0.02)
        return False

    def _answers(self) -> bool:
        """Whether a question comes back, whatever the answer: the root's NS, asked by hand."""
        question = os.urandom(2) + bytes.fromhex("000000010000000000000000020001")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
            sock.settimeout(0.2)
            sock.connect(("127.0.0.1", self.port))
            sock.send(question)
            return sock.recv(512)[:2] == question[:2]
        return False

    def set(self, zone: str, records: str) -> None:
        """Change a zone, as an edit in DNS does, and serve it from now on."""
        self._zones[zone] = records
        self.stop()
        self.start()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def log(self) -> str:
        path = self.home / "log"
        return path.read_text(errors="replace") if path.exists() else ""
