"""``optout evidence``: is the ledger whole, what does it hold, and where did it stand?"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from optout_service import keyfiles
from optout_service.cli.main import (
    json_option,
    main,
    opened,
    read_address,
    settings_options,
    show,
    show_all,
)
from optout_service.core.address import Address
from optout_service.core.errors import InvalidRequest, Malformed, Misconfigured
from optout_service.settings import Settings

_FILE = click.Path(dir_okay=False, path_type=Path)


@main.group()
def evidence() -> None:
    """The ledger: what happened, provably."""


@evidence.command()
@click.option("--tenant", help="The tenant's slug: walk its ledger.")
@click.option(
    "--checkpoints",
    "kept",
    type=_FILE,
    help="A copy of its checkpoints, instead of those in the checkpoint directory.",
)
@click.option("--bundle", "bundle_", type=_FILE, help="A bundle's JSON file: verify that, offline.")
@click.option(
    "--public-key",
    multiple=True,
    help="A key that may have signed the bundle, in hex; else our own, if the keys are here.",
)
@json_option
@settings_options
@click.pass_context
def verify(
    ctx: click.Context,
    settings: Settings,
    tenant: str | None,
    kept: Path | None,
    bundle_: Path | None,
    public_key: tuple[str, ...],
    as_json: bool,
) -> None:
    """Walk a tenant's ledger along its hash chain and its signed checkpoints, or verify a bundle.

    Status 1 if anything was edited, is gone, or was written anew.
    """
    if (tenant is None) == (bundle_ is None):
        raise click.UsageError("Give --tenant to walk a ledger, or --bundle to verify a file.")
    if bundle_ is not None:
        told = _verified_bundle(settings, bundle_, public_key)
    else:
        told = _verified_ledger(settings, str(tenant), kept)
    show(told, as_json=as_json)
    ctx.exit(0 if told["whole"] else 1)


@evidence.command()
@json_option
@settings_options
@click.pass_context
def checkpoint(ctx: click.Context, settings: Settings, as_json: bool) -> None:
    """Write a signed checkpoint of every ledger that has grown. Run it from cron, or let serve do.

    Status 1 if a ledger is not what its newest checkpoint says; it gets no new one.
    """
    from optout_service.evidence import checkpoints

    with opened(settings) as rt:
        done = checkpoints.write(rt)
    rows = [{"tenant": c.tenant, "seq": c.seq, "head": c.head, "at": c.at} for c in done.written]
    show_all(rows, as_json=as_json, nothing="Nothing has been recorded since the last ones.")
    for one in done.behind:
        click.echo(
            f"error: the ledger of {one.tenant} stands at {one.seq}, and is not the one that had "
            f"{one.checkpoint.seq} events on {one.checkpoint.at:%Y-%m-%d}.",
            err=True,
        )
    ctx.exit(1 if done.behind else 0)


@evidence.command("quarantine")
@json_option
@settings_options
@click.pass_context
def show_quarantine(ctx: click.Context, settings: Settings, as_json: bool) -> None:
    """Say whether checks are refused because the database is behind, and which ledgers are.

    Status 1 if so. What to do about it stands in docs/evidence.md.
    """
    from optout_service.evidence import quarantine

    with opened(settings) as rt:
        found = quarantine.state(rt)
    rows = [
        {
            "tenant": one.tenant,
            "stands_at": one.seq,
            "stood_at": one.checkpoint.seq,
            "on": one.checkpoint.at,
        }
        for one in found.behind
    ]
    show({"quarantine": found.quarantined, "ledgers_behind": len(rows)}, as_json=as_json)
    if not as_json:
        show_all(rows, as_json=False, nothing="Every ledger is what its newest checkpoint says.")
    ctx.exit(1 if found.quarantined or rows else 0)


@evidence.command()
@click.option("--reason", required=True, help="Why it may be gone on with. It is signed and kept.")
@json_option
@settings_options
def release(settings: Settings, reason: str, as_json: bool) -> None:
    """End the quarantine: go on with the ledgers as they are.

    What was recorded after the copy that was put back was made is lost to this database. Record it
    again first, from what you have: providers' logs, the feed's readers, a newer backup.
    """
    from optout_service.evidence import quarantine

    with opened(settings) as rt:
        made = quarantine.release(rt, reason)
    rows = [{"tenant": r.tenant, "goes_on_from": r.seq, "stood_at": r.instead_of_seq} for r in made]
    show_all(rows, as_json=as_json, nothing="")


@evidence.command()
@click.option("--tenant", required=True, help="The tenant's slug.")
@click.option(
    "--address",
    required=True,
    help="An address, sha256:<hex>, or - to read it from standard input.",
)
@click.option("--channel", default="email", show_default=True)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="A directory for evidence.json and evidence.html, or a file that ends in .json or .html.",
)
@click.option("--masked", is_flag=True, help="Without the address and the private evidence.")
@json_option
@settings_options
def bundle(
    settings: Settings,
    tenant: str,
    address: str,
    channel: str,
    out: Path,
    masked: bool,
    as_json: bool,
) -> None:
    """Write down all that is held about one address, signed, to be verified by anybody."""
    from optout_service.evidence import bundles, page
    from optout_service.store import tenants

    parsed = Address.parse_for(channel, read_address(address))
    with opened(settings) as rt:
        with rt.reading() as connection:
            found = tenants.get(connection, tenant)
        made = bundles.make(rt, found, parsed, masked=masked)
    forms = {
        ".json": json.dumps(made, ensure_ascii=False, indent=1) + "\n",
        ".html": page.render(made),
    }
    written = _write(out, forms)
    told = {"events": len(made["events"]), "key": made["key"], "files": list(map(str, written))}
    show(told, as_json=as_json)


def _write(out: Path, forms: Mapping[str, str]) -> list[Path]:
    if out.suffix in forms and not out.is_dir():
        files = {out: forms[out.suffix]}
    elif out.suffix and not out.is_dir():
        raise InvalidRequest("--out: a file ends in .json or .html; anything else is a directory.")
    else:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        files = {out / f"evidence{suffix}": text for suffix, text in forms.items()}
    for file, text in files.items():
        # It names a recipient: for whoever asked for it, and nobody else on this machine.
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
    return list(files)


def _verified_ledger(settings: Settings, tenant: str, kept: Path | None) -> dict[str, Any]:
    from optout_service.evidence import checkpoints
    from optout_service.store import chain, tenants

    if kept is not None and not kept.exists():
        raise InvalidRequest(f"--checkpoints: there is no file {kept}.")
    with opened(settings) as rt:
        with rt.reading() as connection:
            found = tenants.get(connection, tenant)
        # Before the ledger: one that is written meanwhile would be ahead of what is read of it.
        read = checkpoints.read(rt, found.id, kept)
        with rt.reading() as connection:
            walked = chain.verify(connection, found.id, rt.keys, read.marks)
    return {
        "tenant": tenant,
        "whole": walked.whole and not read.faults,
        "events": walked.events,
        "head": walked.head.hex(),
        "broken_at": walked.broken_at,
        "fault": " ".join(filter(None, (walked.fault, *read.faults))),
        "checkpoints": len(read.checkpoints),
        "releases": read.releases,
        "proven_up_to": max(read.marks, default=0),
    }


def _verified_bundle(settings: Settings, file: Path, given: tuple[str, ...]) -> dict[str, Any]:
    from optout_service.core import bundle

    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(document, dict):
            raise ValueError
    except (ValueError, RecursionError):
        raise Malformed(f"{file} is no JSON document in UTF-8.") from None
    trusted = [key.lower() for key in given] or _our_keys(settings, document)
    found = bundle.faults(document, trusted)
    return {
        "file": str(file),
        "whole": not found,
        "events": len(document.get("events", ())),
        "key": document.get("key"),
        "key_is_trusted": trusted is not None and document.get("key") in trusted,
        "fault": " ".join(found),
    }


def _our_keys(settings: Settings, document: dict[str, Any]) -> list[str] | None:
    """The public keys of the bundle's tenant, if our keys are here; None: there are none."""
    from optout_service.core.signing import Signatures

    try:
        keys = keyfiles.load(settings)
        return list(Signatures(keys).public_keys(int(document["tenant_number"])))
    except (Misconfigured, LookupError, TypeError, ValueError):
        return None
