"""`codecite serve`: the API, the page and the doors, on an address.

In: an index, perhaps a model or a server to stand before, a policy, limits. Out: answers until it is told to stop. It
refuses to know what is asked.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from codecite.indexer.errors import ConfigError
from codecite.search_api.cli.options import OK, ensure_compiled, indexes_option, note, policy_option
from codecite.search_api.cli.printable import printable

if TYPE_CHECKING:
    from codecite.generator.model import Model

_RATE = 50.0
"""Requests a second for each client, where others than this machine may ask."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, metavar="N", help="The port.")
@click.option("--model", "place", metavar="DIR|URL|demo", help="The model that completes.")
@click.option(
    "--upstream", metavar="URL", help="Stand before this completion server: its completions come out checked."
)
@click.option("--served-model", metavar="NAME", help="Which model of the server; its only one by default.")
@click.option("--key-file", metavar="FILE", help="The key of that server; else CODECITE_MODEL_KEY has it.")
@click.option("--tokenizer", metavar="DIR", help="The tokenizer of a served model, where the server has no /tokenize.")
@click.option("--ledger", "ledger_place", metavar="DIR", help="Record completions in this ledger.")
@click.option("--without-text", is_flag=True, help="Of completions, the ledger keeps fingerprints only.")
@click.option(
    "--api-key-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ask for one of these keys ('codecite key').",
)
@click.option("--open", "is_open", is_flag=True, help="Let everyone ask, also where others than this machine can.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="A host name under which requests may come.")
@click.option("--rate", type=click.FloatRange(min=0), metavar="N", help="Requests a second for each client; 0 is any.")
@click.option(
    "--threads", type=click.IntRange(4), default=16, show_default=True, metavar="N", help="Threads that answer."
)
@click.option("--checks", type=click.IntRange(1), default=8, show_default=True, metavar="N", help="Checks at once.")
@click.option(
    "--generations", type=click.IntRange(1), default=4, show_default=True, metavar="N", help="Completions at once."
)
@click.option(
    "--max-body",
    type=click.IntRange(1024),
    default=8 << 20,
    show_default=True,
    metavar="BYTES",
    help="Largest request.",
)
@click.option(
    "--grace", type=click.FloatRange(0), default=30.0, show_default=True, metavar="S", help="Seconds to finish in."
)
@click.option("--log-text", is_flag=True, help="Log what is asked, too; texts are in no log otherwise.")
@click.option(
    "--removal-requests",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take requests to be left out, into FILE ('codecite index requests').",
)
@policy_option
@indexes_option
def serve(
    host: str,
    port: int,
    place: str | None,
    upstream: str | None,
    served_model: str | None,
    key_file: str | None,
    tokenizer: str | None,
    ledger_place: str | None,
    without_text: bool,
    api_key_file: Path | None,
    is_open: bool,
    allow_host: tuple[str, ...],
    rate: float | None,
    threads: int,
    checks: int,
    generations: int,
    max_body: int,
    grace: float,
    log_text: bool,
    removal_requests: Path | None,
    policy: str,
    indexes: tuple[Path, ...],
) -> int:
    """Serve the API and the page.

    Listens on this machine only, unless it is told otherwise with --host; it then wants keys (--api-key-file) or the
    word that it is --open. Under /v1 it speaks as OpenAI's server does, with the attributions of each completion;
    --upstream puts that before a completion server of your own. What it does on SIGTERM: finish, then end.
    """
    local = _is_local(host)
    if not local and api_key_file is None and not is_open:
        raise click.UsageError(f"{host} can be reached by others: give --api-key-file, or --open to let everyone ask")
    if place is not None and upstream is not None:
        raise click.UsageError("give either --model or --upstream")
    try:
        from codecite.search_api.app import create_app
    except ImportError as error:
        raise ConfigError(f"serving needs {error.name}: pip install 'codecite[serve]'") from None
    from codecite.generator.generator import Generator
    from codecite.indexer import open_index
    from codecite.indexer.attribution.policy import load_policy
    from codecite.search_api.keys import read_keys
    from codecite.search_api.ledgers import SharedLedger
    from codecite.search_api.logs import log_to_stderr
    from codecite.search_api.removals import RemovalLog
    from codecite.search_api.server import few_arenas, make_server
    from codecite.search_api.server import serve as run
    from codecite.search_api.service import NAME
    from codecite.search_api.settings import Settings

    few_arenas()
    settings = Settings(
        max_body=max_body,
        checks=checks,
        generations=min(generations, threads - 2),
        rate=(0.0 if local else _RATE) if rate is None else rate,
        hosts=_hosts(host, allow_host) if local or allow_host else (),
        keys=read_keys(api_key_file) if api_key_file else None,
        log_text=log_text,
        removal_requests=removal_requests,
    )
    if removal_requests is not None:
        RemovalLog(removal_requests).check()
    held = load_policy(policy)
    index = open_index(*indexes)
    ensure_compiled()
    model = _model(place or upstream, served_model, key_file, tokenizer)
    ledger = None if ledger_place is None else SharedLedger(ledger_place)
    generator = None if model is None else Generator(model, index, held, ledger, keep_text=not without_text)
    app = create_app(index, generator, held, settings)
    server = make_server(app, host, port, threads=threads, max_body=max_body)
    log_to_stderr()
    note(f"codecite: serving on http://{_shown(host)}:{server.effective_port}/ (stop with Ctrl-C)")
    try:
        run(server, lambda: setattr(app.extensions[NAME], "stopping", True), grace=grace)
    finally:
        if ledger is not None:
            ledger.compact()
            ledger.close()
    return OK


@click.command()
@click.argument("name")
@click.option(
    "--api-key-file", "file", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The file of keys."
)
def key(name: str, file: Path) -> int:
    """Make an API key for `codecite serve`.

    Writes the key to standard output, once, and its hash under NAME to the file; the key itself is kept nowhere. Take
    the line out of the file to take the key back, and start the server anew.
    """
    from codecite.search_api.keys import append_key

    click.echo(append_key(file, name))
    return OK


def _model(place: str | None, served: str | None, key_file: str | None, tokenizer: str | None) -> Model | None:
    if place is None:
        return None
    from codecite.generator.local import LocalModel
    from codecite.generator.remote import RemoteModel, is_url

    if is_url(place):
        return RemoteModel.connect(place, model=served, key_file=key_file, tokenizer=tokenizer)
    note(f"codecite: loading {printable(place)}")
    return LocalModel.load(place)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _hosts(host: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The names under which this server is asked for: a page elsewhere may give its own name this address."""
    return tuple(dict.fromkeys((host.lower(), "localhost", "127.0.0.1", "::1", *(name.lower() for name in allowed))))


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
