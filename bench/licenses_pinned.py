"""Which packages the figures of licence evidence are taken from.

In: nothing. Out: names and versions. It refuses to know how they are fetched.
"""

from __future__ import annotations

SOURCES = (
    "bubblewrap",
    "cairo",
    "dropbear",
    "gzip",
    "jq",
    "junit4",
    "less",
    "libarchive",
    "libevent",
    "libuv1",
    "libxml2",
    "lz4",
    "mosquitto",
    "mupdf",
    "ninja-build",
    "opus",
    "rsync",
    "sed",
    "tmux",
    "wget",
    "xxhash",
)
"""Debian source packages with a `copyright` for machines, in C, Java, JavaScript and shell, under many licences."""

PACKAGES = """
pylint pylint==2.16.2
python3-aiohttp aiohttp==3.8.4
python3-aiosignal aiosignal==1.3.1
python3-alabaster alabaster==0.7.12
python3-alembic alembic==1.8.1
python3-amqp amqp==5.1.1
python3-anyio anyio==3.6.2
python3-astroid astroid==2.14.2
python3-async-timeout async-timeout==4.0.2
python3-attr attrs==22.2.0
python3-automat automat==22.10.0
python3-babel babel==2.10.3
python3-babelfish babelfish==0.6.0
python3-bcrypt bcrypt==3.2.2
python3-billiard billiard==4.1.0
python3-bitarray bitarray==2.7.3
python3-boto3 boto3==1.26.27
python3-bottle bottle==0.12.23
python3-bs4 beautifulsoup4==4.11.2
python3-build build==0.9.0
python3-cairosvg cairosvg==2.5.2
python3-celery celery==5.2.6
python3-certifi certifi==2022.9.24
python3-cffi cffi==1.15.1
python3-chardet chardet==5.1.0
python3-charset-normalizer charset-normalizer==3.0.1
python3-click click==8.1.3
python3-colorama colorama==0.4.6
python3-commonmark commonmark==0.9.1
python3-configobj configobj==5.0.8
python3-constantly constantly==15.1.0
python3-coverage coverage==6.5.0
python3-cssselect cssselect==1.2.0
python3-cssselect2 cssselect2==0.7.0
python3-dateutil python-dateutil==2.8.2
python3-distlib distlib==0.3.6
python3-django django==3.2.25
python3-djangorestframework djangorestframework==3.14.0
python3-docopt docopt==0.6.2 sdist
python3-docutils docutils==0.19
python3-dotenv python-dotenv==0.21.0
python3-dulwich dulwich==0.21.2
python3-ecdsa ecdsa==0.18.0 sdist
python3-evdev evdev==1.6.1 sdist
python3-eventlet eventlet==0.33.1
python3-fabric fabric==2.6.0
python3-feedparser feedparser==6.0.10
python3-filelock filelock==3.9.0
python3-flake8 flake8==5.0.4
python3-flask flask==2.2.2
python3-frozenlist frozenlist==1.3.3
python3-gevent gevent==22.10.2
python3-git gitpython==3.1.30
python3-gitdb gitdb==4.0.9
python3-gnupg python-gnupg==0.4.9
python3-greenlet greenlet==2.0.2
python3-guessit guessit==3.4.3
python3-gunicorn gunicorn==20.1.0
python3-h11 h11==0.14.0
python3-h2 h2==4.1.0
python3-hpack hpack==4.0.0
python3-httpcore httpcore==0.16.3
python3-httpx httpx==0.23.3
python3-hyperframe hyperframe==6.0.0
python3-hyperlink hyperlink==21.0.0
python3-hypothesis hypothesis==6.67.1
python3-idna idna==3.3 sdist
python3-imagesize imagesize==1.4.1
python3-incremental incremental==21.3.0
python3-iniconfig iniconfig==1.1.1
python3-invoke invoke==2.0.0
python3-ipython ipython==8.5.0
python3-isort isort==5.6.4
python3-itsdangerous itsdangerous==2.1.2
python3-jedi jedi==0.18.2
python3-jeepney jeepney==0.8.0
python3-jmespath jmespath==1.0.1
python3-jsonschema jsonschema==4.10.3
python3-jwt pyjwt==2.6.0
python3-keyring keyring==23.9.3
python3-keystoneauth1 keystoneauth1==5.0.0
python3-kombu kombu==5.2.4
python3-lark lark==1.1.5
python3-lazy-object-proxy lazy-object-proxy==1.9.0
python3-ldap3 ldap3==2.9.1
python3-mako mako==1.2.4
python3-markdown markdown==3.4.1
python3-marshmallow marshmallow==3.18.0
python3-mccabe mccabe==0.7.0
python3-mistune mistune==2.0.4
python3-mock mock==4.0.3
python3-mpmath mpmath==1.2.1
python3-msgpack msgpack==1.0.3 sdist
python3-multidict multidict==6.0.4
python3-mutagen mutagen==1.46.0 sdist
python3-nacl pynacl==1.5.0
python3-networkx networkx==2.8.8
python3-nltk nltk==3.8
python3-nose2 nose2==0.12.0
python3-novaclient python-novaclient==18.1.0
python3-oauthlib oauthlib==3.2.2
python3-openpyxl openpyxl==3.0.9
python3-openssl pyopenssl==23.0.0
python3-oslo.config oslo.config==9.0.0
python3-oslo.utils oslo.utils==6.0.1
python3-outcome outcome==1.2.0
python3-packaging packaging==23.0
python3-paramiko paramiko==2.12.0
python3-parso parso==0.8.3
python3-passlib passlib==1.7.4
python3-pbr pbr==5.10.0
python3-pexpect pexpect==4.8.0
python3-pip pip==23.0.1
python3-platformdirs platformdirs==2.6.0
python3-ply ply==3.11 sdist
python3-prettytable prettytable==3.6.0
python3-prompt-toolkit prompt-toolkit==3.0.36
python3-psutil psutil==5.9.4
python3-ptyprocess ptyprocess==0.7.0
python3-pyasn1 pyasn1==0.4.8
python3-pycodestyle pycodestyle==2.10.0
python3-pycparser pycparser==2.21
python3-pydantic pydantic==1.10.4
python3-pyflakes pyflakes==2.5.0
python3-pygments pygments==2.14.0
python3-pynput pynput==1.7.5
python3-pyparsing pyparsing==3.0.9
python3-pyphen pyphen==0.13.2
python3-pyrsistent pyrsistent==0.18.1 sdist
python3-pysnmp4 pysnmp==4.4.12
python3-pytest pytest==7.2.1
python3-pyudev pyudev==0.24.0
python3-rebulk rebulk==3.1.0
python3-redis redis==4.3.4
python3-requests requests==2.28.1
python3-rich rich==13.3.1
python3-rsa rsa==4.8
python3-ruamel.yaml ruamel.yaml==0.17.21
python3-s3transfer s3transfer==0.6.0
python3-secretstorage secretstorage==3.3.3
python3-simplejson simplejson==3.18.3 sdist
python3-six six==1.16.0 sdist
python3-smmap smmap==5.0.0 sdist
python3-sniffio sniffio==1.2.0
python3-snowballstemmer snowballstemmer==2.2.0
python3-sortedcontainers sortedcontainers==2.4.0
python3-sphinx sphinx==5.3.0
python3-sqlalchemy sqlalchemy==1.4.46
python3-starlette starlette==0.26.1
python3-stem stem==1.8.1 sdist
python3-stevedore stevedore==4.0.2
python3-sympy sympy==1.11.1
python3-tabulate tabulate==0.8.9 sdist
python3-termcolor termcolor==1.1.0 sdist
python3-tinycss2 tinycss2==1.2.1
python3-toml toml==0.10.2 sdist
python3-tomli tomli==2.0.1
python3-tomlkit tomlkit==0.11.7
python3-tornado tornado==6.2.0
python3-tqdm tqdm==4.64.1
python3-traitlets traitlets==5.5.0
python3-trio trio==0.22.0
python3-twisted twisted==22.4.0
python3-typing-extensions typing-extensions==4.4.0
python3-tz pytz==2022.7.1 sdist
python3-ujson ujson==5.7.0
python3-unidecode unidecode==1.3.6
python3-unidiff unidiff==0.7.3 sdist
python3-urllib3 urllib3==1.26.12
python3-usb pyusb==1.2.1
python3-uvicorn uvicorn==0.17.6
python3-vine vine==5.0.0
python3-virtualenv virtualenv==20.17.1
python3-waitress waitress==2.1.2
python3-wcwidth wcwidth==0.2.5
python3-webencodings webencodings==0.5.1 sdist
python3-webob webob==1.8.6
python3-werkzeug werkzeug==2.2.2
python3-wheel wheel==0.38.4
python3-wrapt wrapt==1.14.1
python3-xlsxwriter xlsxwriter==3.0.2
python3-yarl yarl==1.8.2
python3-zeroconf zeroconf==0.47.3
python3-zope.interface zope.interface==5.5.2 sdist
tox tox==3.28.0
"""
"""A Debian package with a `copyright` for machines, the distribution that it was made from, in its version; a wheel
unless it says sdist."""

