"""Whatever stands around a table, and however it is encoded, the table is found."""

from pathlib import Path

import pytest

from labcoat.warehouse.files import decode
from labcoat.warehouse.files.decode import GivenFile

TABLE = "variant,n,successes\ncontrol,1000,100\nnew,1010,131\n"


def looked_at(folder: Path, content: bytes | str) -> GivenFile:
    path = folder / "given"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return decode.look_at(path, name="totals.csv", folder=folder)


@pytest.mark.parametrize(
    ("content", "titles", "skipped"),
    [
        (TABLE, (), 0),
        (f"Results of E-7\n{TABLE}", ("Results of E-7",), 1),
        (f"Results of E-7,,\n\n{TABLE}", ("Results of E-7",), 2),
        (f"Results of E-7, week 3\nexported 2026-11-20\n{TABLE}", ("Results of E-7, week 3", "exported 2026-11-20"), 2),
        ("variant,n,successes\ncontrol,1000,100,\nnew,1010,131,\n", (), 0),
        ("variant,n,successes,\ncontrol,1000,100,\nnew,1010,131,\n", (), 0),
        ("variant,n,successes,,\ncontrol,1000,100\nnew,1010,131\n", (), 0),
    ],
)
def test_titles_and_trailing_separators_are_no_part_of_the_table(
    tmp_path: Path, content: str, titles: tuple[str, ...], skipped: int
) -> None:
    file = looked_at(tmp_path, content)

    assert [name for name in file.header if name] == ["variant", "n", "successes"]
    assert (file.titles, file.skipped_lines, file.separator) == (titles, skipped, ",")


@pytest.mark.parametrize(
    ("first", "separator"), [("variant;mean, in euros;sd", ";"), ("variant\tmean; sd\tn", "\t"), ("a|b|c,d", "|")]
)
def test_the_separator_is_the_one_that_gives_all_rows_as_many_cells(tmp_path: Path, first: str, separator: str) -> None:
    rows = separator.join(("control", "1,5", "2,5"))

    assert looked_at(tmp_path, f"{first}\n{rows}\n{rows}\n").separator == separator


def test_a_row_of_numbers_is_no_line_of_names(tmp_path: Path) -> None:
    assert looked_at(tmp_path, "variant,n\ncontrol,1000,100\nnew,1010,131\n").header == ("variant", "n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    content = TABLE.replace("new", "größe")

    file = looked_at(tmp_path, content.encode(encoding))

    assert file.path.read_text(encoding="utf-8") == content


def test_text_that_the_engine_reads_as_it_is_is_not_copied(tmp_path: Path) -> None:
    assert looked_at(tmp_path, TABLE).path == tmp_path / "given"
    assert looked_at(tmp_path, TABLE.replace("\n", "\r\n")).path != tmp_path / "given"
