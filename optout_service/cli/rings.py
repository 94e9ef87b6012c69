"""``optout keys``: the keys of the service itself. (``optout key``: those of its callers.)"""

from typing import Any

import click

from optout_service import keyfiles
from optout_service.cli.main import json_option, main, opened, settings_options, show, show_all
from optout_service.settings import Settings

_RING = click.Choice(list(keyfiles.RINGS))


@main.group()
def keys() -> None:
    """The rings of keys: peppers, encryption, signing. See docs/keys.md."""


@keys.command("list")
@json_option
@settings_options
def list_keys(settings: Settings, as_json: bool) -> None:
    """List the keys by their fingerprints, oldest first, and what each is in use for."""
    from optout_service.rotation import report

    with opened(settings) as rt:
        found = report.keys(rt)
    show_all(
        [
            {"ring": one.ring, "fingerprint": one.fingerprint, "newest": one.newest, "use": one.use}
            for one in found
        ],
        as_json=as_json,
        nothing="There are no keys.",
    )


@keys.command()
@click.argument("ring", type=_RING)
@json_option
@settings_options
def add(settings: Settings, ring: str, as_json: bool) -> None:
    """Add a new key at the end of a RING that lies in key files, on this machine.

    Restart every process after it. Where the ring comes from the environment, make a key with
    `optout db new-key` and add it there, last.
    """
    fingerprint = keyfiles.add(settings, ring)
    show({"ring": ring, "fingerprint": fingerprint, "file": _file(settings, ring)}, as_json=as_json)


@keys.group()
def rotate() -> None:
    """Bring what is stored under the older keys of a ring under the newest."""


@rotate.command("pepper")
@click.option("--yes", is_flag=True, help="Every process has been restarted with the new pepper.")
@json_option
@settings_options
def rotate_pepper(settings: Settings, yes: bool, as_json: bool) -> None:
    """Bring every digest under the next pepper, while checks and opt-outs go on.

    It may be stopped and run again at any time; until it has ended, run it again.
    """
    from optout_service.rotation import pepper

    with opened(settings) as rt:
        if not yes and pepper.begins(rt):
            click.confirm(
                "A process that has not been restarted with the new pepper, or is of an older "
                "release, answers no check and records nothing from now on. Go on?",
                abort=True,
                err=True,
            )
        done = pepper.rotate(rt, tell=_tell)
    if done.done:
        click.echo(f"all is under the newest pepper: regime {done.after}", err=True)
    else:
        click.echo(
            "Nothing to do: all is under the newest pepper of the ring. To rotate, add one first: "
            "optout keys add pepper",
            err=True,
        )
    show(
        {
            "before": done.before,
            "after": done.after,
            "recipients": done.recipients,
            "done": done.done,
        },
        as_json=as_json,
    )


@rotate.command("encryption")
@json_option
@settings_options
def rotate_encryption(settings: Settings, as_json: bool) -> None:
    """Encrypt anew what is under older keys, while all goes on.

    It may be stopped and run again at any time. Restart every process with the new key first: one
    that lacks it cannot read what is written.
    """
    from optout_service.rotation import encryption

    with opened(settings) as rt:
        done = encryption.rotate(rt, tell=_tell_texts)
        newest = rt.keys.fingerprints.encryption[-1]
    show({"newest": newest, **done}, as_json=as_json)


@keys.command()
@click.argument("ring", type=click.Choice(["encryption"]))
@click.argument("fingerprint")
@json_option
@settings_options
def retire(settings: Settings, ring: str, fingerprint: str, as_json: bool) -> None:
    """Let an older key leave the encryption RING, once nothing is encrypted with it.

    Backups from before need it still: keep it with them.
    """
    from optout_service.rotation import encryption

    with opened(settings) as rt:
        encryption.retire(rt, fingerprint)
    click.echo(
        f"Nothing is under {fingerprint}. Take it out of {keyfiles.RINGS[ring]}, or of "
        "the file keys/encryption, and restart every process.",
        err=True,
    )
    show({"ring": ring, "retired": fingerprint}, as_json=as_json)


def _tell_texts(progress: Any) -> None:
    click.echo(f"{progress.what}: {progress.count} encrypted anew", err=True)


def _tell(progress: Any) -> None:
    click.echo(
        f"{progress.tenant}: {progress.at} of {progress.of} events, "
        f"{progress.recipients} recipients moved",
        err=True,
    )


def _file(settings: Settings, ring: str) -> str:
    return str(keyfiles.directory(settings.data_dir) / ring)
