"""Charts that a reader opens, and a ward at one glance."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from metalearn_lite.clinic.patient import Patient
from metalearn_lite.figures import COLORS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Charts:
    """The charts of several patients. In a notebook each is a line to open; in it, the answer too.

    As text it is a line for each patient; `Patient.admission` and `findings` print all there is.
    """

    def __init__(self, patients: Sequence[Patient]):
        self.patients = list(patients)

    def __repr__(self) -> str:
        return "\n".join(
            f'Patient {patient.number}: clinic.chart("{patient.number}") prints it'
            for patient in self.patients
        )

    def _repr_html_(self) -> str:
        return "\n".join(map(_opened, self.patients))


def _opened(patient: Patient) -> str:
    def code(text: str) -> str:
        return f"<pre style='overflow-x: auto'>{html.escape(text)}</pre>"

    inner = code(patient.source_of_experiment()) + code(patient.findings())
    return (
        f"<details><summary><b>Patient {patient.number}.</b> “{html.escape(patient.complaint)}”"
        f"</summary>{code(patient.source())}"
        "<details style='margin-left: 1em'><summary>What would you measure? Then open: the "
        f"experiment, the findings, the repair.</summary>{inner}</details></details>"
    )


def draw_patients(patients: Sequence[Patient], seeds: range = range(5)) -> Figure:
    """What the experiments measure: a row for each patient, a mark for each twin and seed.

    Shaded is where a patient does not pass; the title says where it does.
    """
    import matplotlib.pyplot as plt

    figure, rows = plt.subplots(
        len(patients), 1, figsize=(8.5, 0.85 * len(patients) + 0.2), squeeze=False
    )
    for ax, patient in zip(rows[:, 0], patients, strict=True):
        sick, healed = (
            [patient.examine(twin, seed) for seed in seeds]
            for twin in (patient.sick, patient.healed)
        )
        _scale(ax, patient, [*sick, *healed])
        ax.plot(sick, [0.3] * len(seeds), "X", color=COLORS["red"], ms=8, alpha=0.8, label="sick")
        ax.plot(healed, [-0.3] * len(seeds), "o", color=COLORS["green"], ms=8, alpha=0.8)
        ax.lines[-1].set_label("healed")
        low, high = ax.get_xlim()
        fails = (low, patient.line) if patient.above else (patient.line, high)
        ax.axvspan(*fails, color=COLORS["gray"], alpha=0.25, lw=0)
        ax.axvline(patient.line, color=COLORS["black"], lw=1)
        ax.set(xlim=(low, high), ylim=(-1, 1), yticks=[])
        title = f"{patient.number}: {patient.measures} (passes: {patient.bound})"
        ax.set_title(title, fontsize=9, loc="left", pad=3)
        ax.tick_params(labelsize=8)
        ax.grid(False)
    rows[0, 0].legend(ncols=2, fontsize=8, loc="lower right", bbox_to_anchor=(1, 0.95))
    return figure


def _scale(ax, patient: Patient, numbers: list[float]) -> None:
    """A linear axis, or where the numbers span many sizes one of powers of ten, 0 on it, too."""
    sizes = [abs(number) for number in [*numbers, patient.line] if number]
    if max(sizes) > 200 * min(sizes):
        smallest = max(min(sizes), 1e-12)
        ax.set_xscale("symlog", linthresh=smallest)
        low = -smallest if min(numbers) <= 0 else smallest / 5
        ax.set_xlim(low, 5 * max(sizes))
        exponents = range(-12, 13, 3)
        ax.set_xticks([0, *(10.0**e for e in exponents if smallest <= 10.0**e <= max(sizes) * 5)])
        ax.minorticks_off()
        return
    span = [*numbers, patient.line]
    room = 0.12 * (max(span) - min(span))
    ax.set_xlim(min(span) - room, max(span) + room)
