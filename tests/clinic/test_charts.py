"""Charts to open, and the figure of a ward."""

import html

import pytest

from metalearn_lite.clinic import PATIENTS, WARDS, Charts, draw_patients, ward

THREE = [PATIENTS[number] for number in ("7a", "12b", "21")]  # the quickest


def test_a_chart_is_closed_until_it_is_opened():
    page = Charts(THREE)._repr_html_()
    assert page.count("<details") == page.count("</details>") == 6
    assert "open>" not in page
    for patient in THREE:
        before, after = page.split(html.escape(patient.source()))
        assert html.escape(patient.complaint) in before
        assert html.escape(patient.findings()) in after


def test_as_text_it_says_how_to_read_it():
    assert 'clinic.chart("12b")' in repr(Charts(THREE))
    assert all(patient.diagnosis not in repr(Charts(THREE)) for patient in THREE)


def test_a_figure_has_a_row_for_each_patient_and_shades_where_it_fails():
    figure = draw_patients(THREE, range(2))
    for ax, patient in zip(figure.axes, THREE, strict=True):
        sick, healed, _ = ax.lines
        assert list(sick.get_xdata()) == [patient.examine(patient.sick, s) for s in range(2)]
        assert list(healed.get_xdata()) == [patient.examine(patient.healed, s) for s in range(2)]
        shaded = ax.patches[0].get_extents().transformed(ax.transData.inverted())
        for x in sick.get_xdata():
            assert shaded.x0 <= x <= shaded.x1
        for x in (*sick.get_xdata(), *healed.get_xdata()):
            assert ax.get_xlim()[0] <= x <= ax.get_xlim()[1]


def test_the_wards_share_out_all_patients():
    assert [p for name in WARDS for p in ward(name)] == list(PATIENTS.values())
    with pytest.raises(ValueError, match="name='surgery': choose 'gradients' or "):
        ward("surgery")
