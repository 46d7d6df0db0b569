"""The `monitor` command. Each command lives in a module of its own that is imported when it is used."""

import io
import sys
from importlib import import_module

import click

from monitor import __version__
from monitor.core.errors import LeewayError, UserError

EXIT_MISTAKE, EXIT_UNABLE = 2, 3  # 1 is a breach, which is no error

# command → (module, one line of help); the module has a click command of the same name.
COMMANDS = {
    "demo": ("demo", "Show the whole thing on real bundled data."),
    "init": ("init", "Write a configuration from a look at a table and a reference."),
    "config": ("config", "Check, show or describe the configuration."),
    "run": ("run", "Run the daemon."),
    "check": ("check", "Evaluate a window now and print the findings."),
    "backtest": ("backtest", "Replay the schedule over the past; sends nothing."),
    "report": ("report", "Write the HTML report."),
    "status": ("status", "Show the state of every model."),
    "incidents": ("incidents", "List incidents."),
    "incident": ("incidents", "Show one incident with its timeline."),
    "explain": ("explain", "Say step by step how an incident or a finding came about."),
    "ack": ("acting", "Acknowledge an incident: somebody looks at it."),
    "silence": ("acting", "Hold an incident's messages back for a while."),
    "expected": ("acting", "Declare an incident's change expected."),
    "resolve": ("acting", "End an incident by hand."),
    "reference": ("reference", "Add, list, show, pin or compare reference snapshots."),
    "retrain": ("retraining", "Ask for a retraining, or approve the one that is proposed."),
    "retrains": ("retraining", "List retrainings and rollbacks."),
    "rollback": ("retraining", "Go back to an earlier version, or approve the way back that is proposed."),
    "versions": ("versions", "Show which version served when, and how it did."),
    "outbox": ("outbox", "List messages that wait or are dead; put one back, or let it be."),
    "canary": ("canary", "Prove now that an alert would get through."),
    "migrate": ("migrate", "Bring the store to this release's schema."),
    "prune": ("prune", "Remove from the store what `retention` does not keep."),
    "backup": ("backup", "Copy the store while the daemon writes."),
    "restore": ("restore", "Put a copy of the store in its place."),
    "list": ("listing", "List what exists: checks, sources, notifiers, triggers."),
}


class LazyGroup(click.Group):
    """Imports a command when it is called, so that `monitor --help` stays light."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click asks for it
        """Return the commands in the order of the documentation."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click asks for it
        """Import a command's module and return the command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"monitor.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or say which one was probably meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            if near:
                raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click asks for it
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 nothing wrong in the data; 1 a breach; 2 a mistake in the call or the configuration; "
    '3 the monitor could not do its work.  Shell completion: eval "$(_MONITOR_COMPLETE=bash_source monitor)"',
)
@click.version_option(__version__, prog_name="leeway")
def cli() -> None:
    """Leeway watches machine-learning models in production."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command; errors that a person can mend become a sentence and an exit code, never a traceback."""
    try:
        code = cli.main(arguments, prog_name="monitor", standalone_mode=False)
    except click.ClickException as error:
        click.echo(_shown(error), err=True, nl=False)
        sys.exit(EXIT_MISTAKE)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(EXIT_UNABLE)
    except UserError as error:
        click.echo(_framed(error), err=True)
        sys.exit(EXIT_MISTAKE)
    except LeewayError as error:
        click.echo(_framed(error), err=True)
        sys.exit(EXIT_UNABLE)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _shown(error: click.ClickException) -> str:
    from monitor.cli.common import clean

    said = io.StringIO()
    error.show(said)
    return clean(said.getvalue())


def _framed(error: LeewayError) -> str:
    from monitor.cli.common import clean

    text = clean(str(error))
    return text if "\n" in text else f"{click.style('error:', fg='red', bold=True)} {text}"
