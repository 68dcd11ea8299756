"""Every patient: the experiment fails on the sick twin and passes on the healed, by any seed."""

import inspect
import re
from functools import cache

import pytest
import torch

from metalearn_lite.clinic import PATIENTS, WARDS, chart
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners import PixelNearestNeighbour

SEEDS = range(4)
patients = pytest.mark.parametrize("patient", PATIENTS.values(), ids=lambda p: p.number)


@cache
def found(patient):
    """What the experiment says of the sick and of the healed twin, seed by seed."""
    twins = (patient.sick, patient.healed)
    return [[patient.examine(twin, seed) for seed in SEEDS] for twin in twins]


@patients
def test_the_experiment_tells_the_sick_from_the_healed(patient):
    sick, healed = found(patient)
    assert not any(map(patient.fine, sick)), sick
    assert all(map(patient.fine, healed)), healed


@patients
def test_it_is_not_told_by_a_hair(patient):
    """Between the twins there is room: a line moved by 3 % of it would tell them, too."""
    sick, healed = found(patient)
    last_sick, first_healed = max(sick), min(healed)
    if not patient.above:
        last_sick, first_healed = min(sick), max(healed)
    assert abs(last_sick - patient.line) >= 0.03 * abs(last_sick - first_healed)


@patients
def test_the_same_seed_gives_the_same_number(patient):
    assert patient.examine(patient.sick, 1) == found(patient)[0][1]


@patients
def test_the_twins_are_asked_the_same(patient):
    assert inspect.signature(patient.sick) == inspect.signature(patient.healed)


@patients
def test_the_twins_differ_by_little(patient):
    changed = [line for line in patient.repair().splitlines() if line[0] in "-+"]
    assert {line[0] for line in changed} >= {"+"}
    assert len(changed) <= 18, patient.repair()


@patients
def test_the_repair_is_told_in_the_order_of_the_code(patient):
    """With what stays around it, and nothing else: a chart is no second copy of the code."""
    lines = patient.repair().splitlines()
    for sign, source in (("-", patient.source()), ("+", patient.source(healed=True))):
        own = [line[2:].strip() for line in lines if line[0] in f" {sign}" and line != "  …"]
        rest = iter([line.strip() for line in source.splitlines()])
        assert all(line in rest for line in own), patient.repair()
    kept = [line[0] == " " for line in lines]
    assert not any(all(kept[at : at + 6]) for at in range(len(kept) - 5))


@patients
def test_a_patient_is_small_enough_to_read(patient):
    for healed in (False, True):
        assert len(patient.source(healed).splitlines()) <= 25


@patients
def test_the_names_in_the_code_do_not_tell_what_is_wrong(patient):
    source = patient.source().lower()
    for word in ("bug", "sick", "wrong", "fault", "leak"):
        assert word not in source
    assert patient.source(healed=True).split("(")[0].endswith("_healed")


def test_every_entry_of_the_list_of_faults_is_here():
    """1 to 24; where one entry has two faults, they are letters."""
    assert {int(re.match(r"\d+", number).group()) for number in PATIENTS} == set(range(1, 25))


def test_every_ward_has_patients():
    assert list(dict.fromkeys(patient.ward for patient in PATIENTS.values())) == list(WARDS)


@patients
def test_its_chart_says_what_there_is_to_say(patient):
    assert patient.complaint.split()[0] in patient.admission()
    assert patient.diagnosis.split(".")[0] not in patient.admission()
    told = patient.findings(range(1))
    assert patient.bound in told
    assert patient.name in told
    assert max(map(len, patient.admission().splitlines() + told.splitlines())) <= 100


def test_a_chart_has_everything(capsys):
    chart(10)
    told = capsys.readouterr().out
    patient = PATIENTS["10"]
    assert told.startswith("Patient 10. ")
    for part in (patient.source(), patient.source_of_experiment(), patient.findings()):
        assert part in told


def test_there_is_no_patient_25():
    with pytest.raises(ValueError, match="no patient '25': there are 1, 2"):
        chart(25)


def test_a_number_that_is_none_does_not_pass():
    for patient in PATIENTS.values():
        assert not patient.fine(float("nan"))


def test_blank_images_are_named_right_in_exactly_one_of_n():
    """The symptom of patient 13: whoever compares them, the first class wins."""
    y = torch.arange(5).expand(3, -1)
    blank = Examples(torch.zeros(3, 5, 1, 28, 28), y)
    scores = evaluate(PixelNearestNeighbour(), Episodes(blank, blank)).scores
    assert scores.tolist() == pytest.approx([0.2] * 3)
