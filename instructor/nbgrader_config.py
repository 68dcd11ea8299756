"""How nbgrader grades this course. `make assignments` copies it into the course's folder."""

import os
import sys
from pathlib import Path

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    DeduplicateIds,
    GetGrades,
    IgnorePattern,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import course_parts  # noqa: E402  lies beside this file

# nbgrader looks for the program `alembic` on the path.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

c = get_config()  # noqa: F821  traitlets defines it

c.CourseDirectory.root = str(HERE)
c.CourseDirectory.course_id = "COURSE_ID"
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("your turn")'}
c.OverwriteCells.add_missing_cells = True  # a deleted test counts as failed, not as forgotten
c.Autograde.sanitize_preprocessors = [
    ClearOutput,
    DeduplicateIds,
    OverwriteKernelspec,
    course_parts.AddMissingAnswers,
    OverwriteCells,
    CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    course_parts.SetAside,
    course_parts.RunOneByOne,
    course_parts.DropWarnings,
    IgnorePattern,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]
c.GenerateFeedback.preprocessors = [
    GetGrades,
    course_parts.Redact,
    ClearHiddenTests,
    CSSHTMLHeaderPreprocessor,
]
