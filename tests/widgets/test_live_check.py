from metalearn_lite.widgets.live_check import LiveCheck


def test_the_answer_follows_the_slider():
    check = LiveCheck()
    assert check.answer.value == "3 squared is 9"
    check.slider.value = 7
    assert check.answer.value == "7 squared is 49"
    assert "slider" in repr(check)
