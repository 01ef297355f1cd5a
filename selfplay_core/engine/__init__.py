"""One run: choose categories, write prompts, answer, verify, correct, keep.

session.py        the settings made into a run, and everything closed after it
  servers.py        the model and the world, connected
  plan.py           what a run is told before it starts
  backlog.py        what earlier runs left
run.py            who works on what, and when it is over
  control.py        pause, resume, hurry, drain, tune
    tuning.py         what may be set anew under way
  queue.py          the prompts and rounds that wait
  rounds.py         a round's categories and prompts
    prompts.py        one category's prompts, by the model
  solver.py         one prompt, until its trace ends
    conversation.py   what the model is told
    answering.py      a reply made into an attempt
    asking.py         one request, with patience
      slots.py          who may ask now
    judging.py        what an attempt's verdicts mean
  keeper.py         traces at once, automatic decisions in order
    acceptance.py     what is accepted without a person
    rows.py           the row that a decision gives
  surroundings.py   what runs around rounds
  watch.py          canaries, and who is online
  errands.py        what comes through the workspace: requests of others, rulings of persons
    looking.py        a person's commands, run or parsed
    again.py          one more answer, because a person asks
  outage.py         a server that is away
  bulletin.py       what a run says of itself to other processes
  seeds.py          numbers that follow from the run's seed
  groups.py         what a task group raises, without the group
desk.py           what a reviewer asks of the servers, whoever holds them
steering.py       pause, resume, hurry, drain and tune a run of whichever process
  relay.py          a request to the run, left in the workspace and waited for
holding.py        held attempts that end without having run
doctor.py         is everything there that a run needs
"""
