"""The program `atvgnet`, with all commands that have no file of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from pipeline.bundles.location import check_no_bundle, check_source
from pipeline.cli.evaluation import commands
from pipeline.cli.export import export
from pipeline.cli.fetch import fetch
from pipeline.cli.generate import generate
from pipeline.cli.options import ModelsOption
from pipeline.personalize.videos import find_videos
from pipeline.runtime import machine, paths
from pipeline.runtime.errors import PipelineError, clear_errors

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)
app.command()(generate)


@contextmanager
def _errors() -> Iterator[None]:
    """`clear_errors`, which in a subfolder of the project also names the project's folder."""
    with clear_errors("atvgnet"):
        try:
            yield
        except PipelineError as error:
            names = Path("dvc.yaml"), paths.PARAMS
            projects = (folder for folder in Path.cwd().parents if all((folder / name).exists() for name in names))
            project = None if paths.PARAMS.exists() else next(projects, None)
            if project is None or " is missing" not in str(error):
                raise
            raise PipelineError(f"{error} The project is in {project}: run the command there.") from error


def _print_version(requested: bool) -> None:
    if requested:
        print(f"atvgnet {version('atvgnet')}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[
        bool, Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Make the face in a picture speak. Also: choose corpora, evaluate, export and personalize models."""
    context.with_resource(_errors())  # around the command


@app.command()
def personalize(
    video: Annotated[
        list[Path], Option(help="Video of one person who speaks, or a folder of such videos; repeatable.")
    ],
    out: Annotated[Path, Option("-o", "--out", help="Folder to write the bundle to.")],
    minutes: Annotated[float, Option(min=1.0, help="About how many minutes training may take.")] = 15.0,
    models: ModelsOption = None,
) -> None:
    """Fine-tune models to one person's face and voice, and compare them before and after on held-out clips.

    A network that does not improve stays as it was. After an interruption the same command continues.
    """
    check_source(models)
    check_no_bundle(out)
    find_videos(video)
    from pipeline.personalize.personalize import personalize as personalize_bundle  # loads torch
    from pipeline.personalize.report import print_report
    from pipeline.preprocessing.loading import bundle_folder

    print_report(personalize_bundle(video, bundle_folder(models), out, minutes, machine.jobs()), out)


@app.command("app")
def serve_page(
    models: Annotated[
        list[str] | None,
        Option(
            metavar="BUNDLE",
            help="A further bundle that visitors may choose: a folder, or models:/NAME@ALIAS of MLflow; repeatable.",
        ),
    ] = None,
    host: Annotated[
        str, Option(help="Address to listen on. With 0.0.0.0 other machines can open the page.")
    ] = "127.0.0.1",
    port: Annotated[int, Option(min=1, max=65535, help="Port to listen on.")] = 7860,
    seconds: Annotated[float, Option(min=1.0, help="Longest speech that the page accepts, in seconds.")] = 60.0,
    jobs: Annotated[int, Option(min=1, help="Videos to generate at a time; further ones wait.")] = 1,
    per_minute: Annotated[
        int,
        Option(
            min=1, help="Uploads and videos that another machine may request per minute. This machine has no limit."
        ),
    ] = 20,
) -> None:
    """Serve a web page on which visitors upload or record a picture and speech, and generate the video."""
    from pipeline.app.serve import serve

    serve(models or [], host, port, seconds, jobs, per_minute)


@app.command()
def use(
    corpus: Annotated[str, Argument(help="Name of the corpus, such as sample or grid; a wrong name prints all names.")],
    root: Annotated[
        Path | None, Option(help="Folder with the files of the corpus. Default: the one in params.yaml.")
    ] = None,
) -> None:
    """Choose the corpus in params.yaml. The rest of the file stays as it is, comments included."""
    from pipeline.corpora.choose import choose_corpus

    for line in choose_corpus(paths.PARAMS, corpus, root):
        print(line)
    print("Now run: dvc repro")


@app.command("import-upstream")
def import_published(
    basics: Annotated[
        Path | None, Option(help="Folder basics of the authors' repository; required the first time.")
    ] = None,
    atnet: Annotated[Path | None, Option(help="The authors' AT-net, atnet_lstm_18.pth.")] = None,
    vgnet: Annotated[Path | None, Option(help="The authors' VG-net, generator_23.pth.")] = None,
    to: Annotated[Path, Option(help="Folder to write the models to.")] = paths.PUBLISHED,
) -> None:
    """Convert the weights that the paper's authors published to model files, with their preprocessing."""
    from pipeline.preprocessing.published import import_weights

    for line in import_weights.import_published(atnet, vgnet, basics, to):
        print(line)


@app.command("params")
def print_params() -> None:
    """Check params.yaml and print it as JSON, for training on a machine without this environment."""
    from pipeline.config.file import dump_params, load_params
    from pipeline.corpora.registry import check_corpora

    params = load_params(paths.PARAMS)
    check_corpora(params)
    print(dump_params(params))


app.add_typer(fetch, name="fetch")
app.add_typer(export, name="export")
app.add_typer(commands)
