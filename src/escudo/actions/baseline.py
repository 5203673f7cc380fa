"""Baselines, a lake -> what they leave in it; called by ``escudo baseline`` and by hunts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from escudo.actions.workspace import Workspace
from escudo.content import Baseline, Content
from escudo.detect.baselines import (
    BaselineRun,
    find_baselines,
    run_baselines,
    select_needed,
    sort_baselines,
)


def choose_baselines(
    content: Content, *, names: Sequence[str] = (), detections: Sequence[str] = ()
) -> list[Baseline]:
    """The baselines by name or id and those of some detections; all of the content without either.

    Raises:
        EscudoError: DET002 where there is no baseline, CON205 no detection of a name.
    """
    if not names and not detections:
        return sort_baselines(content)
    chosen = find_baselines(content, names)
    chosen += select_needed(content, [content.detection(name) for name in detections])
    return list({b.id or b.name: b for b in chosen}.values())


def learn_baselines(
    baselines: Sequence[Baseline],
    workspace: Workspace,
    *,
    follow: Callable[[Sequence[Baseline]], Iterable[Baseline]] = iter,
) -> list[BaselineRun]:
    """Runs baselines one by one; the lookups they fill and the models they fit stay in the lake.

    One that fails leaves nothing, and does not end the run of the others. ``follow`` is given the
    baselines and yields them one by one (a progress bar).
    """
    return list(
        run_baselines(
            follow(baselines),
            workspace.content,
            workspace.lake,
            workspace.engine_of,
            within=workspace.within,
            now=workspace.now,
        )
    )
