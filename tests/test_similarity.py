"""Linear CKA against what is known of it: closed forms, and what it must not notice."""

import pytest
import torch

from metalearn_lite.similarity import linear_cka


def rows(num: int, size: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(num, size, generator=generator, dtype=torch.float64)


def turned(size: int) -> torch.Tensor:
    return torch.linalg.qr(rows(size, size, seed=9))[0]


def test_of_one_column_it_is_the_squared_correlation():
    a, b = rows(30, 1, 1), rows(30, 1, 2) + 0.5 * rows(30, 1, 1)
    correlation = torch.corrcoef(torch.cat([a, b], 1).T)[0, 1]
    torch.testing.assert_close(linear_cka(a, b), correlation.square())


def test_equals_the_formula_over_features():
    """|BᵀA|² / (|AᵀA| |BᵀB|), Frobenius norms, the columns centred: equation of section 3."""
    a, b = rows(20, 7, 1), rows(20, 4, 2)
    expected_a, expected_b = a - a.mean(0), b - b.mean(0)
    norms = (expected_a.T @ expected_a).norm() * (expected_b.T @ expected_b).norm()
    torch.testing.assert_close(
        linear_cka(a, b), (expected_b.T @ expected_a).norm().square() / norms
    )


def test_uncorrelated_columns_of_equal_length_in_closed_form():
    """Of d shared directions among D and E equally strong ones: d / √(D E)."""
    columns = rows(40, 9)
    columns = torch.linalg.qr(columns - columns.mean(0))[0]
    a, b = columns[:, :6], columns[:, 4:9]
    torch.testing.assert_close(
        linear_cka(a, b), torch.tensor(2 / (6 * 5) ** 0.5, dtype=torch.float64)
    )


def test_a_shift_a_turn_and_a_scale_go_unnoticed():
    a, b = rows(25, 6, 1), rows(25, 6, 1) + 0.7 * rows(25, 6, 2)
    expected = linear_cka(a, b)
    assert 0.1 < expected < 0.95
    for changed in (a + 3.0, 0.01 * a, a @ turned(6), 5 * a @ turned(6) - 1):
        torch.testing.assert_close(linear_cka(changed, b), expected)
        torch.testing.assert_close(linear_cka(changed, a), torch.ones_like(expected))
    torch.testing.assert_close(linear_cka(b, a), expected)


def test_a_stretch_of_one_direction_is_noticed():
    a = rows(25, 6)
    stretch = torch.tensor([10.0, 1, 1, 1, 1, 1], dtype=torch.float64)
    assert linear_cka(a, a * stretch) < 0.9


def test_every_task_has_its_own():
    a, b = rows(60, 4, 1).view(3, 20, 4), rows(60, 5, 2).view(3, 20, 5)
    together = linear_cka(a, b)
    assert together.shape == (3,)
    for task in range(3):
        torch.testing.assert_close(together[task], linear_cka(a[task], b[task]))


def test_examples_must_be_the_same():
    with pytest.raises(ValueError, match="4 and 5 examples"):
        linear_cka(rows(4, 2), rows(5, 2))
    with pytest.raises(ValueError, match="1 example says nothing"):
        linear_cka(rows(1, 2), rows(1, 2))
    with pytest.raises(ValueError, match="floats of one dtype"):
        linear_cka(rows(4, 2), rows(4, 2).float())
