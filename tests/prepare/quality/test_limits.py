"""Verdicts: each limit rejects values beyond it, and gives its own reason."""

import math
from dataclasses import fields, replace
from typing import Any

import pytest

from pipeline.config.params import Extract, Landmarks
from pipeline.prepare.quality.limits import LIMITS, QUALITY_METRICS, Limit, verdict

PARAMS: dict[str, Any] = {"extract": Extract(), "landmarks": Landmarks()}
GOOD = {
    "frames": 75,
    "damaged": 0.0,
    "level": -25.0,
    "length_difference": -0.02,
    "detected": 1.0,
    "score": 2.0,
    "face_size": 170.0,
    "jitter": 0.1,
    "sharpness": 0.2,
    "mouth": 1.0,
    "frontal": 0.8,
    "cuts": 0.0,
    "identity": 0.0,
    "movement": 0.6,
    "sync": 0.7,
}


def test_a_good_clip_is_within_all_limits() -> None:
    assert verdict(GOOD, "extract", PARAMS["extract"]) == ""
    assert verdict(GOOD, "landmarks", PARAMS["landmarks"]) == ""


def test_every_metric_has_a_limit_and_every_limit_a_param() -> None:
    assert tuple(GOOD) == QUALITY_METRICS
    named = {(limit.section, limit.param) for limit in LIMITS}
    for section, params in PARAMS.items():
        limits = {field.name for field in fields(params) if field.name.startswith(("min_", "max_"))} - {"max_lost"}
        assert {param for where, param in named if where == section} == limits


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.param)
def test_each_limit(limit: Limit) -> None:
    params = PARAMS[limit.section]
    value = limit.value(params)
    step = -0.01 if limit.is_minimum else 0.01
    how = "below" if limit.is_minimum else "beyond"
    beyond = verdict({**GOOD, limit.metric: value + step}, limit.section, params)
    assert beyond == f"{limit.meaning} ({limit.metric} {how} {limit.section}.{limit.param} = {value:g})"
    assert verdict({**GOOD, limit.metric: value}, limit.section, params) == ""
    assert verdict({**GOOD, limit.metric: math.nan}, limit.section, params) == ""


def test_a_changed_limit_changes_the_verdict() -> None:
    stricter = replace(PARAMS["landmarks"], min_sharpness=0.3)
    assert verdict(GOOD, "landmarks", stricter).endswith("(sharpness below landmarks.min_sharpness = 0.3)")


def test_a_maximum_limits_negative_values_too() -> None:
    for difference in (-0.6, 0.6):
        metrics = {**GOOD, "length_difference": difference}
        assert "max_length_difference" in verdict(metrics, "extract", PARAMS["extract"])


def test_all_causes_are_named() -> None:
    reason = verdict({**GOOD, "sharpness": 0.0, "face_size": 10.0}, "landmarks", PARAMS["landmarks"])
    assert reason == (
        "the face is too small (face_size below landmarks.min_face_size = 64); "
        "the face is blurred (sharpness below landmarks.min_sharpness = 0.02)"
    )
