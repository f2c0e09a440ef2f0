"""Secrets: kept outside the file, read from where it points, never shown."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from syncd.config.problems import Fault, SettingError

_LARGEST: Final = 65536
"""Bytes of a secret's file at most: a path that leads to a device or a log must not fill the memory."""

_PREFIXES: Final = ("credential:", "file:", "env:")

KEEP_ELSEWHERE: Final = 'keep it elsewhere, as "credential:NAME" (systemd), "file:PATH" or "env:NAME"'


class Secret:
    """A value that no text of syncd shows: neither print, repr nor format gives it away, and it cannot be pickled."""

    __slots__ = ("_file", "_value")

    def __init__(self, value: str | None, *, file: Path | None = None) -> None:
        """Take the value, None for one that was left unread, and the file that it can be read from anew."""
        self._value = value
        self._file = file

    def reveal(self) -> str:
        """Return the value itself. Raise RuntimeError where the configuration was loaded without its secrets."""
        if self._value is None:
            raise RuntimeError("the configuration was loaded without its secrets")
        return self._value

    def reread(self) -> bool:
        """Read a ``file:`` secret anew and return whether it changed; one that cannot be read now stays as it was."""
        if self._file is None:
            return False
        try:
            value = _read_file(self._file)
        except SettingError:
            return False
        changed, self._value = value != self._value, value
        return changed

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return (self._value, self._file) == (other._value, other._file)

    __hash__ = None  # type: ignore[assignment]  # it changes when it is read anew

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")


def read_secret(reference: str, *, environ: Mapping[str, str], folder: Path, read: bool) -> Secret:
    """Return the secret that a reference of the file means; relative paths start at ``folder``.

    With ``read`` false only the form is checked. Raise SettingError where it is no reference, or leads to nothing.
    """
    kind, _, name = reference.partition(":")
    if not is_reference(reference):
        raise SettingError(Fault("is a secret written into the file", KEEP_ELSEWHERE))
    if not name.strip() or (kind == "credential" and ("/" in name or name in (".", ".."))):
        raise SettingError(Fault(f"names no secret after {kind}:", KEEP_ELSEWHERE))
    if not read:
        return Secret(None)
    if kind == "env":
        return Secret(_usable(environ.get(name, ""), f"the environment variable {name} is empty or not set"))
    if kind == "credential":
        return Secret(_read_file(_credentials(environ, name) / name))
    file = folder / _expanded(name)
    return Secret(_read_file(file), file=file)


def is_reference(text: str) -> bool:
    """Say whether a text points to a secret that is kept elsewhere."""
    return text.startswith(_PREFIXES)


def _credentials(environ: Mapping[str, str], name: str) -> Path:
    if not (directory := environ.get("CREDENTIALS_DIRECTORY")):
        raise SettingError(
            Fault(
                f"the credential {name} cannot be read outside systemd: $CREDENTIALS_DIRECTORY is not set",
                f"add LoadCredential={name}:PATH to the unit, or use file: or env:",
            )
        )
    return Path(directory)


def _expanded(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise SettingError(Fault(f"the home directory in {name} is not known", "write the path in full")) from None


def _read_file(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise SettingError(
                Fault(f"the file {file} is too large for a secret", "point to a file that holds it alone")
            )
        text = content.decode()
    except OSError as error:
        raise SettingError(
            Fault(f"the file {file} cannot be read ({error.strerror})", "make it readable for the user syncd runs as")
        ) from None
    except UnicodeDecodeError:
        raise SettingError(Fault(f"the file {file} is not UTF-8 text", "save the secret as plain text")) from None
    return _usable(text.rstrip("\r\n"), f"the file {file} is empty")


def _usable(value: str, otherwise: str) -> str:
    if not value.strip():
        raise SettingError(Fault(otherwise, "put the secret there"))
    return value
