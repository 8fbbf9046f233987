"""Requests: units, budgets of every kind, limits, infeasible ones, and the command for people."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_catalogue import catalogue
from test_recommendations_device import networks
from typer.testing import CliRunner

from edgejoule.cli.main import build_app, main
from edgejoule.errors import EdgejouleError
from edgejoule.recommendations.answer import answer
from edgejoule.recommendations.request import Request, exclusion_reasons, make_limits, parse_request
from edgejoule.recommendations.show import as_dict, infeasible, reason
from edgejoule.recommendations.solve import least_ratio, solve_mix
from edgejoule.recommendations.units import parse_quantity, show_energy, show_time
from edgejoule.tables import write_table
from edgejoule.tables.contracts import NETWORKS, VALIDATION


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("50mJ", "millijoule", 50.0),
        ("0.05 J", "millijoule", 50.0),
        ("10Wh", "joule", 36000.0),
        ("3000mAh*3.7V", "joule", 39960.0),
        ("24h", "second", 86400.0),
        ("2/s", "1/second", 2.0),
        ("120/min", "1/second", 2.0),
        ("2 Hz", "1/second", 2.0),
        ("30 ms", "millisecond", 30.0),
        ("20MB", "byte", 2e7),
        ("1KB", "byte", 1e3),
        ("1 KiB", "byte", 1024),
        ("1e2J", "millijoule", 1e5),
        ("1.5e-3kJ", "millijoule", 1500.0),
        ("3e3mAh*3.7V", "joule", 39960.0),
        ("1E1mJ", "millijoule", 10.0),
    ],
)
def test_quantities_as_people_write_them(text, unit, value):
    assert parse_quantity(text, unit, "--x", "1J") == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "50", "fifty mJ", "-3mJ", "0mJ", "3s", "nan mJ", "inf mJ", "1e999 mJ", "10**10**10 mJ", "1/0 mJ"),
        *("__import__('os')", "5 mJ; rm", "%", "mJ mJ", "1" * 80 + "mJ", "(1mJ)", "1,5 mJ", "12:30 mJ"),
    ],
)
def test_quantities_that_make_no_sense_are_refused(text):
    with pytest.raises(EdgejouleError, match="--budget is"):
        parse_quantity(text, "millijoule", "--budget", "50mJ")


@pytest.mark.parametrize(
    ("text", "message"),
    [("0,05J", "write decimals with a point and no commas, such as 50mJ"), (" ", "is empty; write for instance 50mJ")],
)
def test_a_comma_or_nothing_is_told_from_other_nonsense(text, message):
    with pytest.raises(EdgejouleError, match=message):
        parse_quantity(text, "millijoule", "--budget", "50mJ")


@given(st.text(max_size=20))
@settings(derandomize=True, max_examples=200, deadline=None)
def test_no_text_breaks_the_parser(text):
    try:
        assert parse_quantity(text, "millijoule", "--budget", "50mJ") > 0
    except EdgejouleError as error:
        assert "--budget" in str(error)


def test_readable_units():
    assert [show_energy(v) for v in (0.0012, 1.2, 1234.5, float("nan"))] == ["1.2 µJ", "1.2 mJ", "1.234 J", "unknown"]
    assert show_time(2500) == "2.5 s"


def test_a_battery_is_a_budget_per_request():
    request = parse_request({"battery": "10Wh", "duration": "24h", "rate": "2/s"})
    assert request.per_request_mj == pytest.approx(36000 / 86400 / 2 * 1e3)
    assert request.counted == "duty-cycle"
    assert parse_request({"power": "2W", "rate": "4/s"}).per_request_mj == pytest.approx(500)
    assert parse_request({"budget": "50mJ"}).counted == "gross"
    assert parse_request({"budget": "50mJ", "rate": "2/s", "accounting": "gross"}).counted == "gross"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no budget and no accuracy"),
        ({"budget": "50mJ", "power": "2W"}, "--budget and --power are given"),
        ({"battery": "10Wh"}, "both --battery and --duration"),
        ({"duration": "24h", "budget": "50mJ"}, "both --battery and --duration"),
        ({"budget": "50mJ", "latency": "p99"}, "did you mean 'p90'"),
        ({"budget": "50mJ", "accounting": "netto"}, "--accounting is 'netto'"),
        ({"min_top1": 120.0}, "at most 100"),
        ({"budget": "50mJ", "min_share": 0.5, "max_share": 0.4}, "--min-share is 0.5 and --max-share 0.4"),
        ({"budget": "50mJ", "max_share": 0.0}, "--max-share 0; both must lie"),
        ({"budget": "50mJ", "max_share": 0.3}, "--max-share is 0.3: with 3 networks"),
        ({"budget": "50ms"}, "--budget is '50ms', but 'ms' is no unit of energy; write for instance 50mJ"),
        ({"budget": "50mjoul"}, "'mjoul' is no known unit"),
        ({"battery": "3000mAh", "duration": "24h"}, "is a charge: give energy, e.g. 10Wh, or the voltage"),
        ({"budget": "50mJ", "max_size": "20"}, "which has no unit"),
    ],
)
def test_requests_that_contradict_themselves(options, message):
    with pytest.raises(EdgejouleError, match=message):
        parse_request(options)


def test_average_power_without_a_rate_is_energy_over_time():
    known = catalogue(30, 4)
    known = known.with_energy(known.latency_ms * (2 + 0.05 * known.top1))
    watts = float(np.median(known.energy_mj / known.latency_ms))
    result = answer(Request(power_w=watts), known)
    used = result.mix.mean(known.energy_mj) / result.mix.mean(known.latency_ms)
    assert used == pytest.approx(watts, rel=1e-5) and result.binding == ("average power",)
    # A ratio of means is a mediant, so no mix draws less than the network that draws least.
    least = (known.energy_mj / known.latency_ms).min()
    assert least_ratio(known.energy_mj, known.latency_ms, []) == pytest.approx(least)
    nothing = answer(Request(power_w=least * 0.9), known)
    assert nothing.mix is None and nothing.obstacles[0].nearest == pytest.approx(least, rel=1e-6)
    assert f"an average power of at least {least:.4g} W" in infeasible(nothing)


def test_least_energy_at_an_accuracy_is_the_other_side_of_the_most_accuracy_at_an_energy():
    known = catalogue(40, 2)
    most = answer(Request(budget_mj=100.0), known)
    least = answer(Request(min_top1=most.mix.mean(known.top1)), known)
    assert least.mix.mean(known.energy_mj) == pytest.approx(100.0, rel=1e-4)
    assert least.step_points is None and "saves" in reason(least)


def test_an_average_power_says_what_a_rate_would_change():
    known = replace(catalogue(30, 4), idle_w=1.0)
    for watts, said in ((0.9, "with one the device draws 1 W between them: more"), (1.1, "such as --rate 1/s")):
        sentence = infeasible(answer(Request(power_w=watts), known))
        assert "without --rate one inference follows the other" in sentence and said in sentence


def at_rate(known, request):
    """Return the answer to a request at its rate, idle energy counted."""
    waiting = known.idle_w * (1e3 / request.rate_hz - known.latency_ms)
    return answer(request, replace(known.with_energy(known.energy_mj + waiting), accounting="duty-cycle"))


@pytest.mark.parametrize(
    ("asked", "least"),
    [({"power_w": 3.0, "rate_hz": 1000.0}, "most"), ({"budget_mj": 30.0, "rate_hz": 5.0}, "least")],
)
def test_the_rate_that_would_do_does_and_none_beyond_it(asked, least):
    known = catalogue(30, 4)
    request = Request(**asked)
    result = at_rate(known, request)
    assert result.mix is None
    nearest = next(obstacle.nearest for obstacle in result.obstacles if obstacle.limit == "rate")
    assert f"a rate of at {least} {1e3 / nearest:.4g}/s (asked: {request.rate_hz:g}/s)" in infeasible(result)
    towards = 1 if nearest > 1e3 / request.rate_hz else -1
    for change, feasible in ((1e-4, True), (-1e-4, False)):
        changed = replace(request, rate_hz=1e3 / (nearest * (1 + towards * change)))
        assert (at_rate(known, changed).mix is not None) == feasible


def test_two_limits_that_no_one_relaxes_are_relaxed_together():
    known = catalogue(30, 4)
    request = Request(budget_mj=1.0, rate_hz=1000.0)
    result = at_rate(known, request)
    assert result.mix is None and [obstacle.nearest for obstacle in result.obstacles] == [None, None]
    budget, rate = result.together
    assert "relaxing only the budget or only the rate does not help; together, a budget of" in infeasible(result)
    for factor, feasible in ((1 + 1e-4, True), (1 - 1e-4, False)):
        changed = Request(budget_mj=budget.nearest * factor, rate_hz=1e3 / rate.nearest * (1 - 1e-6))
        assert (at_rate(known, changed).mix is not None) == feasible
    assert as_dict(result)["together"][1]["limit"] == "rate"
    # Where one limit would do, it is named alone.
    assert answer(Request(budget_mj=1.0), known).together == ()


def test_a_budget_far_beyond_all_networks_is_shown_as_a_slip():
    known = catalogue(30, 4)
    dearest = known.energy_mj.max()
    (said,) = as_dict(answer(Request(budget_mj=1001 * dearest), known))["warnings"]
    assert "is its unit right? mJ are millijoules, MJ megajoules" in said
    assert as_dict(answer(Request(budget_mj=999 * dearest), known))["warnings"] == []


@given(st.integers(0, 500), st.floats(8, 600), st.floats(2, 200), st.floats(30, 80))
@settings(derandomize=True, max_examples=60, deadline=None)
def test_the_nearest_feasible_limit_is_feasible_and_nothing_below_it_is(seed, budget, latency, floor):
    known = catalogue(12, seed)
    request = Request(budget_mj=budget, max_latency_ms=latency, min_top1=floor)
    result = answer(request, known)
    if result.mix is not None:
        assert all(limit.allows(result.mix.mean(limit.values)) for limit in result.limits)
        return
    assert "meets the request" in infeasible(result)
    fields = {"budget": "budget_mj", "mean latency": "max_latency_ms", "accuracy": "min_top1"}
    for obstacle in result.obstacles:
        others = [limit for limit in result.limits if limit.name != obstacle.limit]
        if obstacle.nearest is None:
            assert solve_mix([-known.top1], others) is None
            continue
        sign = -1 if obstacle.limit == "accuracy" else 1
        for factor, feasible in ((1 + 1e-3, True), (1 - 1e-3, False)):
            value = sign * obstacle.nearest * (factor if sign > 0 else 2 - factor)
            changed = Request(**({**_fields(request), fields[obstacle.limit]: value}))
            assert (answer(changed, known).mix is not None) == feasible


def _fields(request):
    return {"budget_mj": request.budget_mj, "max_latency_ms": request.max_latency_ms, "min_top1": request.min_top1}


def test_a_mix_that_gains_next_to_nothing_is_not_recommended():
    known = catalogue(2, 0)
    known = replace(known, energy_mj=np.array([10.0, 20.0]), top1=np.array([50.0, 60.0]))
    for budget, count in ((10.004, 1), (10.006, 2), (20.0, 1)):
        result = answer(Request(budget_mj=budget), known)
        assert len(result.mix.networks) == count, budget
        assert (result.slight is not None) == (budget == 10.004)
    assert "A mix of n000 and n001 would gain next to nothing" in reason(answer(Request(budget_mj=10.004), known))
    # The least energy for an accuracy just below the dearer one's: a mix saves less than a thousandth.
    for floor, count in ((59.99, 1), (59.9, 2)):
        assert len(answer(Request(min_top1=floor), known).mix.networks) == count
    # Equal accuracy for much less energy is worth it, though: only the time limit keeps all requests from n002.
    three = replace(
        catalogue(3, 0),
        energy_mj=np.array([10.0, 100.0, 10.0]),
        top1=np.array([50.0, 60.0, 60.0]),
        latency_ms=np.array([1.0, 5.0, 9.0]),
    )
    result = answer(Request(budget_mj=100.0, max_latency_ms=6.0), three)
    assert result.single.networks == (1,) and len(result.mix.networks) == 2 and "saves" in reason(result)


def test_a_limit_on_p90_holds_for_every_network_of_the_mix():
    known = catalogue(40, 6)
    limit = float(np.median(known.latency_p90_ms))
    result = answer(Request(budget_mj=80.0, max_latency_ms=limit, latency="p90"), known)
    assert max(known.latency_p90_ms[list(result.mix.networks)]) <= limit
    tight = answer(Request(budget_mj=80.0, max_latency_ms=known.latency_p90_ms.min() / 2, latency="p90"), known)
    assert tight.mix is None
    assert tight.obstacles[1].nearest == known.latency_p90_ms.min()


def test_a_rate_must_be_served():
    known = catalogue(30, 1)
    request = Request(min_top1=float(known.top1.min()), rate_hz=2e3 / known.latency_ms.min(), accounting="gross")
    result = answer(request, known)
    assert result.mix is None
    assert f"a rate of at most {1e3 / known.latency_ms.min():.4g}/s" in infeasible(result)


def test_rates_and_mean_latencies_are_those_of_disturbed_inferences():
    known = catalogue(1)
    latency = float(known.latency_ms[0])
    slow = replace(known, slowness=np.array([1.25]))
    for held, limit in ((known, 1.1), (slow, 1.3)):
        for limits in ({"max_latency_ms": limit * latency}, {"rate_hz": 1e3 / (limit * latency)}):
            assert answer(Request(min_top1=1.0, accounting="gross", **limits), held).mix is not None
    for limits in ({"max_latency_ms": 1.2 * latency}, {"rate_hz": 1e3 / (1.2 * latency)}):
        assert answer(Request(min_top1=1.0, accounting="gross", **limits), slow).mix is None


def test_what_is_excluded_cannot_be_chosen():
    known = catalogue(20, 3)
    reasons = exclusion_reasons(known, ("n00?", "n01[0-4]"), ())
    left = known.keep(reasons == "", reasons)
    assert len(left) == 5 and set(left.excluded["reason"]) == {"excluded by 'n00?'", "excluded by 'n01[0-4]'"}
    with pytest.raises(EdgejouleError, match="matches no network"):
        exclusion_reasons(known, ("resnet*",), ())
    assert (exclusion_reasons(known, ("resnet*",), (), known_networks=["resnet18"]) == "").all()


def test_networks_of_a_licence_are_left_out():
    known = catalogue(20, 3)
    reasons = exclusion_reasons(known, ("n000",), ("Apache*",))
    assert list(np.flatnonzero(reasons == "")) == [5, 10, 15]
    assert reasons[0] == "excluded by 'n000'" and reasons[1] == "excluded by licence 'apache-2.0'"
    assert (exclusion_reasons(known, (), ("unstated",)) != "").sum() == 4
    # That no network of the device has a licence of the zoo's is what was asked for; one that nobody has is a slip.
    assert (exclusion_reasons(known, (), ("mit",), known_licences=["mit"]) == "").all()
    with pytest.raises(EdgejouleError, match=r"'apache2' is no licence .*; did you mean 'apache-2.0'"):
        exclusion_reasons(known, (), ("apache2",))


def test_neighbours_and_step_explain_the_choice():
    known = catalogue(40, 9)
    result = answer(Request(budget_mj=100.0), known)
    chosen = result.single.networks[0]
    assert known.energy_mj[result.cheaper] < known.energy_mj[chosen] <= 100 < known.energy_mj[result.dearer]
    assert known.top1[result.cheaper] < known.top1[chosen] < known.top1[result.dearer]
    more = answer(Request(budget_mj=101.0), known).mix.mean(known.top1) - result.mix.mean(known.top1)
    assert result.step_points == pytest.approx(more, abs=1e-6)
    assert make_limits(result.request, known)[0].name == "budget"
    assert json.loads(json.dumps(as_dict(result)))["feasible"] is True


@pytest.fixture
def results(tmp_path):
    table = networks()
    write_table(table, tmp_path / "datasets" / "board-x" / "networks.parquet", NETWORKS)
    common = {"board": "board", "origin": "measured", "predictor": "edgejoule", "protocol": "leave-one-family-out"}
    rows = table[["device", "network", "family"]].assign(**common, metric="energy_mj", measured=table["energy_mj"])
    rows["predicted"] = table["energy_mj"] * 1.1
    rows = rows.assign(lower=rows["predicted"] / 1.2, upper=rows["predicted"] * 1.2, stated=True, flagged=False)
    write_table(rows, tmp_path / "validation" / "board-x" / "networks.parquet", VALIDATION)
    columns = "network architecture family precision builder arguments input parameters"
    columns += " top1 top1_source licence licence_source"
    lines = [
        f"{name} {name} f fp32 edgejoule {{}} 3x8x8 {i}000000 50 test mit test" for i, name in enumerate("abcde", 1)
    ]
    (tmp_path / "networks.tsv").write_text("\n".join([columns, *lines, ""]).replace(" ", "\t"))
    return tmp_path


def ask(results, *options):
    arguments = ["recommend", "--results", str(results), "--zoo", str(results / "networks.tsv"), *options]
    result = CliRunner().invoke(build_app(), arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_the_command_prints_the_choice_and_why(results):
    text = ask(results, "--device", "board-x", "--budget", "30mJ")
    assert "best single" in text and "best mix" in text and "uses up the budget" in text
    data = json.loads(ask(results, "--device", "board-x", "--budget", "30mJ", "--json"))
    assert [member["network"] for member in data["mix"]["networks"]] == ["b", "e"]
    assert data["mix"]["top1"] == pytest.approx(75)
    # The single one is c; the next ones, b and e, are in the mix, and d is beaten by b.
    assert data["next_cheaper"]["network"] == "a" and data["next_dearer"] is None


def test_the_command_plans_with_predictions_and_refines_them(results):
    cautious = json.loads(
        ask(results, "--device", "board-x", "--budget", "30mJ", "--energies", "leave-one-family-out", "--json")
    )
    assert cautious["mix"]["top1"] < 75
    refined = json.loads(ask(results, "--device", "board-x", "--budget", "30mJ", "--refine", "--json"))
    assert refined["mix"]["top1"] == pytest.approx(75) and refined["mix"]["energy_mj"] == pytest.approx(30)
    assert {step["network"] for step in refined["measured"]} >= {"b", "e"}
    text = ask(results, "--device", "board-x", "--budget", "30mJ", "--refine")
    count = len(refined["measured"])
    assert f"Of 5 networks, {count} were measured; of these, ruled out" in text
    assert "predicted, 20 mJ measured" in ask(results, "--device", "board-x", "--budget", "30mJ", "--refine")


def test_refining_takes_a_battery_at_a_rate_and_counts_what_waiting_costs(results):
    # A request every 50 ms: 1 W of idle power adds 50 mJ less the inference's own 1 mJ per ms.
    asked = ("--device", "board-x", "--power", "1.3W", "--rate", "20/s")
    known = json.loads(ask(results, *asked, "--json"))
    refined = json.loads(ask(results, *asked, "--refine", "--json"))
    assert refined["accounting"] == "duty-cycle" and refined["budget_mj"] == pytest.approx(65)
    for mix in (known["mix"], refined["mix"]):
        assert {member["network"]: member["energy_mj"] for member in mix["networks"]} == {"b": 60.0, "e": 70.0}
        assert mix["energy_mj"] == pytest.approx(65)
    by_name = {step["network"]: step for step in refined["measured"]}
    assert by_name["b"]["measured_mj"] == pytest.approx(20 + 50 - 10)
    assert by_name["b"]["predicted_mj"] == pytest.approx(22 + 50 - 10)


def test_modelled_energies_are_neither_predicted_nor_refined(results, capsys):
    table = networks(device="cpu", origin="estimated", power_scope="model")
    write_table(table, results / "datasets" / "cpu" / "networks.parquet", NETWORKS)
    with pytest.raises(SystemExit):
        main(["recommend", "--results", str(results), "--device", "cpu", "--budget", "30mJ", "--refine"])
    assert "is modelled, 2 W x latency: it follows from the latency" in capsys.readouterr().err


def test_refining_asks_a_latency_of_each_network(results):
    asked = ("--device", "board-x", "--budget", "30mJ", "--max-latency", "16ms", "--refine", "--json")
    data = json.loads(ask(results, *asked))
    assert all(member["latency_ms"] <= 16 for member in data["mix"]["networks"])
    assert data["mix"]["energy_mj"] == pytest.approx(30)


def test_waiting_is_certain_where_energies_are_predicted(results):
    asked = ("--device", "board-x", "--power", "1.3W", "--rate", "20/s", "--energies", "leave-one-family-out", "--json")
    cautious = json.loads(ask(results, *asked))
    spread = 2 * np.log(1.2) / (2 * 1.6448536)
    member = next(member for member in cautious["mix"]["networks"] if member["network"] == "b")
    assert member["energy_mj"] == pytest.approx(22 * np.exp(1.2815516 * spread) + 40, rel=1e-6)


def test_the_command_limits_sizes(results):
    data = json.loads(ask(results, "--device", "board-x", "--budget", "99mJ", "--max-size", "13MB", "--json"))
    assert [member["network"] for member in data["mix"]["networks"]] == ["c"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--device", "board-y", "--budget", "30mJ"], "did you mean 'board-x'"),
        (
            ["--device", "rpi4-tflite-v2.7.1-ruy", "--budget", "30mJ"],
            "config/devices/rpi4-tflite-v2.7.1-ruy.yaml is there: run `snakemake --cores all datasets`",
        ),
        (["--device", "board-x", "--budget", "30mJ", "--results", "nowhere"], "or give the folder with --results"),
        (["--device", "board-x", "--budget", "30mJ", "--zoo", "README.md"], "README.md: table 'zoo' lacks the column"),
        (["--device", "board-x", "--budget", "30mJ", "--zoo", "nowhere"], "nowhere: no such file"),
        (["--device", "board-x", "--budget", "3mJ"], "a budget of at least 10 mJ per inference"),
        (["--device", "board-x", "--power", "2W", "--refine"], "give --budget, or --rate with the power or battery"),
        (["--device", "board-x", "--min-top1", "60", "--refine"], "give --budget, or --rate"),
        (["--device", "board-x", "--budget", "30mJ", "--refine", "--max-share", "0.8"], "leave out --min-share"),
        (["--device", "board-x", "--budget", "30mJ", "--refine", "--max-latency", "1ms"], "limit of at least 5 ms"),
        (
            ["--device", "board-x", "--budget", "30mJ", "--exclude-licence", "apache-2.0"],
            "--exclude-licence 'apache-2.0' leaves nothing to choose from on 'board-x': all 5 match",
        ),
        (["--device", "board-x", "--budget", "30mJ", "--exclude-licence", "mitt"], "did you mean 'mit'"),
        (
            ["--device", "board-x", "--budget", "30mJ", "--energies", "ten-fold"],
            "--energies is 'ten-fold'; valid: leave-one",
        ),
        (
            ["--device", "board-x", "--budget", "30mJ", "--exclude", "*"],
            "--exclude '*' leaves nothing to choose from on 'board-x'",
        ),
        (["--device", "board-x", "--budget", "30mJ", "--confidence", "7"], "--confidence is 7"),
        (["--device", "board-x", "--budget", "30mJ", "--refine", "--confidence", "7"], "--confidence is 7"),
        (
            ["--device", "board-x", "--budget", "30mJ", "--energies", "foo"],
            "valid: leave-one-family-out, measured, predictor",
        ),
        (
            ["--device", "board-x", "--budget", "30mJ", "--energies", "nowhere.parquet"],
            "--energies nowhere.parquet: no such file; `edgejoule predictors transfer` makes one",
        ),
        (["--device", "board-x", "--budget", "30mJ", "--max-size", "1kB"], "a size limit of at least 4 MB"),
    ],
)
def test_the_command_stops_with_one_sentence(results, capsys, root, monkeypatch, options, message):
    monkeypatch.chdir(root)
    arguments = ["recommend", "--results", str(results), "--zoo", str(results / "networks.tsv"), *options]
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--budget", "3mJ"], ["--budget", "3"]])
def test_programs_get_the_sentence_as_json(results, capsys, options):
    with pytest.raises(SystemExit) as stopped:
        main(["recommend", "--results", str(results), "--device", "board-x", *options, "--json"])
    assert stopped.value.code == 2
    shown = capsys.readouterr()
    data = json.loads(shown.out)
    assert shown.err.strip() == f"edgejoule: {data['error']}"
    assert data.get("feasible", False) is False
