"""Bake-offs: the same cases through several models, compared in pairs.

contest.py        the work: who answers what, in which order, until it is over
  beginning.py      what is asked, in which folder
  terms.py          what must be equal for answers to be comparable
  cases.py          where the cases come from
  marks.py          what a trace says of its model
    expectation.py    what a case wants of an answer
ledger.py         what models did, read back from a folder
standing.py       the figures of a model, and of two against each other
  intervals.py      shares, differences and when one is decided
report.py         the whole comparison as one value
  sentences.py      what it says, in words and in cells
  document.py       as JSON
  markdown.py       for people
publish.py        both written beside the answers
guard.py          cases and training rows kept apart
"""
