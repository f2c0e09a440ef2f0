"""What a file of settings leans on: the folder it lies in, the environment, the secrets kept elsewhere."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from syncd.config.problems import Fault, SettingError
from syncd.config.readers import text
from syncd.config.secrets import Secret, is_reference, read_secret


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Readers of what lies outside the file. Relative paths start at ``folder``."""

    folder: Path
    environ: Mapping[str, str]
    secrets: bool
    """False: only the form of secrets is checked."""

    def default_directory(self) -> Path:
        """Return where the state is kept unless told otherwise; of several that systemd gives, the first."""
        return self.path(self.environ.get("STATE_DIRECTORY", "").split(":")[0] or "~/.local/state/syncd")

    def path(self, value: object) -> Path:
        """Return an absolute path, ``~`` being the home directory."""
        try:
            return self.folder / Path(text(value)).expanduser()
        except RuntimeError:
            raise SettingError(Fault("begins with a home directory that is not known", "write it in full")) from None

    def query_file(self, value: object) -> str:
        """Return the query that a file holds."""
        path = self.path(value)
        try:
            query = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise SettingError(
                Fault(f"{path} cannot be read ({error.strerror})", "name a file with the query")
            ) from None
        except UnicodeDecodeError:
            raise SettingError(Fault(f"{path} is not UTF-8 text", "save the query as UTF-8")) from None
        if not query.strip():
            raise SettingError(Fault(f"{path} is empty", "write the query into it"))
        return query

    def secret(self, value: object) -> Secret:
        """Return the secret that a reference leads to."""
        return read_secret(text(value), environ=self.environ, folder=self.folder, read=self.secrets)

    def notify_url(self, value: object) -> Secret:
        """Return an Apprise URL, written in full or kept elsewhere like a secret."""
        url = text(value)
        if is_reference(url):
            return self.secret(url)
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url):
            raise SettingError(Fault("is not an Apprise URL"))
        return Secret(url)
