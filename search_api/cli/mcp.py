"""`codecite mcp`: the tools for agents, over standard input and output.

In: an index, a policy, the messages of an agent. Out: its answers. It refuses to know the tools (`agent.py`).
"""

from __future__ import annotations

from pathlib import Path

import click

from codecite.indexer.errors import ConfigError
from codecite.search_api.cli.options import OK, ensure_compiled, indexes_option, policy_option


@click.command()
@policy_option
@indexes_option
def mcp(policy: str, indexes: tuple[Path | str, ...]) -> int:
    """Answer an agent, over the Model Context Protocol.

    Has the tools check, search, similar, notice and explain_license. An agent's host starts it; it reads messages from
    standard input and writes to standard output until the input ends.
    """
    try:
        from codecite.search_api.agent import make_agent_server
    except ImportError as error:
        raise ConfigError(f"the agents' door needs {error.name}: pip install 'codecite[serve]'") from None
    from codecite.indexer import open_index
    from codecite.indexer.attribution.policy import load_policy

    held = load_policy(policy)
    index = open_index(*indexes)
    ensure_compiled()
    make_agent_server(index, held).run("stdio")
    return OK
