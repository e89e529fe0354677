"""The backends: what each needs, how it is started, and which version answers."""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import install
from install import HERE
from needs import OLDEST_GO

Variables = Mapping[str, str]
"""PORT, PORT_HTTP2, FILES (a folder with the places as files), SCRATCH (a folder to write to) and HERE."""

APT = "apt-get install --no-install-recommends {} (Debian, Ubuntu)"
HOW = {
    "apache2": APT.format("apache2-bin"),
    "caddy": APT.format("caddy"),
    "cargo": "https://rustup.rs",
    "go": f"https://go.dev/doc/install, {OLDEST_GO} or newer",
    "h2o": APT.format("h2o"),
    "java": APT.format("openjdk-17-jdk-headless"),
    "lighttpd": APT.format("lighttpd"),
    "busybox": APT.format("busybox"),
    "mini_httpd": APT.format("mini-httpd"),
    "starman": APT.format("starman"),
    "webfsd": APT.format("webfs"),
    "mojo": APT.format("libmojolicious-perl"),
    "mvn": APT.format("maven"),
    "nginx": APT.format("nginx-light"),
    "php": APT.format("php-cli"),
    "php-fpm": APT.format("php-fpm"),
    "puma": APT.format("puma"),
    "ruby": APT.format("ruby"),
}


@dataclass(frozen=True)
class Backend:
    """A backend. `commands` are the programs to run, `version` says what they are."""

    name: str
    commands: Callable[[Variables], list[list]]
    version: Callable[[], str]
    needs: tuple[str, ...] = ()
    ruby: tuple[str, ...] = ()
    """Packages of Ruby, which Debian brings as ruby-NAME."""
    environment: Callable[[], Variables] = dict
    depth: int = 1
    """How many requests may wait on one HTTP/1.1 connection: more is faster for some, others lose those that wait."""
    http2: str | None = None
    """The variable with the port that speaks HTTP/2, if there is one."""
    ignores_case: bool = False
    path_info: bool = False
    """Whether it serves a file by whatever is below its path as well, which no path can tell (docs/matching.md)."""
    quick: bool = False
    """Whether the short form asks it."""

    def missing(self) -> list[str]:
        """What this machine lacks for it."""
        lacks = [f"{program} is missing: {HOW[program]}" for program in self.needs if install.find(program) is None]
        if not lacks and self.ruby:
            found = (
                subprocess.run(["ruby", *(f"-r{name}" for name in self.ruby), "-e", ""], capture_output=True).returncode
                == 0
            )
            lacks = [] if found else [f"Ruby lacks {', '.join(self.ruby)}: {APT.format(' '.join(self._debian_ruby()))}"]
        return lacks

    def _debian_ruby(self):
        return [f"ruby-{name.split('/')[0].replace('_', '-')}" for name in self.ruby]


def _said(command: list[str], pattern: str) -> str:
    """The version that a program says it is."""
    run = subprocess.run([install.find(command[0]) or command[0], *command[1:]], capture_output=True, text=True)
    found = re.search(pattern, run.stdout + run.stderr)
    return found[1] if found else "?"


def _python_version(*names: str) -> Callable[[], str]:
    def version():
        found = {
            dist.metadata["name"].lower(): dist.version
            for dist in importlib.metadata.distributions(path=[str(install.python())])
        }
        return ", ".join(f"{name} {found[name]}" for name in names)

    return version


def _python(name: str, script: str, *packages: str, **more) -> Backend:
    version = _python_version(*packages) if packages else lambda: f"Python {sys.version.split()[0]}"
    return Backend(
        name,
        lambda _: [[sys.executable, HERE / "python" / script]],
        version,
        environment=lambda: (
            {"PYTHONPATH": str(install.python()), "PYTHONDONTWRITEBYTECODE": "1"}
            if packages
            else {"PYTHONDONTWRITEBYTECODE": "1"}
        ),
        **{"quick": True, **more},
    )


