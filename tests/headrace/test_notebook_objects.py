"""What a notebook shows: cards, pictures, frames with units, differences, studies."""

import html.parser
import json
from datetime import datetime

import optuna
import pytest

import headrace
from headrace import cards
from headrace.progress import Progress, Status, job_status
from headrace.study import study_of
from tests.api.harness import GRAPH, Server, result
from tests.api.test_jobs import NO_DESIGN

HOSTILE = "<script>alert('x')</script>&\""


class Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.styles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.styles += [value or "" for name, value in attrs if name == "style"]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(card: str) -> Tags:
    tags = Tags()
    tags.feed(card)
    return tags


@pytest.fixture(scope="module")
def done(client: headrace.Client, server: Server) -> headrace.Job:
    job = client.submit(
        b"good model", name="mine", search={"trials": 4}, constraints=[{"metric": "accuracy", "min": 0.5}]
    )
    server.run(job.id, trials=4)
    return job.refresh()


def test_cards_hold_every_text_escaped(client: headrace.Client, server: Server) -> None:
    model = client.upload_model(b"good model, hostile name", name=HOSTILE)
    job = client.submit(model, labels={"note": HOSTILE}, search={"trials": 1})
    sweep = client.sweep(jobs=[{"model": model.id, "labels": {"a": HOSTILE}}, {"model": HOSTILE}])
    server.run(job.id, trials=0, end="no_feasible_design", failure={**NO_DESIGN, "message": HOSTILE})
    trial = {**server_trial(), "reason": HOSTILE}
    shown = [model._repr_html_(), job.refresh()._repr_html_(), sweep._repr_html_(), cards.trial_card(trial)]
    for card in shown:
        tags = parsed(card)
        assert "script" not in tags.tags and set(tags.tags) <= {
            "div",
            "table",
            "tr",
            "th",
            "td",
            "strong",
            "code",
            "span",
        }
    for card in (shown[0], shown[1], shown[3]):
        assert HOSTILE in "".join(parsed(card).text)


def test_cards_take_the_colours_of_the_page(client: headrace.Client, done: headrace.Job) -> None:
    """Text has the page's own colour and grounds let the page through, so both themes are readable."""
    for card in (done._repr_html_(), client.model(done.document["model"])._repr_html_(), done.best()._repr_html_()):
        for style in parsed(card).styles:
            rules = dict(rule.split(":", 1) for rule in style.split(";") if rule)
            if "font-size" in rules or rules.get("text-align"):
                assert rules["color"] == "inherit"
            ground = rules.get("background", "transparent")
            bar = rules.get("height") == "100%"
            assert ground in ("transparent", "none") or ground.startswith("rgba(") or bar


def test_cards_say_what_a_person_asks(client: headrace.Client, done: headrace.Job) -> None:
    text = " ".join(parsed(done._repr_html_()).text)
    assert "4 of 4" in text and "succeeded" in text and "best accuracy 0.9" in text
    assert "170" in client.model(done.document["model"])._repr_html_()
    assert "inferences/s" in done.best()._repr_html_()


def test_a_picture_shows_itself(done: headrace.Job) -> None:
    plot = done.plot()
    assert plot._repr_png_()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "Pareto designs" in repr(plot)
    with pytest.raises(headrace.HeadraceError, match="cannot be saved"):
        plot.save("front.exe")


def test_a_job_without_a_front_has_a_picture_too(client: headrace.Client, server: Server) -> None:
    job = client.submit(b"good model")
    assert job.plot()._repr_png_()[:4] == b"\x89PNG"
    server.run(job.id, trials=0, end="no_feasible_design", failure=NO_DESIGN)
    assert job.plot().figure.axes[0].texts[0].get_text() == "no complete trial yet"


def test_frames_name_their_units(done: headrace.Job) -> None:
    units = done.trials_dataframe().attrs["units"]
    assert units["throughput_per_s"] == "inferences/s" and units["meas_latency_cycles"] == "cycles"
    assert units["clock_mhz"] == "MHz" and units["seconds_simulate"] == "s" and "accuracy" not in units


def test_operators_of_a_trial(done: headrace.Job, monkeypatch: pytest.MonkeyPatch) -> None:
    detail = [
        {"name": "fc", "source": "fc", "device": 0, "model_interval_cycles": 16, "busy_cycles": 16, "blocked_cycles": 0,
         "starved_cycles": 48},
        {"name": "relu", "source": "relu", "device": 1, "model_interval_cycles": 4, "busy_cycles": 4,
         "blocked_cycles": 4, "starved_cycles": 0},
    ]  # fmt: skip
    trial = done.best()
    document = {**trial.document, "metrics": {**trial.metrics, "operators": detail}}
    monkeypatch.setattr(trial._link, "run", lambda steps: document)
    frame = trial.operators()
    assert list(frame.index) == ["fc", "relu"] and frame.starved_share["fc"] == 0.75
    assert frame.attrs["units"]["busy_cycles"] == "cycles"


