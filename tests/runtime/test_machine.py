import pytest

from pipeline.runtime import machine
from pipeline.runtime.errors import PipelineError


def test_counts_of_processes_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATVGNET_PROCESSES", raising=False)
    assert machine.training_processes() == 1
    monkeypatch.setenv("ATVGNET_PROCESSES", "8")
    assert machine.training_processes() == 8
    monkeypatch.setenv("ATVGNET_JOBS", "3")
    assert machine.jobs() == 3


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "1e3", "²", "all"])
def test_a_wrong_count_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATVGNET_PROCESSES", text)
    with pytest.raises(PipelineError, match=f"ATVGNET_PROCESSES is '{text}'. Set it to a whole number"):
        machine.training_processes()
    monkeypatch.setenv("ATVGNET_JOBS", text)
    with pytest.raises(PipelineError, match=f"ATVGNET_JOBS is '{text}'. Set it to a whole number"):
        machine.jobs()