def _gunicorn(name: str, module: str, package: str, **more) -> Backend:
    def commands(variables):
        words = [
            sys.executable,
            "-m",
            "gunicorn",
            "--chdir",
            HERE / "python",
            "--bind",
            f"127.0.0.1:{variables['PORT']}",
        ]
        return [
            [
                *words,
                "--worker-class",
                "gthread",
                "--threads",
                "8",
                "--keep-alive",
                "60",
                "--log-level",
                "critical",
                module,
            ]
        ]

    environment = {"PYTHONPATH": None, "PYTHONDONTWRITEBYTECODE": "1"}
    return Backend(
        name,
        commands,
        _python_version(package, "gunicorn"),
        environment=lambda: {**environment, "PYTHONPATH": str(install.python())},
        **{"quick": True, **more},
    )


def _node_version(name: str) -> Callable[[], str]:
    return lambda: json.loads((install.node() / name / "package.json").read_text())["version"]


def _node(name: str, script: str, package: str = "", *arguments: str, **more) -> Backend:
    return Backend(
        name,
        lambda _: [[install.node_program(), HERE / "node" / script, *arguments]],
        _node_version(package) if package else lambda: _said([install.node_program(), "--version"], r"v(\S+)"),
        environment=lambda: {"NODE_PATH": str(install.node()), "NODE_ENV": "production"} if package else {},
        **{"quick": True, **more},
    )


def _go(name: str, program: str, module: str = "", *arguments: str, **more) -> Backend:
    def version():
        if not module:
            return _said(["go", "version"], r"go(\d\S+)")
        return re.search(rf"{re.escape(module)} v(\S+)", (HERE / "go" / "go.mod").read_text())[1]

    return Backend(name, lambda _: [[install.go() / program, *arguments]], version, needs=("go",), http2="PORT", **more)


def _rust(name: str, program: str, package: str, **more) -> Backend:
    def version():
        return re.search(rf'name = "{package}"\nversion = "(\S+)"', (HERE / "rust" / "Cargo.lock").read_text())[1]

    return Backend(name, lambda _: [[install.rust() / program]], version, needs=("cargo",), **more)


def _java(name: str, module: str, artifact: str, *arguments: str, options: tuple[str, ...] = (), **more) -> Backend:
    def commands(_):
        home = install.java() / module
        return [
            [
                "java",
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                *options,
                "-cp",
                f"{home / 'classes'}:{home / 'lib'}/*",
                "Main",
                *arguments,
            ]
        ]

    def version():
        namespace = {"pom": "http://maven.apache.org/POM/4.0.0"}
        tree = xml.etree.ElementTree.parse(HERE / "java" / module / "pom.xml")
        dependencies = tree.findall(".//pom:dependency", namespace)
        return next(
            one.find("pom:version", namespace).text
            for one in dependencies
            if one.find("pom:artifactId", namespace).text == artifact
        )

    return Backend(name, commands, version, needs=("java", "mvn"), **more)


def _puma(name: str, file: str, library: str, version: str, **more) -> Backend:
    def commands(variables):
        return [
            [
                "puma",
                "--config",
                HERE / "ruby" / "puma.rb",
                "--bind",
                f"tcp://127.0.0.1:{variables['PORT']}",
                HERE / "ruby" / file,
            ]
        ]

    said = [
        "ruby",
        f"-r{library}",
        "-e",
        f"require 'puma/const'; puts {version} + ', puma ' + Puma::Const::PUMA_VERSION",
    ]
    return Backend(
        name,
        commands,
        lambda: subprocess.run(said, capture_output=True, text=True).stdout.strip(),
        needs=("ruby", "puma"),
        ruby=(library,),
        environment=lambda: {"RACK_ENV": "production", "RAILS_ENV": "production"},
        **more,
    )


def _filled(name: str, variables: Variables) -> pathlib.Path:
    """A configuration of static/ with its ${VARIABLES} filled in."""
    text = re.sub(r"\$\{([A-Z_0-9]+)\}", lambda found: variables[found[1]], (HERE / "static" / name).read_text())
    file = pathlib.Path(variables["SCRATCH"]) / name
    file.write_text(text)
    return file


def _server(
    name: str, program: str, configuration: str, words: Callable[[pathlib.Path], list], version: tuple, **more
) -> Backend:
    return Backend(
        name,
        lambda variables: [[install.find(program), *words(_filled(configuration, variables))]],
        lambda: _said(*version),
        needs=(program,),
        **more,
    )


