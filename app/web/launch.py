"""How the app is started; what `whosends app` runs. Imports no Streamlit, so that `--help` stays quick.

    subprocess: [*launch.command(port=8501), ...] with WHOSENDS_WAREHOUSE and WHOSENDS_CONFIG in its
    environment where they were given on the command line: app/web/cached.py loads the settings
    from there through app.config.

Colours, fonts and privacy settings stand in `.streamlit/config.toml` beside main.py. Streamlit reads
that file last, so the app looks the same from any folder; only environment variables named
STREAMLIT_… and the flags below outrank it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

MAIN: Final = Path(__file__).with_name("main.py")
SERVER: Final = Path(__file__).with_name("server.py")
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def options(*, port: int = 8501, address: str = "127.0.0.1", hosts: tuple[str, ...] = ()) -> list[str]:
    """Streamlit's flags: where it listens, and what must hold whatever the user's own Streamlit file says.

    `hosts` are the names that browsers may reach it by; on a loopback address these are the loopback's
    own, so that no web page can reach the app through a name that resolves to 127.0.0.1.
    """
    allowed = hosts or (LOOPBACK if address in LOOPBACK else ())
    flags = {
        "server.port": str(port),
        "server.address": address,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.enableAgentApi": "false",
        "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
    }
    # A list is a flag given several times.
    every = [*flags.items(), *(("server.allowedHosts", host) for host in allowed)]
    return [part for name, value in every for part in (f"--{name}", value)]


def command(*, port: int = 8501, address: str = "127.0.0.1", hosts: tuple[str, ...] = ()) -> list[str]:
    """The whole command, with the Python that runs now."""
    flags = options(port=port, address=address, hosts=hosts)
    return [sys.executable, "-m", "streamlit", "run", str(SERVER), *flags]
