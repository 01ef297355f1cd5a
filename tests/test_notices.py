"""What is told stands no longer than its cause."""

from __future__ import annotations

from pathlib import Path

from tests.review import a_few, fill, review, review_job
from tests.work_screens import editing


async def test_what_could_follow_in_a_filter_goes_with_its_line(tmp_path: Path) -> None:
    """By enter, which keeps the filter, by esc, which does not, and by a letter behind which nothing could follow."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        for end in ("enter", "escape"):
            await opened.press("slash")
            await opened.type("status:")
            assert "pending" in opened.told
            await opened.press(end)
            assert opened.told == ""
        await opened.press("slash")
        await opened.type("s")
        assert "status:" in opened.told
        await opened.type("word")
        assert opened.told == ""


async def test_why_a_filter_was_not_taken_is_told_until_it_is_another(tmp_path: Path) -> None:
    """Enter leaves it told, for the filter of before is in force; going back to that takes it away."""
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press("slash")
        await opened.type("status:x")
        assert "no status" in opened.told
        await opened.press("enter")
        assert "no status" in opened.told
        await opened.press("slash")
        await opened.type("z")
        assert opened.told == ""


async def test_why_nothing_runs_goes_with_the_text(tmp_path: Path) -> None:
    """What was denied of a text is no news of another one."""
    async with editing(tmp_path) as edit:
        await edit.write("commands", "op Alex")
        await edit.press("ctrl+r")
        assert "Nothing runs." in edit.text
        await edit.write("commands", "say x")
        assert "Nothing runs." not in edit.text


async def test_that_nothing_differs_goes_with_the_text(tmp_path: Path) -> None:
    """It does then."""
    async with editing(tmp_path) as edit:
        await edit.press("ctrl+s")
        assert "Nothing differs" in edit.text
        await edit.write("reasoning", "another")
        assert "Nothing differs" not in edit.text


async def test_other_news_outlive_a_change(tmp_path: Path) -> None:
    """Only what the text is the cause of goes with it."""
    async with editing(tmp_path) as edit:
        await edit.press("ctrl+s")
        edit.screen.tell("The editor changed nothing.")
        await edit.write("reasoning", "another")
        assert "The editor changed nothing." in edit.text


async def test_that_it_is_too_early_for_a_page_goes_once_it_is_not(tmp_path: Path) -> None:
    """The page can be accepted then, and nothing says otherwise."""
    job = review_job(tmp_path)
    fill(job, a_few(12))
    async with review(job) as opened:
        await opened.press("b")
        await opened.pilot.press("a")
        await opened.pilot.pause()
        assert "Too early" in opened.text()
        opened.clock.seconds += 1.0
        await opened.until(lambda: "Too early" not in opened.text())