def _mini_httpd(variables: Variables) -> list:
    words = [install.find("mini_httpd"), "-D", "-h", "127.0.0.1", "-p", variables["PORT"], "-d", variables["FILES"]]
    return [*words, "-l", "/dev/null", "-i", f"{variables['SCRATCH']}/pid", "-u", "nobody"]


def _lighttpd(name: str, *, path_info: bool = False) -> Backend:
    file = "lighttpd.conf" if path_info else "lighttpd-no-path-info.conf"
    version = ["lighttpd", "-v"], r"lighttpd/(\S+)"
    return _server(name, "lighttpd", file, lambda file: ["-D", "-f", file], version, path_info=path_info)


def _apache(name: str, file: str, **more) -> Backend:
    version = ["apache2", "-v"], r"Apache/(\S+)"
    return _server(name, "apache2", file, lambda file: ["-f", file, "-DFOREGROUND"], version, http2="PORT", **more)


def _nginx_php() -> Backend:
    def commands(variables):
        # A server that drops the rights of root may not reach the sources.
        shutil.copy(HERE / "php" / "index.php", variables["SCRATCH"])
        fpm = [
            install.find("php-fpm"),
            "--nodaemonize",
            "--allow-to-run-as-root",
            "--no-php-ini",
            "--fpm-config",
            _filled("fpm.conf", variables),
        ]
        return [fpm, [install.find("nginx"), "-c", _filled("nginx-php.conf", variables)]]

    return Backend(
        "PHP-FPM behind nginx",
        commands,
        lambda: _said(["php-fpm", "-v"], r"PHP (\d\S+)") + ", nginx " + _said(["nginx", "-v"], r"nginx/(\S+)"),
        needs=("nginx", "php-fpm"),
    )


