from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pipeline.config.file import dump_params, load_params
from pipeline.config.params import Mfcc, Params
from pipeline.config.training import AtNetParams
from pipeline.corpora.base import CORPORA
from pipeline.corpora.registry import check_corpora, corpus_params
from pipeline.runtime.errors import PipelineError
from tests.corpora.sections import default_sections

SHIPPED = Path("params.yaml")


def write(folder: Path, change: str, value: object) -> Path:
    """The shipped params with ``change`` (a dotted key) set to ``value``."""
    tree = yaml.safe_load(SHIPPED.read_text())
    *sections, key = change.split(".")
    place = tree
    for section in sections:
        place = place[section]
    place[key] = value
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def test_shipped_params_are_the_defaults() -> None:
    params = load_params(SHIPPED)
    assert replace(params, corpora={}) == Params()
    for name, section in default_sections().items():
        assert corpus_params(params, name) == corpus_params(Params(corpora={name: section}), name)
    assert params.corpora.keys() == CORPORA.keys()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("vgnet.lrr", 1e-4, r"vgnet\.lrr is not a param\. Did you mean lr\?"),
        ("corpus", "grit", r"must be one of folder, grid, lrw, portraits, sample, union\. Did you mean grid\?"),
        ("vgnet.augment.blurr", 0.5, r"vgnet\.augment\.blurr is not a param\. Did you mean blur\?"),
        ("vgnet.augment.flip", 2, r"vgnet\.augment\.flip must be 0 to 1; it is 2\.0\. Change it in params\.yaml"),
        ("vgnet.augment", 0.5, r"vgnet\.augment must be a section of keys, not 0\.5"),
        ("vgnet.lr", "fast", r"vgnet\.lr is 'fast'; it must be a number"),
        (
            "vgnet.lr",
            -1.0,
            r"vgnet\.lr must be above 0 and below 1; it is -1\.0\. Change it in params\.yaml or with -S",
        ),
        ("vgnet.lr", float("nan"), r"vgnet\.lr is nan; it must be a number"),
        (
            "mfcc.kind",
            "embedding_mel",
            r"mfcc\.kind embedding_mel does not fit atnet\.encoder conv2d; ",
        ),
        ("seed", "1", r"seed is '1'; it must be a whole number"),
        ("seed", True, r"seed is True; it must be a whole number"),
        ("seed", -1, r"seed must be 0 to"),
        ("atnet.recurrent", "yes", r"atnet\.recurrent is 'yes'; it must be true or false"),
        ("corpora.gird", {}, r"corpora\.gird is not a param\. Did you mean grid\?"),
        ("corpora.lrw.word", [], r"corpora\.lrw\.word is not a param\. Did you mean words\?"),
        ("corpora.lrw", [], r"corpora\.lrw must be a section of keys"),
        ("corpora.grid.speakers", "s1", r"corpora\.grid\.speakers is 's1'; it must be a list"),
        ("corpora.grid.speakers", [1], r"corpora\.grid\.speakers\[0\] is 1; it must be a text"),
        ("corpora.grid.val", 0.95, r"corpora\.grid\.val and test are shares"),
        ("landmarks", [], r"landmarks must be a section of keys"),
        ("landmarks.alignment", "eyes", r"landmarks\.alignment is 'eyes'; it must be one of clip, frame"),
        ("landmarks.size", 200, r"landmarks\.size is 200; it must be one of 128, 256\."),
        ("extract.min_frames", 3, r"extract\.min_frames must be at least 17"),
        ("evaluate.video", 1, r"evaluate\.video is not a param\. Did you mean videos\?"),
    ],
)
def test_a_wrong_param_is_named(tmp_path: Path, key: str, value: object, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        check_corpora(load_params(write(tmp_path, key, value)))


def test_earlier_names_of_params_are_read_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = yaml.safe_load(SHIPPED.read_text())
    del tree["vgnet"]["early_stopping"]
    tree["vgnet"]["patience"] = 3
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(tree))
    assert load_params(path).vgnet.early_stopping == 3
    told = capsys.readouterr().err
    assert (
        told
        == "params: vgnet.patience is now called vgnet.early_stopping; its value is read. Rename it in params.yaml.\n"
    )
    tree["vgnet"]["early_stopping"] = 4  # both: the present name counts, and the other is none
    path.write_text(yaml.safe_dump(tree))
    with pytest.raises(PipelineError, match=r"vgnet\.patience is"):
        load_params(path)


def test_missing_key_is_named(tmp_path: Path) -> None:
    tree = yaml.safe_load(SHIPPED.read_text())
    del tree["vgnet"]["lr"]
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(tree))
    with pytest.raises(PipelineError, match=r"vgnet\.lr is missing from params\.yaml"):
        load_params(path)


@pytest.mark.parametrize("written", ["2e-4", "2E-4", "0.0002", "2.0e-4"])
def test_numbers_as_people_write_them(tmp_path: Path, written: str) -> None:
    text = SHIPPED.read_text()
    before, after = text.split("vgnet:\n")
    path = tmp_path / "params.yaml"
    path.write_text(before + "vgnet:\n" + after.replace("  lr: 0.0006", f"  lr: {written}"))
    assert load_params(path).vgnet.lr == 2e-4


def test_whole_numbers_count_as_numbers(tmp_path: Path) -> None:
    params = load_params(write(tmp_path, "corpora.folder.clip_seconds", 4))
    assert type(corpus_params(params, "folder").clip_seconds) is float


def test_broken_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"is missing\. Run from the project's folder"):
        load_params(tmp_path / "params.yaml")
    path = tmp_path / "params.yaml"
    path.write_text("seed: [0")
    with pytest.raises(PipelineError, match="is not valid YAML"):
        load_params(path)
    path.write_text("")
    with pytest.raises(PipelineError, match=r"params\.yaml must be a section"):
        load_params(path)


def test_params_go_to_json_and_back(tmp_path: Path) -> None:
    params = load_params(write(tmp_path, "corpora.grid.speakers", ["s1", "s29"]))
    path = tmp_path / "params.json"
    path.write_text(dump_params(params))
    assert load_params(path) == params
    path.write_text(path.read_text().replace('"width": 16', '"width": 12', 1))
    with pytest.raises(PipelineError, match=r"atnet\.width must be a multiple of 8"):
        load_params(path)
    path.write_text("seed: 0")
    with pytest.raises(PipelineError, match=r"params\.json is not valid JSON"):
        load_params(path)
    with pytest.raises(PipelineError, match=r"box\.json is missing\. Write it with `atvgnet params > box\.json`"):
        load_params(tmp_path / "box.json")


def test_the_speech_embedding_hears_no_normalised_speech() -> None:
    mfcc, atnet = Mfcc(kind="embedding_mel", normalise="clip"), AtNetParams(encoder="embedding")
    with pytest.raises(ValueError, match=r"set mfcc\.normalise to none"):
        Params(mfcc=mfcc, atnet=atnet)
