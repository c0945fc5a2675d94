"""Which config a command without `--config` takes."""

import pytest

from configs.errors import ConfigError
from configs.finding import config_in, demo_config
from configs.schema import load_config


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("name: x", encoding="utf-8")


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        (["churn.yaml", "configs/demo.yaml", "configs/shop.yaml"], "churn.yaml"),
        (["configs/demo.yaml", "configs/shop.yaml"], "configs/demo.yaml"),
        (["configs/shop.yaml"], "configs/shop.yaml"),
        (["configs/shop.yaml", "configs/playbook.yaml"], "configs/shop.yaml"),
    ],
)
def test_the_nearest_one_is_taken(tmp_path, files, taken):
    put(tmp_path, *files)
    assert config_in(tmp_path) == tmp_path / taken


@pytest.mark.parametrize("files", [[], ["configs/playbook.yaml"], ["configs/notes.txt", "shop.yaml"]])
def test_without_one_the_next_steps_are_told(tmp_path, files):
    put(tmp_path, *files)
    with pytest.raises(ConfigError, match="no config is here; `churn init FILES` writes one"):
        config_in(tmp_path)


def test_of_several_none_is_taken(tmp_path):
    put(tmp_path, *(f"configs/{letter}.yaml" for letter in "gfedcba"))
    with pytest.raises(ConfigError, match="several configs are here") as caught:
        config_in(tmp_path)
    assert "(configs/a.yaml, configs/b.yaml, configs/c.yaml, configs/d.yaml, configs/e.yaml)" in str(
        caught.value
    )


def test_a_folder_of_that_name_is_no_config(tmp_path):
    (tmp_path / "churn.yaml").mkdir()
    put(tmp_path, "configs/shop.yaml")
    assert config_in(tmp_path).name == "shop.yaml"


def test_the_config_of_the_demo_is_brought_once_and_then_left_alone(tmp_path):
    file = demo_config(tmp_path)
    assert load_config(file, environ={}).name == "demo"
    assert config_in(tmp_path) == file
    file.write_text("name: mine", encoding="utf-8")
    assert demo_config(tmp_path).read_text(encoding="utf-8") == "name: mine"
