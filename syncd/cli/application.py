"""What every command is handed: the options of syncd itself, and the configuration that they name."""

import os
import pwd
from pathlib import Path

from syncd import logs
from syncd.config import Config, LogFormat, LogLevel, find_config, load_config


class Application:
    """One run of a command."""

    def __init__(self) -> None:
        self.debug = False
        self._path: Path | None = None

    def begin(self, path: Path | None, *, debug: bool) -> None:
        """Take the options that stand before the command."""
        self._path, self.debug = path, debug
        logs.configure(level=self._level, form=LogFormat.AUTO)

    def config(self) -> Config:
        """Return the configuration, read anew; logs keep its secrets from now on. Raise ConfigError."""
        config = load_config(find_config(self._path, os.environ))
        logs.configure(level=self._level, form=config.service.log_format, secrets=logs.secrets_of(config))
        return config

    def service_config(self) -> Config:
        """Return the configuration for a process that nobody sits at; it logs as the file says. Raise ConfigError."""
        config = load_config(find_config(self._path, os.environ))
        level = LogLevel.DEBUG if self.debug else config.service.log_level
        logs.configure(level=level, form=config.service.log_format, secrets=logs.secrets_of(config))
        return config

    def config_without_secrets(self) -> Config:
        """Return the configuration with its secrets unread: they are for another process. Raise ConfigError."""
        return load_config(find_config(self._path, os.environ), secrets=False)

    @property
    def _level(self) -> LogLevel:
        """A person at a command wants its result: of the log only what is out of the ordinary."""
        return LogLevel.DEBUG if self.debug else LogLevel.WARNING


def operator() -> str:
    """Return the operating-system user at the command, for the record; behind sudo, who that was as well."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"user {os.getuid()}"
    behind = os.environ.get("SUDO_USER", "")
    return f"{behind} as {user}" if behind and behind != user else user
