"""The page in headless Chromium, driven through WebDriver: what a person sees and does."""

import base64
import shutil
import time
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
if not (CHROMIUM and DRIVER):
    pytest.skip("no Chromium with chromedriver here (Debian: chromium, chromium-driver)", allow_module_level=True)
selenium = pytest.importorskip("selenium", reason="selenium is not installed (extra 'test')")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select  # noqa: E402

from edgejoule.report.tables import write_tables  # noqa: E402


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    # A page that works from a file needs no network: every request to one fails here.
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["http://*", "https://*"]})
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, page: Path):
    width(browser, 1400)
    browser.get(page.as_uri())
    wait(lambda: browser.find_elements(By.CSS_SELECTOR, "#plot .scatterlayer .trace"))
    return browser


def width(browser, pixels: int) -> None:
    metrics = {"width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": pixels < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def wait(condition, seconds: float = 10.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.05)
    return found


def text(browser, selector: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, selector).text


def test_it_loads_without_a_complaint_of_the_console(opened):
    assert [entry for entry in opened.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    cards = [card.text for card in opened.find_elements(By.CSS_SELECTOR, ".card")]
    assert len(cards) == 2
    assert "Rank by IECS\n1 to 2 in board" in cards[0] and "Rank" not in cards[1]


def test_text_of_the_tables_is_text_and_never_markup(opened):
    assert opened.find_element(By.CSS_SELECTOR, ".card h3").text == "Device <pi>"
    assert not opened.find_elements(By.CSS_SELECTOR, "td b")


def test_moving_the_budget_moves_the_recommendation(opened):
    before = text(opened, "#answer")
    opened.execute_script(
        "const s = document.getElementById('budget'); s.value = s.max; s.dispatchEvent(new Event('input'));"
    )
    after = text(opened, "#answer")
    assert after != before
    assert "mobilenet-v2-11" in after
    line = opened.execute_script("return document.getElementById('plot').layout.shapes[0].x0")
    star = opened.execute_script("return document.getElementById('plot').data.at(-1).x[0]")
    assert line == pytest.approx(star * 1.01, rel=1e-2)


def test_dragging_the_line_of_the_plot_moves_the_recommendation(opened):
    opened.execute_script("Plotly.relayout('plot', {'shapes[0].x0': 6, 'shapes[0].x1': 6})")
    wait(lambda: opened.execute_script("return document.getElementById('budget').value") == "0")
    assert "mobilenet-v1-0" in text(opened, "#answer")


def test_a_typed_budget_is_never_exceeded(opened):
    opened.execute_script(
        "const t = document.getElementById('budget-mj'); t.value = 60; t.dispatchEvent(new Event('change'));"
    )
    assert opened.execute_script("return document.getElementById('plot').layout.shapes[0].x0") <= 60


def test_switching_device_and_method_changes_what_is_shown(opened):
    Select(opened.find_element(By.ID, "device")).select_by_value("cpu")
    assert "modelled" in text(opened, "#answer")
    assert "modelled" in opened.execute_script("return document.getElementById('plot').layout.xaxis.title.text")
    Select(opened.find_element(By.ID, "method")).select_by_value("single")
    assert "Every request runs this network" in text(opened, "#answer")


def test_tables_sort_and_filter(opened):
    table = "#networks-table"
    first = f"{table} tbody tr:first-child td:nth-child(6)"
    assert text(opened, first) == "5"
    heading = opened.find_element(By.XPATH, "//div[@id='networks-table']//th/button[starts-with(., 'Energy (mJ)')]")
    opened.execute_script("arguments[0].click()", heading)
    assert text(opened, first) == "200"
    opened.find_element(By.CSS_SELECTOR, f"{table} input[type=search]").send_keys("v1-4")
    assert text(opened, f"{table} .count") == "1 of 24 rows"
    Select(opened.find_element(By.CSS_SELECTOR, f"{table} [data-filter=device]")).select_by_value("")
    assert text(opened, f"{table} .count") == "2 of 24 rows"


def test_networks_are_first_those_of_one_measured_device(opened):
    """Energies at the wall and modelled ones are never one list unless the reader asks for it."""
    select = Select(opened.find_element(By.CSS_SELECTOR, "#networks-table [data-filter=device]"))
    assert select.first_selected_option.get_attribute("value") == "pi"
    assert text(opened, "#networks-table .count") == "12 of 24 rows"


def test_errors_are_first_shown_for_whole_families_left_out(opened):
    select = Select(opened.find_element(By.CSS_SELECTOR, "#accuracy-table [data-filter=protocol]"))
    assert select.first_selected_option.get_attribute("value") == "leave-one-family-out"
    select = Select(opened.find_element(By.CSS_SELECTOR, "#accuracy-table [data-filter=metric]"))
    assert select.first_selected_option.get_attribute("value") == "energy_mj"
    assert text(opened, "#accuracy-table .count") == "1 of 2 rows"


def test_a_figure_that_was_not_drawn_is_named(opened):
    states = opened.find_elements(By.CSS_SELECTOR, "#gallery .state")
    assert states and all(state.text == "Not drawn: no data for it." for state in states)


def test_the_other_theme_has_other_colours(opened):
    colour = "return getComputedStyle(document.body).backgroundColor"
    before = opened.execute_script(colour)
    opened.find_element(By.ID, "theme").click()
    assert opened.execute_script(colour) != before


def test_a_page_of_one_table_sorts_and_filters_as_data_address(browser, page_inputs, tmp_path):
    """As Snakemake's report shows it: from a data address, in a frame."""
    write_tables([page_inputs["networks"]], tmp_path / "tables")
    text_of_page = (tmp_path / "tables/Data/networks.html").read_bytes()
    browser.get(f"data:text/html;charset=utf8;base64,{base64.b64encode(text_of_page).decode()}")
    wait(lambda: browser.find_elements(By.CSS_SELECTOR, "#table tbody tr"))
    assert text(browser, "#table .count") == "24 of 24 rows"
    Select(browser.find_element(By.CSS_SELECTOR, "[data-filter=device]")).select_by_value("pi")
    assert text(browser, "#table .count") == "12 of 24 rows"
    heading = browser.find_element(By.XPATH, "//th/button[.='energy_mj']")
    assert heading.get_attribute("title") == "gross energy per inference (mJ)"
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.parametrize("pixels", [400, 1400])
def test_nothing_is_wider_than_the_window(opened, page, pixels):
    width(opened, pixels)
    opened.get(page.as_uri())
    wait(lambda: opened.find_elements(By.CSS_SELECTOR, "#plot .scatterlayer .trace"))
    assert opened.execute_script("return document.documentElement.scrollWidth") <= pixels
    small = opened.execute_script(
        "return [...document.querySelectorAll('p, td, th button, dd, dt, label, figcaption')]"
        ".filter((e) => e.textContent && parseFloat(getComputedStyle(e).fontSize) < 12).length"
    )
    assert small == 0


def press(browser, selector: str) -> None:
    """Click what may be under the header that stays at the top."""
    browser.execute_script("arguments[0].click()", browser.find_element(By.CSS_SELECTOR, selector))


def severe(browser) -> list:
    return [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_fronts_of_devices_measured_likewise_come_and_go(browser, lean_page):
    width(browser, 1400)
    browser.get(lean_page.as_uri())
    wait(lambda: browser.find_elements(By.CSS_SELECTOR, "#plot .scatterlayer .trace"))
    assert Select(browser.find_element(By.ID, "device")).first_selected_option.text == "Device <pi>"
    names = "return document.getElementById('plot').data.map((trace) => trace.name)"
    assert "Device <pj>" not in browser.execute_script(names)
    press(browser, "#others")
    assert "Device <pj>" in browser.execute_script(names) and "Device <bare>" not in browser.execute_script(names)
    press(browser, "#others")
    assert "Device <pj>" not in browser.execute_script(names)


def test_a_run_with_little_says_what_it_lacks(browser, lean_page):
    severe(browser)
    width(browser, 400)
    browser.get(lean_page.as_uri())
    wait(lambda: browser.find_elements(By.CSS_SELECTOR, "#plot .scatterlayer .trace"))
    Select(browser.find_element(By.ID, "device")).select_by_value("bare")
    assert "none of its networks has both an energy and an ImageNet accuracy" in text(browser, "#answer")
    assert "No network of this device has both" in text(browser, "#plot")
    assert not browser.find_element(By.ID, "budget").is_enabled()
    for table in ("accuracy", "choices", "scores", "which"):
        assert text(browser, f"#{table}-table .none") == "This run has no such rows."
    assert not browser.find_element(By.ID, "tasks").is_displayed()
    summary = text(browser, "#summary")
    assert summary.startswith(
        "3 devices on 3 boards: 12 networks, 30 measurements of them on the devices; 3 that failed and 3 that nobody"
    )
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 400
    assert severe(browser) == []


def test_the_rows_that_are_left_are_saved_as_csv(opened, tmp_path):
    opened.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    opened.find_element(By.CSS_SELECTOR, "#networks-table input[type=search]").send_keys("v1-4")
    press(opened, "#networks-table .save")
    saved = wait(lambda: [path for path in tmp_path.iterdir() if path.suffix == ".csv"])[0]
    assert saved.name == "networks.csv"
    rows = pd.read_csv(saved)
    assert rows["network"].tolist() == ["mobilenet-v1-4"] and rows["device"].tolist() == ["pi"]
    assert rows["energy_mj"].iloc[0] == pytest.approx(5 * np.geomspace(1, 40, 12)[4], rel=1e-3)


def test_the_device_for_an_accuracy_is_named_with_what_it_runs(opened):
    assert text(opened, "#which-table .count") == "1 of 1 rows"
    row = text(opened, "#which-table tbody tr")
    assert "Device <pi>" in row and "25 % n1, 75 % n2" in row


def test_the_budget_and_the_tables_can_be_worked_from_the_keyboard(opened):
    slider = opened.find_element(By.ID, "budget")
    before = text(opened, "#answer")
    slider.send_keys(Keys.END)
    assert text(opened, "#answer") != before
    heading = opened.find_element(By.XPATH, "//div[@id='networks-table']//th/button[starts-with(., 'Network')]")
    heading.send_keys(Keys.ENTER)
    assert heading.find_element(By.XPATH, "..").get_attribute("aria-sort") == "ascending"


def test_a_picture_that_is_not_beside_the_page_is_named(opened):
    sheet = opened.find_element(By.CSS_SELECTOR, ".figure .sheet img")
    opened.execute_script("arguments[0].removeAttribute('loading'); arguments[0].src = 'gone.png'", sheet)
    wait(lambda: "file beside the page" in text(opened, "#gallery"))
    severe(opened)
