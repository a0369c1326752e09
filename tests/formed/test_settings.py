"""Settings: no comment and no further line of a value is taken for a setting."""

from __future__ import annotations

import pytest

from swarm.formed.setting_files import rows, side_by_side

Pairs = list[tuple[str, str | None]]
FILES: dict[str, tuple[str, Pairs]] = {
    "a.ini": (
        'top = 1\n[db]\n; c\n# d = 1\nhost = localhost ; local\nport=5432 # x\ncolor = #fff\nsay = "a ; b" ; c\n'
        'q = "a" and "b"\nurl: http://x\nempty =\npath = C:\\x;y\n[db]\nhost = again\n',
        [
            ("top", "1"),
            ("db.host", "localhost"),
            ("db.port", "5432"),
            ("db.color", "#fff"),
            ("db.say", "a ; b"),
            ("db.q", '"a" and "b"'),
            ("db.url", "http://x"),
            ("db.empty", ""),
            ("db.path", "C:\\x;y"),
            ("db.host", "again"),
        ],
    ),
    "setup.cfg": (
        "[options]\ninstall_requires =\n    requests\n    attrs>=1.0 # c\npackages = find:\n[t:x]\nsetenv = A=1\n    B=2\n",
        [
            ("options.install_requires", "requests\nattrs>=1.0"),
            ("options.packages", "find:"),
            ("t:x.setenv", "A=1\nB=2"),
        ],
    ),
    "git.conf": (
        '[core]\n\tbare = false\n[remote "origin"]\n\tfetch = a\n\tfetch = b\n',
        [("core.bare", "false"), ('remote "origin".fetch', "a"), ('remote "origin".fetch', "b")],
    ),
    "sshd.conf": (
        "Port 22\nListenAddress 0.0.0.0:22\n# X\n",
        [("Port", "22"), ("ListenAddress", "0.0.0.0:22")],
    ),
    "my.cnf": (
        "[mysqld]\nskip-networking\nport = 3306\n!includedir /etc/x\n",
        [("mysqld.skip-networking", None), ("mysqld.port", "3306"), ("mysqld.!includedir", "/etc/x")],
    ),
    "a.service": (
        "[Service]\nDescription=My; thing # x\nExecStart=/x --a=b\nExecStart=/y\n",
        [
            ("Service.Description", "My; thing # x"),
            ("Service.ExecStart", "/x --a=b"),
            ("Service.ExecStart", "/y"),
        ],
    ),
    "Procfile": ("web: gunicorn x:y\nworker: celery\n", [("web", "gunicorn x:y"), ("worker", "celery")]),
    "a.properties": (
        "# c\n! c\na.b = c\\\n   d\nk\\=y : v\\u00e4\\n\nkey value ; x\nempty\npath=C:\\\\x\n",
        [("a.b", "cd"), ("k=y", "vä\n"), ("key", "value ; x"), ("empty", ""), ("path", "C:\\x")],
    ),
    "a.yaml": ("a:\n  b: yes # c\n", [("a.b", "yes")]),
    "none.ini": ("# a = 1\n\n", []),
}
UNTOLD = {
    "nginx.conf": "worker 1;\nserver {\n listen 80;\n}\n",
    "apache.conf": "Listen 80\n<VirtualHost *:80>\n  ServerName x\n</VirtualHost>\n",
    "haproxy.cfg": "global\n    daemon\ndefaults\n    mode http\n",
    "mixed.conf": "a = 1\nb 2 3\n",
    "a.jsonc": "{}",
    "a.rules": 'SUBSYSTEM=="usb"\n',
    "a.json": '{"a": 1,}',
    "a.yaml": "a: [1\nb: 2\n",
    "a.toml": "a = \n",
    "long.ini": "a = 1\n" + "b" * 30_000 + " = 2\n",
}


@pytest.mark.parametrize("path", FILES)
def test_settings_are_read_as_their_programs_read_them(path: str) -> None:
    text, wanted = FILES[path]

    assert [(row["name"], row["value"]) for row in rows([(path, text)])] == wanted


@pytest.mark.parametrize("path", UNTOLD)
def test_a_file_of_another_form_is_an_error_that_names_it(path: str) -> None:
    with pytest.raises(ValueError, match=f"^{path}: its settings can't be told"):
        rows([(path, UNTOLD[path])])


def test_aliases_that_make_many_settings_of_few_are_refused() -> None:
    many = ", ".join(["*a"] * 400)
    text = f"a: &a {{x: 1}}\nb: &b [{many}]\nc: [{', '.join(['*b'] * 300)}]\n"

    with pytest.raises(ValueError, match=r"a\.yaml: its settings are too many"):
        rows([("a.yaml", text)])


def test_settings_side_by_side_tell_whether_they_differ() -> None:
    texts = [
        ("a.ini", "[x]\none = 1\ntwo = 2\n"),
        ("b.ini", "[x]\none = 1\n"),
        ("c.ini", "[x]\none = 1\ntwo = 2\n"),
    ]

    assert side_by_side(texts) == [
        {"name": "x.one", "a": "1", "b": "1", "c": "1", "differs": "equal"},
        {"name": "x.two", "a": "2", "b": None, "c": "2", "differs": "different"},
    ]


@pytest.mark.parametrize("name", ["name.ini", "differs.ini"])
def test_a_file_that_is_called_as_a_column_makes_no_table_side_by_side(name: str) -> None:
    with pytest.raises(ValueError, match="the same name"):
        side_by_side([(name, "[x]\none = 1\n"), ("b.ini", "[x]\none = 1\n")])