READ_BY_HAND: dict[str, tuple[str, str]] = {
    "amqp": ("BSD-3-Clause", "LICENSE in the wheel; no file of it names the LGPL, which Debian holds of old authors"),
    "celery": ("BSD-3-Clause", "LICENSE in the wheel: `The BSD License (3 Clause ...)` and its text"),
    "djangorestframework": ("BSD-3-Clause", "LICENSE.md in the wheel: the text has the clause on endorsement"),
    "guessit": ("LGPL-3.0-only", "METADATA in the wheel: `License: LGPLv3`, with its text; no word of later versions"),
    "mock": ("BSD-2-Clause", "LICENSE.txt in the wheel: the text has two clauses; Debian has another text"),
    "mutagen": ("GPL-2.0-or-later", "the heads of all modules: `either version 2 ... or (at your option) any later`"),
    "packaging": (
        "Apache-2.0 OR BSD-2-Clause",
        "LICENSE in the wheel: `under the terms of *either* of the licenses found in LICENSE.APACHE or LICENSE.BSD`",
    ),
    "paramiko": (
        "LGPL-2.1-or-later",
        "the heads of all modules: `either version 2.1 ... or (at your option) any later`",
    ),
    "pyphen": (
        "GPL-2.0-or-later OR LGPL-2.1-or-later OR MPL-1.1",
        "LICENSE in the wheel: `released under the GPL 2.0+/LGPL 2.1+/MPL 1.1 tri-license`",
    ),
    "python-dateutil": (
        "Apache-2.0 AND BSD-3-Clause",
        "LICENSE in the wheel: Apache 2.0 since 2017, `The above BSD License Applies to all code, even that also `...",
    ),
    "stem": ("LGPL-3.0-only", "LICENSE in the sdist is the text of the LGPL 3, the metadata says LGPLv3; not the GPL"),
    "tqdm": ("MIT AND MPL-2.0", "LICENCE in the wheel: MPL-2.0 for some authors' work, MIT for the others'"),
}
"""Where Debian's word for the whole differs from the package's own: what stands there, and where it was read."""
