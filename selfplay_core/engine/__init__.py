"""One run: choose categories, write prompts, answer, verify, correct, keep.

run.py            the rounds, and who works on what
  plan.py         what a run is told before it starts
  control.py      pause, resume, drain
  prompts.py      a category's prompts, by the model or from a file
  solver.py       one prompt, until its trace ends
    conversation.py   what the model is told
    asking.py         one request, with patience
    judging.py        what an attempt's verdicts mean
  keeper.py       traces and automatic decisions into the store, in order
  outage.py       a server that is away
session.py        the settings made into a run, and everything closed after it
"""
