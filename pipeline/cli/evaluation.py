"""The commands that evaluate models or videos, and compare evaluations."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from pipeline.runtime import machine, paths
from pipeline.runtime.errors import PipelineError

commands = typer.Typer()

REVISION = "a git revision, the name of a DVC experiment, or the ID of an MLflow run."


@commands.command()
def evaluate(
    models: Annotated[Path, Option(help="Folder of the models to evaluate, trained or imported.")],
    out: Annotated[Path | None, Option(help="Folder to write. Default: reports in the folder of the models.")] = None,
) -> None:
    """Evaluate any models on the test split, as the stage evaluate does for models/."""
    from pipeline.config.file import load_params
    from pipeline.evaluation.models import evaluate_models
    from pipeline.reports.page import write_page
    from pipeline.reports.terminal import print_report

    folder = out or models / paths.REPORTS.name
    evaluate_models(models, folder, load_params(paths.PARAMS), paths.project_root(), machine.jobs())
    write_page(folder)
    print_report(folder)


@commands.command("score")
def score_videos(
    fake: Annotated[
        list[str] | None, Option(help="Folder of generated videos, or NAME=FOLDER; repeatable, to compare systems.")
    ] = None,
    out: Annotated[
        Path | None, Option("-o", "--out", help="Folder to write. An earlier score in it is replaced.")
    ] = None,
    real: Annotated[
        Path | None,
        Option(help="Folder of the real videos, with the same names. Without it only some metrics are computed."),
    ] = None,
    reference: Annotated[
        Path | None, Option(help="Folder of pictures of the faces, with the same names. Default: each first frame.")
    ] = None,
    size: Annotated[Literal["128", "256"], Option(help="Side of the compared face crops, in pixels.")] = "128",
    self_test: Annotated[
        bool, Option("--self-test", help="Check every metric on known changes of the real videos.")
    ] = False,
) -> None:
    """Score generated videos of any format, size and length against the real videos of the same names.

    Needs no project. After an interruption the same command continues.
    """
    from pipeline.evaluation.score.folders import REFERENCES, find_test_videos, find_videos, name_systems

    loading = "score: loading the metrics ..."  # the imports take seconds, so paths are checked before them
    if self_test:
        if real is None:
            raise PipelineError("--self-test: give real videos with --real FOLDER, best of two speakers or more.")
        find_test_videos(real)
        print(loading, flush=True)
        from pipeline.evaluation.score.self_test import self_test as test_metrics
        from pipeline.reports.score_tables import print_self_test

        table = test_metrics(real, seed=0, jobs=machine.jobs())
        print_self_test(table)
        raise typer.Exit(0 if table["holds"].all() else 1)
    if not fake:
        raise PipelineError("score needs generated videos. Give their folder with --fake FOLDER.")
    if out is None:
        raise PipelineError("score needs a folder to write. Give one with --out FOLDER.")
    systems = name_systems(fake)
    if real:
        find_videos(real, "--real")
    for folder in systems.values():
        find_videos(folder, "--fake")
    if reference:
        find_videos(reference, "--reference", REFERENCES)
    print(loading, flush=True)
    from pipeline.evaluation.score.score import score
    from pipeline.reports.page import write_page
    from pipeline.reports.score_tables import print_score

    score(real, systems, out, machine.jobs(), reference=reference, size=int(size))
    print_score(out)
    print(f"The whole report as a page for any browser: {write_page(out)}")


@commands.command()
def report(
    md: Annotated[bool, Option("--md", help="Print a short Markdown version, for a pull request.")] = False,
    baseline: Annotated[str | None, Option(help=f"Evaluation to print the change since: {REVISION}")] = None,
) -> None:
    """Print the metrics of the last evaluation, and write the whole report to reports/index.html."""
    if not md:
        print("report: reading the evaluation and writing the page ...", flush=True)  # the imports take seconds
    from pipeline.evaluation.comparison.paired import compare_evaluations
    from pipeline.evaluation.comparison.revisions import read_evaluation
    from pipeline.evaluation.results import read_results
    from pipeline.reports.markdown import markdown_report
    from pipeline.reports.page import write_page
    from pipeline.reports.reproduction import check_reproduction
    from pipeline.reports.terminal import print_comparison, print_next, print_report

    results = read_results(paths.REPORTS)
    comparison = None if baseline is None else compare_evaluations(read_evaluation(baseline), read_evaluation(None))
    if md:
        print(markdown_report(results, comparison))
        return
    write_page(paths.REPORTS, project=True)
    print_report(paths.REPORTS)
    if comparison:
        print_comparison(comparison)
    print_next()
    for line in check_reproduction():
        print(line)


@commands.command()
def compare(
    before: Annotated[str, Argument(help=f"Earlier evaluation: {REVISION}")],
    after: Annotated[
        str | None, Argument(help="Later evaluation, named in the same way. Default: the one in reports.")
    ] = None,
) -> None:
    """Print the differences between two evaluations, with 95% intervals and a verdict per metric."""
    from pipeline.evaluation.comparison.paired import compare_evaluations
    from pipeline.evaluation.comparison.revisions import read_evaluation
    from pipeline.reports.terminal import print_comparison

    print_comparison(compare_evaluations(read_evaluation(before), read_evaluation(after)))


@commands.command()
def gate(
    baseline: Annotated[str, Option(help=f"Evaluation to compare reports with: {REVISION}")],
    metric: Annotated[list[str] | None, Option(help="Metric that decides; repeatable. Default: lmd.")] = None,
) -> None:
    """Exit with status 1 if the last evaluation is worse than a baseline beyond its 95% interval."""
    from pipeline.evaluation.comparison.paired import check_regressions

    print(check_regressions(baseline, metric))
