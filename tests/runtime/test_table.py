"""Tables as spreadsheets, pandas and editors write them."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.table import Table, read_table

KNOWN = ("picture", "out", "strength")
ROWS = [{"picture": "a.jpg", "out": "a.mp4"}, {"picture": "é, b.jpg", "out": "b.mp4"}]
PLAIN = 'picture,out\na.jpg,a.mp4\n"é, b.jpg",b.mp4\n'
SEMICOLONS = "picture;out\na.jpg;a.mp4\né, b.jpg;b.mp4\n"


def read(folder: Path, content: str | bytes) -> Table:
    path = folder / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, KNOWN)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.rstrip("\n"),
        f"\n,,\n{PLAIN}\n,,,\n",
        SEMICOLONS,
        SEMICOLONS.replace(";", "\t"),
        SEMICOLONS.replace(";", "|"),
        f"sep=,\r\n{PLAIN}",
        f"SEP=;\n{SEMICOLONS}",
        f'"sep=;"\n{SEMICOLONS}',
        f"sep=;;\n{SEMICOLONS}",
        ' "Picture" , OUT\na.jpg , a.mp4\n"é, b.jpg",\xa0b.mp4\n',
        "picture,out,,\na.jpg,a.mp4,,\n\"é, b.jpg\",b.mp4,,,\n",
        "picture,,out\na.jpg,,a.mp4\n\"é, b.jpg\",,b.mp4\n",
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        f"sep=;\r\n{SEMICOLONS}".encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-32"),
    ],
)  # fmt: skip
def test_all_spreadsheet_dialects_give_the_same_table(tmp_path: Path, content: str | bytes) -> None:
    table = read(tmp_path, content)
    assert (table.columns, table.rows, table.faults) == (["picture", "out"], ROWS, {})


def test_pandas_without_its_index(tmp_path: Path) -> None:
    pd.DataFrame(ROWS).to_csv(tmp_path / "t.csv", index=False, sep="\t")
    assert read_table(tmp_path / "t.csv", KNOWN).rows == ROWS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pd.DataFrame(ROWS).to_csv(), r"t\.csv: column 1 has no name, and line 2 has '0' in it\..* index=False"),
        (pd.DataFrame(ROWS).to_csv(sep="\t"), r"column 1 has no name, and line 2 has '0' in it"),
        ("picture,out,out\na,b,c\n", r"t\.csv: the column out is there twice\. Remove or rename one of the two\."),
        ("picture;out;Out \na;b;c\n", r"the column out is there twice"),
        (PLAIN.encode("cp1252"), r"t\.csv is not UTF-8: .* in line 3\. Save it as CSV UTF-8, and give that file\."),
        (PLAIN.encode("utf-16")[:-1], r"t\.csv is not UTF-16.*: truncated data"),
        (PLAIN.encode("utf-16-le"), r"t\.csv is UTF-16 without a byte order mark, or no text\. Save it as CSV UTF-8\."),
        (PLAIN.encode("utf-16-be"), r"t\.csv is UTF-16 without a byte order mark"),
        (
            b"PK\x03\x04\x14\x00\x06\x00",
            r"t\.csv is a workbook, not a CSV\. Save it as CSV UTF-8, and give that file\.",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", r"t\.csv is a workbook, not a CSV"),
        ('picture,"out\na.jpg,a.mp4\n', r"t\.csv: a column's name holds a line break\. Close its quotes, or"),
        ("picture,out\na," + "b" * 200_000, r"t\.csv, line 2: field larger than field limit .*\. Correct that line\."),
        ("a" * 200_000, r"t\.csv, line 1: field larger than field limit .*\. Correct that line\."),
    ],
)
def test_refused_tables_have_a_one_line_reason(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(PipelineError, match=message) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("a, b, c", "Line 4 has more cells than columns. Quote cells that hold the separator."),
        ("a\0b,c", "Line 4 has a NUL byte. Write the line again."),
        ('a,"b\nc,d', "Lines 4 to 6 are one row, as a quote is not closed. Close it."),
    ],
)
def test_wrong_lines_do_not_affect_earlier_ones(tmp_path: Path, line: str, fault: str) -> None:
    table = read(tmp_path, f"sep=,\npicture,out\nx.jpg,x.mp4\n{line}\ny.jpg,y.mp4\n")
    assert table.rows[0] == {"picture": "x.jpg", "out": "x.mp4"}
    assert table.faults == {1: fault}


def test_a_header_may_be_longer_than_a_cell(tmp_path: Path) -> None:
    assert "out" in read(tmp_path, ",".join(["picture", *(f"column{n}" for n in range(20_000)), "out"])).columns


def test_empty_files_have_no_rows(tmp_path: Path) -> None:
    for content in ("", "\n\n", "\ufeff"):
        assert read(tmp_path, content) == Table([], [])


def test_missing_cells_are_empty(tmp_path: Path) -> None:
    assert read(tmp_path, "picture,out,strength\na\n").rows == [{"picture": "a", "out": "", "strength": ""}]
