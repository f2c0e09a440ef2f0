"""Tries the Debian package in a machine that is booted for it: `python3 trial.py PACKAGE`, as root, once.

It installs, breaks, reloads, kills, upgrades, removes and purges, in the order of the page: each step finds what the
one before left. The standard library alone, so that nothing but the package brings what syncd needs.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from grp import getgrnam
from pathlib import Path
from typing import Any

PACKAGE = Path(sys.argv[1])
CONFIG = Path("/etc/syncd/config.toml")
EXAMPLE = Path("/etc/syncd/config.example.toml")
CRM = Path("/srv/crm.sqlite")
STATE = Path("/var/lib/private/syncd")
DROP_INS = Path("/etc/systemd/system/syncd.service.d")
TENANT = "http://127.0.0.1:8818"

SETTINGS = f"""
[tenants.simulated]
base_url = "{TENANT}"
username = "acmecorp01"
action_token = "credential:action-token"
data_token = "credential:data-token"
timeout = "60s"

[sources.crm]
url = "sqlite:///{CRM}"

[campaigns.renewals]
id = 125
tenant = "simulated"
source = "crm"
query = "SELECT account_num AS customer_id FROM calls_due"
every = "5s"
"""

CREDENTIALS = """[Service]
LoadCredential=action-token:/etc/syncd/action-token
LoadCredential=data-token:/etc/syncd/data-token
"""


def run(*command: str | Path, status: int | None = 0) -> str:
    """Return what a command writes, and hold it to an exit status; None allows any."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert status is None or done.returncode == status, f"{command} ended with {done.returncode}: {done.stdout}"
    return done.stdout


def unit(key: str) -> str:
    return run("systemctl", "show", "--value", "--property", key, "syncd").strip()


def journal(since: float = 0, priority: str = "debug") -> str:
    """Return what the journal has of the service, from a time on, of a priority or worse."""
    run("journalctl", "--sync")
    what = ("--unit", "syncd", "--since", f"@{since:.6f}", "--priority", priority)
    return run("journalctl", *what, "--output", "cat", "--no-pager")


def wait(what: str, true: Callable[[], object], seconds: float = 15) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, f"waited {seconds} seconds for this: {what}"
        time.sleep(0.05)


def configure(text: str) -> None:
    """Write the configuration as a person would: a copy of the example, edited."""
    if not CONFIG.exists():
        run("cp", "-p", EXAMPLE, CONFIG)
    CONFIG.write_text(text)


def drop_in(name: str, text: str | None) -> None:
    file = DROP_INS / f"{name}.conf"
    DROP_INS.mkdir(exist_ok=True)
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    run("systemctl", "daemon-reload")


def ask(url: str, body: object = None, method: str | None = None) -> bytes | None:
    """Return the answer, or None where there is none that is good."""
    content = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, content, method=method), timeout=5) as answer:  # noqa: S310
            return answer.read()
    except OSError:
        return None


def healthy() -> bool:
    return ask("http://127.0.0.1:9464/healthz") is not None