def test_difference_of_two_trials(done: headrace.Job) -> None:
    first, _, third, _ = done.trials()
    frame = first.diff(third)
    assert list(frame.columns) == ["trial 0", "trial 2", "ratio"]
    assert frame.loc[("weights", "fc"), "trial 2"] == "int4" and ("activations", "fc") not in frame.index
    assert frame.loc[("metrics", "est_lut"), "ratio"] == 3.0
    assert first.diff(first).empty


def test_a_trial_reads_like_its_document(done: headrace.Job) -> None:
    trial = done.best()
    assert trial["metrics"] == trial.metrics and trial.id == trial["id"] and "state" in trial
    assert json.dumps(trial.document)
    assert trial.weights == {"fc": "int5"} and trial.lanes == {"fc": (1, 4)} and trial.devices == {"fc": 0}
    assert trial.latency_cycles == 97 and trial.compared_words == 40


def test_the_same_trials_in_optuna(done: headrace.Job) -> None:
    study = done.to_optuna()
    assert study.directions[0].name == "MAXIMIZE" and study.metric_names == done.objectives
    assert [trial.values for trial in study.trials] == [
        [t.metrics[name] for name in done.objectives] for t in done.trials()
    ]
    assert [trial.constraints for trial in study.trials] == [t["constraints"] for t in done.trials()]
    for trial, known in zip(study.trials, done.trials(), strict=True):
        began, ended = (datetime.fromisoformat(known[name]).timestamp() for name in ("started_at", "finished_at"))
        assert trial.datetime_start is not None and trial.datetime_complete is not None
        assert (trial.datetime_start.timestamp(), trial.datetime_complete.timestamp()) == (began, ended)
    assert [trial.params["weight_fc"] for trial in study.trials] == ["int2", "int3", "int4", "int5"]
    assert {trial.user_attrs["trial_id"] for trial in study.best_trials} == {t.id for t in done.pareto()}


def server_trial(state: str = "complete", **fields: object) -> dict:
    found = result(0)
    candidate = {
        "quantization": {"fc": {"weight": "int4", "activation": "int8"}},
        "parallelism": {"fc": {"in_lanes": 1, "out_lanes": 1}},
        "partition": {"fc": 0},
    }
    times = {"created_at": "2026-11-24T10:00:00Z", "started_at": None, "finished_at": None}
    return {**found, "id": "t", "number": 0, "state": state, "candidate": candidate, **times, **fields}


def test_every_state_of_a_trial_has_one_in_optuna() -> None:
    spec = {"objectives": [{"metric": "accuracy", "direction": "maximize"}]}
    states = optuna.trial.TrialState
    for state, metrics, expected in (
        ("complete", {"accuracy": 0.5}, states.COMPLETE),
        ("infeasible", {"accuracy": 0.5}, states.COMPLETE),
        ("infeasible", {"est_lut": 9.0}, states.PRUNED),
        ("failed", {}, states.FAIL),
        ("cancelled", {}, states.FAIL),
        ("running", {}, states.RUNNING),
    ):
        trial = server_trial(state, metrics=metrics, constraints={"est_lut": 3.0})
        (found,) = study_of({"id": "j", "spec": spec}, [trial]).trials
        assert found.state == expected and found.constraints == {"est_lut": 3.0}


def test_progress_goes_to_standard_error_in_lines(done: headrace.Job, capsys) -> None:
    with Progress() as shown:
        shown.update(job_status(done.document))
        shown.update(Status(5, 9, "running", "5 complete"))
    out = capsys.readouterr()
    assert out.out == "" and "4/4 trials" in out.err and "5/9 trials  5 complete" in out.err


def test_a_terminal_gets_one_bar(done: headrace.Job) -> None:
    import io

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    with Progress(file=screen) as shown:
        for number in range(1, 4):
            shown.update(Status(number, 4, "running", f"{number} complete"))
    assert "3/4" in screen.getvalue() and "3 complete" in screen.getvalue()
    assert screen.getvalue().count("\n") == 1


def test_models_are_found_by_name(client: headrace.Client) -> None:
    stored = client.upload_model(b"good model with a name", name="resnet")
    assert client.model(stored.id).name == "resnet" and stored.name in [model.name for model in client.models()]
    assert stored.inputs == {"x": (16,)} and stored.operators == GRAPH["operators"] and stored["id"] == stored.id
