"""Which files are module files, and how they are opened."""

import os
from pathlib import Path

import pytest

from schema.layers import misplaced, open_found, scan
from schema.loading import Loader
from schema.source import SIZE_LIMIT_BYTES


def write(path: Path, text: str = "module: {name: a}") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(*folders: Path) -> list[str]:
    return [found.display for found in scan(folders)]


def test_every_yaml_file_counts_in_sub_folders_too(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "tickets/ticket.yaml", "x/y/z.yaml", "readme.md", "c.yaml.bak"):
        write(tmp_path / "modules" / name)
    assert names(tmp_path / "modules") == [
        "modules/a.yml",
        "modules/b.yaml",
        "modules/tickets/ticket.yaml",
        "modules/x/y/z.yaml",
    ]


def test_what_editors_leave_beside_a_file_does_not_count(tmp_path: Path) -> None:
    for name in (".a.yaml.swp", ".a.yaml", "#a.yaml#", "a.yaml~", "~a.yaml", "4913", ".#a.yaml", ".git/x.yaml"):
        write(tmp_path / "modules" / name)
    assert names(tmp_path / "modules") == []


def test_later_folders_are_higher_layers_and_may_be_missing(tmp_path: Path) -> None:
    write(tmp_path / "modules" / "a.yaml")
    write(tmp_path / "site" / "a.yaml")
    found = scan([tmp_path / "modules", tmp_path / "nowhere", tmp_path / "site"])
    assert [(item.display, item.layer) for item in found] == [("modules/a.yaml", 0), ("site/a.yaml", 2)]


def test_two_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path / "one" / "modules" / "a.yaml")
    write(tmp_path / "two" / "modules" / "a.yaml")
    assert names(tmp_path / "one" / "modules", tmp_path / "two" / "modules") == [
        "modules/a.yaml",
        "two/modules/a.yaml",
    ]


def test_a_mount_of_kubernetes_is_read_through_its_links(tmp_path: Path) -> None:
    """A ConfigMap: `asset.yaml -> ..data/asset.yaml`, `..data -> ..2026_01_01`; the swap of `..data` changes all at once."""
    site = tmp_path / "site"
    write(site / "..2026_01_01" / "asset.yaml", "module: {name: old}")
    write(site / "..2026_01_02" / "asset.yaml", "module: {name: new}")
    (site / "..data").symlink_to("..2026_01_01")
    (site / "asset.yaml").symlink_to("..data/asset.yaml")
    (found,) = scan([site])
    assert (found.display, open_found(found)) == ("site/asset.yaml", b"module: {name: old}")
    (site / "..data_tmp").symlink_to("..2026_01_02")
    (site / "..data_tmp").rename(site / "..data")
    (found,) = scan([site])
    assert open_found(found) == b"module: {name: new}"


def test_a_linked_sub_folder_counts_where_it_hides_in_its_own_layer(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write(site / "..data" / "more" / "a.yaml")
    (site / "more").symlink_to("..data/more")
    write(tmp_path / "elsewhere" / "b.yaml")
    (site / "out").symlink_to(tmp_path / "elsewhere")
    (site / "loop").symlink_to(".")
    assert names(site) == ["site/loop (linked folder)", "site/more/a.yaml", "site/out (linked folder)"]


@pytest.mark.parametrize("target", ["../elsewhere", "real", "."])
def test_a_linked_folder_is_a_problem_and_not_silence(tmp_path: Path, target: str) -> None:
    write(tmp_path / "elsewhere" / "b.yaml")
    site = tmp_path / "site"
    write(site / "real" / "a.yaml")
    (site / "link").symlink_to(target)
    (found,) = (item for item in scan([site]) if item.path.name == "link")
    assert open_found(found) is None
    (problem,) = misplaced(found).problems
    assert (problem.file, problem.code, problem.message) == (
        "site/link (linked folder)",
        "unreadable-file",
        "The folder is a link; the files in it are not read.",
    )


def test_a_linked_folder_breaks_no_module_of_its_name(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write(site / "queue.yaml", "module: {name: queue}")
    write(tmp_path / "elsewhere" / "b.yaml")
    (site / "queue").symlink_to(tmp_path / "elsewhere")
    drafts = {draft.name: draft for draft in Loader([site]).load()}
    assert drafts["queue"].current
    assert [problem.code for draft in drafts.values() for problem in draft.problems] == ["unreadable-file"]


def test_a_folder_that_is_a_link_itself_is_the_operators_choice(tmp_path: Path) -> None:
    write(tmp_path / "release-7" / "a.yaml")
    (tmp_path / "modules").symlink_to("release-7")
    (found,) = scan([tmp_path / "modules"])
    assert (found.display, open_found(found)) == ("modules/a.yaml", b"module: {name: a}")


def refusal(path: Path) -> str:
    (found,) = scan([path.parent])
    assert open_found(found) is None
    (problem,) = misplaced(found).problems
    return f"{problem.file} {problem.code}: {problem.message}"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "secret.yaml", "password: x")
    write(tmp_path / "site" / "keep.txt")
    (tmp_path / "site" / "a.yaml").symlink_to("../secret.yaml")
    assert refusal(tmp_path / "site" / "a.yaml") == (
        "site/a.yaml unreadable-file: The file is a link that leads out of its folder."
    )


def test_a_link_to_nothing_or_to_itself_is_a_problem(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "a.yaml").symlink_to("gone.yaml")
    assert refusal(site / "a.yaml") == "site/a.yaml unreadable-file: The file is a link to something that is not there."
    (site / "a.yaml").unlink()
    (site / "a.yaml").symlink_to("a.yaml")
    assert refusal(site / "a.yaml") == "site/a.yaml unreadable-file: The file is a link that leads to itself."


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    assert refusal(tmp_path / "a.yaml").endswith("The file is a pipe, device or socket.")


def test_of_a_huge_file_only_as_much_is_read_as_shows_its_size(tmp_path: Path) -> None:
    with (tmp_path / "a.yaml").open("wb") as file:
        file.truncate(1 << 32)
    (found,) = scan([tmp_path])
    assert len(open_found(found) or b"") == SIZE_LIMIT_BYTES + 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml").chmod(0)
    assert refusal(tmp_path / "a.yaml").endswith("The file cannot be read: permission denied.")
