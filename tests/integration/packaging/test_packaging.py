"""What is installed: the wheel brings its migrations along, and the checkout's own serve whoever works in it."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from syncd.state.database import Database
from syncd.state.migrate import migrate, migrations

CHECKOUT = Path(__file__).parents[3]

MIGRATE = """
import sys
from syncd.state.database import Database
from syncd.state.migrate import migrate, migrations
print(migrations(), migrate(Database(sys.argv[1], "syncd")))
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment that has what syncd depends on, and syncd only once it is installed there."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.folder / "lib" / version / "site-packages"

    def install(self, *what: str | Path) -> None:
        """Install without asking the network for anything."""
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet", "--no-index", "--no-deps"]
        _run([*pip, "--no-build-isolation", *what], self.folder)

    def migrate(self, url: str, python_path: Path | None = None) -> str:
        """Return where syncd as this environment knows it has its migrations, and whether it made the schema."""
        return _run([self.python, "-c", MIGRATE, url], self.folder, python_path)


def _run(command: list[str | Path], folder: Path, python_path: Path | None = None) -> str:
    """Return the output of a command that knows nothing of the environment and the folder that the tests run in."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if python_path:
        environment["PYTHONPATH"] = str(python_path)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    made = Environment(tmp_path.resolve() / "environment")
    venv.create(made.folder, symlinks=True)
    # Packages that a path file names are found; path files among them, such as that of an editable syncd, are not read.
    (made.packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], CHECKOUT)
    (built,) = folder.glob("syncd-*.whl")
    return built


def test_the_wheel_holds_syncd_its_migrations_and_its_licence_alone(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    sources = {f"syncd/{path}" for path in _files(CHECKOUT / "syncd")}
    assert {"syncd/report/templates/page.html", "syncd/report/dashboards/syncd-alerts.yml"} <= sources
    scripts = {f"syncd/_migrations/{path}" for path in _files(CHECKOUT / "migrations")}
    assert "syncd/_migrations/env.py" in scripts
    assert sources | scripts <= packed
    others = {name.partition("/")[2] for name in packed - scripts if not name.startswith("syncd/")}
    assert others == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


def test_an_installed_wheel_makes_the_schema_from_the_migrations_inside_it(
    wheel: Path, environment: Environment, database: str
) -> None:
    environment.install(wheel)
    assert environment.migrate(database) == f"{environment.packages}/syncd/_migrations True"
    assert not migrate(Database(database, "syncd")), "it made another schema than the checkout does"


def test_an_editable_install_uses_the_migrations_that_are_edited(
    environment: Environment, database: str, tmp_path: Path
) -> None:
    copy = tmp_path.resolve() / "copy"
    for name in ("syncd", "migrations"):
        shutil.copytree(CHECKOUT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, copy)
    environment.install("--editable", copy)
    assert environment.migrate(database) == f"{copy}/migrations True"


def test_a_checkout_that_nobody_installed_uses_its_own_migrations(environment: Environment, database: str) -> None:
    assert environment.migrate(database, CHECKOUT) == f"{CHECKOUT}/migrations True"
    assert migrations() == CHECKOUT / "migrations"


def _files(folder: Path) -> list[str]:
    return [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
