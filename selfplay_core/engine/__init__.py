"""One run: choose categories, write prompts, answer, verify, correct, keep.

session.py        the settings made into a run, and everything closed after it
  servers.py        the model and the world, connected
  plan.py           what a run is told before it starts
  backlog.py        what earlier runs left
run.py            who works on what, and when it is over
  control.py        pause, resume, drain
  queue.py          the prompts and rounds that wait
  rounds.py         a round's categories and prompts
    prompts.py        one category's prompts, by the model
  solver.py         one prompt, until its trace ends
    conversation.py   what the model is told
    asking.py         one request, with patience
      slots.py          who may ask now
    judging.py        what an attempt's verdicts mean
  keeper.py         traces at once, automatic decisions in order
    acceptance.py     what is accepted without a person
    rows.py           the row that a decision gives
  surroundings.py   what runs around rounds
  watch.py          canaries, and who is online
  errands.py        what other processes ask of the one that holds the server
  outage.py         a server that is away
  seeds.py          numbers that follow from the run's seed
  groups.py         what a task group raises, without the group
doctor.py         is everything there that a run needs
"""
