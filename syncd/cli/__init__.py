"""What a user types: the commands, and what becomes of whatever goes wrong in them."""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from syncd import __version__, garbage
from syncd.cli.application import Application
from syncd.cli.screen import complain
from syncd.errors import ConfigError, SyncdError
from syncd.words import Exit

INTERRUPTED: Final = 130
"""The exit status of what SIGINT or SIGTERM ended."""

COMMANDS: Final = {
    "run": "syncd.cli.run",
    "reload": "syncd.cli.reload",
    "once": "syncd.cli.once",
    "plan": "syncd.cli.plan",
    "check": "syncd.cli.check",
    "status": "syncd.cli.status",
    "history": "syncd.cli.history",
    "changes": "syncd.cli.changes",
    "explain": "syncd.cli.explain",
    "held": "syncd.cli.held",
    "approve": "syncd.cli.held",
    "parked": "syncd.cli.parked",
    "retry": "syncd.cli.parked",
    "pause": "syncd.cli.pause",
    "resume": "syncd.cli.pause",
    "suppress": "syncd.cli.suppress",
    "unsuppress": "syncd.cli.suppress",
    "migrate": "syncd.cli.migrate",
    "dashboards": "syncd.cli.dashboards",
    "simulate": "syncd.simulator.command",
    "demo": "syncd.cli.demo",
}
"""Where each command is. It is imported when it is asked for: what a command does not need would cost it a second."""


class Commands(click.Group):
    """The commands in the order of their use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name)
        return command if isinstance(command, click.Command) else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    help="The configuration.  [$SYNCD_CONFIG, ./config.toml, /etc/syncd/config.toml]",
)
@click.option("--debug", is_flag=True, help="Log everything, and show where in the code an error is from.")
@click.version_option(__version__, prog_name="syncd", message="%(prog)s %(version)s")
@click.pass_obj
def commands(application: Application, path: Path | None, debug: bool) -> None:
    """Keep 8x8 Contact Center dynamic campaigns in step with a company's own customer database."""
    application.begin(path, debug=debug)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status. Errors become one line each on the standard error."""
    garbage.look_rarely()
    application = Application()
    try:
        status = commands.main(arguments, prog_name="syncd", obj=application, standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough. Python would complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        if application.debug and not isinstance(error, click.ClickException):
            traceback.print_exception(error)
        return account_for(error)
    return int(status or Exit.GOOD)


def account_for(error: Exception) -> int:
    """Say on the standard error what went wrong, one line for each thing; return the exit status."""
    match error:
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), err=True)
            return Exit.BAD_USAGE
        case click.UsageError():
            command = error.ctx.command_path if error.ctx else "syncd"
            complain(f"{error.format_message().rstrip('.')}; see `{command} --help`")
            return Exit.BAD_USAGE
        case click.ClickException():
            complain(error.format_message())
            return Exit.FAILED
        case ConfigError():
            for problem in error.problems:
                complain(str(problem))
            return error.exit_status
        case SyncdError():
            complain(error.sentence())
            return error.exit_status
        case _:
            complain(f"this is a bug: {type(error).__name__}; run it again with --debug and report what it shows")
            return Exit.FAILED
