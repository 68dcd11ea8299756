"""The bug clinic: how published meta-learning goes wrong, a patient for each way.

>>> from metalearn_lite import clinic
>>> patient = clinic.PATIENTS["1"]
>>> patient.passes(patient.sick), patient.passes(patient.healed)
(False, True)
"""

from metalearn_lite import checks
from metalearn_lite.clinic import articles, data, evaluation, gradients, statistics
from metalearn_lite.clinic.charts import Charts, draw_patients
from metalearn_lite.clinic.patient import WARDS, Patient

PATIENTS = {
    patient.number: patient
    for module in (gradients, data, evaluation, statistics, articles)
    for patient in module.WARD
}
"""every patient by its number, ward by ward"""


def ward(name: str) -> list[Patient]:
    """The patients of one of ``WARDS``."""
    checks.choice(tuple(WARDS), name=name)
    return [patient for patient in PATIENTS.values() if patient.ward == name]


def chart(number: str | int) -> None:
    """Prints all about one patient: complaint, sick code, experiment, findings, repair.

    Raises:
        ValueError: there is no patient of that number.
    """
    number = str(number)
    if number not in PATIENTS:
        raise ValueError(f"no patient {number!r}: there are {', '.join(PATIENTS)}")
    patient = PATIENTS[number]
    parts = (patient.admission(), patient.source_of_experiment(), patient.findings())
    print("\n\n".join(parts))


__all__ = ["PATIENTS", "WARDS", "Charts", "Patient", "chart", "draw_patients", "ward"]
