import pickle

from pipeline.media.errors import MediaError
from pipeline.runtime.errors import PipelineError


def test_message_is_made_of_its_parts() -> None:
    error = PipelineError("is missing", subject="data/mfcc", advice="Run `dvc repro mfcc`.")
    assert str(error) == "data/mfcc is missing. Run `dvc repro mfcc`."
    assert error.without_subject == "is missing. Run `dvc repro mfcc`."
    assert (
        str(PipelineError("There is no sound", advice="Give another video."))
        == "There is no sound. Give another video."
    )


def test_plain_message_is_the_reason() -> None:
    error = PipelineError("data/mfcc is missing. Run `dvc repro mfcc`.")
    assert str(error) == error.reason == error.without_subject == "data/mfcc is missing. Run `dvc repro mfcc`."
    assert (error.subject, error.advice) == ("", "")


def test_media_error_is_about_a_file() -> None:
    error = MediaError("clip.mp4", "there is no video stream", "Give another file.")
    assert str(error) == "clip.mp4: there is no video stream. Give another file."
    assert str(MediaError("clip.mp4", "there is no video stream")) == "clip.mp4: there is no video stream."


def test_errors_come_back_whole_from_worker_processes() -> None:
    for error in (PipelineError("is missing", subject="a", advice="Fetch it."), MediaError("a.mp4", "b", "C.")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
