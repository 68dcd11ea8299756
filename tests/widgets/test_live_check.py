from metalearn_lite.widgets.live_check import LiveCheck


def test_the_answer_follows_the_slider():
    check = LiveCheck()
    assert check.state["sentence"] == "3 squared is 9"
    check._receive(None, {"kind": "set", "id": 1, "name": "number", "value": 7}, [])
    assert check.state["sentence"] == "7 squared is 49"
    assert "slider" in repr(check)


def test_the_answer_needs_the_kernel():
    check = LiveCheck()
    assert not check.recorded, "with frames sent beforehand a dead kernel would go unnoticed"
