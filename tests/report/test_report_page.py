import json
import re
from pathlib import Path

import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.figures.registry import FIGURES
from edgejoule.report.data import significant
from edgejoule.report.gallery import stand_for, write_gallery
from edgejoule.report.page import render, write_page


def data_of(page: Path) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.S)
    return json.loads(found.group(1))


def test_the_page_is_whole_and_small_enough_to_mail(page):
    text = page.read_text()
    assert len(text.encode()) < 8_000_000
    assert "{{" not in text.split("<script>")[0]
    assert not re.search(r'(src|href)="https?://', text.split("<script>")[0])


def test_two_pages_of_equal_inputs_are_equal_bytes(page, page_inputs, tmp_path):
    again = page_inputs["output"].parent / "again.html"
    write_page(**(page_inputs | {"output": again}))
    assert again.read_bytes() == page.read_bytes()


def test_markup_in_the_data_cannot_end_the_script(page):
    assert "</script><b>drift" in data_of(page)["networks"]["reason"]
    assert "</script><b>drift" not in page.read_text()


def test_failed_networks_are_in_the_table_and_on_no_front(page):
    data = data_of(page)
    failed = {i for i, quality in enumerate(data["networks"]["quality"]) if quality == "failed"}
    assert len(failed) == 4
    assert not failed & {i for front in data["fronts"].values() for i in front}
    assert [device["failed"] for device in data["devices"]] == [1, 1]
    assert [device["untried"] for device in data["devices"]] == [1, 1], "nobody asked for it, so it did not fail"


def test_a_device_of_modelled_energy_is_judged_in_latency_and_says_so(page):
    cards = {device["name"]: device for device in data_of(page)["devices"]}
    assert cards["cpu"]["error"]["metric"] == "latency"
    assert "modelled, 15 W" in cards["cpu"]["energy_label"]
    assert cards["cpu"]["idle_w"] is None
    assert cards["pi"]["error"] == {"metric": "energy per inference", "mape": 7.3, "within10": 81.0}


def test_a_figure_that_was_not_drawn_has_its_reason_and_no_picture(page):
    gallery = data_of(page)["gallery"]
    assert gallery[0]["pictures"][0]["embedded"].startswith("data:image/webp;base64,")
    for entry in gallery[1:]:
        assert entry["pictures"][0]["reason"] == "no data for it"
        assert "embedded" not in entry["pictures"][0]


def test_a_mix_has_its_shares_and_the_sum_of_its_energies(page):
    for choice in data_of(page)["recommendations"]["pi"]["mix"]:
        energy = sum(share * energy for _, share, energy, _ in choice["networks"])
        assert energy == pytest.approx(choice["energy"], rel=2e-3)


def test_a_missing_figure_stops_with_its_path(page_inputs, tmp_path):
    with pytest.raises(EdgejouleError, match=r"dataset-summary/about.json: cannot be read .*draw the figure again"):
        write_page(**(page_inputs | {"figures": tmp_path, "output": tmp_path / "index.html"}))
    assert not (tmp_path / "index.html").exists()


def test_a_device_without_recommendations_stops_with_its_path(page_inputs, tmp_path):
    with pytest.raises(EdgejouleError, match=r"cpu.parquet: no such file"):
        write_page(**(page_inputs | {"recommendations": tmp_path, "output": tmp_path / "index.html"}))


def test_a_value_that_json_has_no_word_for_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        render({"value": float("nan")})


@pytest.mark.parametrize(("value", "shown"), [(1.23456, 1.235), (float("nan"), None), (None, None), ("a", "a"), (7, 7)])
def test_figures_are_rounded_and_missing_ones_are_null(value, shown):
    assert significant(value) == shown


def test_the_gallery_has_small_pictures_and_names_what_is_not_drawn(page_inputs, tmp_path):
    write_gallery(page_inputs["figures"], "all-devices", tmp_path / "gallery")
    first = next(iter(FIGURES))
    assert sorted(path.name for path in (tmp_path / "gallery").iterdir()) == ["README.md", f"{first}.png"]
    text = (tmp_path / "gallery/README.md").read_text()
    assert "Title 0.** Caption." in text
    assert text.count("Not drawn: no data for it.") == len(FIGURES) - 1


def test_a_gallery_of_an_unknown_device_stops(page_inputs, tmp_path):
    with pytest.raises(EdgejouleError, match="no figure shows device 'all-device'; did you mean 'all-devices'"):
        write_gallery(page_inputs["figures"], "all-device", tmp_path / "gallery")
    assert not (tmp_path / "gallery").exists()


def test_the_gallery_shows_the_named_pictures_else_the_devices_else_all_else_one_that_it_is_in():
    drawn = [{"name": name} for name in ("all-devices", "cpu", "pi", "latency-ms", "cpu-and-pi")]
    assert [p["name"] for p in stand_for(drawn, ("latency-ms", "gone"), "pi")] == ["latency-ms"]
    assert [p["name"] for p in stand_for(drawn, ("gone",), "pi")] == ["pi", "all-devices"]
    assert [p["name"] for p in stand_for(drawn[3:], (), "pi")] == ["cpu-and-pi"]
    assert [p["name"] for p in stand_for(drawn[3:], (), "other")] == ["latency-ms"]
