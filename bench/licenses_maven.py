"""Heads of Java files from Maven's source jars, against what their projects state.

In: the jars below, fetched by `mvn`. Out: the table of `licenses_projects.py`. It refuses to know how heads are read.

`OTHERS` are expressions read by hand in single files that their projects took from elsewhere. When these jars were
first read (27 November 2026), and no wording had been fitted to them, some 820 heads were wrong: `multiple-licensed`
(773, h2), CDDL 1.1 (37, javax.servlet), a disclaimer taken for a choice of licences (6 in netty, 1 in rhino), one each
in logback and checkstyle. What is right since then is no held-back figure any more.
"""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pinned
from licenses_projects import Project, table

_CLASSPATH = "GPL-2.0-only WITH Classpath-exception-2.0"
JARS = {
    "ch.qos.logback:logback-core:1.4.14": "EPL-1.0 OR LGPL-2.1-only",
    "com.h2database:h2:2.2.224": "EPL-1.0 OR MPL-2.0",
    "com.puppycrawl.tools:checkstyle:10.12.7": "LGPL-2.1-or-later",
    "io.netty:netty-common:4.1.104.Final": "Apache-2.0",
    "jakarta.mail:jakarta.mail-api:2.1.2": f"EPL-2.0 OR {_CLASSPATH}",
    "jakarta.persistence:jakarta.persistence-api:3.1.0": "BSD-3-Clause OR EPL-2.0",
    "javax.servlet:javax.servlet-api:4.0.1": f"CDDL-1.1 OR {_CLASSPATH}",
    "net.java.dev.jna:jna:5.14.0": "Apache-2.0 OR LGPL-2.1-or-later",
    "org.aspectj:aspectjrt:1.9.21": "EPL-2.0",
    "org.eclipse.jgit:org.eclipse.jgit:6.8.0.202311291450-r": "BSD-3-Clause",
    "org.glassfish.jaxb:jaxb-runtime:4.0.4": "BSD-3-Clause",
    "org.hibernate.orm:hibernate-core:6.4.1.Final": "LGPL-2.1-or-later",
    "org.jboss.logging:jboss-logging:3.5.3.Final": "Apache-2.0",
    "org.jfree:jfreechart:1.5.4": "LGPL-2.1-or-later",
    "org.junit.jupiter:junit-jupiter-api:5.10.1": "EPL-2.0",
    "org.mockito:mockito-core:5.8.0": "MIT",
    "org.mozilla:rhino:1.7.14": "MPL-2.0",
    "org.ow2.asm:asm:9.6": "BSD-3-Clause",
    "org.slf4j:slf4j-api:2.0.9": "MIT",
}
"""Coordinates of jars whose files have heads, and the licence that the project states for them."""

OTHERS = {
    "netty-common": {"Apache-2.0 AND MIT"},
    "javax.servlet-api": {"Apache-2.0"},
    "org.eclipse.jgit": {"MIT"},
    "hibernate-core": {"MIT"},
    "jfreechart": {"Apache-2.0"},
    "rhino": {"BSD-3-Clause", "dtoa AND MPL-2.0"},
    "h2": {"(EPL-1.0 OR MPL-2.0) AND BSD-3-Clause", "EPL-1.0 OR LGPL-3.0-or-later OR MPL-2.0"},
}


def lines(examples: int, jars: Mapping[str, str] = JARS, others: Mapping[str, set[str]] = OTHERS) -> list[str]:
    """The table; `examples` differences of each jar."""
    return table(
        (
            Project(name, _files(_fetched(coordinates)), license, frozenset(others.get(name, ())))
            for coordinates, license in jars.items()
            for name in [coordinates.split(":")[1]]
        ),
        examples,
    )


def _fetched(coordinates: str) -> Path:
    group, name, version = coordinates.split(":")
    folder = pinned.cache() / "maven"
    jar = folder / f"{name}-{version}-sources.jar"
    if not jar.exists():
        artifact = f"-Dartifact={group}:{name}:{version}:jar:sources"
        subprocess.run(["mvn", "-q", "-B", "dependency:copy", artifact, f"-DoutputDirectory={folder}"], check=True)
    return jar


def _files(jar: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(jar) as members:
        for path in members.namelist():
            if path.endswith(".java"):
                yield path, members.read(path)
