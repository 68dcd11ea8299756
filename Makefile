# make lab         open your own copy of the course, workbook/, in JupyterLab; what you changed there stays
# make workbook    make that copy, or bring it up to date, and open nothing
# make fresh       NOTEBOOK=04: a clean copy of one notebook; the old one goes to workbook/old/
# make test        everything that must hold: format, lint, tests, every notebook, every widget and the site in a browser
# make test-fast   the same without the browser and the slow tests, and of the notebooks only 00, 01 and 03
# make test-lab    every notebook's own figure in JupyterLab: the gestures that `make test` tries on a blank page
# make notebooks   run every notebook, save its outputs, clean its metadata
# make bench       timings beside the public libraries
# make shots       pictures of every widget, light and dark, wide and narrow, in build/shots/
# make format      put code and notebooks into the shape `make test` asks for
# make assignments an nbgrader course in build/course/ out of instructor/assignments.toml
# make grade       ASSIGNMENT=week1: grade what was handed in, two at a time, and name who could not be graded
# make grades      the grade book as CSV for Moodle and for Canvas, in build/course/
# make hub         JupyterHub on this machine for a class of its accounts: instructor/hub/class.toml
# make slides      each notebook as a deck in build/slides/, to show without a network
# make site        the course as a web site in build/site/, its figures alive: no network once `npm ci` has run
# make student-kit the course without instructor/, to hand out: build/student-kit.zip
# make learn2learn try again to install learn2learn, if it failed when .venv was made
#
# Each makes .venv when it is missing or out of date. PYTHON=… chooses the Python it is made with,
# LAB_OPTIONS=… is passed to JupyterLab, HUB_OPTIONS=… to the hub (--help lists them).
# TORCH_INDEX=… is explained in tools/setup.sh.

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
NOTEBOOKS = $(sort $(wildcard notebooks/*.ipynb))
FAST_NOTEBOOKS = $(sort $(wildcard notebooks/00_*.ipynb notebooks/01_*.ipynb notebooks/03_*.ipynb))
LAB_OPTIONS ?=

# JupyterLab refuses to run as root, which is who one is in most containers.
ALLOW_ROOT := $(shell [ "$$(id -u)" != 0 ] || echo --allow-root)

# What outlives a .venv is a stamp that a copied or moved folder, or a removed Python, has made untrue.
USABLE := $(shell [ "$$(cat $(STAMP) 2>/dev/null)" = "$$(pwd -P)" ] && $(PY) -c "print('yes')" 2>/dev/null)

# Two workers on one thread each: with a worker's torch on every core they would wait for each other.
# TQDM_DISABLE: what a progress bar leaves behind is never the same twice.
PYTEST = OMP_NUM_THREADS=1 TQDM_DISABLE=1 $(PY) -m pytest
PARALLEL = -n 2 --dist loadfile --no-loadscope-reorder
NBVAL = --nbval --nbval-current-env --nbval-sanitize-with tools/nbval_sanitize.cfg --nbval-cell-timeout 300

FOR_INSTRUCTORS = assignments grade grades hub slides student-kit

.PHONY: help lab workbook fresh test test-lab test-fast lint format notebooks bench shots site venv learn2learn stale $(FOR_INSTRUCTORS)

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

venv: $(STAMP)

$(STAMP): requirements.txt requirements-learn2learn.txt pyproject.toml $(if $(USABLE),,stale)
	PYTHON="$(PYTHON)" sh tools/setup.sh

stale:

INSTRUCTOR := .venv-instructor
INSTRUCTOR_STAMP := $(INSTRUCTOR)/.installed
OVER_USABLE := $(shell [ "$$(cat $(INSTRUCTOR_STAMP) 2>/dev/null)" = "$$(pwd -P)" ] && echo yes)

$(INSTRUCTOR_STAMP): $(STAMP) requirements-instructor.txt $(if $(OVER_USABLE),,stale)
	sh tools/setup.sh instructor

SITE := .venv-site
SITE_STAMP := $(SITE)/.installed
SITE_USABLE := $(shell [ "$$(cat $(SITE_STAMP) 2>/dev/null)" = "$$(pwd -P)" ] && echo yes)

$(SITE_STAMP): $(STAMP) requirements-site.txt $(if $(SITE_USABLE),,stale)
	sh tools/setup.sh site

# Learners get the course without instructor/, and with it nothing of this.
ifneq ($(wildcard instructor/plan.py),)

assignments: $(INSTRUCTOR_STAMP)
	$(INSTRUCTOR)/bin/python -m instructor.assignments

grade: $(INSTRUCTOR_STAMP)
	@$(INSTRUCTOR)/bin/python -m instructor.grade "$$ASSIGNMENT"

grades: $(INSTRUCTOR_STAMP)
	@$(INSTRUCTOR)/bin/python -m instructor.grade --export

hub: $(INSTRUCTOR_STAMP)
	$(INSTRUCTOR)/bin/python -m instructor.hub $(HUB_OPTIONS)

slides: $(STAMP)
	@$(PY) -m instructor.slides

student-kit: $(STAMP)
	@$(PY) -m instructor.student_kit

else

$(FOR_INSTRUCTORS):
	@echo "make $@ needs the folder instructor/, which is not in the learners' copy of the course." >&2; exit 1

endif

learn2learn: $(STAMP)
	sh tools/setup.sh learn2learn

WORKBOOK = $(PY) -m metalearn_lite.teaching.workbook
READ_ONLY = --ServerApp.authorizer_class=tools.read_only.ReadOnlyNotebooks

# Where no copy can be made it opens notebooks/, into which nothing is then saved.
lab: $(STAMP)
	@options=; first=$$($(WORKBOOK)); [ -n "$$first" ] || exit 1; \
	case "$$first" in notebooks/*) options=$(READ_ONLY) ;; esac; \
	$(PY) -m jupyterlab $(ALLOW_ROOT) $$options --LabApp.default_url="/lab/tree/$$first" $(LAB_OPTIONS)

workbook: $(STAMP)
	@$(WORKBOOK)

fresh: $(STAMP)
	@$(WORKBOOK) --fresh="$$NOTEBOOK"

# Only who changes JavaScript or CSS needs it: `npm ci` installs it.
BIOME := $(wildcard node_modules/.bin/biome)

lint: $(STAMP)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	@$(if $(BIOME),$(BIOME) check --error-on-warnings,echo "JavaScript and CSS were not looked at: npm ci installs what does it")

format: $(STAMP)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	@$(if $(BIOME),$(BIOME) check --write,echo "JavaScript and CSS stay as they are: npm ci installs what formats them")

# The site is built on what the tests leave of two cores; what looks at it comes after both.
BUILD_SITE = OMP_NUM_THREADS=1 TQDM_DISABLE=1 $(SITE)/bin/python -m tools.site.build
MAKES_SITE := $(and $(wildcard site/conf.py),$(wildcard node_modules/katex),yes)

test: lint $(if $(wildcard instructor/plan.py),$(INSTRUCTOR_STAMP)) $(if $(MAKES_SITE),$(SITE_STAMP))
	@mkdir -p build; \
	$(if $(MAKES_SITE),$(BUILD_SITE) >build/site.log 2>&1 &,:;) site=$$!; \
	$(PYTEST) $(PARALLEL) -m "not browser" $(NBVAL) tests --ignore tests/website $(NOTEBOOKS); told=$$?; \
	wait $$site || { cat build/site.log; exit 1; }; exit $$told
	$(PYTEST) $(PARALLEL) -m "not lab" -p no:nbval tests/browser tests/website

test-lab: $(STAMP)
	$(PYTEST) $(PARALLEL) -m lab -p no:nbval tests/browser

test-fast: lint
	$(PYTEST) $(PARALLEL) -m "not browser and not slow" $(NBVAL) tests $(FAST_NOTEBOOKS)

notebooks: $(STAMP)
	$(PY) tools/notebooks.py run $(NOTEBOOKS)

bench: $(STAMP)
	@for name in $(sort $(notdir $(basename $(wildcard benchmarks/[a-z]*.py)))); do \
		echo "$(PY) -m benchmarks.$$name"; $(PY) -m benchmarks.$$name || exit 1; done

# Formulas, search and the networks in the page come from npm. Learners' copies of the course have no site/.
ifneq ($(wildcard site/conf.py),)

site: $(SITE_STAMP)
	@[ -d node_modules/katex ] || { echo "make site needs what npm installs: npm ci" >&2; exit 1; }
	$(BUILD_SITE)

else

site:
	@echo "make $@ needs the folder site/, which is not in the learners' copy of the course." >&2; exit 1

endif

shots: $(STAMP)
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(PY) -m tools.shots
