"""doctor without mailboxes, demo and app: they start, say where, and end cleanly."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest

from app import exitcodes
from app.commands.checkup import Check, freshness
from app.commands.demo import last_day
from app.commands.serving import free_port
from ingest.errors import UsageError
from tests.app.conftest import PROGRAM, Whosends, write_month
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings


def test_doctor_looks_at_everything_and_fails_only_for_faults(whosends: Whosends, sample: Path) -> None:
    ran = whosends("doctor", "--offline", "--warehouse", sample, "--json")
    assert ran.code == exitcodes.OK, ran.out
    checks = {check["name"]: check for check in ran.document["checks"]}
    assert set(checks) == {
        "python", "packages", "configuration", "warehouse", "data", "freshness", "last run", "names", "dns", "mailbox",
    }  # fmt: skip
    assert checks["mailbox"]["state"] == "warn"
    assert checks["mailbox"]["fix"]
    text = whosends("doctor", "--offline", "--warehouse", sample)
    assert text.out.splitlines()[0].split() == ["CHECK", "STATE", "WHAT", "TO", "DO"]


def test_doctor_says_what_is_missing_or_broken(whosends: Whosends, home: Path) -> None:
    def states(*options: object) -> dict[str, str]:
        found = whosends("doctor", "--offline", "--json", *options)
        return {check["name"]: check["state"] for check in found.document["checks"]}

    assert states()["warehouse"] == "warn"
    (home / "noise.duckdb").write_bytes(b"noise" * 9999)
    assert states("--warehouse", home / "noise.duckdb")["warehouse"] == "fail"
    (home / "wrong.toml").write_text("[warehose]\n")
    assert states("--config", home / "wrong.toml")["configuration"] == "fail"


@pytest.mark.parametrize(
    ("newest", "state"),
    [
        (None, "warn"), (date(2026, 11, 22), "ok"), (date(2026, 11, 1), "warn"),
        (date(2026, 11, 25), "ok"), (date(2027, 11, 22), "warn"),  # the clock of this machine went back a year
    ],
)  # fmt: skip
def test_freshness(newest: date | None, state: str) -> None:
    found = freshness(newest, date(2026, 11, 24), 4)
    assert isinstance(found, Check)
    assert found.state == state


def test_another_distribution_with_our_package_is_noticed(sample: Path, home: Path) -> None:
    other = home / "elsewhere" / "analyst-1.0.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: analyst\nVersion: 1.0\n")
    (other / "RECORD").write_text("analysis/__init__.py,,\n")
    (other / "top_level.txt").write_text("analysis\n")
    arguments = [str(PROGRAM), "doctor", "--offline", "--json", "--warehouse", str(sample)]
    environ = {"PYTHONPATH": str(other.parent), "HOME": str(home)}
    done = subprocess.run(arguments, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == exitcodes.FOUND
    (found,) = [check for check in json.loads(done.stdout)["checks"] if check["name"] == "packages"]
    assert (found["state"], found["what"]) == ("fail", "analyst also installs a package 'analysis'.")


def test_demo_loads_into_a_warehouse_of_its_own_and_ends_yesterday(
    whosends: Whosends, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHOSENDS_WAREHOUSE", str(home / "mine.duckdb"))
    own = home / "data" / "whosends" / "demo.duckdb"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"what an older version left" * 999)
    ran = whosends("demo", "--no-serve", "--offline", "--json")
    assert ran.code == exitcodes.OK, ran.err
    assert ran.document["reports"] > 2000
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    assert f"the last day is {yesterday.day} " in ran.err
    newest = whosends("query", "SELECT max(day)::VARCHAR AS day FROM daily", "--warehouse", own, "--json")
    assert newest.document["rows"] == [{"day": yesterday.isoformat()}]
    assert not (home / "mine.duckdb").exists()
    again = whosends("demo", "--no-serve", "--json")
    assert again.document["reports"] == 0


def test_demo_made_anew_is_of_one_day_and_a_chosen_warehouse_keeps_its_own(whosends: Whosends, home: Path) -> None:
    for folder in (home / "data" / "whosends", home):
        write_month(folder / "month", domain="northlight.example", last=datetime(2026, 1, 31, tzinfo=UTC))
        ran = whosends("ingest", folder / "month", "--warehouse", folder / "demo.duckdb")
        assert ran.code == exitcodes.OK, ran.err
    own = Warehouse(home / "data" / "whosends" / "demo.duckdb", WarehouseSettings())
    chosen = Warehouse(home / "demo.duckdb", WarehouseSettings())
    assert last_day(chosen, own=False) == date(2026, 1, 31)
    assert chosen.path.exists()
    assert last_day(own, own=True) == datetime.now(UTC).date() - timedelta(days=1)
    assert not own.path.exists()


def test_a_port_that_is_taken_is_refused_or_passed_over() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} is taken"):
            free_port(port)
    assert free_port(port) == port
    assert free_port(None) >= 8501


@pytest.mark.server
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_app_starts_says_where_and_ends_with_its_process(sample: Path, home: Path, number: signal.Signals) -> None:
    # A file here that is called like a module must not be taken for it.
    (home / "here" / "streamlit.py").write_text("raise SystemExit('the wrong streamlit')")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [str(PROGRAM), "app", "--port", str(port), "--warehouse", str(sample)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == f"Open http://127.0.0.1:{port}\n"
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/_stcore/health")
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == exitcodes.OK, err
    assert "Traceback" not in err
    assert "runtime" not in err
    free_port(port)
