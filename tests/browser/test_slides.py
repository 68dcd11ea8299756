"""A deck of `make slides` as it is shown: in a Chromium that reaches no host at all."""

from pathlib import Path

import pytest

from instructor import slides

pytestmark = pytest.mark.browser
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "04_maml_on_sinusoids.ipynb"
STATE = """() => {
    const slide = Reveal.getCurrentSlide();
    const zoom = parseFloat(slide.style.zoom);
    const images = [...slide.querySelectorAll(".jp-OutputArea-output img")];
    return {
        height: slide.scrollHeight * zoom, width: slide.scrollWidth * zoom, zoom,
        images: images.map(image => [image.naturalWidth, image.alt.length]),
        formulas: slide.querySelectorAll(".katex-html").length,
        words: slide.innerText,
    };
}"""


@pytest.fixture(scope="module")
def deck(tmp_path_factory):
    folder = tmp_path_factory.mktemp("the slides")  # a path with a space
    try:
        return slides.build([NOTEBOOK], folder)[0]
    except slides.CannotShow as error:
        pytest.skip(str(error))


def test_a_deck_shows_every_slide_whole_without_a_network(browser, deck):
    page = browser.new_page(viewport={"width": slides.WIDTH, "height": slides.HEIGHT})
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(deck.as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    states = []
    for number in range(page.evaluate("Reveal.getTotalSlides()")):
        page.evaluate("number => Reveal.slide(number)", number)
        states.append(page.evaluate(STATE))

    assert len(states) > 15
    assert not wrong
    assert all(url.startswith(("file:", "data:")) for url in asked)
    for state in states:
        assert state["height"] <= slides.HEIGHT, state
        assert state["width"] <= slides.WIDTH + 5, state
        assert state["zoom"] >= 0.7, state
        assert "$" not in state["words"]
        assert all(width > 100 and alternative > 20 for width, alternative in state["images"])
    assert sum(len(state["images"]) for state in states) >= 4
    assert sum(state["formulas"] for state in states) > 10
    assert page.locator(".katex-error").count() == 0
    notes = "".join(page.locator("aside.notes").all_text_contents())
    assert "In words: four dashed waves" in notes
    page.close()