BACKENDS: list[Backend] = [
    _python("http.server, routes", "http_server_routes.py", depth=16),
    _python("http.server, files", "http_server_files.py"),
    _python("Bottle on wsgiref", "bottle_app.py", "bottle"),
    _python("Bottle's files on waitress", "bottle_files.py", "bottle", "waitress", depth=16),
    _python("Starlette on uvicorn", "starlette_app.py", "starlette", "uvicorn"),
    _gunicorn("Django on gunicorn", "django_app", "django"),
    _gunicorn("Flask on gunicorn", "flask_app", "flask"),
    _python("Tornado", "tornado_app.py", "tornado"),
    _python("aiohttp", "aiohttp_app.py", "aiohttp"),
    _node("Node, new URL", "http.js"),
    _node("Node, new URL with a base", "http_base.js"),
    _node("Node, url.parse", "http_legacy.js", http2="PORT_HTTP2"),
    _node("Express 5", "express.js", "express", "express", ignores_case=True),
    _node("Express 4", "express.js", "express-4", "express-4", ignores_case=True),
    _node("Fastify 5", "fastify.js", "fastify", "fastify", "@fastify/static"),
    _node("Fastify 4", "fastify.js", "fastify-4", "fastify-4", "@fastify/static-7"),
    _node(
        "Fastify 4, lenient",
        "fastify.js",
        "fastify-4",
        "fastify-4",
        "@fastify/static-7",
        json.dumps({"caseSensitive": False, "ignoreTrailingSlash": True, "ignoreDuplicateSlashes": True}),
        ignores_case=True,
    ),  # fmt: skip
    _node("Koa", "koa.js", "koa", ignores_case=True),
    _node("hapi", "hapi.js", "@hapi/hapi"),
    _go("Go net/http", "servemux"),
    _go("chi", "router", "github.com/go-chi/chi/v5", "chi"),
    _go("gin", "router", "github.com/gin-gonic/gin", "gin"),
    _go("echo", "router", "github.com/labstack/echo/v4", "echo"),
    _rust("axum", "axum", "axum", http2="PORT"),
    _rust("actix", "actix", "actix-web", http2="PORT"),
    _java("Tomcat", "tomcat", "tomcat-embed-core", http2="PORT"),
    _java("Tomcat, lenient", "tomcat", "tomcat-embed-core", "lenient", http2="PORT"),
    _java("Tomcat, Latin-1", "tomcat", "tomcat-embed-core", "latin-1", http2="PORT"),
    _java("Jetty", "jetty", "jetty-ee11-servlet", http2="PORT"),
    _java("Jetty, lenient", "jetty", "jetty-ee11-servlet", "lenient", http2="PORT"),
    _java("Undertow", "undertow", "undertow-core", http2="PORT"),
    _java("Undertow, lenient", "undertow", "undertow-core", "lenient", http2="PORT"),
    _java("Spring Boot", "spring-boot", "spring-boot-starter-web", http2="PORT"),
    _java(
        "Spring Boot, Ant",
        "spring-boot",
        "spring-boot-starter-web",
        "--spring.mvc.pathmatch.matching-strategy=ant_path_matcher",
        http2="PORT",
    ),
    _java("Spring 4.2", "spring-4", "spring-webmvc"),
    _server(
        "nginx",
        "nginx",
        "nginx.conf",
        lambda file: ["-c", file],
        (["nginx", "-v"], r"nginx/(\S+)"),
        http2="PORT_HTTP2",
        quick=True,
    ),
    _apache("Apache httpd", "apache.conf", quick=True),
    _apache("Apache httpd, rewriting", "apache-rewriting.conf"),
    Backend(
        "mini_httpd",
        lambda variables: [_mini_httpd(variables)],
        lambda: _said(["mini_httpd", "-V"], r"mini_httpd/(\S+)"),
        needs=("mini_httpd",),
    ),
    Backend(
        "webfs",
        lambda variables: [
            [install.find("webfsd"), "-F", "-i", "127.0.0.1", "-p", variables["PORT"], "-r", variables["FILES"]]
        ],
        lambda: _said(["dpkg-query", "--show", "webfs"], r"(\d\S+)"),
        needs=("webfsd",),
    ),
    Backend(
        "busybox httpd",
        lambda variables: [
            ["busybox", "httpd", "-f", "-p", f"127.0.0.1:{variables['PORT']}", "-h", variables["FILES"]]
        ],
        lambda: _said(["busybox"], r"BusyBox v(\S+)"),
        needs=("busybox",),
    ),
    Backend(
        "Plack on Starman",
        lambda variables: [
            ["starman", "--workers", "2", "--listen", f"127.0.0.1:{variables['PORT']}", HERE / "perl" / "plack.psgi"]
        ],
        lambda: _said(["perl", "-MPlack", "-e", "print Plack->VERSION"], r"(\d\S+)"),
        needs=("starman",),
    ),
    _lighttpd("lighttpd", path_info=True),
    _lighttpd("lighttpd, no path info"),
    _server(
        "Caddy",
        "caddy",
        "caddy.json",
        lambda file: ["run", "--config", file],
        (["caddy", "version"], r"(\d\S+)"),
        http2="PORT",
        ignores_case=True,
    ),
    _server("h2o", "h2o", "h2o.conf", lambda file: ["--conf", file], (["h2o", "-v"], r"version (\S+)"), http2="PORT"),
    Backend(
        "PHP's own server",
        lambda variables: [
            ["php", "-n", "-S", f"127.0.0.1:{variables['PORT']}", "-t", variables["FILES"], HERE / "php" / "router.php"]
        ],
        lambda: _said(["php", "-v"], r"PHP (\d\S+)"),
        needs=("php",),
        path_info=True,
        environment=lambda: {"PHP_CLI_SERVER_WORKERS": "2"},
    ),
    _nginx_php(),
    _puma("Rack on puma", "rack.ru", "rack", "Rack.release"),
    _puma("Sinatra on puma", "sinatra.ru", "sinatra/base", "Sinatra::VERSION"),
    _puma("Rails on puma", "rails.ru", "rails", "Rails.version"),
    Backend(
        "Mojolicious",
        lambda _: [["perl", HERE / "perl" / "mojolicious.pl"]],
        lambda: _said(["perl", "-MMojolicious", "-e", "print Mojolicious->VERSION"], r"(\d\S+)"),
        needs=("mojo",),
    ),
]


def environment(backend: Backend, variables: Variables) -> dict[str, str]:
    """The environment of a backend's programs."""
    return {**os.environ, **variables, **backend.environment()}