def due(*customers: int) -> None:
    """Have exactly these customers need a call."""
    with closing(sqlite3.connect(CRM)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS calls_due (account_num INTEGER PRIMARY KEY)")
        connection.execute("DELETE FROM calls_due")
        connection.executemany("INSERT INTO calls_due VALUES (?)", [(customer,) for customer in customers])


def serve(**tokens: str) -> None:
    """Start the simulated tenant, a new one if there is one."""
    run("systemctl", "stop", "tenant", status=None)
    known = [f"--setenv=SIMULATED_{name.upper()}_TOKEN={token}" for name, token in tokens.items()]
    run("systemd-run", "--quiet", "--unit", "tenant", *known, "/opt/syncd/bin/python", "-m", "syncd", "simulate")
    wait("the tenant answers", lambda: tenant()["campaigns"])


def tenant() -> dict[str, Any]:
    """Return what the simulated tenant says of itself, its parts empty before it answers."""
    return json.loads(ask(f"{TENANT}/-/state") or b'{"campaigns": {}, "faults": [], "requests": 0}')


def records() -> int:
    """Return how many customers are in the tenant's campaign."""
    return tenant()["campaigns"]["125"]["records"]


def condition() -> str:
    """Return the condition of the campaign."""
    return json.loads(run("syncd", "status", "--json", status=None))["campaigns"][0]["condition"]


def passes() -> int:
    """Return how many passes the state knows of."""
    return sum(row["passes"] for row in json.loads(run("syncd", "history", "--json"))["passes"])


def processes() -> list[str]:
    """Return the programs that run as the service's user, wherever they came from."""
    return run("ps", "-o", "args=", "-u", "syncd", status=None).splitlines()


# --- the trial, in the order of the page ----------------------------------------------------------------------------


def installing_starts_nothing_and_lets_the_service_alone_read_the_example() -> None:
    run("dpkg", "--install", PACKAGE)
    assert unit("ActiveState") == "inactive"
    assert run("systemctl", "is-enabled", "syncd", status=1).strip() == "disabled"
    assert EXAMPLE.stat().st_mode & 0o777 == 0o640
    assert EXAMPLE.stat().st_gid == getgrnam("syncd").gr_gid
    assert run("systemd-analyze", "verify", "--man=no", "syncd.service") == ""


def without_a_configuration_it_ends_with_78_and_is_not_started_again() -> None:
    since = time.time()
    run("systemctl", "start", "syncd", status=1)
    assert (unit("Result"), unit("ExecMainStatus"), unit("NRestarts")) == ("exit-code", "78", "0")
    assert f"{CONFIG}: cannot be read (No such file" in journal(since, "err")
    time.sleep(6)  # longer than RestartSec: nothing is to happen
    assert (unit("ActiveState"), unit("NRestarts")) == ("failed", "0")


def a_wrong_configuration_ends_with_78_and_the_journal_says_where_it_is_wrong() -> None:
    since = time.time()
    configure(SETTINGS.replace("every =", "evry ="))
    assert CONFIG.stat().st_mode & 0o777 == 0o640
    run("systemctl", "start", "syncd", status=1)
    assert (unit("ExecMainStatus"), unit("NRestarts")) == ("78", "0")
    assert f"{CONFIG}:17: campaigns.renewals.evry:" in journal(since, "err")


def a_credential_that_is_not_there_ends_with_243_and_it_is_not_started_again() -> None:
    configure(SETTINGS)
    drop_in("credentials", CREDENTIALS)
    Path("/etc/syncd/action-token").write_text("simulated-action\n")
    run("systemctl", "start", "syncd", status=1)
    assert (unit("ExecMainStatus"), unit("NRestarts")) == ("243", "0")
    assert unit("ActiveState") == "failed"


def it_starts_with_a_postgresql_of_its_own_under_all_the_hardening_and_adds_who_is_due() -> None:
    for name in ("action-token", "data-token"):
        file = Path("/etc/syncd", name)
        file.write_text(f"simulated-{name.removesuffix('-token')}\n")
        file.chmod(0o600)
    due(*range(1, 101))
    serve(action="simulated-action", data="simulated-data")
    run("systemctl", "enable", "--now", "syncd")
    assert (unit("ActiveState"), unit("SubState")) == ("active", "running")
    assert unit("StatusText").startswith("keeping 1 campaign in step")
    assert healthy()
    wait("the 100 are in the campaign", lambda: records() == 100)
    assert any("embedded_keeper" in program for program in processes())
    assert STATE.stat().st_mode & 0o777 == 0o700


def what_root_types_runs_as_its_user_and_meets_its_state_and_credentials() -> None:
    assert condition() == "ok"
    run("syncd", "once", "--wait")
    run("syncd", "suppress", "999", "--reason", "asked on the phone")
    assert run("find", STATE, "!", "-user", "syncd") == ""


def a_reload_is_over_when_the_new_file_is_in_force() -> None:
    pid = unit("MainPID")
    configure(SETTINGS.replace("5s", "3s"))
    run("systemctl", "reload", "syncd")
    assert "the file was taken over" in journal()
    assert (unit("MainPID"), unit("ActiveState")) == (pid, "active")


def a_reload_of_a_wrong_file_fails_and_leaves_the_old_one_in_force() -> None:
    pid, since = unit("MainPID"), time.time()
    configure(SETTINGS.replace("every =", "evry ="))
    run("systemctl", "reload", "syncd", status=1)
    assert (unit("MainPID"), unit("ActiveState")) == (pid, "active")
    assert f"{CONFIG}:17: campaigns.renewals.evry:" in journal(since, "err")
    due(*range(1, 111))
    wait("it goes on", lambda: records() == 110)
    configure(SETTINGS)
    run("systemctl", "reload", "syncd")


def killed_it_is_back_and_at_work_within_15_seconds() -> None:
    restarts = int(unit("NRestarts"))
    os.kill(int(unit("MainPID")), signal.SIGKILL)
    due(*range(1, 121))
    wait("it is started again", lambda: int(unit("NRestarts")) == restarts + 1 and healthy())
    wait("it is at work", lambda: records() == 120, seconds=5)


def hung_it_is_ended_by_the_watchdog_and_started_again() -> None:
    drop_in("impatient", "[Service]\nWatchdogSec=3s\n")
    run("systemctl", "restart", "syncd")
    pid, restarts, since = int(unit("MainPID")), int(unit("NRestarts")), time.time()
    time.sleep(5)  # longer than the watchdog waits: it is fed
    assert int(unit("MainPID")) == pid
    os.kill(pid, signal.SIGSTOP)
    wait("it is started again", lambda: int(unit("NRestarts")) == restarts + 1 and healthy(), seconds=25)
    assert "Watchdog timeout" in journal(since)
    assert "Fatal Python error: Aborted" in journal(since), "the journal shows where it hung"
    drop_in("impatient", None)
    run("systemctl", "restart", "syncd")


def stopped_it_ends_within_20_seconds_though_the_tenant_hangs_and_takes_its_postgresql_along() -> None:
    ask(f"{TENANT}/-/faults", {"kind": "hang", "count": None})
    due(*range(1, 131))
    wait("a call hangs", lambda: tenant()["faults"][0]["struck"])
    began = time.monotonic()
    run("systemctl", "stop", "syncd")
    assert time.monotonic() - began < 20
    assert (unit("Result"), unit("ExecMainStatus")) == ("success", "0")
    assert processes() == []
    ask(f"{TENANT}/-/faults", method="DELETE")


def an_upgrade_starts_it_again_if_it_ran_and_not_otherwise() -> None:
    run("dpkg", "--install", PACKAGE)
    assert unit("ActiveState") == "inactive"
    run("systemctl", "start", "syncd")
    pid = unit("MainPID")
    run("dpkg", "--install", PACKAGE)
    wait("it runs again", lambda: unit("ActiveState") == "active" and unit("MainPID") not in ("0", pid))
    wait("it is at work", lambda: records() == 130)


def removing_stops_it_and_leaves_configuration_and_state() -> None:
    run("dpkg", "--remove", "syncd")
    assert processes() == []
    assert not Path("/opt/syncd").exists()
    assert not Path("/usr/bin/syncd").is_symlink()
    assert CONFIG.read_text() == SETTINGS
    assert (STATE / "postgres").is_dir()


def installed_again_it_knows_what_it_did_before() -> None:
    run("dpkg", "--install", PACKAGE)
    run("systemctl", "start", "syncd")
    due(*range(1, 132))
    wait("it is at work", lambda: records() == 131)
    assert len(json.loads(run("syncd", "changes", "--json"))["changes"]) == 131
    run("systemctl", "stop", "syncd")


def purging_takes_the_configuration_and_leaves_the_state() -> None:
    assert "is left" in run("dpkg", "--purge", "syncd")
    assert not CONFIG.exists()
    assert not EXAMPLE.exists()
    assert (STATE / "postgres").is_dir()


def commands_before_the_first_start_and_while_it_is_stopped_have_its_state_and_credentials_too() -> None:
    shutil.rmtree(STATE)
    Path("/var/lib/syncd").unlink()
    run("dpkg", "--install", PACKAGE)
    configure(SETTINGS)
    run("syncd", "check")
    run("syncd", "once", "--wait")
    assert (condition(), passes()) == ("ok", 1)
    assert processes() == [], "its PostgreSQL goes with the command"
    run("systemctl", "start", "syncd")
    wait("the service counts the pass by hand", lambda: passes() > 1)
    run("systemctl", "stop", "syncd")
    assert passes() > 1
    run("systemctl", "start", "syncd")


def a_token_in_a_file_is_exchanged_without_a_restart() -> None:
    pid = unit("MainPID")
    for file in (Path("/etc/syncd/action-token"), Path("/etc/syncd/data-token")):
        os.chown(file, 0, getgrnam("syncd").gr_gid)
        file.chmod(0o640)
    configure(SETTINGS.replace("credential:", "file:/etc/syncd/"))
    run("systemctl", "reload", "syncd")
    serve(action="new-action", data="new-data")
    wait("the old tokens are refused", lambda: condition() == "failing")
    for name in ("action", "data"):
        Path(f"/etc/syncd/{name}-token").write_text(f"new-{name}\n")
    # Taken again, the campaign of the new tenant is read, and found empty: that is held.
    wait("the new tokens are taken", lambda: condition() == "held", seconds=60)
    assert unit("MainPID") == pid


TRIAL = (
    installing_starts_nothing_and_lets_the_service_alone_read_the_example,
    without_a_configuration_it_ends_with_78_and_is_not_started_again,
    a_wrong_configuration_ends_with_78_and_the_journal_says_where_it_is_wrong,
    a_credential_that_is_not_there_ends_with_243_and_it_is_not_started_again,
    it_starts_with_a_postgresql_of_its_own_under_all_the_hardening_and_adds_who_is_due,
    what_root_types_runs_as_its_user_and_meets_its_state_and_credentials,
    a_reload_is_over_when_the_new_file_is_in_force,
    a_reload_of_a_wrong_file_fails_and_leaves_the_old_one_in_force,
    killed_it_is_back_and_at_work_within_15_seconds,
    hung_it_is_ended_by_the_watchdog_and_started_again,
    stopped_it_ends_within_20_seconds_though_the_tenant_hangs_and_takes_its_postgresql_along,
    an_upgrade_starts_it_again_if_it_ran_and_not_otherwise,
    removing_stops_it_and_leaves_configuration_and_state,
    installed_again_it_knows_what_it_did_before,
    purging_takes_the_configuration_and_leaves_the_state,
    commands_before_the_first_start_and_while_it_is_stopped_have_its_state_and_credentials_too,
    a_token_in_a_file_is_exchanged_without_a_restart,
)

if __name__ == "__main__":
    print(run("systemctl", "--version").splitlines()[0], flush=True)
    for step in TRIAL:
        began = time.monotonic()
        try:
            step()
        except AssertionError:
            print(journal(), f"\nFAILED: {step.__name__.replace('_', ' ')}", flush=True)
            raise
        print(f"{time.monotonic() - began:6.1f} s  {step.__name__.replace('_', ' ')}", flush=True)
